//! How a connector and its streams are, asked for or pushed.

use engine::collect::status::StreamHealth;
use engine::connectors::status::{ConnectorStatus as EngineStatus, StreamStatus as EngineStream};
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
    /// Its line of the ledger.
    counts: Counts,
}

impl From<EngineStatus> for ConnectorStatus {
    fn from(status: EngineStatus) -> Self {
        Self {
            name: status.connector.to_string(),
            state: status.state,
            counts: status.counts.into(),
            backfill: status.backfill,
            covered_until: status.covered_until,
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
