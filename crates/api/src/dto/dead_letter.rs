//! Dead letters: the list, and what was decided about some of them.

use engine::dead_letters::Replayed;
use engine::dead_letters::{DeadLetterState as StoredState, StoredDeadLetter};
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which letters are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeadLetterParameters {
    /// Only this connector, by its name.
    pub(crate) connector: Option<String>,
    /// Only this source.
    #[param(example = "trend_micro_cas.security_events")]
    pub(crate) source: Option<String>,
    /// Only in this state.
    #[param(inline)]
    pub(crate) state: Option<DeadLetterState>,
    /// The most items that the page may have, from 1 to 1000; 100 unless told otherwise.
    #[param(minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<u32>,
    /// `next` of the page before.
    pub(crate) cursor: Option<String>,
}

/// What became of a dead letter.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeadLetterState {
    /// Nobody has decided yet.
    Waiting,
    /// It came in again and was accounted for.
    Replayed,
    /// Someone decided that it is worth nothing.
    Discarded,
}

impl From<StoredState> for DeadLetterState {
    fn from(state: StoredState) -> Self {
        match state {
            StoredState::Waiting => Self::Waiting,
            StoredState::Replayed => Self::Replayed,
            StoredState::Discarded => Self::Discarded,
        }
    }
}

impl From<DeadLetterState> for StoredState {
    fn from(state: DeadLetterState) -> Self {
        match state {
            DeadLetterState::Waiting => Self::Waiting,
            DeadLetterState::Replayed => Self::Replayed,
            DeadLetterState::Discarded => Self::Discarded,
        }
    }
}

/// A record that could not become an event, without its bytes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetter {
    /// Names it.
    id: Uuid,
    /// The id of the connector that collected it; all zeros for imports.
    connector_id: String,
    /// Where it comes from.
    source: String,
    /// The stream that it came in.
    stream: String,
    /// Why it cannot be used.
    reason: String,
    /// How many bytes it has.
    size_bytes: u64,
    /// When it was set aside.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// What became of it.
    state: DeadLetterState,
    /// When it was replayed or discarded.
    #[schema(value_type = Option<String>, format = DateTime)]
    settled_at: Option<Timestamp>,
}

impl From<StoredDeadLetter> for DeadLetter {
    fn from(letter: StoredDeadLetter) -> Self {
        Self {
            id: letter.id,
            connector_id: letter.connector.to_string(),
            source: letter.source,
            stream: letter.stream.to_string(),
            reason: letter.reason,
            size_bytes: letter.raw_size,
            at: letter.at,
            state: letter.state.into(),
            settled_at: letter.settled_at,
        }
    }
}

/// The letters that something is done with.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeadLetterIds {
    /// Their ids, from 1 to 1000.
    #[schema(min_items = 1, max_items = 1000)]
    pub(crate) ids: Vec<Uuid>,
}

/// What replaying did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReplayResult {
    /// Letters that are rows now.
    stored: u64,
    /// Letters that the lake held already.
    duplicate: u64,
    /// Letters that the transform dropped.
    filtered: u64,
    /// Letters that failed again; they stay.
    failed: Vec<FailedReplay>,
}

/// A letter that failed again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FailedReplay {
    /// The letter.
    id: Uuid,
    /// Why.
    reason: String,
}

impl From<Replayed> for ReplayResult {
    fn from(replayed: Replayed) -> Self {
        let failed = replayed.failed.into_iter();
        Self {
            stored: replayed.stored,
            duplicate: replayed.duplicate,
            filtered: replayed.filtered,
            failed: failed.map(|(id, reason)| FailedReplay { id, reason }).collect(),
        }
    }
}

/// What discarding did.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DiscardResult {
    /// Letters that were waiting and are discarded now.
    pub(crate) discarded: u64,
}
