//! Editing one connector never pauses another.

use std::time::Duration;

use simulators::Volume;

use crate::world::{World, connector, name, tenant};

#[tokio::test]
async fn a_changed_connector_starts_anew_and_the_other_is_not_touched() {
    let world = World::open().await;
    let (simulator, url) = world.vendor(Volume::PerHour(60.0), &[("keys", "a,b")]).await;
    world.apply(&connector("one", &url, "a", "")).await;
    world.apply(&connector("two", &url, "b", "")).await;
    world.app.start().await.unwrap();
    world.pass(Duration::from_secs(1800)).await;
    let asked = |key: &str| {
        simulator.requests().iter().filter(|r| r.credential.as_deref() == Some(key)).count()
    };
    let before = asked("b");

    world.apply(&connector("one", &url, "a", "    interval: 10m\n")).await;
    assert_eq!(world.app.running_revision(&tenant(), &name("two")).await.unwrap(), Some(1));
    assert_eq!(world.app.running_revision(&tenant(), &name("one")).await.unwrap(), Some(2));
    world.pass(Duration::from_secs(600)).await;
    assert!(asked("b") > before, "the other connector goes on");
    // Nothing is replayed: the changed connector goes on from its cursors.
    let ledger = world.app.ledger(None, None).await.unwrap();
    assert_eq!(ledger.imbalance(), 0);
}

#[tokio::test]
async fn applying_the_same_document_again_changes_nothing() {
    let world = World::open().await;
    let file = connector("c", "http://127.0.0.1:9", "k", "");
    world.apply(&file).await;
    let documents = engine::connectors::document::ConnectorFile::read(&file).unwrap().connectors;
    let plan = world.app.apply(documents, false, "test").await.unwrap();
    assert_eq!(plan[0].kind, engine::connectors::apply::ChangeKind::Unchanged);
    assert_eq!(world.app.connector(&tenant(), &name("c")).await.unwrap().revision, 1);
}

#[tokio::test]
async fn a_dry_run_lists_every_change_and_writes_nothing() {
    let world = World::open().await;
    world.apply(&connector("c", "http://127.0.0.1:9", "k", "")).await;
    let file = connector("c", "http://127.0.0.1:9", "k2", "    interval: 9m\n");
    let documents = engine::connectors::document::ConnectorFile::read(&file).unwrap().connectors;
    let plan = world.app.apply(documents, true, "test").await.unwrap();
    let changed: Vec<&str> = plan[0].settings.iter().map(|s| s.setting.as_str()).collect();
    assert_eq!(changed, ["interval", "credential"]);
    assert!(!format!("{plan:?}").contains("k2"));
    assert_eq!(world.app.connector(&tenant(), &name("c")).await.unwrap().revision, 1);
}
