//! How a connector's streams are, for people: pushed when it changes, kept for the next start.

use model::ids::{ConnectorId, StreamId};
use model::time::Timestamp;
use model::vendor::{Fault, FetchError};
use serde::{Deserialize, Serialize};

/// What a stream is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Not asked yet.
    Waiting,
    /// The last request was answered.
    Ok,
    /// The vendor refused for its quota; it goes on by itself.
    Throttled,
    /// No key is accepted; the interval stays open until one is.
    Credentials,
    /// The vendor or the network fails; it is retried.
    Failing,
    /// The lake or the catalog cannot be written; it is retried, nothing is acknowledged.
    Storage,
}

impl State {
    /// The word in status tables and in the catalog.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ok => "ok",
            Self::Throttled => "throttled",
            Self::Credentials => "credentials",
            Self::Failing => "failing",
            Self::Storage => "storage",
        }
    }

    /// What a failed request means for its stream.
    pub fn of_fault(fault: &Fault) -> Self {
        match fault {
            Fault::Throttled => Self::Throttled,
            Fault::Budget => Self::Storage,
            fault if fault.is_credential() => Self::Credentials,
            _ => Self::Failing,
        }
    }
}

/// A stream's state, since when, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StreamHealth {
    /// The connector.
    pub connector: ConnectorId,
    /// The stream.
    pub stream: StreamId,
    /// What it is doing.
    pub state: State,
    /// The last failure in words, while it lasts.
    pub problem: Option<String>,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// When a request was last answered.
    pub last_ok: Option<Timestamp>,
}

impl StreamHealth {
    /// A stream that was not asked yet.
    pub fn new(connector: ConnectorId, stream: StreamId, now: Timestamp) -> Self {
        Self { connector, stream, state: State::Waiting, problem: None, since: now, last_ok: None }
    }

    /// Notes an answered request. Says whether the state changed.
    pub fn succeeded(&mut self, now: Timestamp) -> bool {
        self.last_ok = Some(now);
        self.enter(State::Ok, None, now)
    }

    /// Notes a failed request. Says whether the state or its reason changed.
    pub fn failed(&mut self, error: &FetchError, now: Timestamp) -> bool {
        self.enter(State::of_fault(&error.fault), Some(error.to_string()), now)
    }

    /// Notes that rows could not be stored. Says whether the state or its reason changed.
    pub fn not_stored(&mut self, problem: String, now: Timestamp) -> bool {
        self.enter(State::Storage, Some(problem), now)
    }

    fn enter(&mut self, state: State, problem: Option<String>, now: Timestamp) -> bool {
        let changed = self.state != state || self.problem != problem;
        if self.state != state {
            self.since = now;
        }
        self.state = state;
        self.problem = problem;
        changed
    }

    /// The row that the catalog keeps.
    pub fn to_stored(&self, now: Timestamp) -> catalog::StreamStatus {
        catalog::StreamStatus {
            connector: self.connector,
            stream: self.stream.clone(),
            state: self.state.as_str().to_owned(),
            fault: None,
            detail: self.problem.clone(),
            since: self.since,
            last_ok: self.last_ok,
            next_at: None,
            updated_at: now,
        }
    }
}
