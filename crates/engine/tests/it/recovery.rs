//! Rows that were durable when the process died are entered at the next start.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use connectors::Registry;
use engine::app::{App, Parts};
use model::batch::{Batch, CommitReceipt, IdentifiedRecord, Receipt, TableCommit};
use model::clock::Clock;
use model::ids::{BatchId, ConnectorId, InstallId, StreamId, TenantId};
use model::ocsf::Class;
use model::record::Record;
use query::store::EventStore;
use query::store::maintenance::{Bookmark, MaintenancePlan, MaintenanceReport};
use query::store::memory::MemoryStore;
use query::store::{NewRow, Received, Rows, Statement, StoreError, TableStats, Verification};

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

/// A store whose log was cleaned up: single receipts are gone, their sums are not.
struct Forgetful(Arc<MemoryStore>);

#[async_trait]
impl EventStore for Forgetful {
    async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Receipt>, StoreError> {
        self.0.append(batches).await
    }

    async fn commits(&self, class: Class, after: Option<u64>) -> Result<Vec<NewRow>, StoreError> {
        self.0.commits(class, after).await
    }

    async fn receipts(
        &self,
        install: InstallId,
        after: &BTreeMap<Class, u64>,
    ) -> Result<Vec<(CommitReceipt, TableCommit)>, StoreError> {
        let receipts = self.0.receipts(install, after).await?;
        match receipts.first() {
            Some((_, commit)) => {
                Err(StoreError::Forgotten { class: commit.class, oldest: commit.version + 1 })
            }
            None => Ok(receipts),
        }
    }

    async fn received(&self, install: InstallId) -> Result<Vec<Received>, StoreError> {
        self.0.received(install).await
    }

    async fn query(&self, tenant: &TenantId, statement: Statement) -> Result<Rows, StoreError> {
        self.0.query(tenant, statement).await
    }

    async fn stats(&self, tenant: Option<&TenantId>) -> Result<Vec<TableStats>, StoreError> {
        self.0.stats(tenant).await
    }

    async fn verify(&self) -> Result<Verification, StoreError> {
        self.0.verify().await
    }

    async fn maintain(&self, plan: &MaintenancePlan) -> Result<MaintenanceReport, StoreError> {
        self.0.maintain(plan).await
    }

    async fn bookmark(&self, bookmark: &Bookmark) -> Result<(), StoreError> {
        self.0.bookmark(bookmark).await
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
    for _ in 0..2 {
        let parts = Parts {
            catalog: world.catalog.clone(),
            store: Arc::new(Forgetful(world.store.clone())),
            clock: Arc::new(world.clock.clone()),
            registry: Registry::new(),
            regions: Default::default(),
        };
        let app = App::open(parts).await.unwrap();
        let ledger = app.ledger(None, None).await.unwrap();
        assert_eq!((ledger.stored, ledger.imbalance()), (7, 0));
        assert!(app.verify().await.unwrap().is_clean());
    }
}
