//! Which records exist and when: every record is a pure function of (seed, stream, number).
//!
//! Records of a stream stand on a lattice of slots of equal weight; a surge makes time weigh more. So any window
//! is found by arithmetic, nothing is stored, and a page costs as much as its records.

use crate::draw::{fraction, mix};
use crate::simulator::{SimulatorError, Volume};
use crate::times::HOUR_MS;

use super::knobs::{Knobs, Late};
use super::streams::Stream;

/// 2000-01-01T00:00:00Z, where endless streams are anchored so that a restart finds the same records.
const ANCHOR_MS: i64 = 946_684_800_000;
/// History before the start of an endless stream.
const HISTORY_MS: i64 = 80 * HOUR_MS;
/// The stretch before the start over which a fixed number of records is spread.
const SPREAD_MS: i64 = 71 * HOUR_MS;
/// The part of a slot in which its record may fall: less than all of it keeps records in order.
const JITTER: f64 = 0.9;
/// Highest rate per stream and hour: one record per millisecond.
const MOST_PER_HOUR: f64 = 3_600_000.0;

const LATENESS: u64 = 0x1a7e;
const PLACE: u64 = 0x51a7;

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
        let coordinates = [self.seed, stream.coordinate()];
        let plain = |origin_ms, step_ms, end| Lattice {
            coordinates,
            origin_ms,
            step_ms,
            first: 0,
            end,
            surge: None,
            late: knobs.late,
        };
        match self.volume {
            Volume::Events(_) => {
                let count = self.counts[stream.number()];
                plain(
                    self.started_ms - SPREAD_MS,
                    SPREAD_MS as f64 / count.max(1) as f64,
                    Some(count),
                )
            }
            Volume::PerHour(rate) => {
                let mut lattice = plain(ANCHOR_MS, HOUR_MS as f64 / rate, None);
                lattice.surge =
                    knobs.spike.as_ref().filter(|spike| spike.streams.contains(&stream)).map(
                        |spike| Surge {
                            from: (spike.start_ms - ANCHOR_MS).max(0) as f64,
                            to: (spike.end_ms - ANCHOR_MS).max(0) as f64,
                            factor: spike.factor,
                        },
                    );
                lattice.first = lattice.first_at(self.started_ms - HISTORY_MS);
                lattice
            }
        }
    }
}

/// A stretch of time with more records, in milliseconds after the lattice's origin.
#[derive(Debug, Clone, Copy)]
struct Surge {
    from: f64,
    to: f64,
    factor: f64,
}

/// The records of one stream, numbered in order of generation.
#[derive(Debug)]
pub(super) struct Lattice {
    coordinates: [u64; 2],
    origin_ms: i64,
    step_ms: f64,
    first: u64,
    end: Option<u64>,
    surge: Option<Surge>,
    late: Option<Late>,
}

impl Lattice {
    /// When a record was generated: epoch milliseconds, whole seconds.
    pub(super) fn generation_ms(&self, number: u64) -> i64 {
        (self.origin_ms + self.elapsed_ms(number)).div_euclid(1_000) * 1_000
    }

    /// When a record can first be retrieved: its generation, or later for the late ones.
    pub(super) fn visible_ms(&self, number: u64) -> i64 {
        let generation_ms = self.generation_ms(number);
        let Some(late) = self.late else { return generation_ms };
        let [seed, stream] = self.coordinates;
        if fraction(&[seed, stream, number, LATENESS]) * 100.0 >= late.percent {
            return generation_ms;
        }
        let most = u64::try_from(late.most_ms).unwrap_or(0).max(1);
        let delay = mix(&[seed, stream, number, LATENESS, 1]) % most + 1;
        generation_ms.saturating_add(i64::try_from(delay).unwrap_or(0))
    }

    /// The number of the first record generated at or after `instant_ms`, within this stream's records.
    pub(super) fn first_at(&self, instant_ms: i64) -> u64 {
        // Generation is cut to whole seconds: it reaches an instant when the uncut time reaches the next full second.
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

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "an estimate, corrected by the caller"
    )]
    fn slot_at(&self, elapsed_ms: i64) -> u64 {
        let elapsed = elapsed_ms.max(0) as f64;
        let extra = self.surge.map_or(0.0, |surge| {
            (surge.factor - 1.0) * (elapsed.min(surge.to) - surge.from).max(0.0)
        });
        ((elapsed + extra) / self.step_ms) as u64
    }

    /// Milliseconds between the origin and a record, rising with its number.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "milliseconds since 2000 stay below 2^52"
    )]
    fn elapsed_ms(&self, number: u64) -> i64 {
        let [seed, stream] = self.coordinates;
        let weight =
            (number as f64 + JITTER * fraction(&[seed, stream, number, PLACE])) * self.step_ms;
        let Some(Surge { from, to, factor }) = self.surge else { return weight as i64 };
        let elapsed = if weight <= from {
            weight
        } else if weight <= from + factor * (to - from) {
            from + (weight - from) / factor
        } else {
            weight - (factor - 1.0) * (to - from)
        };
        elapsed as i64
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

    fn lattice(volume: Volume, faults: &[(&str, &str)]) -> Lattice {
        let mut knobs = Knobs::default();
        for (name, value) in faults {
            knobs.set(name, value).unwrap();
        }
        Population::new(7, start(), volume, &knobs)
            .unwrap()
            .lattice(Stream::numbered(0).unwrap(), &knobs)
    }

    #[test]
    fn endless_streams_have_80_hours_of_history_and_their_rate() {
        let lattice = lattice(Volume::PerHour(120.0), &[]);
        assert!(lattice.generation_ms(lattice.first) >= start() - HISTORY_MS);
        let history = lattice.first_at(start()) - lattice.first;
        assert!((9_598..=9_602).contains(&history), "{history}");
        assert_eq!(lattice.first_at(0), lattice.first);
    }

    #[test]
    fn fixed_numbers_are_shared_over_the_streams_and_then_silence() {
        let knobs = Knobs::default();
        let population = Population::new(1, start(), Volume::Events(100), &knobs).unwrap();
        let total: u64 = Stream::all()
            .map(|stream| {
                let lattice = population.lattice(stream, &knobs);
                lattice.first_at(start() + 1) - lattice.first_at(start() - 72 * HOUR_MS)
            })
            .sum();
        assert_eq!(total, 100);
        let lattice = population.lattice(Stream::numbered(0).unwrap(), &knobs);
        assert_eq!(lattice.first_at(start()), lattice.first_at(start() + 100_000 * HOUR_MS));
    }

    #[test]
    fn rates_of_nothing_are_refused() {
        for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            assert!(Population::new(1, start(), Volume::PerHour(rate), &Knobs::default()).is_err());
        }
    }

    #[test]
    fn spike_multiplies_the_rate_between_its_bounds_only() {
        let spike = ("spike", "*6:20:2026-03-02T09:00:00Z/2026-03-02T10:00:00Z");
        let (plain, spiked) =
            (lattice(Volume::PerHour(60.0), &[]), lattice(Volume::PerHour(60.0), &[spike]));
        let count = |lattice: &Lattice, from: &str, to: &str| {
            lattice.first_at(parse_instant_ms(to).unwrap())
                - lattice.first_at(parse_instant_ms(from).unwrap())
        };
        for lattice in [&plain, &spiked] {
            let before = count(lattice, "2026-03-02T08:00:00Z", "2026-03-02T09:00:00Z");
            assert!((58..=62).contains(&before), "{before}");
        }
        let (inside, after) = (
            count(&spiked, "2026-03-02T09:00:00Z", "2026-03-02T10:00:00Z"),
            count(&spiked, "2026-03-02T10:00:00Z", "2026-03-02T11:00:00Z"),
        );
        assert!((1_190..=1_210).contains(&inside), "{inside}");
        assert!((58..=62).contains(&after), "{after}");
        let last_before = plain.first_at(parse_instant_ms("2026-03-02T08:59:00Z").unwrap());
        assert_eq!(plain.generation_ms(last_before - 1), spiked.generation_ms(last_before - 1));
    }

    #[test]
    fn a_share_of_the_records_is_late_within_the_bound() {
        let lattice = lattice(Volume::PerHour(600.0), &[("late", "25:10m")]);
        let delays: Vec<i64> = (lattice.first..lattice.first + 10_000)
            .map(|number| lattice.visible_ms(number) - lattice.generation_ms(number))
            .filter(|delay| *delay > 0)
            .collect();
        assert!((2_300..=2_700).contains(&delays.len()), "{}", delays.len());
        assert!(delays.iter().all(|delay| *delay <= 600_000));
        assert!(delays.iter().any(|delay| *delay > 500_000));
    }

    proptest! {
        #[test]
        fn first_at_finds_exactly_the_first_record(rate in 0.5_f64..20_000.0, offset in -300_000_000_i64..50_000_000) {
            let lattice = lattice(Volume::PerHour(rate), &[("spike", "all:20:2026-03-01T00:00:00Z/2026-03-01T06:00:00Z")]);
            let instant = start() + offset;
            let number = lattice.first_at(instant);
            prop_assert!(lattice.generation_ms(number) >= instant);
            prop_assert!(number == lattice.first || lattice.generation_ms(number - 1) < instant);
            prop_assert!(lattice.generation_ms(number + 1) >= lattice.generation_ms(number));
        }
    }
}
