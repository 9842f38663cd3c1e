//! What looking after the lake did.

use query::store::maintenance::{Failure, MaintenanceReport, TableMaintenance};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How files are removed.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LakeVacuum {
    /// Only tell what would be removed.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// What a run did; in a dry run, what it would have done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LakeMaintenance {
    /// Tables in which something was done, or which wait for somebody.
    tables: Vec<MaintainedTable>,
    /// What did not work.
    failures: Vec<MaintenanceFailure>,
}

/// What was done in one table.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MaintainedTable {
    /// The OCSF class.
    #[schema(example = "email_activity")]
    class: String,
    /// Small files that were merged.
    merged: u64,
    /// Files that hold their rows now.
    merged_into: u64,
    /// The version whose state was noted.
    snapshot: Option<u64>,
    /// Log entries that were removed.
    log_entries: u64,
    /// Other files that were removed.
    files: u64,
    /// Bytes of all that was removed.
    size_bytes: u64,
    /// Who keeps more of the log from being removed.
    waits_for: Option<String>,
}

/// A step that did not work in one table.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MaintenanceFailure {
    /// The OCSF class of the table.
    class: String,
    /// What was tried, and why it failed.
    problem: String,
}

impl From<MaintenanceReport> for LakeMaintenance {
    fn from(report: MaintenanceReport) -> Self {
        Self {
            tables: report.tables.into_iter().map(MaintainedTable::from).collect(),
            failures: report.failures.into_iter().map(MaintenanceFailure::from).collect(),
        }
    }
}

impl From<TableMaintenance> for MaintainedTable {
    fn from(table: TableMaintenance) -> Self {
        Self {
            class: table.class.to_string(),
            merged: table.merged,
            merged_into: table.merged_into,
            snapshot: table.snapshot,
            log_entries: table.log_entries,
            files: table.files,
            size_bytes: table.size_bytes,
            waits_for: table.waits_for,
        }
    }
}

impl From<Failure> for MaintenanceFailure {
    fn from(failure: Failure) -> Self {
        Self { class: failure.class.to_string(), problem: failure.problem }
    }
}
