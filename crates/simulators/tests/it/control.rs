//! The routes under `/_sim/`.

use std::collections::HashMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use simulators::Volume;

use crate::client::{get, held, page_through, post, sim, window};

#[tokio::test]
async fn held_is_what_stays_reachable_for_the_grace_after_the_first_request() {
    let sim = sim(Volume::PerHour(60.0), &[("requests", "20"), ("window", "60s")]);
    // 48 streams in 3 windows of 60 s, and a minute.
    let reach = window("2026-02-27T08:04:00Z", "2026-03-02T08:00:00Z", 500);
    get(&sim, &reach).await;
    let fetched: Vec<_> =
        page_through(&sim, &reach, 12).await.iter().flat_map(crate::client::Reply::ids).collect();
    assert_eq!(held(&sim), fetched);
    post(&sim, "/_sim/clock", r#"{"advance":"1h"}"#).await;
    let later = held(&sim);
    assert_eq!(
        later[..fetched.len()],
        fetched,
        "the first request decides, not the time of asking"
    );
    assert!((58..=62).contains(&(later.len() - fetched.len())));
    let until = get(&sim, "/_sim/held?until=2026-03-02T08:00:00Z").await.json();
    assert_eq!(until["streams"]["sharepoint/dlp"], json!(fetched));
    assert_eq!(until["streams"].as_object().unwrap().len(), 48);
}

#[tokio::test]
async fn digests_are_those_of_the_bytes_in_every_answer() {
    let sim = sim(Volume::PerHour(60.0), &[("late", "10:5m"), ("streams", "sharepoint/dlp")]);
    let answer = get(&sim, "/_sim/held?with=sha256").await.json();
    let of_held = answer["streams"]["sharepoint/dlp"].as_array().unwrap();
    let digests: HashMap<_, _> = of_held
        .iter()
        .map(|h| (h["id"].as_str().unwrap(), h["sha256"].as_str().unwrap()))
        .collect();
    for (limit, order) in [(7, "shuffled"), (500, "descending")] {
        sim.set_fault("order", order).unwrap();
        let pages =
            page_through(&sim, &window("2026-03-02T06:00:00Z", "2026-03-02T07:00:00Z", limit), 20)
                .await;
        for (id, bytes) in pages.iter().flat_map(crate::client::Reply::records) {
            assert_eq!(hex::encode(Sha256::digest(&bytes)), digests[id.as_str()]);
        }
    }
}

#[tokio::test]
async fn requests_are_listed_without_those_to_the_control_routes() {
    let sim = sim(Volume::PerHour(60.0), &[]);
    get(&sim, "/_sim/state").await;
    get(&sim, "/v1/siem/nothing?a=1").await;
    let listed = get(&sim, "/_sim/requests").await.json();
    assert_eq!(
        listed,
        json!([{
            "at": "2026-03-02T08:00:00.000Z", "credential": "sim-key", "method": "GET", "path": "/v1/siem/nothing",
            "query": "a=1", "status": 404, "injected": false, "records": 0
        }])
    );
}

#[tokio::test]
async fn served_lists_every_stream_and_state_has_no_effects_yet() {
    let sim = sim(Volume::PerHour(60.0), &[("streams", "*2")]);
    get(&sim, "/v1/siem/security_events?service=exchange&event=securityrisk").await;
    let served = get(&sim, "/_sim/served").await.json();
    assert_eq!(served["streams"]["exchange/virtualanalyzer"], json!([]));
    assert!(served["streams"]["exchange/securityrisk"].as_array().unwrap().len() > 2);
    let digests = get(&sim, "/_sim/served?with=sha256").await.json();
    let digests = digests["streams"]["exchange/securityrisk"].as_array().unwrap().clone();
    assert!(digests.len() > 2 && digests.iter().all(|record| record["sha256"].is_string()));
    assert_eq!(get(&sim, "/_sim/served?with=md5").await.status, 400);
    let none = json!({
        "blocklist": { "senders": [], "urls": [], "filehashes": [], "file256hashes": [] },
        "mails": [], "accounts": [], "batches": []
    });
    assert_eq!(get(&sim, "/_sim/state").await.json(), none);
    assert_eq!(get(&sim, "/_sim/else").await.status, 404);
}

#[tokio::test]
async fn faults_change_at_run_time_all_or_none() {
    let sim = sim(Volume::PerHour(60.0), &[]);
    let set = post(&sim, "/_sim/faults", r#"{"window":"2s","requests":3,"gzip":false}"#).await;
    assert_eq!(set.json()["window"], "2s");
    assert_eq!(set.json()["requests"], "3");
    let refused = post(&sim, "/_sim/faults", r#"{"window":"5s","order":"random"}"#).await;
    assert_eq!(refused.status, 400);
    let error = refused.json()["error"].as_str().unwrap().to_owned();
    assert_eq!(
        error,
        "fault `order` does not accept `random`: it takes ascending, descending or shuffled"
    );
    assert_eq!(get(&sim, "/_sim/faults").await.json()["window"], "2s");
    assert_eq!(post(&sim, "/_sim/faults", r#"{"windows":"5s"}"#).await.status, 400);
    assert_eq!(post(&sim, "/_sim/faults", "window=5s").await.status, 400);
}

#[tokio::test]
async fn the_clock_is_moved_and_nonsense_refused() {
    let sim = sim(Volume::PerHour(60.0), &[]);
    let moved = post(&sim, "/_sim/clock", r#"{"advance":"3h"}"#).await;
    assert_eq!(moved.json(), json!({ "now": "2026-03-02T11:00:00.000Z" }));
    for bad in [r#"{"advance":"-3h"}"#, r#"{"advance":"3h","back":"1h"}"#, r#"{"to":"3h"}"#, "3h"] {
        assert_eq!(post(&sim, "/_sim/clock", bad).await.status, 400, "{bad}");
    }
    for bad in ["/_sim/held?with=md5", "/_sim/held?until=noon"] {
        assert_eq!(get(&sim, bad).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn a_fixed_number_of_records_is_held_in_full() {
    let sim = sim(Volume::Events(1_000), &[]);
    assert_eq!(sim.held().iter().map(|stream| stream.ids.len()).sum::<usize>(), 1_000);
    let answer: Value = get(&sim, "/_sim/held").await.json();
    assert_eq!(answer["streams"]["sharepoint/dlp"], json!(held(&sim)));
}
