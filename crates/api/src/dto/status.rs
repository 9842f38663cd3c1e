//! How a connector and its streams are, asked for or pushed.

use engine::collect::status::StreamHealth;
use engine::connectors::status::{
    ConnectorStatus as EngineStatus, FieldDrift as EngineDrift, StreamStatus as EngineStream,
};
use model::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::counts::{Counts, Span, spans};

/// A connector at a glance, with each of its streams.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectorStatus {
    /// The connector.
    name: String,
    /// The worst state among its streams; `disabled` when it is off, `stopped` when nothing runs.
    #[schema(example = "ok")]
    state: String,
    /// Its totals.
    counts: Counts,
    /// How much of the history that it set out to read is read, from 0 to 1.
    backfill: f64,
    /// Up to when everything is covered, over the slowest stream.
    #[schema(value_type = Option<String>, format = DateTime)]
    covered_until: Option<Timestamp>,
    /// What its keys need from a person before they fail, such as a replacement.
    notices: Vec<String>,
    /// Each stream.
    streams: Vec<StreamStatus>,
}

/// A stream at a glance.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StreamStatus {
    /// The stream.
    #[schema(example = "sharepoint/dlp")]
    stream: String,
    /// `waiting`, `ok`, `throttled`, `credentials`, `failing` or `storage`.
    #[schema(example = "ok")]
    state: String,
    /// The last failure in words, while it lasts.
    problem: Option<String>,
    /// When a request was last answered.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_ok: Option<Timestamp>,
    /// Everything up to here is covered, except what is open.
    #[schema(value_type = Option<String>, format = DateTime)]
    covered_until: Option<Timestamp>,
    /// What is not covered yet.
    open: Vec<Span>,
    /// What the vendor forgot before it could be read.
    lost: Vec<Span>,
    /// Spans that the ledger does not know although it knows later ones.
    holes: Vec<Span>,
    /// Where its records departed from what they used to look like, by field.
    drift: Vec<FieldDrift>,
    /// Its line of the ledger.
    counts: Counts,
}

/// A departure of a stream's records from what they used to look like.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldDrift {
    /// The field's path in the vendor's record.
    #[schema(example = "impactScope.entities[].entityType")]
    field: String,
    /// `unknown field`, `other type` or `vanished field`.
    #[schema(example = "unknown field")]
    change: String,
    /// Records that show it; repeats count again.
    records: u64,
    /// When it was first seen.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// When it was last seen.
    #[schema(value_type = String, format = DateTime)]
    last: Timestamp,
    /// The value of the first record that shows it; nothing for a field that vanished.
    example: Option<String>,
}

impl From<EngineDrift> for FieldDrift {
    fn from(drift: EngineDrift) -> Self {
        let EngineDrift { field, change, records, since, last, example } = drift;
        Self { field, change, records, since, last, example }
    }
}

impl From<EngineStatus> for ConnectorStatus {
    fn from(status: EngineStatus) -> Self {
        Self {
            name: status.connector.to_string(),
            state: status.state,
            counts: status.counts.into(),
            backfill: status.backfill,
            covered_until: status.covered_until,
            notices: status.notices,
            streams: status.streams.into_iter().map(StreamStatus::from).collect(),
        }
    }
}

impl From<EngineStream> for StreamStatus {
    fn from(stream: EngineStream) -> Self {
        Self {
            stream: stream.stream,
            state: stream.state,
            problem: stream.problem,
            last_ok: stream.last_ok,
            covered_until: stream.covered_until,
            open: spans(stream.open),
            lost: spans(stream.lost),
            holes: spans(stream.holes),
            drift: stream.drift.into_iter().map(FieldDrift::from).collect(),
            counts: stream.counts.into(),
        }
    }
}

/// The data of a `status` event: a stream whose state changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StreamChange {
    /// The connector's name.
    connector: String,
    /// The stream.
    stream: String,
    /// What it is doing now.
    state: String,
    /// The last failure in words, while it lasts.
    problem: Option<String>,
    /// Since when it is in this state.
    #[schema(value_type = String, format = DateTime)]
    since: Timestamp,
    /// When a request was last answered.
    #[schema(value_type = Option<String>, format = DateTime)]
    last_ok: Option<Timestamp>,
}

impl StreamChange {
    /// A change of a stream of the connector with this name.
    pub(crate) fn new(connector: &str, health: StreamHealth) -> Self {
        Self {
            connector: connector.to_owned(),
            stream: health.stream.to_string(),
            state: health.state.as_str().to_owned(),
            problem: health.problem,
            since: health.since,
            last_ok: health.last_ok,
        }
    }
}

/// The data of a `missed` event: the client read too slowly and should ask for the status again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MissedChanges {
    /// How many changes were left out.
    pub(crate) missed: u64,
}
