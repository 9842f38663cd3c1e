//! Trend Vision One over days of virtual time: every version of every alert once, whatever runs out meanwhile.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::connectors::status::ConnectorStatus;
use model::clock::Clock;
use model::time::Timestamp;
use model::vendor::Fault;
use query::store::EventStore;
use serde_json::json;
use sha2::{Digest, Sha256};
use simulators::{Simulator, Volume};

use crate::world::{World, name, tenant};

const VISION: &str = "trend_vision_one";
const HOUR: Duration = Duration::from_secs(3600);

fn connector(url: &str, token: &str, more: &str) -> String {
    format!(
        "connectors:\n  - name: v\n    integration: {VISION}\n    credential: {{ token: \"{token}\" }}\n    \
         parameters: {{ base_url: \"{url}\" }}\n{more}"
    )
}

fn token_until(end: Timestamp) -> String {
    let part = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"cid": "c", "exp": end.as_millis() / 1_000});
    format!("{}.{}.c2lnbg", part(json!({"alg": "RS256"})), part(claims))
}

/// How often each record is stored, by the digest of its bytes.
async fn stored(world: &World) -> BTreeMap<String, u32> {
    let mut stored = BTreeMap::new();
    for class in model::ocsf::Class::ALL {
        for row in world.store.commits(class, None).await.unwrap() {
            *stored.entry(hex::encode(Sha256::digest(&row.raw))).or_insert(0) += 1;
        }
    }
    stored
}

/// Asserts that everything that the vendor holds of a stream up to a time is stored, nothing is stored twice, and
/// the books balance. Answers how much was held.
async fn assert_complete(
    world: &World,
    simulator: &Simulator,
    stream: &str,
    until: Timestamp,
) -> usize {
    let stored = stored(world).await;
    assert!(stored.values().all(|times| *times == 1), "something is stored twice");
    let held = simulator.held_with_sha256(Some(until.as_millis()));
    let (_, held) = held.into_iter().find(|(name, _)| name == stream).unwrap();
    let lost: Vec<_> = held.iter().filter(|record| !stored.contains_key(&record.sha256)).collect();
    assert!(lost.is_empty(), "{} of {} lost in {stream}: {lost:?}", lost.len(), held.len());
    let ledger = world.app.ledger(None, None).await.unwrap();
    assert_eq!(ledger.imbalance(), 0);
    assert_eq!(ledger.stored, u64::from(stored.values().sum::<u32>()));
    held.len()
}

async fn status(world: &World) -> ConnectorStatus {
    world.app.status(&tenant(), &name("v")).await.unwrap()
}

fn state_of(status: &ConnectorStatus, stream: &str) -> String {
    status.streams.iter().find(|found| found.stream == stream).unwrap().state.clone()
}

#[tokio::test]
async fn every_version_of_every_alert_is_stored_once() {
    let world = World::open().await;
    let faults = [("late", "10:90m"), ("update_while_paging", "97")];
    let (simulator, url) = world.simulate(VISION, Volume::PerHour(20.0), &faults).await;
    let start = world.clock.now();
    world.apply(&connector(&url, "sim-key", "    backfill: 81h\n")).await;
    world.app.start().await.unwrap();
    world.pass(14 * HOUR).await;
    assert_eq!(status(&world).await.state, "ok");
    let until = world.clock.now() - HOUR / 2;
    let alerts = assert_complete(&world, &simulator, "alerts", until).await;
    let techniques = assert_complete(&world, &simulator, "observed_attack_techniques", until).await;
    // Audit logs are asked for once a day.
    let audit = assert_complete(&world, &simulator, "audit_logs", start - HOUR / 2).await;
    assert!(alerts > 1_900 && techniques > 1_800 && audit > 1_500, "{alerts} {techniques} {audit}");
}

#[tokio::test]
async fn a_key_that_runs_out_is_named_and_its_replacement_closes_the_gap() {
    let world = World::open().await;
    let start = world.clock.now();
    // Between two polls, which come every five minutes.
    let end = start + 3 * HOUR + Duration::from_secs(60);
    let (old, new) = (token_until(end), token_until(start + 90 * 24 * HOUR));
    let keys = format!("{old},{new}");
    let faults = [("keys", keys.as_str()), ("settle", "5h")];
    let (simulator, url) = world.simulate(VISION, Volume::PerHour(10.0), &faults).await;
    world.apply(&connector(&url, &old, "")).await;
    world.app.start().await.unwrap();
    world.pass(2 * HOUR).await;
    let before = status(&world).await;
    assert_eq!(before.state, "ok");
    assert!(before.notices[0].starts_with("token[0]: the key runs out at 2026-03-10T03:01:00Z"));
    // The test is the first to learn of it, and the status follows.
    world.pass(HOUR + Duration::from_secs(100)).await;
    assert_eq!(status(&world).await.state, "ok");
    let tested = world.during(world.app.test_connector(&tenant(), &name("v"))).await.unwrap();
    assert!(!tested.passed && tested.summary.starts_with("expired key"), "{tested:?}");
    world.pass(Duration::from_secs(5)).await;
    assert_eq!(status(&world).await.state, "credentials");
    world.pass(2 * HOUR).await;
    let broken = status(&world).await;
    assert_eq!(broken.state, "credentials");
    assert!(broken.notices[0].contains("the key ran out at 2026-03-10T03:01:00Z"));
    let problem = broken.streams.iter().find_map(|stream| stream.problem.clone()).unwrap();
    assert!(problem.starts_with("expired key") && problem.contains("ran out at"), "{problem}");
    world.apply(&connector(&url, &new, "")).await;
    world.pass(HOUR).await;
    let mended = status(&world).await;
    assert_eq!((mended.state.as_str(), mended.notices.len()), ("ok", 0));
    let until = world.clock.now() - HOUR / 2;
    for stream in ["alerts", "observed_attack_techniques"] {
        assert!(assert_complete(&world, &simulator, stream, until).await > 500);
    }
}

#[tokio::test]
async fn a_key_that_the_vendor_takes_again_is_used_as_soon_as_a_test_has_found_it() {
    let world = World::open().await;
    let (simulator, url) = world.simulate(VISION, Volume::PerHour(10.0), &[]).await;
    world.apply(&connector(&url, "sim-key", "")).await;
    world.app.start().await.unwrap();
    world.pass(HOUR).await;
    simulator.set_fault("keys", "other").unwrap();
    // By now a refused key is tried every ten minutes at most.
    world.pass(2 * HOUR).await;
    assert_eq!(status(&world).await.state, "credentials");
    simulator.set_fault("keys", "sim-key").unwrap();
    let tested = world.during(world.app.test_connector(&tenant(), &name("v"))).await.unwrap();
    assert!(tested.passed, "{tested:?}");
    world.pass(Duration::from_secs(5)).await;
    let mended = status(&world).await;
    assert_eq!(mended.state, "ok", "{mended:?}");
}

#[tokio::test]
async fn page_tokens_shorter_than_a_walk_shrink_the_walk_until_it_fits() {
    let world = World::open().await;
    let faults = [
        ("token_life", "25s"),
        ("requests", "6"),
        ("window", "60s"),
        ("streams", "observed_attack_techniques"),
    ];
    let (simulator, url) = world.simulate(VISION, Volume::PerHour(1_500.0), &faults).await;
    let more = "    content_types: [observed_attack_techniques]\n    backfill: 4h\n    \
                quota: { requests: 6, per: 60s }\n";
    world.apply(&connector(&url, "sim-key", more)).await;
    world.app.start().await.unwrap();
    world.pass(6 * HOUR).await;
    let expired = simulator.requests().iter().filter(|request| request.status == 400).count();
    assert!(expired > 0, "no token ran out, so this proves nothing");
    let stored = stored(&world).await;
    let held = simulator.held_with_sha256(Some((world.clock.now() - HOUR / 2).as_millis()));
    let (_, techniques) = held.into_iter().next().unwrap();
    // The newest eight hours: two before the start, and all since.
    let newest: Vec<_> = techniques.iter().rev().take(12_000).collect();
    let lost = newest.iter().filter(|record| !stored.contains_key(&record.sha256)).count();
    assert_eq!((lost, newest.len()), (0, 12_000));
    assert_eq!(world.app.ledger(None, None).await.unwrap().imbalance(), 0);
}

#[tokio::test]
async fn a_permission_that_is_missing_stops_one_content_type_and_no_other() {
    let world = World::open().await;
    let faults = [("no_scope", "sim-key:alerts")];
    let (simulator, url) = world.simulate(VISION, Volume::PerHour(20.0), &faults).await;
    world.apply(&connector(&url, "sim-key", "")).await;
    world.app.start().await.unwrap();
    world.pass(3 * HOUR).await;
    let broken = status(&world).await;
    assert_eq!(state_of(&broken, "alerts"), "credentials");
    assert_eq!(state_of(&broken, "observed_attack_techniques"), "ok");
    assert_eq!(state_of(&broken, "audit_logs"), "ok");
    let until = world.clock.now() - HOUR / 2;
    assert_complete(&world, &simulator, "observed_attack_techniques", until).await;
    simulator.set_fault("no_scope", "").unwrap();
    simulator.set_fault("settle", "6h").unwrap();
    world.pass(2 * HOUR).await;
    assert_eq!(status(&world).await.state, "ok");
    let until = world.clock.now() - HOUR / 2;
    assert_complete(&world, &simulator, "alerts", until).await;
}

#[tokio::test]
async fn a_test_asks_for_each_content_type_and_names_what_the_key_lacks() {
    let world = World::open().await;
    let token = token_until(world.clock.now() + 10 * 24 * HOUR);
    let denied = format!("{token}:audit_logs");
    let faults = [("keys", token.as_str()), ("no_scope", denied.as_str())];
    let (simulator, url) = world.simulate(VISION, Volume::PerHour(20.0), &faults).await;
    world.apply(&connector(&url, &token, "")).await;
    let tested = world.during(world.app.test_connector(&tenant(), &name("v"))).await.unwrap();
    assert!(!tested.passed && tested.checks.len() == 3);
    for check in &tested.checks {
        let is_denied = check.content_type == "audit_logs";
        assert_eq!(check.passed, !is_denied, "{check:?}");
        assert_eq!(check.fault, is_denied.then_some(Fault::MissingScope));
        assert!(check.detail.contains("the key runs out at 2026-03-20T00:00:00Z"), "{check:?}");
        if is_denied {
            assert!(check.detail.contains("`Audit Logs: Export And Download`"), "{check:?}");
        }
    }
    assert!(simulator.requests().len() <= 4, "one data request each, and one for the time");
}

#[tokio::test]
async fn a_key_that_has_run_out_fails_the_test_although_the_health_check_passes() {
    let world = World::open().await;
    let token = token_until(world.clock.now() - HOUR);
    let (simulator, url) =
        world.simulate(VISION, Volume::PerHour(20.0), &[("keys", token.as_str())]).await;
    // The only content type that has to know the vendor's time, which the health check tells.
    let more = "    content_types: [observed_attack_techniques]\n";
    world.apply(&connector(&url, &token, more)).await;
    let tested = world.during(world.app.test_connector(&tenant(), &name("v"))).await.unwrap();
    assert!(tested.checks.iter().all(|check| check.fault == Some(Fault::ExpiredKey)), "{tested:?}");
    assert!(tested.summary.starts_with("expired key"));
    let health = simulator.requests().into_iter().find(|r| r.path.contains("healthcheck")).unwrap();
    assert_eq!(health.status, 200);
}
