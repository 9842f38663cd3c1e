//! Writes that fail just before and just after they commit. Each failpoint is armed for the test's
//! own catalog only, by the name of its directory.

use catalog::{Applied, ErrorKind};
use model::ledger::Counts;
use model::secret::Secret;

use crate::support::{Scene, at, page};

fn arm(name: &str, scene: &Scene) {
    let directory = scene.directory.path().file_name().unwrap().to_str().unwrap();
    fail::cfg(name, &format!("return({directory})")).unwrap();
}

#[tokio::test]
async fn a_page_that_fails_before_its_commit_leaves_nothing_and_succeeds_later() {
    const POINT: &str = "catalog.apply_page.before_commit";
    let scene = Scene::new().await;
    let connector = scene.connector("CAS").await.id;
    let page = page(connector);
    arm(POINT, &scene);
    let error = scene.catalog.apply_page(page.clone()).await.unwrap_err();
    fail::remove(POINT);
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.is_retryable());
    assert_eq!(scene.totals().await, Counts::default());
    assert!(scene.catalog.cursors(connector).await.unwrap().is_empty());
    assert_eq!(scene.catalog.apply_page(page).await.unwrap(), Applied::Now);
    assert_eq!(scene.totals().await.stored, 1);
}

#[tokio::test]
async fn a_page_that_fails_after_its_commit_is_known_when_it_is_tried_again() {
    const POINT: &str = "catalog.apply_page.after_commit";
    let mut scene = Scene::new().await;
    let page = page(scene.connector("CAS").await.id);
    arm(POINT, &scene);
    scene.catalog.apply_page(page.clone()).await.unwrap_err();
    fail::remove(POINT);
    scene.reopen().await;
    assert_eq!(scene.catalog.apply_page(page).await.unwrap(), Applied::AlreadyApplied);
    assert_eq!(scene.totals().await.stored, 1);
}

#[tokio::test]
async fn a_reservation_that_fails_is_written_or_not_but_never_half() {
    let scene = Scene::new().await;
    let key = scene.catalog.key_fingerprint("h", &Secret::new("a"));
    let points = [("catalog.reserve.before_commit", 0), ("catalog.reserve.after_commit", 1)];
    for (point, expected) in points {
        arm(point, &scene);
        scene.catalog.reserve(&key, "logs", at(1), at(0)).await.unwrap_err();
        fail::remove(point);
        let written = scene.catalog.reservations(&key, "logs", at(0)).await.unwrap();
        assert_eq!(written.len(), expected, "{point}");
    }
}
