//! What a perfect collector has: every record that was reachable long enough to be fetched.

use crate::times::DAY_MS;
use crate::vendors::StreamNumbers;

use super::Cas;
use super::knobs::Knobs;
use super::window::REACH_MS;

/// Time allowed beside the quota, in milliseconds.
const SLACK_MS: i64 = 60_000;

impl Cas {
    /// The records still within reach a grace after the first request and visible now, by stream. The grace is
    /// what one round over all streams takes under the quota, plus a minute. Before any request, now is the first.
    pub(super) fn held_numbers(&self, until_ms: Option<i64>) -> Vec<StreamNumbers> {
        let knobs = self.knobs();
        let now_ms = self.clock.now_ms();
        let first_request_ms = self.journal.first_request_ms().unwrap_or(now_ms);
        let from_ms = first_request_ms.saturating_add(grace_ms(&knobs)) - REACH_MS;
        let last_ms = until_ms.unwrap_or(now_ms).min(now_ms);
        let of_stream = |stream: &super::Stream| {
            let lattice = self.population.lattice(*stream, &knobs);
            let numbers = lattice.first_at(from_ms)..lattice.first_at(last_ms + 1);
            let visible = numbers
                .filter(|number| knobs.late.is_none() || lattice.visible_ms(*number) <= now_ms);
            StreamNumbers { stream: stream.number(), numbers: visible.collect() }
        };
        knobs.streams.iter().map(of_stream).collect()
    }
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
        let mut knobs = Knobs::default();
        assert_eq!(grace_ms(&knobs), 3 * 60_000 + SLACK_MS);
        knobs.set("window", "2s")?;
        knobs.set("streams", "*4")?;
        assert_eq!(grace_ms(&knobs), 2_000 + SLACK_MS);
        Ok(())
    }
}
