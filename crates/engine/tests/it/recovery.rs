//! Rows that were durable when the process died are entered at the next start.

use connectors::Registry;
use model::batch::{Batch, IdentifiedRecord};
use model::clock::Clock;
use model::ids::{BatchId, ConnectorId, StreamId};
use model::record::Record;
use query::store::EventStore;

use crate::troubled::Troubled;
use crate::world::{World, open_app, tenant};

/// A page that reached the lake and not the catalog, as a crash between the two leaves it.
pub(crate) fn orphan(world: &World, records: u32) -> Batch {
    let integration = Registry::new().get("trend_micro_cas").unwrap().clone();
    let mapping = integration.mapping("security_events").unwrap();
    let source = integration.manifest().sources().remove(0);
    let records = (0..records).map(|number| {
        let raw = format!(
            r#"{{"log_item_id":"id-{number}","service":"Exchange","event":"ransomware","message":{{"detection_time":"2026-03-09T08:00:00.000Z","mail_message_sender":"a@b.example"}}}}"#
        );
        let record = Record::from(raw.into_bytes());
        let identity = mapping.identify(record.raw()).unwrap();
        IdentifiedRecord::new(record, &identity, &tenant(), &source)
    });
    Batch {
        id: BatchId::generate(),
        install: world.catalog.install(),
        tenant: tenant(),
        connector: ConnectorId::generate(),
        connector_name: "c".to_owned(),
        source: source.clone(),
        stream: StreamId::new("exchange/ransomware").unwrap(),
        interval: None,
        ingest_time: world.clock.now(),
        records: records.collect(),
        mapping: mapping.clone(),
    }
}

#[tokio::test]
async fn receipts_that_the_catalog_does_not_know_are_entered_once() {
    let world = World::open().await;
    let receipts = world.store.append(vec![orphan(&world, 3)]).await.unwrap();
    assert_eq!(receipts[0].stored, 3);
    assert_eq!(world.app.ledger(None, None).await.unwrap().stored, 0);

    for _ in 0..2 {
        let app = open_app(&world.clock, &world.catalog, &world.store, Default::default()).await;
        let ledger = app.ledger(None, None).await.unwrap();
        assert_eq!((ledger.served, ledger.stored, ledger.imbalance()), (3, 3, 0));
        assert!(app.verify().await.unwrap().is_clean());
    }
}

#[tokio::test]
async fn receipts_that_were_cleaned_up_are_entered_by_what_the_ledger_lacks() {
    let world = World::open().await;
    let entered = orphan(&world, 3);
    let stream = entered.clone();
    world.store.append(vec![entered]).await.unwrap();
    open_app(&world.clock, &world.catalog, &world.store, Default::default()).await;
    // Four more of the same stream, and then the log is cleaned up.
    let late = Batch { id: BatchId::generate(), records: orphan(&world, 7).records, ..stream };
    assert_eq!(world.store.append(vec![late]).await.unwrap()[0].stored, 4);
    let cleaned_up = Troubled::over(&world.store);
    cleaned_up.forget();
    for _ in 0..2 {
        let app = cleaned_up.open_app(&world).await;
        let ledger = app.ledger(None, None).await.unwrap();
        assert_eq!((ledger.stored, ledger.imbalance()), (7, 0));
        assert!(app.verify().await.unwrap().is_clean());
    }
}
