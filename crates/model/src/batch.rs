//! The records of one page or object on their way into the lake, and what the lake answers.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::identity::{Identity, Uid};
use crate::ids::{BatchId, ConnectorId, InstallId, StreamId, TenantId};
use crate::mapping::Mapping;
use crate::ocsf::Class;
use crate::record::Record;
use crate::source::Source;
use crate::time::{Interval, Timestamp};

/// The records of one page or object, identified, with all that is stamped on their rows.
#[derive(Clone)]
pub struct Batch {
    /// This attempt.
    pub id: BatchId,
    /// The data directory that collects.
    pub install: InstallId,
    /// The owner of the rows.
    pub tenant: TenantId,
    /// The connector's id, or a fixed id for bulk imports.
    pub connector: ConnectorId,
    /// The connector's name at this time.
    pub connector_name: String,
    /// Where the records come from.
    pub source: Arc<Source>,
    /// The stream that the ledger counts them under.
    pub stream: StreamId,
    /// The interval that was asked for, when the stream works in intervals.
    pub interval: Option<Interval>,
    /// When the records came in.
    pub ingest_time: Timestamp,
    /// The records, each with its identity.
    pub records: Vec<IdentifiedRecord>,
    /// Turns new records into events; called for those only.
    pub mapping: Arc<dyn Mapping>,
}

/// A record and who it is.
#[derive(Debug, Clone)]
pub struct IdentifiedRecord {
    /// The bytes as served.
    pub record: Record,
    /// Hash of tenant, source and the record's identity.
    pub uid: Uid,
    /// The event time of the record; [`Timestamp::EPOCH`] when it has none.
    pub time: Timestamp,
}

impl IdentifiedRecord {
    /// Binds a record to its identity under a tenant and a source.
    pub fn new(record: Record, identity: &Identity, tenant: &TenantId, source: &Source) -> Self {
        let uid = Uid::of(tenant, &source.id, &identity.key);
        let time = identity.time.and_then(Timestamp::plausible).unwrap_or(Timestamp::EPOCH);
        Self { record, uid, time }
    }
}

/// What became of a batch. `stored + duplicate + filtered + dead_letters.len()` is its record count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The batch that is acknowledged.
    pub batch: BatchId,
    /// Rows that this batch added.
    pub stored: u64,
    /// Records that the lake already held, or that stood twice in the batch.
    pub duplicate: u64,
    /// Records that the connector's transform dropped.
    pub filtered: u64,
    /// Records that the transform failed on.
    pub dead_letters: Vec<DeadLetter>,
    /// The commits that hold the rows: one for each class that got any.
    pub commits: Vec<TableCommit>,
    /// How often another writer committed first, so that the records were looked up again.
    pub conflicts: u32,
}

/// Rows of one batch in one commit of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableCommit {
    /// The table.
    pub class: Class,
    /// The version of the table that the commit made.
    pub version: u64,
    /// Rows of this batch in it.
    pub rows: u64,
}

/// What a commit's metadata keeps of each batch in it: enough to enter the ledger after a crash.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitReceipt {
    /// The data directory that collected.
    pub install: InstallId,
    /// The attempt.
    pub batch: BatchId,
    /// The owner of the rows.
    pub tenant: TenantId,
    /// The connector that asked.
    pub connector: ConnectorId,
    /// The source of the rows.
    pub source: String,
    /// The stream that asked.
    pub stream: StreamId,
    /// The interval that was asked for.
    pub interval: Option<Interval>,
    /// Rows of this batch in this table's commit.
    pub rows: u64,
}

/// Bytes that could not become an event, with the reason. Kept until replayed or discarded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The bytes as served.
    pub raw: Bytes,
    /// Why they cannot be used, for people.
    pub reason: String,
}
