//! Who may ask, and how often.

use std::time::Duration;

use simulators::{Refusal, Volume};

use crate::client::{get, send, sim};

const TARGET: &str = "/v1/siem/security_events?service=sharepoint&event=dlp";

#[tokio::test]
async fn keys_are_refused_with_the_codes_of_the_contract() {
    let faults = [
        ("keys", "a,old,gone,narrow"),
        ("expired", "old"),
        ("revoked", "gone"),
        ("scopes", "narrow:none"),
    ];
    let sim = sim(Volume::PerHour(6.0), &faults);
    let router = sim.router();
    for (key, status, code) in [
        (None, 401, -4_010_001),
        (Some("sim-key"), 401, -4_010_001),
        (Some("gone"), 401, -4_010_001),
        (Some("old"), 401, -4_010_002),
        (Some("narrow"), 403, -4_030_001),
    ] {
        let refused = send(&router, "GET", TARGET, key, "").await;
        assert_eq!((refused.status.as_u16(), refused.code()), (status, code), "{key:?}");
    }
    assert_eq!(send(&router, "GET", TARGET, Some("a"), "").await.status, 200);
}

#[tokio::test]
async fn the_quota_is_a_window_from_the_first_request_of_each_key() {
    let sim = sim(Volume::PerHour(6.0), &[("requests", "2"), ("window", "60s"), ("keys", "a,b")]);
    let router = sim.router();
    let ask = async |key| send(&router, "GET", TARGET, Some(key), "").await;
    assert_eq!(ask("a").await.status, 200);
    sim.clock().advance(Duration::from_secs(50));
    assert_eq!(ask("a").await.status, 200);
    let refused = ask("a").await;
    assert_eq!((refused.status.as_u16(), refused.code()), (429, -4_290_001));
    assert!(!refused.headers.contains_key("retry-after"));
    assert_eq!(ask("b").await.status, 200);
    sim.clock().advance(Duration::from_secs(10));
    assert_eq!(ask("a").await.status, 200);
}

#[tokio::test]
async fn the_quota_can_be_the_tenants_and_name_the_wait() {
    let faults =
        [("requests", "1"), ("quota_scope", "tenant"), ("retry_after", "on"), ("keys", "a,b")];
    let sim = sim(Volume::PerHour(6.0), &faults);
    let router = sim.router();
    assert_eq!(send(&router, "GET", TARGET, Some("a"), "").await.status, 200);
    sim.clock().advance(Duration::from_millis(1_500));
    let refused = send(&router, "GET", TARGET, Some("b"), "").await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.headers["retry-after"], "59");
}

#[tokio::test]
async fn injected_refusals_are_told_from_real_ones() {
    let sim = sim(Volume::PerHour(6.0), &[("throttle_every", "2"), ("requests", "2")]);
    for status in [200, 429, 429] {
        assert_eq!(get(&sim, TARGET).await.status, status);
    }
    let journal: Vec<_> =
        sim.requests().iter().map(|request| (request.reason, request.injected)).collect();
    assert_eq!(
        journal,
        [(None, false), (Some(Refusal::Injected), true), (Some(Refusal::Quota), false)]
    );
}
