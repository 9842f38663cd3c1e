//! A connector in the list, and the small answers about one connector.

use engine::connectors::status::ConnectorStatus;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::counts::Counts;

/// A connector with the summary of its status.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectorSummary {
    /// Stays the same whatever else changes.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// The owner.
    pub(crate) tenant: String,
    /// The integration that it is an instance of.
    pub(crate) integration: String,
    /// Whether it collects.
    pub(crate) enabled: bool,
    /// The worst state among its streams; `disabled` when it is off, `stopped` when nothing runs.
    pub(crate) state: String,
    /// A failure of one of its streams in words, while it lasts.
    pub(crate) problem: Option<String>,
    /// Its totals.
    pub(crate) counts: Counts,
    /// How much of the history that it set out to read is read, from 0 to 1.
    pub(crate) backfill: f64,
    /// Up to when everything is covered, over the slowest stream.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) covered_until: Option<Timestamp>,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) updated_at: Timestamp,
}

/// The failure that a summary shows: one of a stream in the connector's own state.
pub(crate) fn problem_of(status: &ConnectorStatus) -> Option<String> {
    let of_state = status.streams.iter().filter(|stream| stream.state == status.state);
    of_state.chain(&status.streams).find_map(|stream| stream.problem.clone())
}

/// Whether a connector collects.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Enabled {
    /// The connector.
    pub(crate) name: String,
    /// Whether it collects now.
    pub(crate) enabled: bool,
}

/// A request to read older history.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BackfillRequest {
    /// From when on: RFC 3339, or how long before now.
    #[schema(example = "72h")]
    pub(crate) since: String,
}

/// What reading older history means.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Backfill {
    /// From when on it is read.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) since: Timestamp,
    /// Streams that have any that is older than what they read so far.
    pub(crate) streams: u64,
}
