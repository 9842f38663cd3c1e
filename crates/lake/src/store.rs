//! The lake as an [`EventStore`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ::query::store::{EventStore, NewRow, Rows, Statement, StoreError, TableStats, Verification};
use async_trait::async_trait;
use model::batch::{Batch, CommitReceipt, Receipt, TableCommit};
use model::ids::{InstallId, TenantId};
use model::ocsf::Class;

use crate::append::writer::{Pace, Writer};
use crate::durable::{Disk, Durable, LocalDisk};
use crate::error::LakeError;
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
    /// What writes: the machine's disk, or a test's.
    pub disk: Arc<dyn Disk>,
}

impl LakeOptions {
    /// The usual options for a directory: 1 s, 64k records, 256 MB of uids.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self {
            root: root.into(),
            linger: Duration::from_secs(1),
            max_rows: 65_536,
            seen_bytes: 256 << 20,
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
}

impl Lake {
    /// Opens a lake, reading the logs of its tables. Needs a tokio runtime.
    ///
    /// # Errors
    /// The directory cannot be used, or a log cannot be read.
    pub async fn open(options: LakeOptions) -> Result<Self, StoreError> {
        let LakeOptions { root, linger, max_rows, seen_bytes, disk } = options;
        let store = Durable::open(&root, disk)
            .map_err(|source| LakeError::Open { path: root.display().to_string(), source })?;
        let engine = Arc::new(Engine::new(&store)?);
        let tables = Arc::new(Tables::open(store).await?);
        let pace = Pace { linger, max_rows, seen_bytes };
        let writer = Writer::start(Arc::clone(&tables), pace);
        Ok(Self { tables, writer, engine })
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

    async fn query(&self, tenant: &TenantId, statement: Statement) -> Result<Rows, StoreError> {
        crate::query::run(&self.engine, &self.tables, tenant, statement).await
    }

    async fn stats(&self, tenant: Option<&TenantId>) -> Result<Vec<TableStats>, StoreError> {
        Ok(stats::stats(&self.tables, tenant).await?)
    }

    async fn verify(&self) -> Result<Verification, StoreError> {
        Ok(verify::verify(&self.tables).await?)
    }
}
