//! Faults of the answer as a whole.

use std::io::Read;

use flate2::read::GzDecoder;
use simulators::Volume;

use crate::client::{get, post, sim, window};

fn target() -> String {
    window("2026-03-02T06:00:00Z", "2026-03-02T07:00:00Z", 10)
}

#[tokio::test]
async fn every_nth_request_fails_as_asked() {
    let sim = sim(Volume::PerHour(100.0), &[("fail_every", "3"), ("unavailable_every", "2")]);
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(get(&sim, &target()).await.status.as_u16());
    }
    assert_eq!(statuses, [200, 503, 500, 503, 200, 500]);
    assert_eq!(sim.requests().iter().filter(|request| request.injected).count(), 4);
}

#[tokio::test]
async fn an_outage_answers_503_to_everybody_while_it_lasts() {
    let sim = sim(
        Volume::PerHour(100.0),
        &[("outage", "2026-03-02T08:00:00Z/2026-03-02T08:10:00Z"), ("unavailable_html", "on")],
    );
    let down = get(&sim, &target()).await;
    assert_eq!(down.status, 503);
    assert!(down.body.starts_with(b"<html>"));
    post(&sim, "/_sim/clock", r#"{"advance":"10m"}"#).await;
    assert_eq!(get(&sim, &target()).await.status, 200);
    post(&sim, "/_sim/faults", r#"{"outage":"on","unavailable_html":"off"}"#).await;
    assert_eq!(get(&sim, &target()).await.code(), -5_030_001);
}

#[tokio::test]
async fn cut_bodies_are_announced_in_full_and_not_counted_as_served() {
    let sim = sim(Volume::PerHour(100.0), &[("cut_every", "2")]);
    let whole = get(&sim, &target()).await;
    let cut = get(&sim, &target()).await;
    assert_eq!(cut.status, 200);
    assert!(cut.body.is_empty(), "reading the body must fail");
    assert!(cut.headers["content-length"].to_str().unwrap().parse::<usize>().unwrap() > 1_000);
    let served =
        sim.served().into_iter().find(|stream| stream.stream == "sharepoint/dlp").unwrap().ids;
    assert_eq!(served, whole.ids());
}

#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "the test knows what it unpacks")]
async fn answers_can_be_padded_and_compressed() {
    let sim = sim(Volume::PerHour(100.0), &[("huge_body", "2000000"), ("gzip", "on")]);
    let page = get(&sim, &target()).await;
    assert_eq!(page.headers["content-encoding"], "gzip");
    assert!(page.body.len() < 100_000);
    let mut plain = String::new();
    GzDecoder::new(page.body.as_slice()).read_to_string(&mut plain).unwrap();
    assert!(plain.len() > 2_000_000);
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&plain).unwrap()["security_events"]
            .as_array()
            .unwrap()
            .len(),
        10
    );
}

#[tokio::test]
async fn pages_of_the_wrong_type_serve_nothing() {
    let sim = sim(Volume::PerHour(100.0), &[("wrong_type", "on"), ("date_skew", "-1h")]);
    let page = get(&sim, &target()).await;
    assert_eq!(page.status, 200);
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    assert_eq!(page.headers["date"], "Mon, 02 Mar 2026 07:00:00 GMT");
    assert!(sim.served().iter().all(|stream| stream.ids.is_empty()));
}

#[tokio::test]
async fn answers_take_the_asked_time() {
    let sim = sim(Volume::PerHour(100.0), &[("delay", "60ms")]);
    let before = std::time::Instant::now();
    get(&sim, &target()).await;
    assert!(before.elapsed() >= std::time::Duration::from_millis(60));
}
