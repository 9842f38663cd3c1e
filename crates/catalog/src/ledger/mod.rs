//! The completeness ledger: for each stream, which intervals were asked for and what became of the
//! records served in them.
//!
//! [`entry`] writes it, [`answers`] reads it. Every row balances by itself, and the rows of kinds
//! live, gap and backfill together cover the time that a stream has been asked for.

mod answers;
mod entry;

use std::fmt;
use std::str::FromStr;

use model::ids::{ConnectorId, StreamId, TenantId};
use model::ledger::Counts;
use model::time::{Interval, Timestamp};
use serde::{Deserialize, Serialize};

use crate::columns::Columns;
use crate::database::Row;
use crate::error::Result;

pub use self::answers::{LedgerBalance, LedgerFilter, StreamLedger};
pub(crate) use self::entry::{Entry, enter, move_dead_letter};

/// Why records came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalKind {
    /// A poll for the newest records.
    Live,
    /// A hole that an outage or throttling left.
    Gap,
    /// History before the first run.
    Backfill,
    /// A bulk import.
    Import,
    /// Records that a stack's client sent.
    Push,
    /// Dead letters that came in again.
    Replay,
    /// Rows found in the lake after a crash.
    Recovered,
}

impl IntervalKind {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Live,
        Self::Gap,
        Self::Backfill,
        Self::Import,
        Self::Push,
        Self::Replay,
        Self::Recovered,
    ];

    /// The word that is stored and printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Gap => "gap",
            Self::Backfill => "backfill",
            Self::Import => "import",
            Self::Push => "push",
            Self::Replay => "replay",
            Self::Recovered => "recovered",
        }
    }

    /// Whether its intervals cover a stream's time. A span is asked for as one of these kinds at a
    /// time: a poll that fails goes on as a gap, and its row with it.
    pub const fn covers(self) -> bool {
        matches!(self, Self::Live | Self::Gap | Self::Backfill)
    }
}

impl fmt::Display for IntervalKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for IntervalKind {
    type Err = UnknownWord;
    fn from_str(text: &str) -> std::result::Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or(UnknownWord("kind"))
    }
}

/// Whether an interval has been walked to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalState {
    /// Some pages are still to come.
    Open,
    /// Its last page is in.
    Done,
}

impl IntervalState {
    /// The word that is stored and printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
        }
    }
}

impl fmt::Display for IntervalState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for IntervalState {
    type Err = UnknownWord;
    fn from_str(text: &str) -> std::result::Result<Self, UnknownWord> {
        match text {
            "open" => Ok(Self::Open),
            "done" => Ok(Self::Done),
            _ => Err(UnknownWord("interval state")),
        }
    }
}

/// A stored word that this version of Tarn does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {0}")]
pub struct UnknownWord(pub(crate) &'static str);

/// One interval of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LedgerRow {
    /// The connector.
    pub connector: ConnectorId,
    /// The owner.
    pub tenant: TenantId,
    /// Where the records come from.
    pub source: String,
    /// The stream.
    pub stream: StreamId,
    /// The span that was asked for; adjoining polls of one hour are kept as one.
    pub interval: Interval,
    /// Why it was asked for.
    pub kind: IntervalKind,
    /// Whether all of it is in.
    pub state: IntervalState,
    /// Pages that came in.
    pub pages: u64,
    /// Polls that were completed.
    pub polls: u64,
    /// What became of the records.
    pub counts: Counts,
    /// When the first page was applied.
    pub first_at: Timestamp,
    /// When the last page was applied.
    pub last_at: Timestamp,
}

fn row_of(row: &Row) -> Result<LedgerRow> {
    Ok(LedgerRow {
        connector: row.parsed("connector_id")?,
        tenant: row.parsed("tenant")?,
        source: row.text("source")?,
        stream: row.parsed("stream")?,
        interval: interval_of(row)?,
        kind: row.parsed("kind")?,
        state: row.parsed("state")?,
        pages: row.count("pages")?,
        polls: row.count("polls")?,
        counts: counts_of(row)?,
        first_at: row.time("first_at")?,
        last_at: row.time("last_at")?,
    })
}

fn interval_of(row: &Row) -> Result<Interval> {
    Ok(Interval { start: row.time("start_time")?, end: row.time("end_time")? })
}

fn counts_of(row: &Row) -> Result<Counts> {
    Ok(Counts {
        served: row.count("served")?,
        stored: row.count("stored")?,
        duplicate: row.count("duplicate")?,
        filtered: row.count("filtered")?,
        dead_lettered: row.count("dead_lettered")?,
    })
}
