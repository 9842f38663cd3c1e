//! The lake's size, and the proof that it holds what the ledger says.

use engine::lake::Proof;
use model::time::Timestamp;
use query::store::{Finding, TableStats};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::ToSchema;

use super::counts::Counts;

/// Size and counts of one table, as far as the tenant's rows go.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LakeTable {
    /// The OCSF class.
    #[schema(example = "email_activity")]
    class: String,
    /// The table's newest version.
    version: u64,
    /// Rows.
    rows: u64,
    /// Data files.
    files: u64,
    /// Bytes of data files.
    size_bytes: u64,
    /// The earliest event time.
    #[schema(value_type = Option<String>, format = DateTime)]
    earliest: Option<Timestamp>,
    /// The latest event time.
    #[schema(value_type = Option<String>, format = DateTime)]
    latest: Option<Timestamp>,
    /// Rows per source.
    sources: BTreeMap<String, u64>,
}

impl From<TableStats> for LakeTable {
    fn from(stats: TableStats) -> Self {
        Self {
            class: stats.class.to_string(),
            version: stats.version,
            rows: stats.rows,
            files: stats.files,
            size_bytes: stats.size_bytes,
            earliest: stats.earliest,
            latest: stats.latest,
            sources: stats.sources,
        }
    }
}

/// What verifying found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LakeProof {
    /// Whether nothing is wrong.
    clean: bool,
    /// Rows that were read.
    rows: u64,
    /// Data files that were read.
    files: u64,
    /// Rows that retention removed. What was read and these are what all receipts add up to.
    expired: u64,
    /// Rows that this installation's receipts in the lake add up to.
    receipts: u64,
    /// The ledger's totals over everything that this installation collected.
    ledger: Counts,
    /// What is wrong in the lake.
    findings: Vec<LakeFinding>,
    /// What does not agree between lake and ledger.
    disagreements: Vec<String>,
}

/// Something that must not be.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LakeFinding {
    /// The OCSF class of the table.
    class: String,
    /// The file or version, and the row where there is one.
    place: String,
    /// What is wrong there.
    problem: String,
}

impl From<Proof> for LakeProof {
    fn from(proof: Proof) -> Self {
        Self {
            clean: proof.is_clean(),
            rows: proof.lake.rows,
            files: proof.lake.files,
            expired: proof.lake.expired,
            receipts: proof.receipts,
            ledger: proof.ledger.into(),
            findings: proof.lake.findings.into_iter().map(LakeFinding::from).collect(),
            disagreements: proof.disagreements,
        }
    }
}

impl From<Finding> for LakeFinding {
    fn from(finding: Finding) -> Self {
        Self { class: finding.class.to_string(), place: finding.place, problem: finding.problem }
    }
}
