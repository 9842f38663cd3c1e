//! The store in memory, with troubles that a lake can have.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use connectors::Registry;
use engine::app::{App, Parts};
use model::batch::{Batch, CommitReceipt, Receipt, TableCommit};
use model::ids::{InstallId, TenantId};
use model::ocsf::Class;
use query::store::maintenance::{Bookmark, MaintenancePlan, MaintenanceReport};
use query::store::memory::MemoryStore;
use query::store::{
    EventStore, NewRow, Received, Rows, Statement, StoreError, TableStats, Verification,
};

use crate::world::World;

#[derive(Clone)]
pub(crate) struct Troubled {
    store: Arc<MemoryStore>,
    forgets: Arc<AtomicBool>,
    fails: Arc<AtomicBool>,
}

impl Troubled {
    /// Nothing is wrong yet.
    pub(crate) fn over(store: &Arc<MemoryStore>) -> Self {
        Self { store: store.clone(), forgets: Arc::default(), fails: Arc::default() }
    }

    /// The log was cleaned up: single receipts are gone, their sums are not.
    pub(crate) fn forget(&self) {
        self.forgets.store(true, Ordering::Relaxed);
    }

    /// The next append fails after its rows are stored, as when a second table cannot be committed.
    pub(crate) fn fail_once(&self) {
        self.fails.store(true, Ordering::Relaxed);
    }

    /// An app over this store and the catalog of a world.
    pub(crate) async fn open_app(&self, world: &World) -> App {
        let parts = Parts {
            catalog: world.catalog.clone(),
            store: Arc::new(self.clone()),
            clock: Arc::new(world.clock.clone()),
            registry: Registry::new(),
            regions: Default::default(),
        };
        App::open(parts).await.unwrap()
    }
}

#[async_trait]
impl EventStore for Troubled {
    async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Receipt>, StoreError> {
        let stored = self.store.append(batches).await?;
        if self.fails.swap(false, Ordering::Relaxed) {
            let action = "failed to commit to base_event".to_owned();
            return Err(StoreError::Failed { action, source: "no space left".into() });
        }
        Ok(stored)
    }

    async fn commits(&self, class: Class, after: Option<u64>) -> Result<Vec<NewRow>, StoreError> {
        self.store.commits(class, after).await
    }

    async fn receipts(
        &self,
        install: InstallId,
        after: &BTreeMap<Class, u64>,
    ) -> Result<Vec<(CommitReceipt, TableCommit)>, StoreError> {
        let receipts = self.store.receipts(install, after).await?;
        match receipts.first() {
            Some((_, commit)) if self.forgets.load(Ordering::Relaxed) => {
                Err(StoreError::Forgotten { class: commit.class, oldest: commit.version + 1 })
            }
            _ => Ok(receipts),
        }
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
