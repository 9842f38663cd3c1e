//! A store that fails in the middle: nothing is lost, and the ledger still knows every row (I3).

use std::time::Duration;

use engine::connectors::document::ConnectorFile;
use model::clock::Clock;
use simulators::Volume;

use crate::troubled::{Trouble, Troubled};
use crate::world::{World, connector, name, tenant};

/// Collects an hour with a store whose third append goes wrong; everything is stored, entered and
/// healthy afterwards.
async fn survives(trouble: Trouble) {
    let world = World::open().await;
    let store = Troubled::over(&world.store);
    store.fail_after(2, trouble);
    let app = store.open_app(&world).await;
    let (simulator, url) = world.vendor(Volume::PerHour(20.0), &[]).await;
    let file = connector("CAS", &url, "sim-key", "    backfill: 2h\n");
    let documents = ConnectorFile::read(&file).unwrap().connectors;
    app.apply(documents, false, "test").await.unwrap();
    app.start().await.unwrap();
    world.pass(Duration::from_secs(3600)).await;

    let status = app.status(&tenant(), &name("CAS")).await.unwrap();
    for stream in &status.streams {
        assert_eq!(stream.state, "ok", "{trouble:?} {}", stream.stream);
    }
    let proof = app.verify().await.unwrap();
    assert!(proof.is_clean(), "{trouble:?}: {:?}", proof.disagreements);
    assert_eq!(proof.lake.rows, proof.ledger.stored, "{trouble:?}");
    assert!(proof.ledger.stored > 100, "{:?}", proof.ledger);
    // What the failed append was about was asked for again.
    let served: u64 = simulator.served().iter().map(|stream| stream.ids.len() as u64).sum();
    assert!(served > proof.ledger.stored, "{trouble:?}");
    app.stop().await;
}

#[tokio::test]
async fn rows_of_an_unfinished_append_are_entered_and_its_page_is_read_again() {
    survives(Trouble::Unfinished).await;
}

#[tokio::test]
async fn a_stream_whose_page_task_stopped_goes_on() {
    survives(Trouble::Panic).await;
}

#[tokio::test]
async fn rows_of_a_page_whose_task_stopped_behind_its_append_are_entered() {
    survives(Trouble::StoredPanic).await;
}

#[tokio::test]
async fn a_backfill_that_cannot_be_written_down_is_refused_and_can_be_asked_for_again() {
    const POINT: &str = "catalog.put_cursors.before_commit";
    let world = World::open().await;
    let (_simulator, url) = world.vendor(Volume::PerHour(1.0), &[]).await;
    world.apply(&connector("c", &url, "sim-key", "    backfill: 1h\n")).await;
    world.app.start().await.unwrap();
    world.pass(Duration::from_secs(600)).await;
    let (tenant, name) = (tenant(), name("c"));
    let floor = world.clock.now() - Duration::from_secs(86_400);
    fail::cfg(POINT, "return").unwrap();
    world.app.backfill(&tenant, &name, floor, "mina").await.unwrap_err();
    fail::remove(POINT);
    assert_eq!(world.app.backfill(&tenant, &name, floor, "mina").await.unwrap(), 4);
}
