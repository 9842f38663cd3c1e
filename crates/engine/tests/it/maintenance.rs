//! The lake is told how far the ledger has come, and events go when their time is over, never before.

use std::time::Duration;

use engine::app::App;
use engine::retention::RetentionRule;
use model::batch::Batch;
use model::ids::BatchId;
use model::ocsf::Class;
use query::store::EventStore;
use serde_json::{Value, json};

use crate::recovery::orphan;
use crate::troubled::{Trouble, Troubled};
use crate::world::{World, open_app, tenant};

const DAY: Duration = Duration::from_secs(86_400);

/// What the newest bookmark says of the only table.
fn applied(world: &World) -> Option<u64> {
    let bookmark = world.store.bookmarked(world.catalog.install())?;
    bookmark.applied.get(&Class::EmailActivity).copied()
}

fn rule(class: Option<Class>, days: u32) -> RetentionRule {
    RetentionRule { tenant: tenant(), class, days }
}

async fn rows(world: &World) -> u64 {
    world.store.stats(None).await.unwrap().iter().map(|table| table.rows).sum()
}

/// Entries of the audit log with this action, oldest first.
async fn audited(world: &World, action: &str) -> Vec<(String, Value)> {
    let entries = world.catalog.audit_entries(100).await.unwrap().into_iter().rev();
    let chosen = entries.filter(|entry| entry.action == action);
    chosen.map(|entry| (entry.object, entry.detail)).collect()
}

#[tokio::test]
async fn the_bookmark_stops_before_what_is_not_entered() {
    let world = World::open().await;
    world.store.append(vec![orphan(&world, 3)]).await.unwrap();
    world.app.maintain().await.unwrap();
    assert_eq!(applied(&world), Some(0), "the receipt of version 1 is not in the ledger");
    // The next start enters it.
    let app = open_app(&world.clock, &world.catalog, &world.store, Default::default()).await;
    app.maintain().await.unwrap();
    assert_eq!(applied(&world), Some(1));
    // What comes in later is told ten minutes after.
    let late = Batch { id: BatchId::generate(), ..orphan(&world, 5) };
    world.store.append(vec![late]).await.unwrap();
    app.maintain().await.unwrap();
    assert_eq!(applied(&world), Some(1));
}

/// Imports a record by an append that stores it and fails all the same, and once more.
async fn import_with_trouble(world: &World, store: &Troubled, app: &App) {
    let reading = app.reading("trend_micro_cas.security_events").unwrap();
    let record = r#"{"log_item_id":"id-1","service":"Exchange","event":"ransomware","message":{"detection_time":"2026-03-09T08:00:00.000Z","mail_message_sender":"a@b.example"}}"#;
    let owner = tenant();
    let import = || app.import(&reading, &owner, "saved.json", record.as_bytes(), |_| {});
    store.fail_after(0, Trouble::Failed);
    import().await.unwrap_err();
    assert_eq!((rows(world).await, app.ledger(None, None).await.unwrap().stored), (1, 0));
    let again = import().await.unwrap();
    assert_eq!((again.counts.stored, again.counts.duplicate), (0, 1));
}

#[tokio::test]
async fn holds_that_come_and_go_do_not_put_off_what_a_failed_append_has_stored() {
    let world = World::open().await;
    let store = Troubled::over(&world.store);
    let app = store.open_app(&world).await;
    app.maintain().await.unwrap();
    import_with_trouble(&world, &store, &app).await;
    for entered in [0, 1] {
        world.pass(Duration::from_secs(500)).await;
        app.set_hold(&tenant(), None, None, "mina").await.unwrap();
        app.maintain().await.unwrap();
        assert_eq!(app.ledger(None, None).await.unwrap().stored, entered);
        app.remove_hold(&tenant(), None, "mina").await.unwrap();
    }
}

/// What a failed append has stored all the same is entered without waiting for the next start.
#[tokio::test]
async fn receipts_of_a_failed_append_do_not_hold_up_the_bookmark() {
    let world = World::open().await;
    let store = Troubled::over(&world.store);
    let app = store.open_app(&world).await;
    import_with_trouble(&world, &store, &app).await;
    for _ in 0..2 {
        app.maintain().await.unwrap();
        assert_eq!(applied(&world), Some(1));
        let ledger = app.ledger(None, None).await.unwrap();
        assert_eq!((ledger.stored, ledger.duplicate, ledger.imbalance()), (1, 1, 0));
        assert!(app.verify().await.unwrap().is_clean());
        world.pass(Duration::from_secs(600)).await;
    }
}

#[tokio::test]
async fn expired_events_go_with_a_proof_and_the_books_still_balance() {
    let world = World::open().await;
    // Three events of 2026-03-09; now it is the first instant of 2026-03-10.
    world.store.append(vec![orphan(&world, 3)]).await.unwrap();
    let app = open_app(&world.clock, &world.catalog, &world.store, Default::default()).await;
    app.set_retention(rule(None, 2), "mina").await.unwrap();
    world.pass(DAY * 2 - Duration::from_secs(1)).await;
    assert!(app.maintain().await.unwrap().expired.is_empty(), "a second is missing");
    assert!(audited(&world, "lake.expiring").await.is_empty());
    world.pass(Duration::from_secs(1)).await;
    let report = app.maintain().await.unwrap();
    assert_eq!((report.expired.len(), report.expired[0].rows), (1, 3));
    assert_eq!(rows(&world).await, 0);
    for (action, version) in [("lake.expiring", Value::Null), ("lake.expired", json!(2))] {
        let expected = json!({
            "tenant": "default", "class": "email_activity", "days": ["2026-03-09"],
            "files": 1, "rows": 3, "version": version,
        });
        let found = audited(&world, action).await;
        assert_eq!(found, [("default/email_activity".to_owned(), expected)], "{action}");
    }
    let proof = app.verify().await.unwrap();
    assert!(proof.is_clean(), "{:?}", proof.disagreements);
    assert_eq!((proof.lake.expired, proof.receipts), (3, 3));
}

#[tokio::test]
async fn a_hold_keeps_events_until_it_is_ended() {
    let world = World::open().await;
    let app = &world.app;
    world.store.append(vec![orphan(&world, 3)]).await.unwrap();
    app.set_retention(rule(None, 1), "mina").await.unwrap();
    let held = app.set_hold(&tenant(), None, Some("case 7".to_owned()), "mina").await.unwrap();
    let bookmark = world.store.bookmarked(world.catalog.install()).unwrap();
    assert_eq!(bookmark.holds.len(), 1, "other installs see it at once");
    assert_eq!(app.holds(&tenant()).await.unwrap(), [held]);
    world.pass(DAY * 9).await;
    assert!(app.maintain().await.unwrap().expired.is_empty());
    app.remove_hold(&tenant(), None, "mina").await.unwrap();
    assert!(app.remove_hold(&tenant(), None, "mina").await.is_err());
    assert_eq!(app.maintain().await.unwrap().expired.len(), 1);
    assert_eq!(audited(&world, "lake.hold_set").await.len(), 1);
    assert_eq!(audited(&world, "lake.hold_removed").await[0].0, "default/all");
}

#[tokio::test]
async fn rules_are_set_listed_removed_and_checked() {
    let world = World::open().await;
    let app = &world.app;
    for days in [0, 40_000] {
        assert!(app.set_retention(rule(None, days), "mina").await.is_err(), "{days}");
    }
    let narrow = rule(Some(Class::FileHosting), 30);
    app.set_retention(narrow.clone(), "mina").await.unwrap();
    app.set_retention(rule(None, 10), "mina").await.unwrap();
    app.set_retention(rule(None, 90), "mina").await.unwrap();
    assert_eq!(app.retention(&tenant()).await.unwrap(), [rule(None, 90), narrow]);
    app.remove_retention(&tenant(), None, "mina").await.unwrap();
    let missing = app.remove_retention(&tenant(), None, "mina").await.unwrap_err();
    assert_eq!(missing.to_string(), "no retention rule `all` in tenant `default`");
    assert_eq!(app.retention(&tenant()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_running_server_looks_after_the_lake_by_itself() {
    let world = World::open().await;
    let read = || world.store.bookmarked(world.catalog.install());
    assert!(read().is_none());
    world.app.start().await.unwrap();
    world.pass(Duration::from_secs(61)).await;
    let first = read().unwrap().written_at;
    world.pass(Duration::from_secs(500)).await;
    assert_eq!(read().unwrap().written_at, first, "nobody waits for it yet");
    world.pass(Duration::from_secs(100)).await;
    assert!(read().unwrap().written_at > first, "it is renewed every ten minutes");
    world.app.set_retention(rule(None, 1), "mina").await.unwrap();
    world.store.append(vec![orphan(&world, 3)]).await.unwrap();
    world.pass(DAY).await;
    assert_eq!(rows(&world).await, 0);
    world.app.stop().await;
}

/// On a full disk neither bookmark nor anything else new can be written: what removal can free comes
/// free all the same.
#[tokio::test]
async fn what_has_expired_goes_although_the_lake_cannot_be_told_how_far_the_ledger_has_come() {
    let world = World::open().await;
    let store = Troubled::over(&world.store);
    world.store.append(vec![orphan(&world, 3)]).await.unwrap();
    let app = store.open_app(&world).await;
    app.set_retention(rule(None, 2), "mina").await.unwrap();
    store.refuse_bookmarks();
    world.pass(DAY * 2).await;
    assert_eq!(app.maintain().await.unwrap().expired.len(), 1);
    assert_eq!(rows(&world).await, 0);
    app.compact("mina").await.unwrap();
    app.vacuum(false, "mina").await.unwrap();
    assert_eq!(audited(&world, "lake.vacuum").await.len(), 1);
}
