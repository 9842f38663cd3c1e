//! What a perfect collector has: every record that was there long enough to be fetched.

use crate::times::DAY_MS;
use crate::vendors::StreamNumbers;

use super::VisionOne;
use super::history::VERSIONS;
use super::knobs::Knobs;
use super::streams::Stream;

/// Time allowed beside the quota, in milliseconds.
const SLACK_MS: i64 = 60_000;
const KEPT_AUDIT_MS: i64 = 180 * DAY_MS;
const KEPT_TECHNIQUES_MS: i64 = 365 * DAY_MS;

impl VisionOne {
    /// The records still within reach a grace after the first request and visible now, by stream. Of an alert
    /// every version counts that was shown for as long as the fault `settle` says, within that time.
    pub(super) fn held_numbers(&self, until_ms: Option<i64>) -> Vec<StreamNumbers> {
        let knobs = self.knobs();
        let now_ms = self.clock.now_ms();
        let first_request_ms = self.journal.first_request_ms().unwrap_or(now_ms);
        let from_ms = first_request_ms.saturating_add(grace_ms(&knobs));
        let last_ms = until_ms.unwrap_or(now_ms).min(now_ms);
        let of_stream = |stream: &Stream| {
            let numbers = match stream {
                Stream::Alerts => self.held_versions(&knobs, from_ms, last_ms),
                Stream::AuditLogs => self.held_audit(&knobs, from_ms - KEPT_AUDIT_MS, last_ms),
                Stream::Techniques => {
                    let lattice = self.population.lattice(Stream::Techniques);
                    let numbers = lattice.between(from_ms - KEPT_TECHNIQUES_MS, last_ms + 1);
                    let is_in = |number: &u64| lattice.ingested_ms(*number, knobs.late) <= last_ms;
                    numbers.filter(is_in).collect()
                }
            };
            StreamNumbers { stream: stream.number(), numbers }
        };
        knobs.streams.iter().map(of_stream).collect()
    }

    fn held_versions(&self, knobs: &Knobs, from_ms: i64, last_ms: i64) -> Vec<u64> {
        let lattice = self.population.lattice(Stream::Alerts);
        let mut versions = Vec::new();
        for alert in lattice.between(0, last_ms + 1) {
            let history = self.history_from(alert, lattice.time_ms(alert), knobs);
            for (position, (at_ms, _)) in (0_u64..).zip(&history.steps) {
                let place = usize::try_from(position).unwrap_or(0);
                let shown_from_ms = (*at_ms).max(from_ms);
                let end_ms = history.end_ms(place);
                let settles = end_ms.is_none_or(|end_ms| end_ms - shown_from_ms >= knobs.settle_ms);
                if *at_ms <= last_ms && settles {
                    versions.push(alert * VERSIONS + position);
                }
            }
        }
        versions
    }

    fn held_audit(&self, knobs: &Knobs, from_ms: i64, last_ms: i64) -> Vec<u64> {
        let lattice = self.population.lattice(Stream::AuditLogs);
        let is_in = |number: &u64| {
            let (logged_ms, ingested_ms) = self.audit_times(*number, knobs);
            logged_ms >= from_ms && ingested_ms <= last_ms
        };
        lattice.between(from_ms, last_ms + 1).filter(is_in).collect()
    }
}

/// How long one round over all streams takes under the quota, plus the slack.
fn grace_ms(knobs: &Knobs) -> i64 {
    let streams = u64::try_from(knobs.streams.len()).unwrap_or(u64::MAX);
    let windows = i64::try_from(streams.div_ceil(knobs.requests.max(1))).unwrap_or(DAY_MS);
    windows.saturating_mul(knobs.window_ms).saturating_add(SLACK_MS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::FaultError;

    #[test]
    fn grace_follows_streams_quota_and_window() -> Result<(), FaultError> {
        let mut knobs = Knobs::default();
        assert_eq!(grace_ms(&knobs), 60_000 + SLACK_MS);
        knobs.set("requests", "2")?;
        knobs.set("window", "2s")?;
        assert_eq!(grace_ms(&knobs), 4_000 + SLACK_MS);
        Ok(())
    }
}
