//! The lake as an [`EventStore`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::query::store::maintenance::{Bookmark, MaintenancePlan, MaintenanceReport};
use ::query::store::{
    EventStore, NewRow, Received, Rows, Statement, StoreError, TableStats, Verification,
};
use async_trait::async_trait;
use model::batch::{Batch, CommitReceipt, Receipt, TableCommit};
use model::ids::{InstallId, TenantId};
use model::ocsf::Class;

use crate::append::writer::{Pace, Writer};
use crate::durable::{Disk, Durable, LocalDisk};
use crate::error::LakeError;
use crate::maintenance::{Maintenance, write_bookmark};
use crate::query::Engine;
use crate::table::tables::Tables;
use crate::{commits, stats, verify};

/// How a lake is opened.
#[derive(Debug, Clone)]
pub struct LakeOptions {
    /// The directory of the lake; created when it is not there.
    pub root: PathBuf,
    /// How long the first batch of a group waits for others. Zero in tests.
    pub linger: Duration,
    /// Records after which a group waits no longer.
    pub max_rows: usize,
    /// Memory for the uids of hours that are written to.
    pub seen_bytes: usize,
    /// The size up to which maintenance merges files.
    pub file_bytes: u64,
    /// What writes: the machine's disk, or a test's.
    pub disk: Arc<dyn Disk>,
}

impl LakeOptions {
    /// The usual options for a directory: 1 s, 64k records, 256 MB of uids, files of 128 MB.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            linger: Duration::from_secs(1),
            max_rows: 65_536,
            seen_bytes: 256 << 20,
            file_bytes: 128 << 20,
            disk: Arc::new(LocalDisk),
        }
    }
}

/// An open lake. Clones share it; appends that wait when the last one goes are still settled.
#[derive(Debug, Clone)]
pub struct Lake {
    tables: Arc<Tables>,
    writer: Writer,
    engine: Arc<Engine>,
    maintenance: Arc<Maintenance>,
}

impl Lake {
    /// Opens a lake: each table from its newest readable snapshot and the log behind it. Needs a
    /// tokio runtime.
    ///
    /// # Errors
    /// The directory cannot be used, or a log cannot be read.
    pub async fn open(options: LakeOptions) -> Result<Self, StoreError> {
        let LakeOptions { root, linger, max_rows, seen_bytes, file_bytes, disk } = options;
        let store = Durable::open(&root, disk)
            .map_err(|source| LakeError::Open { path: root.display().to_string(), source })?;
        let engine = Arc::new(Engine::new(&store)?);
        let tables = Arc::new(Tables::open(store).await?);
        let pace = Pace { linger, max_rows, seen_bytes };
        let maintenance = Arc::new(Maintenance::new(Arc::clone(&tables), file_bytes));
        let writer = Writer::start(Arc::clone(&tables), Arc::clone(&maintenance), pace);
        Ok(Self { tables, writer, engine, maintenance })
    }

    /// Runs a statement to its end and answers, instead of its rows, which files it opened: their
    /// paths in the lake, in order.
    ///
    /// # Errors
    /// As [`EventStore::query`].
    pub async fn files_read(
        &self,
        tenant: &TenantId,
        statement: Statement,
    ) -> Result<Vec<String>, StoreError> {
        crate::query::listed_files(&self.engine, &self.tables, tenant, statement).await
    }

    /// The directory of the lake.
    pub fn root(&self) -> &Path {
        self.tables.store().root()
    }
}

#[async_trait]
impl EventStore for Lake {
    async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Receipt>, StoreError> {
        Ok(self.writer.append(batches).await?)
    }

    async fn commits(&self, class: Class, after: Option<u64>) -> Result<Vec<NewRow>, StoreError> {
        Ok(commits::rows(&self.tables, class, after).await?)
    }

    async fn receipts(
        &self,
        install: InstallId,
        after: &BTreeMap<Class, u64>,
    ) -> Result<Vec<(CommitReceipt, TableCommit)>, StoreError> {
        Ok(commits::receipts(&self.tables, install, after).await?)
    }

    async fn received(&self, install: InstallId) -> Result<Vec<Received>, StoreError> {
        Ok(commits::received(&self.tables, install).await?)
    }

    async fn query(&self, tenant: &TenantId, statement: Statement) -> Result<Rows, StoreError> {
        crate::query::run(&self.engine, &self.tables, tenant, statement).await
    }

    async fn stats(&self, tenant: Option<&TenantId>) -> Result<Vec<TableStats>, StoreError> {
        Ok(stats::stats(&self.tables, tenant).await?)
    }

    async fn verify(&self) -> Result<Verification, StoreError> {
        Ok(verify::verify(&self.tables).await?)
    }

    async fn maintain(&self, plan: &MaintenancePlan) -> Result<MaintenanceReport, StoreError> {
        Ok(Box::pin(self.maintenance.run(plan)).await)
    }

    async fn bookmark(&self, bookmark: &Bookmark) -> Result<(), StoreError> {
        Ok(write_bookmark(self.tables.store(), bookmark).await?)
    }

    async fn rest(&self) {
        self.maintenance.rest().await;
    }
}
