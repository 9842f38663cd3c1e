//! A stream's cursor where the vendor answers closed time intervals: what is covered, what is open.
//!
//! Everything from `floor` to `high_water` is covered except the open intervals, so a hole that
//! nobody works on cannot be written down. Pure: no clock, no I/O; the runner decides and asks.

use std::time::Duration;

use model::time::{Interval, Timestamp};
use model::vendor::Continuation;
use serde::{Deserialize, Serialize};

/// The cursor as it rests in the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Nothing before this was ever asked for.
    pub floor: Timestamp,
    /// Everything up to here is covered or open.
    pub high_water: Timestamp,
    /// What is not covered yet, oldest first, without overlaps.
    pub open: Vec<Open>,
    /// What the vendor forgot before it could be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Interval>,
    /// Records per hour in the last interval of history that was read to its end, at least 1; 0 when
    /// none was.
    #[serde(default)]
    pub records_per_hour: u64,
}

/// A span that is not covered yet, or in the middle of its pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// The span.
    pub interval: Interval,
    /// Why it is open.
    pub kind: Kind,
    /// Where its pages go on; `None` before the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Continuation>,
    /// Pages read so far.
    #[serde(default)]
    pub pages: u64,
    /// Records in them.
    #[serde(default)]
    pub records: u64,
    /// Whether it was cut to size and is being read; others are cut when their turn comes.
    #[serde(default)]
    pub begun: bool,
}

/// Why an interval is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The newest records.
    Live,
    /// Left by an outage, a throttle or a broken credential.
    Gap,
    /// History before the first run.
    Backfill,
}

impl Coverage {
    /// A stream that was never read: history from `floor` to `now` is open.
    pub fn first_run(floor: Timestamp, now: Timestamp) -> Self {
        let history = Interval { start: floor.min(now), end: now };
        let mut coverage = Self {
            floor: history.start,
            high_water: now,
            open: Vec::new(),
            lost: Vec::new(),
            records_per_hour: 0,
        };
        coverage.add(history, Kind::Backfill);
        coverage
    }

    /// Opens the span from the high-water mark to `end` for a poll. What is older than `recent`
    /// is a gap, so that after an outage the newest records do not wait for the old ones.
    pub fn poll(&mut self, end: Timestamp, recent: Duration) {
        if end <= self.high_water {
            return;
        }
        let due = Interval { start: self.high_water, end };
        let (gap, live) = due.split_at((end - recent).max(due.start));
        self.add(gap, Kind::Gap);
        self.add(live, Kind::Live);
        self.high_water = end;
    }

    /// Whether a poll's interval is still being read.
    pub fn is_polling(&self) -> bool {
        self.open.iter().any(|open| open.kind == Kind::Live)
    }

    /// Whether anything but a poll is open.
    pub fn is_catching_up(&self) -> bool {
        self.open.iter().any(|open| open.kind != Kind::Live)
    }

    /// Opens history before the floor, down to `floor`. Answers whether there was any.
    pub fn extend_back(&mut self, floor: Timestamp) -> bool {
        if floor >= self.floor {
            return false;
        }
        let history = Interval { start: floor, end: self.floor };
        self.floor = floor;
        self.add(history, Kind::Backfill);
        true
    }

    /// Gives up what lies before `reachable`. History that was never promised just shrinks; what
    /// was promised is noted as lost and answered.
    pub fn trim(&mut self, reachable: Timestamp) -> Vec<Interval> {
        let mut lost = Vec::new();
        for open in &mut self.open {
            if open.interval.start >= reachable || open.next.is_some() {
                continue;
            }
            let cut = reachable.min(open.interval.end);
            let (gone, left) = open.interval.split_at(cut);
            if open.interval.start == self.floor && open.kind == Kind::Backfill {
                self.floor = cut;
            } else {
                lost.push(gone);
            }
            open.interval = left;
        }
        self.open.retain(|open| !open.interval.is_empty());
        self.lost.extend(&lost);
        lost
    }

    /// Cuts the open interval at `index` to at most `width` and marks it begun. Answers its place.
    pub fn begin(&mut self, index: usize, width: Duration) -> Option<usize> {
        let open = self.open.get_mut(index)?;
        if !open.begun {
            let cut = open.interval.start + width;
            open.begun = true;
            if cut < open.interval.end {
                let (first, rest) = open.interval.split_at(cut);
                open.interval = first;
                let kind = open.kind;
                self.open.insert(index + 1, Open::new(rest, kind));
            }
        }
        Some(index)
    }

    /// Notes a page of an open interval. The last page closes it.
    pub fn page(&mut self, interval: Interval, records: u64, next: Option<Continuation>) {
        let Some(index) = self.position(interval) else { return };
        let open = &mut self.open[index];
        open.pages += 1;
        open.records += records;
        open.next = next;
        if open.next.is_none() {
            let done = self.open.remove(index);
            if done.kind == Kind::Live {
                // A poll reads back over its overlap, so its records say little about density.
                return;
            }
            let seconds = done.interval.width().as_secs().max(1);
            self.records_per_hour = (done.records.saturating_mul(3600) / seconds).max(1);
        }
    }

    /// Pages read so far of an open interval.
    pub fn pages(&self, interval: Interval) -> u64 {
        self.position(interval).map_or(0, |index| self.open[index].pages)
    }

    /// Where the pages of an open interval go on.
    pub fn next(&self, interval: Interval) -> Option<&Continuation> {
        self.position(interval).and_then(|index| self.open[index].next.as_ref())
    }

    /// Begins an open interval again from its first page.
    pub fn restart(&mut self, interval: Interval) {
        if let Some(index) = self.position(interval) {
            let open = &mut self.open[index];
            *open = Open::new(open.interval, open.kind);
        }
    }

    /// Begins an open interval again in two halves, as long as it is wider than a second. What a poll
    /// reads back over, `overlap`, becomes a part of what is halved: asked for beside each half it
    /// would be the same crowd of records every time, and never end.
    pub fn halve(&mut self, interval: Interval, overlap: Duration) {
        let Some(index) = self.position(interval) else { return };
        let Open { mut interval, mut kind, .. } = self.open.remove(index);
        if kind == Kind::Live {
            kind = Kind::Gap;
            interval.start = (interval.start - overlap).max(self.floor).min(interval.start);
        }
        self.add(interval, kind);
        let half = Duration::from_secs(interval.width().as_secs() / 2);
        if let Some(index) = self.position(interval)
            && !half.is_zero()
        {
            self.begin(index, half);
        }
    }

    /// How wide the next interval should be to fill about four pages, from five minutes to
    /// `longest`; one hour as long as nothing is known.
    pub fn next_width(&self, page_size: u32, longest: Duration) -> Duration {
        const SHORTEST: Duration = Duration::from_secs(5 * 60);
        if self.records_per_hour == 0 {
            return Duration::from_secs(3600).min(longest);
        }
        let seconds = u64::from(page_size) * 4 * 3600 / self.records_per_hour;
        Duration::from_secs(seconds).max(SHORTEST).min(longest)
    }

    /// Spans may overlap where a poll was halved, so that only both ends name one.
    fn position(&self, interval: Interval) -> Option<usize> {
        self.open.iter().position(|open| open.interval == interval)
    }

    fn add(&mut self, interval: Interval, kind: Kind) {
        if interval.is_empty() {
            return;
        }
        let at = self.open.partition_point(|open| open.interval.start < interval.start);
        self.open.insert(at, Open::new(interval, kind));
    }
}

impl Open {
    /// A span of which nothing is read yet.
    pub(super) fn new(interval: Interval, kind: Kind) -> Self {
        Self { interval, kind, next: None, pages: 0, records: 0, begun: false }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn the_first_run_opens_the_whole_history_and_reads_the_oldest_hour_first() {
        let mut coverage = Coverage::first_run(NOW - HOUR * 72, NOW);
        assert_eq!(coverage.begin(0, coverage.next_width(500, HOUR * 12)), Some(0));
        assert_eq!(coverage.open[0].interval.width(), HOUR);
        assert_eq!(coverage.open[1].interval.end, NOW);
    }

    #[test]
    fn after_an_outage_the_newest_minutes_are_live_and_the_rest_is_a_gap() {
        let mut coverage = Coverage::first_run(NOW, NOW);
        coverage.poll(NOW + HOUR * 3, Duration::from_secs(300));
        let kinds: Vec<Kind> = coverage.open.iter().map(|open| open.kind).collect();
        assert_eq!(kinds, [Kind::Gap, Kind::Live]);
        assert_eq!(coverage.open[1].interval.width(), Duration::from_secs(300));
    }

    #[test]
    fn history_beyond_reach_shrinks_but_a_promised_gap_is_noted_as_lost() {
        let mut coverage = Coverage::first_run(NOW - HOUR, NOW);
        assert_eq!(coverage.trim(NOW - HOUR / 2), []);
        assert_eq!(coverage.floor, NOW - HOUR / 2);
        coverage.poll(NOW + HOUR, Duration::from_secs(60));
        let lost = coverage.trim(NOW + Duration::from_secs(600));
        assert_eq!(lost, [Interval { start: NOW, end: NOW + Duration::from_secs(600) }]);
        assert_eq!(coverage.lost, lost);
    }

    #[test]
    fn history_between_what_was_read_and_what_is_left_counts_as_lost() {
        let mut coverage = Coverage::first_run(NOW - HOUR * 3, NOW);
        coverage.begin(0, HOUR);
        coverage.page(coverage.open[0].interval, 1, None);
        let lost = coverage.trim(NOW - HOUR);
        assert_eq!(lost, [Interval { start: NOW - HOUR * 2, end: NOW - HOUR }]);
    }

    #[test]
    fn the_width_follows_the_density_of_the_last_interval() {
        let mut coverage = Coverage::first_run(NOW - HOUR * 72, NOW);
        coverage.begin(0, HOUR);
        coverage.page(coverage.open[0].interval, 200, None);
        assert_eq!(coverage.next_width(500, HOUR * 12), HOUR * 10);
    }

    #[test]
    fn an_empty_interval_makes_the_next_one_as_wide_as_may_be() {
        let mut coverage = Coverage::first_run(NOW - HOUR * 72, NOW);
        coverage.begin(0, HOUR);
        coverage.page(coverage.open[0].interval, 0, None);
        assert_eq!(coverage.next_width(500, HOUR * 12), HOUR * 12);
        assert_eq!(coverage.next_width(10, HOUR * 168), HOUR * 40);
    }

    #[test]
    fn a_circle_in_the_paging_begins_again_in_halves() {
        let mut coverage = Coverage::first_run(NOW - HOUR, NOW);
        coverage.begin(0, HOUR);
        coverage.page(coverage.open[0].interval, 500, Some(Continuation("x".into())));
        coverage.halve(coverage.open[0].interval, HOUR);
        assert_eq!(coverage.open[0].interval.width(), HOUR / 2);
        assert_eq!(coverage.open[0].next, None);
        assert_eq!(coverage.open[1].interval.width(), HOUR / 2);
    }

    #[test]
    fn a_poll_that_does_not_end_is_halved_with_what_it_reads_back_over() {
        let mut coverage = Coverage::first_run(NOW - HOUR * 72, NOW);
        coverage.begin(0, HOUR * 72);
        coverage.page(coverage.open[0].interval, 0, None);
        coverage.poll(NOW + HOUR / 4, HOUR);
        coverage.halve(coverage.open[0].interval, HOUR / 4);
        let halves: Vec<_> = coverage.open.iter().map(|open| (open.interval, open.kind)).collect();
        let before = Interval { start: NOW - HOUR / 4, end: NOW };
        let polled = Interval { start: NOW, end: NOW + HOUR / 4 };
        assert_eq!(halves, [(before, Kind::Gap), (polled, Kind::Gap)]);
        // However often: in the end one page must do, and the next poll is not kept waiting.
        for _ in 0..20 {
            coverage.halve(coverage.open[0].interval, HOUR / 4);
        }
        assert_eq!(coverage.open[0].interval.width(), Duration::from_secs(1));
        assert!(!coverage.is_polling());
    }

    #[derive(Debug, Clone)]
    enum Step {
        Poll(u64),
        Begin(usize, u64),
        Finish(usize),
        More(usize),
        Restart(usize, bool),
        ExtendBack(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (1u64..10_000).prop_map(Step::Poll),
            (0usize..6, 1u64..5_000).prop_map(|(index, width)| Step::Begin(index, width)),
            (0usize..6).prop_map(Step::Finish),
            (0usize..6).prop_map(Step::More),
            (0usize..6, any::<bool>()).prop_map(|(index, halve)| Step::Restart(index, halve)),
            (1u64..5_000).prop_map(Step::ExtendBack),
        ];
        prop::collection::vec(step, 0..60)
    }

    proptest! {
        /// Whatever happens, done and open intervals tile floor to high water: no hole, and no overlap
        /// but where a poll was halved.
        #[test]
        fn covered_and_open_together_leave_no_hole(steps in steps()) {
            let mut coverage = Coverage::first_run(NOW - HOUR * 72, NOW);
            let mut done: Vec<Interval> = Vec::new();
            let mut overlaps = false;
            for step in steps {
                let start = |index: usize, coverage: &Coverage| {
                    coverage.open.get(index).map(|open| open.interval)
                };
                match step {
                    Step::Poll(seconds) => {
                        let end = coverage.high_water + Duration::from_secs(seconds);
                        coverage.poll(end, Duration::from_secs(300));
                    }
                    Step::Begin(index, width) => {
                        coverage.begin(index, Duration::from_secs(width));
                    }
                    Step::Finish(index) => if let Some(interval) = start(index, &coverage) {
                        coverage.page(interval, 1, None);
                        done.push(interval);
                    },
                    Step::More(index) => if let Some(interval) = start(index, &coverage) {
                        coverage.page(interval, 1, Some(Continuation("n".into())));
                    },
                    Step::Restart(index, halve) => if let Some(interval) = start(index, &coverage) {
                        if halve {
                            overlaps |= coverage.open[index].kind == Kind::Live;
                            coverage.halve(interval, Duration::from_secs(900));
                        } else {
                            coverage.restart(interval);
                        }
                    },
                    Step::ExtendBack(seconds) => {
                        coverage.extend_back(coverage.floor - Duration::from_secs(seconds));
                    }
                }
                let mut all: Vec<Interval> = done.clone();
                all.extend(coverage.open.iter().map(|open| open.interval));
                all.sort();
                let mut edge = coverage.floor;
                for interval in all {
                    prop_assert!(interval.start == edge || overlaps && interval.start < edge);
                    edge = edge.max(interval.end);
                }
                prop_assert_eq!(edge, coverage.high_water);
            }
        }
    }
}
