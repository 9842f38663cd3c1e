//! What the log says of one data file.

use std::collections::BTreeMap;

use model::ids::TenantId;
use model::time::{Day, Timestamp};
use serde::{Deserialize, Serialize};

/// An active data file: rows of one tenant and one day, sorted by time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DataFile {
    /// Path from the table's directory.
    pub(crate) path: String,
    /// The owner of all its rows.
    pub(crate) tenant: TenantId,
    /// The UTC day of all its rows.
    pub(crate) day: Day,
    /// The version that added it.
    pub(crate) version: u64,
    /// The version that brought the newest of its rows: earlier than `version` when maintenance
    /// has moved them.
    pub(crate) origin: u64,
    /// When the newest of its rows came in.
    pub(crate) added: Timestamp,
    /// Size on disk.
    pub(crate) size_bytes: u64,
    /// Rows in it.
    pub(crate) rows: u64,
    /// The earliest event time in it.
    pub(crate) earliest: Timestamp,
    /// The latest event time in it.
    pub(crate) latest: Timestamp,
    /// Rows per source.
    pub(crate) sources: BTreeMap<String, u64>,
    /// Whether its rows were new when it came, and not only moved by maintenance.
    pub(crate) data_change: bool,
}

impl DataFile {
    /// The file as a version adds it whose rows came in at a time.
    pub(crate) fn as_added(&self, version: u64, at: Timestamp) -> Self {
        // The log keeps milliseconds.
        let added = Timestamp::from_millis(at.as_millis());
        Self { version, origin: version, added, ..self.clone() }
    }
}
