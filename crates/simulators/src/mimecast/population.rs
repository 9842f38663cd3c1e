//! Which records exist and when: every record is a pure function of (seed, stream, number).
//!
//! Records of a stream stand on a lattice of equal slots, so any window is found by arithmetic and nothing is
//! stored. Receipt, processing and delivery of one message share a slot, a moment apart.

use crate::draw::{fraction, mix};
use crate::simulator::{SimulatorError, Volume};
use crate::times::{DAY_MS, HOUR_MS};

use super::knobs::{Knobs, Late};
use super::streams::Stream;

/// 2000-01-01T00:00:00Z, where endless streams are anchored so that a restart finds the same records.
const ANCHOR_MS: i64 = 946_684_800_000;
/// History before the start of an endless stream.
const HISTORY_MS: i64 = 8 * DAY_MS;
/// The stretch before the start over which a fixed number of records is spread.
const SPREAD_MS: i64 = 71 * HOUR_MS;
/// The part of a slot in which its record may fall: less than all of it keeps records in order.
const JITTER: f64 = 0.9;
/// Highest rate per stream and hour: one record per millisecond.
const MOST_PER_HOUR: f64 = 3_600_000.0;
/// How long after its receipt a message is processed and delivered, by stream number.
const STAGES_MS: [i64; 3] = [0, 1_770, 5_210];

const LATENESS: u64 = 0x1a7e;
const PLACE: u64 = 0x51a7;
/// The coordinate that the three stages of a message share.
pub(super) const MESSAGES: u64 = 0x3e55;

/// All records of a simulator.
#[derive(Debug)]
pub(super) struct Population {
    seed: u64,
    started_ms: i64,
    volume: Volume,
    /// Records per stream for a fixed number of records.
    counts: Vec<u64>,
}

impl Population {
    /// Spreads the volume over the streams served at the start.
    pub(super) fn new(
        seed: u64,
        started_ms: i64,
        volume: Volume,
        knobs: &Knobs,
    ) -> Result<Self, SimulatorError> {
        let mut counts = vec![0; Stream::COUNT];
        match volume {
            Volume::Events(total) => {
                let streams = u64::try_from(knobs.streams.len()).unwrap_or(1).max(1);
                for (position, stream) in (0_u64..).zip(&knobs.streams) {
                    counts[stream.number()] =
                        total / streams + u64::from(position < total % streams);
                }
            }
            Volume::PerHour(rate) if rate > 0.0 && rate <= MOST_PER_HOUR => {}
            Volume::PerHour(_) => {
                return Err(SimulatorError::Volume {
                    volume,
                    accepts: "a rate above 0 and up to 3600000 per hour",
                });
            }
        }
        Ok(Self { seed, started_ms, volume, counts })
    }

    /// The lattice of a stream under the given knobs.
    #[expect(clippy::cast_precision_loss, reason = "counts and spans are far below 2^52")]
    pub(super) fn lattice(&self, stream: Stream, knobs: &Knobs) -> Lattice {
        let stage_ms = STAGES_MS.get(stream.number()).copied();
        let shared = stage_ms.map_or(stream.coordinate(), |_| MESSAGES);
        let (origin_ms, step_ms, end) = match self.volume {
            Volume::Events(_) => {
                let count = self.counts[stream.number()];
                (self.started_ms - SPREAD_MS, SPREAD_MS as f64 / count.max(1) as f64, Some(count))
            }
            Volume::PerHour(rate) => (ANCHOR_MS, HOUR_MS as f64 / rate, None),
        };
        let mut lattice = Lattice {
            coordinates: [self.seed, shared],
            origin_ms: origin_ms + stage_ms.unwrap_or(0),
            step_ms,
            first: 0,
            end,
            whole_seconds: stream.ttp().is_some(),
            late: knobs.late,
            lateness: stream.coordinate(),
        };
        if end.is_none() {
            lattice.first = lattice.first_at(self.started_ms - HISTORY_MS);
        }
        lattice
    }
}

/// The records of one stream, numbered in order of generation.
#[derive(Debug)]
pub(super) struct Lattice {
    coordinates: [u64; 2],
    origin_ms: i64,
    step_ms: f64,
    first: u64,
    end: Option<u64>,
    /// TTP logs show whole seconds.
    whole_seconds: bool,
    late: Option<Late>,
    lateness: u64,
}

impl Lattice {
    /// When a record was generated, epoch milliseconds: the time that it shows.
    pub(super) fn generation_ms(&self, number: u64) -> i64 {
        let exact = self.origin_ms + self.elapsed_ms(number);
        if self.whole_seconds { exact.div_euclid(1_000) * 1_000 } else { exact }
    }

    /// When a record can first be retrieved: its generation, or later for the late ones.
    pub(super) fn visible_ms(&self, number: u64) -> i64 {
        let exact = self.origin_ms + self.elapsed_ms(number);
        let Some(late) = self.late else { return exact };
        let [seed, stream] = self.coordinates;
        let coordinates = [seed, stream, number, LATENESS, self.lateness];
        if fraction(&coordinates) * 100.0 >= late.percent {
            return exact;
        }
        let most = u64::try_from(late.most_ms).unwrap_or(0).max(1);
        let delay = mix(&[mix(&coordinates), 1]) % most + 1;
        exact.saturating_add(i64::try_from(delay).unwrap_or(0))
    }

    /// The numbers of the records that became visible from `from_ms` (inclusive) to `to_ms` (exclusive).
    pub(super) fn visible_between(&self, from_ms: i64, to_ms: i64) -> Vec<u64> {
        let most_late = self.late.map_or(0, |late| late.most_ms);
        // Whole seconds are cut, so the time shown may lie up to a second before the exact one.
        let first = self.first_at(from_ms - most_late - 1_000);
        let last = self.first_at(to_ms);
        let is_inside = |number: &u64| (from_ms..to_ms).contains(&self.visible_ms(*number));
        (first..last).filter(is_inside).collect()
    }

    /// The number of the first record that shows `instant_ms` or later, within this stream's records.
    pub(super) fn first_at(&self, instant_ms: i64) -> u64 {
        let mut number = self.slot_at(instant_ms - self.origin_ms);
        while number > 0 && self.generation_ms(number - 1) >= instant_ms {
            number -= 1;
        }
        while self.generation_ms(number) < instant_ms {
            number += 1;
        }
        number.max(self.first).min(self.end.unwrap_or(u64::MAX))
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an estimate, corrected by the caller"
    )]
    fn slot_at(&self, elapsed_ms: i64) -> u64 {
        (elapsed_ms.max(0) as f64 / self.step_ms) as u64
    }

    /// Milliseconds between the origin and a record, rising with its number.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "milliseconds since 2000 stay below 2^52"
    )]
    fn elapsed_ms(&self, number: u64) -> i64 {
        let [seed, stream] = self.coordinates;
        let place = JITTER * fraction(&[seed, stream, number, PLACE]);
        ((number as f64 + place) * self.step_ms) as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::times::parse_instant_ms;
    use proptest::prelude::*;

    fn start() -> i64 {
        parse_instant_ms("2026-03-02T08:00:00.250Z").unwrap()
    }

    fn lattice(volume: Volume, stream: usize, faults: &[(&str, &str)]) -> Lattice {
        let mut knobs = Knobs::documented();
        for (name, value) in faults {
            knobs.set(name, value).unwrap();
        }
        let stream = Stream::numbered(stream).unwrap();
        Population::new(7, start(), volume, &knobs).unwrap().lattice(stream, &knobs)
    }

    #[test]
    fn endless_streams_have_eight_days_of_history_and_their_rate() {
        let lattice = lattice(Volume::PerHour(30.0), 3, &[]);
        assert!(lattice.generation_ms(lattice.first) >= start() - HISTORY_MS);
        let history = lattice.first_at(start()) - lattice.first;
        assert!((5_758..=5_762).contains(&history), "{history}");
    }

    #[test]
    fn the_stages_of_a_message_follow_each_other() {
        let stage = |stream| lattice(Volume::PerHour(30.0), stream, &[]);
        let (receipt, process, delivery) = (stage(0), stage(1), stage(2));
        let number = receipt.first_at(start()) - 5;
        let received = receipt.generation_ms(number);
        assert_eq!(process.generation_ms(number), received + 1_770);
        assert_eq!(delivery.generation_ms(number), received + 5_210);
    }

    #[test]
    fn late_records_become_visible_in_a_later_window_and_in_no_other() {
        let lattice = lattice(Volume::PerHour(600.0), 4, &[("late", "25:40m")]);
        let window = 900_000;
        let from = start() - 20 * window;
        let mut seen = Vec::new();
        for step in 0..20 {
            seen.extend(lattice.visible_between(from + step * window, from + (step + 1) * window));
        }
        let mut unique = seen.clone();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), seen.len());
        assert_ne!(unique, seen, "some come out of order");
        let settled = lattice.first_at(from)..lattice.first_at(start() - 2_400_000);
        assert!(settled.into_iter().all(|number| lattice.visible_ms(number) < start()));
    }

    #[test]
    fn fixed_numbers_are_shared_and_impossible_rates_refused() {
        let knobs = Knobs::documented();
        let population = Population::new(1, start(), Volume::Events(100), &knobs).unwrap();
        assert_eq!(population.counts.iter().sum::<u64>(), 100);
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Population::new(1, start(), Volume::PerHour(rate), &knobs).is_err());
        }
    }

    proptest! {
        #[test]
        fn first_at_finds_exactly_the_first_record(
            rate in 0.5_f64..20_000.0,
            offset in -300_000_000_i64..50_000_000,
            stream in 0_usize..13,
        ) {
            let lattice = lattice(Volume::PerHour(rate), stream, &[]);
            let instant = start() + offset;
            let number = lattice.first_at(instant);
            prop_assert!(lattice.generation_ms(number) >= instant);
            prop_assert!(number == lattice.first || lattice.generation_ms(number - 1) < instant);
        }
    }
}
