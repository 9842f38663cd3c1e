//! The store in memory, with troubles that a lake can have.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

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
use tokio::sync::Barrier;

use crate::world::World;

/// How an append goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Its rows are stored, and it fails without saying so.
    Failed,
    /// Its rows are stored, and it fails and says so.
    Unfinished,
    /// The task that appends stops.
    Panic,
    /// Its rows are stored, and the task that appends stops.
    StoredPanic,
}

/// A store in memory that does as it should until it is told otherwise. Clones are the same store.
#[derive(Clone)]
pub(crate) struct Troubled {
    store: Arc<MemoryStore>,
    forgets: Arc<AtomicBool>,
    refuses_bookmarks: Arc<AtomicBool>,
    /// Appends until the one that goes wrong, and how.
    trouble: Arc<Mutex<Option<(u32, Trouble)>>>,
    /// Appends wait here until as many have come.
    gathering: Option<Arc<Barrier>>,
}

impl Troubled {
    /// Nothing is wrong yet.
    pub(crate) fn over(store: &Arc<MemoryStore>) -> Self {
        let (forgets, refuses_bookmarks, trouble) = Default::default();
        Self { store: store.clone(), forgets, refuses_bookmarks, trouble, gathering: None }
    }

    /// The same, whose appends wait until as many of them have come as the barrier takes.
    pub(crate) fn gathering(self, full: &Arc<Barrier>) -> Self {
        Self { gathering: Some(full.clone()), ..self }
    }

    /// The log was cleaned up: single receipts are gone, their sums are not.
    pub(crate) fn forget(&self) {
        self.forgets.store(true, Ordering::Relaxed);
    }

    /// There is no room for bookmarks.
    pub(crate) fn refuse_bookmarks(&self) {
        self.refuses_bookmarks.store(true, Ordering::Relaxed);
    }

    /// One append goes wrong, after so many others.
    pub(crate) fn fail_after(&self, appends: u32, trouble: Trouble) {
        *self.trouble.lock().unwrap() = Some((appends, trouble));
    }

    /// What becomes of the append that comes now.
    fn trouble_now(&self) -> Option<Trouble> {
        let mut trouble = self.trouble.lock().unwrap();
        match trouble.as_mut() {
            Some((0, _)) => trouble.take().map(|(_, trouble)| trouble),
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        }
    }

    /// An app over this store and the catalog of a world.
    pub(crate) async fn open_app(&self, world: &World) -> App {
        let parts = Parts {
            catalog: world.catalog.clone(),
            store: Arc::new(self.clone()),
            clock: Arc::new(world.clock.clone()),
            registry: Registry::new(),
            regions: Default::default(),
            responders: Default::default(),
        };
        App::open(parts).await.unwrap()
    }
}

#[async_trait]
impl EventStore for Troubled {
    async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Receipt>, StoreError> {
        if let Some(full) = &self.gathering {
            full.wait().await;
        }
        let Some(trouble) = self.trouble_now() else { return self.store.append(batches).await };
        assert_ne!(trouble, Trouble::Panic, "a defect");
        let install = batches[0].install;
        let ids: Vec<_> = batches.iter().map(|batch| batch.id).collect();
        self.store.append(batches).await?;
        assert_ne!(trouble, Trouble::StoredPanic, "a defect");
        if trouble == Trouble::Failed {
            let action = "failed to commit to base_event".to_owned();
            return Err(StoreError::Failed { action, source: "no space left".into() });
        }
        let all = self.store.receipts(install, &BTreeMap::new()).await?;
        let ours = all.into_iter().filter(|(receipt, _)| ids.contains(&receipt.batch));
        Err(StoreError::Unfinished { committed: ours.collect(), source: "no space left".into() })
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
        if self.refuses_bookmarks.load(Ordering::Relaxed) {
            let action = "failed to write a bookmark".to_owned();
            return Err(StoreError::Failed { action, source: "no space left".into() });
        }
        self.store.bookmark(bookmark).await
    }
}
