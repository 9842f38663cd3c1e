//! The lines that a run answers.

use engine::connectors::run::{RunEnd, RunProgress};
use serde::Serialize;
use utoipa::ToSchema;

use super::counts::Counts;
use crate::problem::Problem;

/// One line of a run's answer: exactly one of the three. The last line holds the result or the
/// problem; an answer without such a line was cut.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the lines of `crate::ndjson`")]
pub(crate) enum RunLine {
    /// Where the run stands.
    Progress(Progress),
    /// How it ended.
    Result(End),
    /// Why it could not go on.
    Problem(Problem),
}

/// Where a run stands.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunProgress)]
pub(crate) struct Progress {
    /// Streams that are read up to now.
    done: usize,
    /// All streams.
    streams: usize,
    /// Time spans still open, in hours over all streams.
    open_hours: f64,
    /// What the run counts so far.
    counts: Counts,
}

/// How a run ended.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RunResult)]
pub(crate) struct End {
    /// What the run added to the ledger.
    counts: Counts,
    /// Streams that could not be read to their end.
    unfinished: Vec<Unfinished>,
}

/// A stream that could not be read to its end.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = UnfinishedStream)]
pub(crate) struct Unfinished {
    /// The stream.
    stream: String,
    /// Why.
    problem: String,
}

impl From<RunProgress> for Progress {
    fn from(progress: RunProgress) -> Self {
        Self {
            done: progress.done,
            streams: progress.streams,
            // A sum of nothing is -0.0.
            open_hours: progress.open_hours + 0.0,
            counts: progress.counts.into(),
        }
    }
}

impl From<RunEnd> for End {
    fn from(end: RunEnd) -> Self {
        let unfinished = end.unfinished.into_iter();
        Self {
            counts: end.counts.into(),
            unfinished: unfinished
                .map(|(stream, problem)| Unfinished { stream, problem })
                .collect(),
        }
    }
}
