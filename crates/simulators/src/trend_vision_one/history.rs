//! What becomes of an alert: a schedule that every alert follows, and what clients and faults do to it.
//!
//! Each step moves `updatedDateTime`. The list shows only the newest version, so an older one can be had only while
//! it lasts.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use crate::draw::{Draw, mix};
use crate::times::HOUR_MS;

use super::VisionOne;
use super::knobs::Knobs;
use super::streams::Stream;

/// Versions that an alert can have; a version's number is `alert * VERSIONS + position`.
pub(super) const VERSIONS: u64 = 64;
/// No scheduled step comes later than this after the creation.
pub(super) const LONGEST_MS: i64 = 8 * HOUR_MS;

/// How investigations end.
const RESULTS: [&str; 4] =
    ["True Positive", "False Positive", "Benign True Positive", "Noteworthy"];
const FATE: u64 = 0xfa7e;
const MINUTE_MS: i64 = 60_000;

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    Created,
    /// The analysis added an indicator, seconds after the creation.
    Enriched,
    /// Joined with others into an incident, taken up by a person, and a second machine found.
    Correlated,
    /// Closed with a result.
    Closed(&'static str),
    /// Edited by a client, or touched by a fault when there is nothing to set.
    Edited {
        status: Option<String>,
        result: Option<String>,
    },
}

/// All steps of one alert by time, scheduled ones ahead of now included.
#[derive(Debug, Clone)]
pub(super) struct History {
    pub(super) steps: Vec<(i64, Step)>,
    /// When Trend took it back as a false positive.
    pub(super) withdrawn_ms: Option<i64>,
}

impl History {
    /// The position of the version that is shown now.
    pub(super) fn current(&self, now_ms: i64) -> Option<usize> {
        if self.withdrawn_ms.is_some_and(|withdrawn_ms| withdrawn_ms <= now_ms) {
            return None;
        }
        self.steps.iter().rposition(|(at_ms, _)| *at_ms <= now_ms)
    }

    /// When a version began to be shown.
    pub(super) fn updated_ms(&self, position: usize) -> i64 {
        self.steps.get(position).map_or(0, |(at_ms, _)| *at_ms)
    }

    /// When a version stops being shown.
    pub(super) fn end_ms(&self, position: usize) -> Option<i64> {
        let replaced = self.steps.get(position + 1).map(|(at_ms, _)| *at_ms);
        [replaced, self.withdrawn_ms].into_iter().flatten().min()
    }
}

/// What clients and faults did, by alert.
#[derive(Debug, Default)]
pub(super) struct Interventions {
    made: Mutex<BTreeMap<u64, Made>>,
}

#[derive(Debug, Clone, Default)]
struct Made {
    edits: Vec<(i64, Step)>,
    withdrawn_ms: Option<i64>,
}

impl Interventions {
    /// Notes an edit, unless the alert has no room for another version.
    pub(super) fn edit(
        &self,
        alert: u64,
        at_ms: i64,
        status: Option<String>,
        result: Option<String>,
    ) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let edits = &mut made.entry(alert).or_default().edits;
        if edits.len() < 56 {
            edits.push((at_ms.div_euclid(1_000) * 1_000, Step::Edited { status, result }));
        }
    }

    /// Takes an alert back.
    pub(super) fn withdraw(&self, alert: u64, at_ms: i64) {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.entry(alert).or_default().withdrawn_ms.get_or_insert(at_ms);
    }

    /// The alerts that something was done to.
    pub(super) fn alerts(&self) -> Vec<u64> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.keys().copied().collect()
    }

    /// The alerts that a client gave a status or a result.
    pub(super) fn patched(&self) -> Vec<u64> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let sets = |step: &Step| matches!(step, Step::Edited { status, result } if status.is_some() || result.is_some());
        let is_patched = |made: &Made| made.edits.iter().any(|(_, step)| sets(step));
        made.iter().filter(|(_, made)| is_patched(made)).map(|(alert, _)| *alert).collect()
    }

    fn of(&self, alert: u64) -> Option<Made> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner).get(&alert).cloned()
    }
}

impl VisionOne {
    /// The history of an alert.
    pub(super) fn history(&self, alert: u64, knobs: &Knobs) -> History {
        let created_ms = self.population.lattice(Stream::Alerts).time_ms(alert);
        self.history_from(alert, created_ms, knobs)
    }

    /// The history of an alert that was created at this time.
    pub(super) fn history_from(&self, alert: u64, created_ms: i64, knobs: &Knobs) -> History {
        let mut steps = vec![(created_ms, Step::Created)];
        if knobs.updates {
            scheduled(self.seed, alert, created_ms, &mut steps);
        }
        let mut withdrawn_ms = knobs
            .withdraw
            .filter(|share| mix(&[self.seed, alert, FATE, 1]) % 10_000 < per_myriad(share.percent))
            .map(|share| created_ms + share.most_ms);
        if let Some(made) = self.interventions.of(alert) {
            steps.extend(made.edits);
            // Stable: what came first at one second stays first.
            steps.sort_by_key(|(at_ms, _)| *at_ms);
            withdrawn_ms = [withdrawn_ms, made.withdrawn_ms].into_iter().flatten().min();
        }
        History { steps, withdrawn_ms }
    }
}

fn per_myriad(percent: f64) -> u64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a percentage lies between 0 and 100"
    )]
    let share = (percent * 100.0) as u64;
    share
}

fn scheduled(seed: u64, alert: u64, created_ms: i64, steps: &mut Vec<(i64, Step)>) {
    let mut draw = Draw::new(&[seed, alert, FATE]);
    let mut between =
        |low: u64, high: u64| i64::try_from(low + draw.below(high - low)).unwrap_or(0);
    let enriched_ms = created_ms + between(17, 22) * 1_000;
    steps.push((enriched_ms, Step::Enriched));
    if between(0, 100) >= 60 {
        return;
    }
    let correlated_ms = enriched_ms + between(25, 70) * MINUTE_MS;
    steps.push((correlated_ms, Step::Correlated));
    if between(0, 100) >= 50 {
        return;
    }
    let closed_ms = correlated_ms + between(120, 360) * MINUTE_MS;
    let result = RESULTS[usize::try_from(between(0, 4)).unwrap_or(0)];
    steps.push((closed_ms, Step::Closed(result)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(alert: u64) -> Vec<(i64, Step)> {
        let mut steps = vec![(0, Step::Created)];
        scheduled(3, alert, 0, &mut steps);
        steps
    }

    #[test]
    fn schedules_rise_and_end_in_time() {
        let mut lengths = [0; 5];
        for alert in 0..400 {
            let steps = steps(alert);
            assert!(steps.is_sorted_by_key(|(at_ms, _)| *at_ms));
            assert!(steps.iter().all(|(at_ms, _)| *at_ms < LONGEST_MS));
            lengths[steps.len()] += 1;
        }
        assert!(lengths[2] > 100 && lengths[3] > 60 && lengths[4] > 60, "{lengths:?}");
    }

    #[test]
    fn a_version_lasts_until_the_next_one_or_the_withdrawal() {
        let history = History {
            steps: vec![(10, Step::Created), (30, Step::Enriched)],
            withdrawn_ms: Some(50),
        };
        assert_eq!(
            [9, 10, 30, 49, 50].map(|now| history.current(now)),
            [None, Some(0), Some(1), Some(1), None]
        );
        assert_eq!((history.end_ms(0), history.end_ms(1)), (Some(30), Some(50)));
    }
}
