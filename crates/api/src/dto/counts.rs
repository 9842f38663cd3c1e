//! Counts of records and spans of time, as many answers hold them.

use model::time::{Interval, Timestamp};
use serde::Serialize;
use utoipa::ToSchema;

/// What became of records: `served = stored + duplicate + filtered + dead_lettered`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub(crate) struct Counts {
    /// Records that came in.
    served: u64,
    /// Rows added to the lake.
    stored: u64,
    /// Records that the lake already held.
    duplicate: u64,
    /// Records that a transform dropped.
    filtered: u64,
    /// Records set aside with a reason.
    dead_lettered: u64,
}

impl From<model::ledger::Counts> for Counts {
    fn from(counts: model::ledger::Counts) -> Self {
        let model::ledger::Counts { served, stored, duplicate, filtered, dead_lettered } = counts;
        Self { served, stored, duplicate, filtered, dead_lettered }
    }
}

/// From `start` (inclusive) to `end` (exclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Span {
    /// The first instant inside.
    #[schema(value_type = String, format = DateTime)]
    start: Timestamp,
    /// The first instant after.
    #[schema(value_type = String, format = DateTime)]
    end: Timestamp,
}

impl From<Interval> for Span {
    fn from(interval: Interval) -> Self {
        Self { start: interval.start, end: interval.end }
    }
}

/// All spans of a list.
pub(crate) fn spans(intervals: Vec<Interval>) -> Vec<Span> {
    intervals.into_iter().map(Span::from).collect()
}
