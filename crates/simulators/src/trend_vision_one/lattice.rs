//! Which records exist and when: every record is a pure function of (seed, stream, number).
//!
//! Records of a stream stand on a lattice of equal slots, so any window is found by arithmetic and nothing is stored.

use crate::draw::{fraction, mix};
use crate::simulator::{SimulatorError, Volume};
use crate::times::HOUR_MS;

use super::knobs::Late;
use super::streams::Stream;

/// 2020-01-01T00:00:00Z, where endless streams are anchored so that a restart finds the same records.
const ANCHOR_MS: i64 = 1_577_836_800_000;
/// History before the start of an endless stream.
const HISTORY_MS: i64 = 80 * HOUR_MS;
/// The stretch before the start over which a fixed number of records is spread.
const SPREAD_MS: i64 = 71 * HOUR_MS;
/// The part of a slot in which its record may fall: less than all of it keeps records in order.
const JITTER: f64 = 0.9;
/// Highest rate per stream and hour: one record per second.
const MOST_PER_HOUR: f64 = 3_600.0;
/// What the vendor's own pipeline takes at most, in milliseconds.
pub(super) const INGESTION_MS: u64 = 150_000;

const PLACE: u64 = 0x51a7;
const DELAY: u64 = 0xde1a;

/// All records of a simulator.
#[derive(Debug)]
pub(super) struct Population {
    seed: u64,
    started_ms: i64,
    volume: Volume,
}

impl Population {
    /// A population that begins before `started_ms`.
    pub(super) fn new(seed: u64, started_ms: i64, volume: Volume) -> Result<Self, SimulatorError> {
        match volume {
            Volume::PerHour(rate) if !(rate > 0.0 && rate <= MOST_PER_HOUR) => {
                let accepts = "a rate above 0 and up to 3600 per hour";
                Err(SimulatorError::Volume { volume, accepts })
            }
            _ => Ok(Self { seed, started_ms, volume }),
        }
    }

    /// The lattice of a stream.
    #[expect(clippy::cast_precision_loss, reason = "counts and spans are far below 2^52")]
    pub(super) fn lattice(&self, stream: Stream) -> Lattice {
        let coordinates = [self.seed, stream.coordinate()];
        match self.volume {
            Volume::Events(total) => {
                let streams = u64::try_from(Stream::ALL.len()).unwrap_or(1);
                let count = total / streams + u64::from(stream.coordinate() < total % streams);
                let step_ms = SPREAD_MS as f64 / count.max(1) as f64;
                let origin_ms = self.started_ms - SPREAD_MS;
                Lattice { coordinates, origin_ms, step_ms, first: 0, end: Some(count) }
            }
            Volume::PerHour(rate) => {
                let step_ms = HOUR_MS as f64 / rate;
                let mut lattice =
                    Lattice { coordinates, origin_ms: ANCHOR_MS, step_ms, first: 0, end: None };
                lattice.first = lattice.first_at(self.started_ms - HISTORY_MS);
                lattice
            }
        }
    }
}

/// The records of one stream, numbered in order of time.
#[derive(Debug)]
pub(super) struct Lattice {
    coordinates: [u64; 2],
    origin_ms: i64,
    step_ms: f64,
    first: u64,
    end: Option<u64>,
}

impl Lattice {
    /// When it happened: epoch milliseconds, whole seconds.
    pub(super) fn time_ms(&self, number: u64) -> i64 {
        (self.origin_ms + self.elapsed_ms(number)).div_euclid(1_000) * 1_000
    }

    /// When the vendor took it in: soon after, or later for the late ones.
    pub(super) fn ingested_ms(&self, number: u64, late: Option<Late>) -> i64 {
        let [seed, stream] = self.coordinates;
        let usual = 5_000 + mix(&[seed, stream, number, DELAY]) % (INGESTION_MS - 5_000);
        let is_late =
            |late: &Late| fraction(&[seed, stream, number, DELAY, 1]) * 100.0 < late.percent;
        let delay = late.filter(is_late).map_or(usual, |late| {
            let most = u64::try_from(late.most_ms).unwrap_or(0).max(1);
            usual + mix(&[seed, stream, number, DELAY, 2]) % most
        });
        let delay_ms = i64::try_from(delay / 1_000 * 1_000).unwrap_or(0);
        self.time_ms(number).saturating_add(delay_ms)
    }

    /// The number of the first record at or after `instant_ms`, within this stream's records.
    pub(super) fn first_at(&self, instant_ms: i64) -> u64 {
        // Times are cut to whole seconds, so an instant is reached at the next full second.
        let wanted = -(-instant_ms).div_euclid(1_000) * 1_000 - self.origin_ms;
        let mut number = self.slot_at(wanted);
        while number > 0 && self.elapsed_ms(number - 1) >= wanted {
            number -= 1;
        }
        while self.elapsed_ms(number) < wanted {
            number += 1;
        }
        number.max(self.first).min(self.end.unwrap_or(u64::MAX))
    }

    /// The numbers of the records from `start_ms` on and before `end_ms`.
    pub(super) fn between(&self, start_ms: i64, end_ms: i64) -> std::ops::Range<u64> {
        let low = self.first_at(start_ms);
        low..self.first_at(end_ms).max(low)
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
        reason = "milliseconds since 2020 stay below 2^52"
    )]
    fn elapsed_ms(&self, number: u64) -> i64 {
        let [seed, stream] = self.coordinates;
        ((number as f64 + JITTER * fraction(&[seed, stream, number, PLACE])) * self.step_ms) as i64
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::times::parse_instant_ms;

    fn start() -> i64 {
        parse_instant_ms("2026-03-02T08:00:00Z").unwrap()
    }

    fn lattice(volume: Volume) -> Lattice {
        Population::new(7, start(), volume).unwrap().lattice(Stream::Techniques)
    }

    #[test]
    fn endless_streams_have_80_hours_of_history_and_their_rate() {
        let lattice = lattice(Volume::PerHour(120.0));
        let history = lattice.between(0, start());
        assert!((9_598..=9_602).contains(&(history.end - history.start)));
        assert!(lattice.time_ms(history.start) >= start() - HISTORY_MS);
    }

    #[test]
    fn fixed_numbers_are_shared_over_the_streams_and_then_silence() {
        let population = Population::new(1, start(), Volume::Events(100)).unwrap();
        let count = |stream| population.lattice(stream).between(0, start() + 1).count();
        assert_eq!(Stream::ALL.map(count), [34, 33, 33]);
        let lattice = population.lattice(Stream::Alerts);
        assert_eq!(lattice.first_at(start() + 1), lattice.first_at(start() + 1_000 * HOUR_MS));
    }

    #[test]
    fn a_share_is_taken_in_late_and_nothing_before_it_happened() {
        let lattice = lattice(Volume::PerHour(600.0));
        let late = Late { percent: 25.0, most_ms: 3_600_000 };
        let delays: Vec<i64> = lattice
            .between(0, start())
            .map(|number| lattice.ingested_ms(number, Some(late)) - lattice.time_ms(number))
            .collect();
        assert!(delays.iter().all(|delay| (5_000..=3_750_000).contains(delay)));
        let beyond = delays.iter().filter(|delay| **delay > 150_000).count() * 100 / delays.len();
        assert!((20..=26).contains(&beyond), "{beyond}");
    }

    proptest! {
        #[test]
        fn first_at_finds_exactly_the_first_record(rate in 0.5_f64..3_600.0, offset in -280_000_000_i64..50_000_000) {
            let lattice = lattice(Volume::PerHour(rate));
            let instant = start() + offset;
            let number = lattice.first_at(instant);
            prop_assert!(lattice.time_ms(number) >= instant);
            prop_assert!(number == lattice.first || lattice.time_ms(number - 1) < instant);
            prop_assert!(lattice.time_ms(number + 1) >= lattice.time_ms(number));
        }
    }
}
