//! What can go wrong inside the lake, and how it leaves through the port.

use std::sync::Arc;

use datafusion::error::DataFusionError;
use model::batch::{CommitReceipt, TableCommit};
use model::ocsf::Class;
use parquet::errors::ParquetError;
use query::store::StoreError;

/// An operation of the lake that failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LakeError {
    #[error("failed to {action}")]
    Store {
        action: String,
        #[source]
        source: object_store::Error,
    },
    #[error("failed to open the lake at `{path}`")]
    Open {
        path: String,
        #[source]
        source: std::io::Error,
    },
    #[error("failed to understand version {version} of `{class}` in `{path}`")]
    Entry {
        class: Class,
        version: u64,
        path: String,
        #[source]
        source: serde_json::Error,
    },
    #[error("the log of `{class}` has no version {version}")]
    Gap { class: Class, version: u64 },
    #[error(
        "the log of `{class}` begins at version {oldest}, and no snapshot before it can be read"
    )]
    NoBase {
        class: Class,
        oldest: u64,
        #[source]
        source: Option<Box<LakeError>>,
    },
    #[error("the log of `{class}` before version {oldest} was cleaned up")]
    Forgotten { class: Class, oldest: u64 },
    #[error(
        "version {version} of `{class}` was written into a part of the log that was cleaned up"
    )]
    Overtaken { class: Class, version: u64 },
    #[error("failed to write a checkpoint of `{class}`")]
    Checkpoint {
        class: Class,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("failed to merge files of `{class}`: {problem}")]
    Merge { class: Class, problem: String },
    #[error("failed to write rows of `{class}` as Parquet")]
    Encode {
        class: Class,
        #[source]
        source: ParquetError,
    },
    #[error("failed to join columns of `{class}`")]
    Columns {
        class: Class,
        #[source]
        source: arrow::error::ArrowError,
    },
    #[error("failed to describe `{class}` as a Delta table")]
    Describe {
        class: Class,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("failed to read `{path}`")]
    Read {
        path: String,
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("failed to run a query")]
    Query(#[source] DataFusionError),
    #[error("other writers of `{class}` won {rounds} times in a row")]
    Contended { class: Class, rounds: usize },
    #[error("a task of the lake stopped")]
    Task(#[source] tokio::task::JoinError),
    #[error("the lake is closing")]
    Closing,
    #[error("stopped at failpoint `{0}`")]
    Failpoint(&'static str),
}

/// The failure of a group, told to one of those whose records were in it.
#[derive(Debug, thiserror::Error)]
#[error("failed to append a group of batches")]
pub(crate) struct GroupFailed {
    /// The commits that hold rows of theirs all the same.
    pub(crate) committed: Vec<(CommitReceipt, TableCommit)>,
    /// Why the others do not exist.
    #[source]
    pub(crate) cause: Arc<LakeError>,
}

impl From<LakeError> for StoreError {
    fn from(error: LakeError) -> Self {
        match error {
            LakeError::Forgotten { class, oldest } => Self::Forgotten { class, oldest },
            error => Self::Failed {
                action: "failed to use the lake".to_owned(),
                source: Box::new(error),
            },
        }
    }
}

impl From<GroupFailed> for StoreError {
    fn from(error: GroupFailed) -> Self {
        let action = error.to_string();
        let GroupFailed { committed, cause } = error;
        match committed.is_empty() {
            true => Self::Failed { action, source: Box::new(cause) },
            false => Self::Unfinished { committed, source: Box::new(cause) },
        }
    }
}
