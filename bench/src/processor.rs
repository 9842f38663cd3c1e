//! Processor time of the calling thread, which does not count what others do on the same core.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

/// Where Linux says how long this thread ran, in nanoseconds.
const SCHEDULED: &str = "/proc/thread-self/schedstat";

/// Runs work and says how long the processor worked on it in this thread. Where the system does not
/// count that, the time that passed.
pub(crate) fn time<T>(work: impl FnOnce() -> T) -> Result<(T, Duration)> {
    let (started, before) = (Instant::now(), ran()?);
    let answer = work();
    let took = match (before, ran()?) {
        (Some(before), Some(after)) => after.saturating_sub(before),
        _ => started.elapsed(),
    };
    Ok((answer, took))
}

fn ran() -> Result<Option<Duration>> {
    let Ok(text) = std::fs::read_to_string(SCHEDULED) else { return Ok(None) };
    let nanoseconds = text.split_whitespace().next().context("an empty schedstat")?;
    Ok(Some(Duration::from_nanos(nanoseconds.parse()?)))
}
