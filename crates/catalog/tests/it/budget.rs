//! Invariant I4: requests are written down before they are sent.

use catalog::Reservation;
use model::secret::Secret;

use crate::support::{Scene, at};

#[tokio::test]
async fn reservations_are_kept_per_key_and_endpoint_and_old_ones_forgotten() {
    let scene = Scene::new().await;
    let catalog = &scene.catalog;
    let key = catalog.key_fingerprint("h", &Secret::new("a"));
    let other = catalog.key_fingerprint("h", &Secret::new("b"));
    for second in [5, 1, 1] {
        catalog.reserve(&key, "logs", at(second), at(0)).await.unwrap();
    }
    catalog.reserve(&key, "actions", at(1), at(0)).await.unwrap();
    catalog.reserve(&other, "logs", at(1), at(0)).await.unwrap();
    let times = catalog.reservations(&key, "logs", at(0)).await.unwrap();
    assert_eq!(times, [at(1), at(1), at(5)]);
    assert_eq!(catalog.reservations(&key, "logs", at(2)).await.unwrap(), [at(5)]);

    catalog.reserve(&key, "logs", at(60), at(5)).await.unwrap();
    assert_eq!(catalog.reservations(&key, "logs", at(0)).await.unwrap(), [at(5), at(60)]);
    assert_eq!(catalog.reservations(&key, "actions", at(0)).await.unwrap().len(), 1);
    assert_eq!(catalog.reservations(&other, "logs", at(0)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn several_are_reserved_in_one_go_and_the_most_careful_limit_forgets() {
    let scene = Scene::new().await;
    let catalog = &scene.catalog;
    let key = catalog.key_fingerprint("h", &Secret::new("a"));
    let reservation = |second, forget| Reservation {
        key: key.clone(),
        endpoint: "logs".to_owned(),
        at: at(second),
        forget_before: at(forget),
    };
    catalog.reserve_many(&[reservation(1, 0), reservation(2, 0)]).await.unwrap();
    catalog.reserve_many(&[reservation(60, 50), reservation(61, 2)]).await.unwrap();
    let times = catalog.reservations(&key, "logs", at(0)).await.unwrap();
    assert_eq!(times, [at(2), at(60), at(61)]);
    catalog.reserve_many(&[]).await.unwrap();
}
