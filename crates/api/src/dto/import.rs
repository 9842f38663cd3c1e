//! Importing a body of records: parameters, progress and result.

use engine::import::Progress;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::counts::Counts;
use crate::problem::Problem;

/// What is imported.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ImportParameters {
    /// `integration.content_type` of the records.
    #[param(example = "trend_micro_cas.security_events")]
    pub(crate) source: String,
    /// The file's name, for the ledger; `upload` when it is left out.
    pub(crate) name: Option<String>,
}

/// One line of an import's answer: exactly one of the three. The last line holds the result or the
/// problem; an answer without such a line was cut.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the lines of `crate::ndjson`")]
pub(crate) enum ImportLine {
    /// Where the import stands.
    Progress(Import),
    /// How it ended.
    Result(Import),
    /// Why it could not go on.
    Problem(Problem),
}

/// What became of the records so far.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Import {
    /// The counts.
    pub(crate) counts: Counts,
    /// Bytes of records.
    pub(crate) bytes: u64,
    /// How often another writer of the lake committed first, and records were looked up again.
    pub(crate) conflicts: u64,
    /// Documents that are no records and hold none, and were passed over.
    pub(crate) passed_over: u64,
}

impl From<Progress> for Import {
    fn from(progress: Progress) -> Self {
        let Progress { counts, bytes, conflicts, passed_over } = progress;
        Self { counts: counts.into(), bytes, conflicts, passed_over }
    }
}
