//! The port to the lake: append, read what is new, query, count, verify, keep in order. Free of Arrow.

use std::collections::BTreeMap;
use std::pin::Pin;

use async_trait::async_trait;
use bytes::Bytes;
use futures_core::Stream;
use model::batch::{Batch, CommitReceipt, Receipt, TableCommit};
use model::hint::Hint;
use model::identity::Uid;
use model::ids::{ConnectorId, InstallId, StreamId, TenantId};
use model::ocsf::Class;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::plan::Query;
use maintenance::{Bookmark, MaintenancePlan, MaintenanceReport};

pub mod maintenance;
pub mod memory;

/// Where events rest. Implemented by the lake, and in memory for tests of the floors above.
#[async_trait]
pub trait EventStore: Send + Sync {
    /// Stores what is new in the batches. When it answers, the rows are durable (I1); a record that
    /// is already stored is counted, not stored (I2). The answer has one receipt per batch, in order.
    ///
    /// # Errors
    /// Nothing of these batches is acknowledged; appending them again is safe.
    async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Receipt>, StoreError>;

    /// The rows that commits after `after` added to a class, oldest commit first, for every tenant.
    /// Rows that maintenance only moved are not new.
    ///
    /// # Errors
    /// The table cannot be read, or clean-up has removed commits after `after`
    /// ([`StoreError::Forgotten`]).
    async fn commits(&self, class: Class, after: Option<u64>) -> Result<Vec<NewRow>, StoreError>;

    /// Receipts of an install in commits after the given versions, with the class and version of
    /// each: what has to be entered in the ledger if it is not yet.
    ///
    /// # Errors
    /// The log cannot be read, or clean-up has removed commits after the given versions that may
    /// hold receipts of the install ([`StoreError::Forgotten`]): [`EventStore::received`] has their
    /// sums.
    async fn receipts(
        &self,
        install: InstallId,
        after: &BTreeMap<Class, u64>,
    ) -> Result<Vec<(CommitReceipt, TableCommit)>, StoreError>;

    /// What all receipts of an install add up to, also those whose commits were cleaned up.
    ///
    /// # Errors
    /// The log cannot be read.
    async fn received(&self, install: InstallId) -> Result<Vec<Received>, StoreError>;

    /// Runs a query inside one tenant's wall (I6).
    ///
    /// # Errors
    /// The statement cannot be planned, or a file cannot be read.
    async fn query(&self, tenant: &TenantId, statement: Statement) -> Result<Rows, StoreError>;

    /// Size and counts of every table, for one tenant or all.
    ///
    /// # Errors
    /// The log cannot be read.
    async fn stats(&self, tenant: Option<&TenantId>) -> Result<Vec<TableStats>, StoreError>;

    /// Reads everything again and checks what must hold.
    ///
    /// # Errors
    /// The log cannot be read; broken data files are findings, not errors.
    async fn verify(&self) -> Result<Verification, StoreError>;

    /// Keeps the store in order: removes what has expired, merges small files, notes the state of
    /// the log, and removes files that nobody needs any more. Appends and queries go on meanwhile.
    /// What fails in one table is told in the report and does not stop the others.
    ///
    /// # Errors
    /// Nothing could be done at all.
    async fn maintain(&self, plan: &MaintenancePlan) -> Result<MaintenanceReport, StoreError>;

    /// Leaves word of how far an install has come: what it has not passed is not cleaned up. The
    /// newest bookmark of an install counts.
    ///
    /// # Errors
    /// The bookmark is not written.
    async fn bookmark(&self, bookmark: &Bookmark) -> Result<(), StoreError>;

    /// Waits for what the store does by itself beside its callers: the end of a process cuts nothing off.
    async fn rest(&self) {}
}

/// Rows that the receipts of one stream add up to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Received {
    /// The owner of the rows.
    pub tenant: TenantId,
    /// The connector that asked.
    pub connector: ConnectorId,
    /// The source of the rows.
    pub source: String,
    /// The stream that asked.
    pub stream: StreamId,
    /// Rows.
    pub rows: u64,
}

/// What can be asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Statement {
    /// A checked query from one of the hunting languages. Newest rows first unless it sorts.
    Query(Query),
    /// SQL over one table per class and `events`.
    Sql(String),
}

/// Rows of an answer, in pages of at most 1,000, read as they are asked for.
pub struct Rows {
    /// Output columns in order.
    pub columns: Vec<String>,
    /// Pages of rows. A row of a whole event is the OCSF event with our own columns beside it.
    pub pages: Pin<Box<dyn Stream<Item = Result<Vec<Row>, StoreError>> + Send>>,
}

/// One row: column to value, absent values left out.
pub type Row = serde_json::Map<String, Value>;

/// A row that a commit added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRow {
    /// The commit's version.
    pub version: u64,
    /// The row's key.
    pub uid: Uid,
    /// Its owner.
    pub tenant: TenantId,
    /// Its source id.
    pub source: String,
    /// Its event time.
    pub time: Timestamp,
    /// The record as served.
    pub raw: Bytes,
}

/// Size and counts of one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableStats {
    /// The table.
    pub class: Class,
    /// Its newest version.
    pub version: u64,
    /// Rows.
    pub rows: u64,
    /// Data files.
    pub files: u64,
    /// Bytes of data files.
    pub size_bytes: u64,
    /// The earliest event time.
    pub earliest: Option<Timestamp>,
    /// The latest event time.
    pub latest: Option<Timestamp>,
    /// Rows per source.
    pub sources: BTreeMap<String, u64>,
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Verification {
    /// Rows that were read.
    pub rows: u64,
    /// Data files that were read.
    pub files: u64,
    /// Rows that the receipts in the commits add up to, per install and stream
    /// (`connector id/stream`).
    pub receipts: BTreeMap<String, BTreeMap<String, u64>>,
    /// Rows that retention removed. What was read and these are what the receipts add up to.
    pub expired: u64,
    /// What is wrong; empty when all holds. At most 1,000 are listed.
    pub findings: Vec<Finding>,
}

/// Something that must not be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// The table.
    pub class: Class,
    /// The file or version, and the row where there is one.
    pub place: String,
    /// What is wrong there.
    pub problem: String,
}

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The statement is wrong; the message says where.
    #[error("cannot run this query: {message}")]
    Refused {
        /// What is wrong with it.
        message: String,
        /// What to write instead, when that is known.
        hint: Option<String>,
    },
    /// What was asked for lies in a part of the log that clean-up has removed.
    #[error("the log of `{class}` before version {oldest} was cleaned up")]
    Forgotten {
        /// The table.
        class: Class,
        /// The oldest version that is still there.
        oldest: u64,
    },
    /// Reading or writing failed.
    #[error("{action}")]
    Failed {
        /// What was being done and to what: `failed to commit to email_activity`.
        action: String,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// An append failed between two of its tables: some rows are durable, nothing is acknowledged.
    #[error("failed to append a group of batches after the first of its tables")]
    Unfinished {
        /// The commits that hold rows of these batches, for the ledger.
        committed: Vec<(CommitReceipt, TableCommit)>,
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl Hint for StoreError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Refused { hint, .. } => hint.clone(),
            Self::Forgotten { .. } => Some(
                "read from the oldest version on, or take the sums that the lake keeps".to_owned(),
            ),
            Self::Failed { .. } | Self::Unfinished { .. } => Some(
                "check space and permissions of the lake directory; `tarn lake verify` names \
                 broken files; nothing acknowledged is lost"
                    .to_owned(),
            ),
        }
    }
}
