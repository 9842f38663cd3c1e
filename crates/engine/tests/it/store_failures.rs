//! A store that fails in the middle: nothing is lost, and the ledger still knows every row (I3).

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use model::batch::{Batch, CommitReceipt, Receipt, TableCommit};
use model::ids::{InstallId, TenantId};
use model::ocsf::Class;
use query::store::maintenance::{Bookmark, MaintenancePlan, MaintenanceReport};
use query::store::memory::MemoryStore;
use query::store::{
    EventStore, NewRow, Received, Rows, Statement, StoreError, TableStats, Verification,
};
use simulators::Volume;

use crate::world::{World, connector, name, open_app_on, tenant};

/// How the third append goes wrong.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    /// Rows are stored, and the append fails all the same.
    Unfinished,
    /// The task that appends stops.
    Panic,
}

/// A store in memory whose third append goes wrong.
struct Troubled {
    store: Arc<MemoryStore>,
    trouble: Trouble,
    appends: AtomicU32,
}

#[async_trait]
impl EventStore for Troubled {
    async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Receipt>, StoreError> {
        if self.appends.fetch_add(1, Ordering::Relaxed) != 2 {
            return self.store.append(batches).await;
        }
        let install = batches[0].install;
        let ids: Vec<_> = batches.iter().map(|batch| batch.id).collect();
        match self.trouble {
            Trouble::Panic => panic!("a defect"),
            Trouble::Unfinished => {
                self.store.append(batches).await?;
                let all = self.store.receipts(install, &BTreeMap::new()).await?;
                let ours = all.into_iter().filter(|(receipt, _)| ids.contains(&receipt.batch));
                Err(StoreError::Unfinished { committed: ours.collect(), source: "disk".into() })
            }
        }
    }

    async fn commits(&self, class: Class, after: Option<u64>) -> Result<Vec<NewRow>, StoreError> {
        self.store.commits(class, after).await
    }

    async fn receipts(
        &self,
        install: InstallId,
        after: &BTreeMap<Class, u64>,
    ) -> Result<Vec<(CommitReceipt, TableCommit)>, StoreError> {
        self.store.receipts(install, after).await
    }

    async fn received(&self, install: InstallId) -> Result<Vec<Received>, StoreError> {
        self.store.received(install).await
    }

    async fn query(&self, tenant: &TenantId, statement: Statement) -> Result<Rows, StoreError> {
        self.store.query(tenant, statement).await
    }

    async fn stats(&self, tenant: Option<&TenantId>) -> Result<Vec<TableStats>, StoreError> {
        self.store.stats(tenant).await
    }

    async fn verify(&self) -> Result<Verification, StoreError> {
        self.store.verify().await
    }

    async fn maintain(&self, plan: &MaintenancePlan) -> Result<MaintenanceReport, StoreError> {
        self.store.maintain(plan).await
    }

    async fn bookmark(&self, bookmark: &Bookmark) -> Result<(), StoreError> {
        self.store.bookmark(bookmark).await
    }
}

/// Collects an hour with a store in trouble; everything is stored, entered and healthy afterwards.
async fn survives(trouble: Trouble) {
    let world = World::open().await;
    let store = Troubled { store: world.store.clone(), trouble, appends: AtomicU32::new(0) };
    let app = open_app_on(&world.clock, &world.catalog, Arc::new(store)).await;
    let (simulator, url) = world.vendor(Volume::PerHour(20.0), &[]).await;
    let file = connector("CAS", &url, "sim-key", "    backfill: 2h\n");
    let documents = engine::connectors::document::ConnectorFile::read(&file).unwrap().connectors;
    app.apply(documents, false, "test").await.unwrap();
    app.start().await.unwrap();
    world.pass(Duration::from_secs(3600)).await;

    let status = app.status(&tenant(), &name("CAS")).await.unwrap();
    for stream in &status.streams {
        assert_eq!(stream.state, "ok", "{trouble:?} {}", stream.stream);
    }
    let proof = app.verify().await.unwrap();
    assert!(proof.is_clean(), "{trouble:?}: {:?}", proof.disagreements);
    let served: u64 = simulator.served().iter().map(|stream| stream.ids.len() as u64).sum();
    assert_eq!(proof.lake.rows, proof.ledger.stored, "{trouble:?}");
    assert!(proof.ledger.stored > 100, "{:?}", proof.ledger);
    // What was lost with the failed append was asked for again.
    assert!(served >= proof.ledger.stored);
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
