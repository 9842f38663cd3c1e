//! What a perfect collector has: every record that was reachable long enough to be fetched.

use crate::times::DAY_MS;
use crate::vendors::StreamNumbers;

use super::Mimecast;
use super::batch;
use super::knobs::Knobs;
use super::live;
use super::streams::Stream;

/// Time allowed beside the quota, in milliseconds.
const SLACK_MS: i64 = 60_000;

impl Mimecast {
    /// The records still within reach a grace after the first request and retrievable now, by stream. The grace
    /// is what one round over all streams takes under the quota, plus a minute. Before any request, now is the
    /// first.
    pub(super) fn held_numbers(&self, until_ms: Option<i64>) -> Vec<StreamNumbers> {
        let knobs = self.knobs();
        let now_ms = self.clock.now_ms();
        let first_request_ms = self.journal.first_request_ms().unwrap_or(now_ms);
        let reached_ms = first_request_ms.saturating_add(grace_ms(&knobs));
        let last_ms = until_ms.unwrap_or(now_ms).min(now_ms);
        let of_stream = |stream: &Stream| {
            let lattice = self.population.lattice(*stream, &knobs);
            let numbers = if stream.ttp().is_some() {
                let first = lattice.first_at(reached_ms - knobs.ttp_history_ms);
                let is_visible = |number: &u64| lattice.visible_ms(*number) <= now_ms;
                (first..lattice.first_at(last_ms + 1)).filter(is_visible).collect()
            } else {
                let (from_ms, to_ms) = siem_span(&knobs, reached_ms, now_ms);
                let mut numbers = lattice.visible_between(from_ms, to_ms);
                numbers.retain(|number| lattice.generation_ms(*number) <= last_ms);
                numbers
            };
            StreamNumbers { stream: stream.number(), numbers }
        };
        knobs.streams.iter().map(of_stream).collect()
    }
}

/// When SIEM events had to become visible: in files that were still listed and are complete, or in the stream.
fn siem_span(knobs: &Knobs, reached_ms: i64, now_ms: i64) -> (i64, i64) {
    if knobs.live_is_held {
        return (reached_ms - live::REACH_MS, now_ms + 1);
    }
    let first_span = (reached_ms - batch::REACH_MS).div_euclid(knobs.file_ms) + 1;
    (first_span * knobs.file_ms, now_ms.div_euclid(knobs.file_ms) * knobs.file_ms)
}

/// How long one round over all streams takes under the quota, plus the slack.
fn grace_ms(knobs: &Knobs) -> i64 {
    let streams = u64::try_from(knobs.streams.len()).unwrap_or(u64::MAX);
    let windows = i64::try_from(streams.div_ceil(knobs.requests)).unwrap_or(DAY_MS);
    windows.saturating_mul(knobs.window_ms).saturating_add(SLACK_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::FaultError;

    #[test]
    fn grace_follows_streams_quota_and_window() -> Result<(), FaultError> {
        let mut knobs = Knobs::documented();
        assert_eq!(grace_ms(&knobs), 15 * 60_000 + SLACK_MS);
        knobs.set("requests", "5")?;
        knobs.set("window", "2s")?;
        assert_eq!(grace_ms(&knobs), 6_000 + SLACK_MS);
        Ok(())
    }

    #[test]
    fn of_files_only_complete_ones_count() {
        let knobs = Knobs::documented();
        let span = 900_000;
        let (from_ms, to_ms) = siem_span(&knobs, batch::REACH_MS + 5, 10 * span + 7);
        assert_eq!((from_ms, to_ms), (span, 10 * span));
    }
}
