//! Previewing a transform on stored records.

use engine::connectors::preview::Preview;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A program to try.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewRequest {
    /// The VRL program.
    #[schema(example = "if .disposition_id == 1 { abort }")]
    pub(crate) transform: String,
    /// How many of the newest records of each content type, from 1 to 100.
    #[serde(default = "ten")]
    #[schema(minimum = 1, maximum = 100, default = 10)]
    pub(crate) count: u64,
}

fn ten() -> u64 {
    10
}

/// What the program makes of each record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewResult {
    /// The records, the newest first in each content type.
    pub(crate) items: Vec<PreviewItem>,
}

/// What the program makes of one record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PreviewItem {
    /// What would become of it.
    outcome: PreviewOutcome,
    /// The event as the mapping alone makes it; null when that fails already.
    before: Option<Value>,
    /// The event as it would be stored; null when it would not be.
    after: Option<Value>,
    /// Why it would become a dead letter.
    reason: Option<String>,
}

/// What would become of a record.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PreviewOutcome {
    /// It would be stored.
    Stored,
    /// It would be dropped and counted as filtered.
    Filtered,
    /// It would become a dead letter.
    DeadLettered,
}

impl From<Preview> for PreviewItem {
    fn from(preview: Preview) -> Self {
        let (outcome, before, after, reason) = match preview {
            Preview::Edited { before, after } => {
                (PreviewOutcome::Stored, Some(before), Some(after), None)
            }
            Preview::Dropped { before } => (PreviewOutcome::Filtered, Some(before), None, None),
            Preview::Failed { before, reason } => {
                (PreviewOutcome::DeadLettered, before, None, Some(reason))
            }
        };
        Self { outcome, before, after, reason }
    }
}
