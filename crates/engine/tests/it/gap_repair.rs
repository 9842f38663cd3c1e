//! After an outage, a throttle or a repaired credential the open interval is filled with no hand.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::connectors::document::ConnectorFile;
use model::clock::Clock;
use query::store::EventStore;
use simulators::{Simulator, Volume};

use crate::world::{World, connector, name, tenant};

const HOUR: Duration = Duration::from_secs(3600);

/// Asserts that everything the vendor holds, up to 30 minutes ago, is stored, and that the books
/// balance.
pub(crate) async fn assert_complete(world: &World, simulator: &Simulator) {
    let mut stored = BTreeSet::new();
    for class in model::ocsf::Class::ALL {
        for row in world.store.commits(class, None).await.unwrap() {
            let record: serde_json::Value = serde_json::from_slice(&row.raw).unwrap();
            assert!(stored.insert(record["log_item_id"].as_str().unwrap().to_owned()), "twice");
        }
    }
    let until = world.clock.now() - HOUR / 2;
    let wanted = ["exchange/dlp", "exchange/ransomware", "sharepoint/dlp", "sharepoint/ransomware"];
    for stream in simulator.held_until(Some(until.as_millis())) {
        if wanted.contains(&stream.stream.as_str()) {
            let lost = stream.ids.iter().filter(|id| !stored.contains(*id)).count();
            assert_eq!(lost, 0, "lost in {}", stream.stream);
            assert!(!stream.ids.is_empty());
        }
    }
    let ledger = world.app.ledger(None, None).await.unwrap();
    assert_eq!(ledger.imbalance(), 0);
    assert_eq!(ledger.stored, stored.len() as u64);
}

async fn state(world: &World) -> String {
    world.app.status(&tenant(), &name("c")).await.unwrap().state
}

#[tokio::test]
async fn an_outage_leaves_no_hole() {
    let world = World::open().await;
    let (simulator, url) = world.vendor(Volume::PerHour(60.0), &[]).await;
    world.apply(&connector("c", &url, "sim-key", "")).await;
    world.app.start().await.unwrap();
    world.pass(HOUR).await;
    simulator.set_fault("outage", "on").unwrap();
    world.pass(3 * HOUR).await;
    assert_eq!(state(&world).await, "failing");
    simulator.set_fault("outage", "off").unwrap();
    world.pass(HOUR).await;
    assert_eq!(state(&world).await, "ok");
    assert_complete(&world, &simulator).await;
}

#[tokio::test]
async fn a_key_that_expires_and_is_replaced_leaves_no_hole() {
    let world = World::open().await;
    let keys = [("keys", "old-key,new-key")];
    let (simulator, url) = world.vendor(Volume::PerHour(60.0), &keys).await;
    world.apply(&connector("c", &url, "old-key", "")).await;
    world.app.start().await.unwrap();
    world.pass(HOUR).await;
    simulator.set_fault("expired", "old-key").unwrap();
    world.pass(2 * HOUR).await;
    assert_eq!(state(&world).await, "credentials");
    world.apply(&connector("c", &url, "new-key", "")).await;
    world.pass(HOUR).await;
    assert_eq!(state(&world).await, "ok");
    assert_complete(&world, &simulator).await;
}

#[tokio::test]
async fn a_dead_key_leaves_the_pool_and_the_others_go_on() {
    let world = World::open().await;
    let faults = [("keys", "good,bad"), ("revoked", "bad")];
    let (simulator, url) = world.vendor(Volume::PerHour(60.0), &faults).await;
    let file = connector("c", &url, "good", "").replace("\"good\"", "[\"bad\", \"good\"]");
    let documents = ConnectorFile::read(&file).unwrap().connectors;
    world.app.apply(documents, false, "test").await.unwrap();
    world.app.start().await.unwrap();
    world.pass(2 * HOUR).await;
    assert_eq!(state(&world).await, "ok");
    assert_complete(&world, &simulator).await;
}

#[tokio::test]
async fn a_link_to_a_foreign_host_is_not_followed_and_loses_nothing() {
    let world = World::open().await;
    let faults = [("link_host", "evil.example")];
    let (simulator, url) = world.vendor(Volume::PerHour(900.0), &faults).await;
    world.apply(&connector("c", &url, "sim-key", "    backfill: 6h\n")).await;
    world.app.start().await.unwrap();
    world.pass(3 * HOUR).await;
    let ledger = world.app.ledger(None, None).await.unwrap();
    assert_eq!(ledger.imbalance(), 0);
    // The intervals were halved until each fits one page, so no link was needed.
    let status = world.app.status(&tenant(), &name("c")).await.unwrap();
    let old = world.clock.now() - HOUR;
    assert!(
        status.streams.iter().flat_map(|s| &s.open).all(|open| open.start > old),
        "{status:#?}"
    );
    let _ = simulator;
}
