//! One stream as its runner sees it: what it could ask for now, and how urgent that is.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use connectors::client::backoff;
use model::budget::Priority;
use model::manifest::{ContentType, CursorStrategy};
use model::time::{Interval, Timestamp};
use model::vendor::Stream;

use super::coverage::{Coverage, Kind};
use super::cursor::Cursor;
use super::drift::Shape;
use super::status::StreamHealth;

/// Intervals that begin this close to the vendor's horizon go before live ones (I4).
const HORIZON: Duration = Duration::from_secs(6 * 3600);
/// How far an interval that begins near the horizon may reach past it.
const PAST_HORIZON: Duration = Duration::from_secs(3600);
/// Requests stay this far inside the vendor's horizon, so that clocks need not agree.
const HORIZON_MARGIN: Duration = Duration::from_secs(30);
/// The widest interval of history, unless the manifest says otherwise.
const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// The first and the longest wait after a failure.
const RETRY: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(300));
/// The wait of a stream whose right is missing.
const FORBIDDEN: Duration = Duration::from_secs(300);

/// A stream, its cursor and its fortunes.
pub struct StreamState {
    /// The vendor's stream.
    pub stream: Stream,
    /// What it goes on by.
    pub strategy: CursorStrategy,
    /// Its cursor; away while a page is being read.
    pub coverage: Option<Cursor>,
    /// What its records look like; a page that is being read looks at it too.
    pub shape: Arc<Mutex<Shape>>,
    /// How it is, for people.
    pub health: StreamHealth,
    /// When it is polled next.
    pub next_poll: Timestamp,
    /// Failures in a row.
    pub failures: u32,
    /// Not to be asked before.
    pub blocked_until: Timestamp,
}

/// Something a stream could ask for now. Ordered by urgency: smaller goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    /// Its class.
    pub priority: Priority,
    /// Within the class: the oldest first.
    pub age: Timestamp,
    /// Then the one with the fewest pages read.
    pub pages: u64,
    /// Index of the stream.
    pub stream: usize,
    /// Index of the open interval in its coverage.
    pub open: usize,
}

impl StreamState {
    /// Opens a live interval when the poll is due.
    pub fn poll_if_due(&mut self, facts: &ContentType, interval: Duration, now: Timestamp) {
        let Some(coverage) = &mut self.coverage else { return };
        if self.next_poll > now || coverage.is_polling() {
            return;
        }
        match self.strategy {
            CursorStrategy::Delivery => coverage.poll(now, interval),
            _ => coverage.poll(whole_second(now - facts.lag), interval * 2 + facts.lag),
        }
        self.next_poll = now + interval;
    }

    /// The most urgent thing it could ask for now, if any.
    pub fn candidate(
        &self,
        index: usize,
        facts: &ContentType,
        now: Timestamp,
    ) -> Option<Candidate> {
        let coverage = self.coverage.as_ref()?;
        if self.blocked_until > now {
            return None;
        }
        let near_horizon = now - facts.history + HORIZON;
        let of_open = coverage.open().iter().enumerate().map(|(open, work)| {
            let start = work.interval.start;
            let priority = match work.kind {
                _ if start < near_horizon => Priority::Horizon,
                Kind::Live => Priority::Live,
                Kind::Gap => Priority::Gap,
                Kind::Backfill => Priority::Backfill,
            };
            Candidate { priority, age: start, pages: work.pages, stream: index, open }
        });
        of_open.min()
    }

    /// The earliest time at which it may have something to ask for.
    pub fn wakes_at(&self) -> Option<Timestamp> {
        let coverage = self.coverage.as_ref()?;
        let work = if coverage.open().is_empty() { self.next_poll } else { self.blocked_until };
        Some(if coverage.is_polling() { work } else { work.min(self.next_poll) })
    }

    /// Waits longer after each failure in a row, with full jitter.
    pub fn failed(&mut self, retry_after: Option<Duration>, now: Timestamp) {
        let (base, cap) = RETRY;
        let jittered = backoff::delay(self.failures, base, cap, rand::random());
        self.failures += 1;
        self.blocked_until = now + retry_after.unwrap_or(jittered);
    }

    /// Waits until a right may have been granted, so that streams that have theirs go first.
    pub fn forbidden(&mut self, now: Timestamp) {
        self.failures += 1;
        self.blocked_until = now + FORBIDDEN;
    }

    /// Forgets the failures.
    pub fn succeeded(&mut self, now: Timestamp) {
        self.failures = 0;
        self.blocked_until = now;
    }
}

/// How wide the interval of a candidate may be: by density and within the vendor's window, but near
/// the horizon no further than the horizon's own reach, so that every stream's oldest hours are read
/// before anyone's newer ones.
pub fn width(coverage: &Coverage, open: usize, facts: &ContentType, now: Timestamp) -> Duration {
    let by_density = coverage.next_width(facts.page_size, facts.window.unwrap_or(LONGEST));
    let Some(work) = coverage.open.get(open) else { return by_density };
    let horizon_ends = now - facts.history + HORIZON;
    match work.kind {
        Kind::Live => work.interval.width().min(facts.window.unwrap_or(Duration::MAX)),
        _ if work.interval.start < horizon_ends => {
            let seconds = horizon_ends.since(work.interval.start).as_secs();
            by_density.min(Duration::from_secs(seconds) + PAST_HORIZON)
        }
        _ => by_density,
    }
}

/// The oldest instant that can still be asked for.
pub fn reachable(facts: &ContentType, now: Timestamp) -> Timestamp {
    // Rounded up: a start cut to the second would lie further back.
    whole_second(now - facts.history + HORIZON_MARGIN) + Duration::from_secs(1)
}

/// The span to ask for: the interval, a second earlier for vendors that exclude their bounds, and
/// for polls the overlap that catches late records; never beyond the vendor's reach.
pub fn span(interval: Interval, kind: Kind, facts: &ContentType, now: Timestamp) -> Interval {
    let early = match kind {
        Kind::Live => facts.overlap,
        Kind::Gap | Kind::Backfill => Duration::from_secs(1),
    };
    Interval { start: (interval.start - early).max(reachable(facts, now)), end: interval.end }
}

/// Cut to the second: the resolution that every vendor takes.
pub fn whole_second(time: Timestamp) -> Timestamp {
    Timestamp::from_millis(time.as_millis().div_euclid(1000) * 1000)
}

#[cfg(test)]
mod tests {
    use model::manifest::Manifest;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_773_100_800_000);

    fn facts() -> ContentType {
        let registry = connectors::Registry::new();
        let manifest: &Manifest = registry.get("trend_micro_cas").unwrap().manifest();
        manifest.content_types[0].clone()
    }

    #[test]
    fn near_the_horizon_intervals_stay_short_but_never_vanish() {
        let facts = facts();
        let mut coverage = Coverage::first_run(NOW - facts.history, NOW);
        coverage.records_per_hour = 1;
        let first = width(&coverage, 0, &facts, NOW);
        assert_eq!(first, HORIZON + PAST_HORIZON);
        // The second interval begins where the first ended, a moment later.
        coverage.begin(0, first);
        let later = NOW + Duration::from_millis(1);
        assert_eq!(width(&coverage, 1, &facts, later), Duration::from_secs(12 * 3600));
    }

    #[test]
    fn no_interval_is_wider_than_the_vendors_window() {
        let facts = ContentType { window: Some(Duration::from_secs(600)), ..facts() };
        let hour = Duration::from_secs(3600);
        let mut coverage = Coverage::first_run(NOW - hour * 20, NOW - hour);
        assert_eq!(width(&coverage, 0, &facts, NOW), Duration::from_secs(600));
        coverage.poll(NOW, hour);
        assert_eq!(coverage.open[1].kind, Kind::Live);
        let live = width(&coverage, 1, &facts, NOW);
        assert_eq!(live, Duration::from_secs(600));
        // The rest of a poll that was cut stays a poll.
        coverage.begin(1, live);
        assert_eq!(coverage.open[2].kind, Kind::Live);
    }

    #[test]
    fn a_poll_reads_back_over_its_overlap_but_never_beyond_reach() {
        let facts = facts();
        let recent = Interval { start: NOW - Duration::from_secs(300), end: NOW };
        let asked = span(recent, Kind::Live, &facts, NOW);
        assert_eq!(asked.start, recent.start - facts.overlap);
        let oldest = Interval { start: NOW - facts.history, end: NOW };
        assert_eq!(span(oldest, Kind::Backfill, &facts, NOW).start, reachable(&facts, NOW));
    }
}
