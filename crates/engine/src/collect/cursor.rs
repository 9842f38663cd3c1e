//! A stream's cursor, whatever it goes on by: closed intervals of time, the vendor's page token, or a queue's
//! deliveries.
//!
//! The runner and the page know this type only; which strategy a stream has is a fact of its content type.

use std::time::Duration;

use model::manifest::{ContentType, CursorStrategy};
use model::time::{Interval, Timestamp};
use model::vendor::Fault;
use serde::{Deserialize, Serialize};

use super::coverage::{Coverage, Kind, Open};
use super::delivery::DeliveryCursor;
use super::stream;
use super::token::{PageNote, TokenCursor};

/// Pages and records after which an interval that was cut for about four pages is taken for a circle
/// of links, and asked for again in halves. A real crowd of records only costs repeats. A place that
/// grows with every page, as a walk over keys has, is no circle.
const CIRCLE: (u64, u64) = (100, 10_000);

/// A cursor as it rests in the catalog; the fields tell the strategies apart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cursor {
    /// A page token.
    Token(TokenCursor),
    /// A queue's deliveries.
    Delivery(DeliveryCursor),
    /// Intervals of time.
    Intervals(Coverage),
}

impl Cursor {
    /// A stream that was never read: history from `floor` to `edge` is open.
    pub fn first_run(strategy: CursorStrategy, floor: Timestamp, edge: Timestamp) -> Self {
        match strategy {
            CursorStrategy::Intervals => Self::Intervals(Coverage::first_run(floor, edge)),
            CursorStrategy::PageToken => Self::Token(TokenCursor::first_run(floor, edge)),
            CursorStrategy::Delivery => Self::Delivery(DeliveryCursor::first_run(edge)),
        }
    }

    /// Whether it goes on by this strategy.
    pub fn is_of(&self, strategy: CursorStrategy) -> bool {
        match self {
            Self::Intervals(_) => strategy == CursorStrategy::Intervals,
            Self::Token(_) => strategy == CursorStrategy::PageToken,
            Self::Delivery(_) => strategy == CursorStrategy::Delivery,
        }
    }

    /// What is not covered yet, oldest first.
    pub fn open(&self) -> &[Open] {
        match self {
            Self::Intervals(coverage) => &coverage.open,
            Self::Token(cursor) => cursor.walk.as_slice(),
            Self::Delivery(cursor) => cursor.walk.as_slice(),
        }
    }

    /// Opens the span up to `end` for a poll; what is older than `recent` is a gap.
    pub fn poll(&mut self, end: Timestamp, recent: Duration) {
        match self {
            Self::Intervals(coverage) => coverage.poll(end, recent),
            Self::Token(cursor) => cursor.poll(end, recent),
            Self::Delivery(cursor) => cursor.poll(end),
        }
    }

    /// Whether a poll is still being read.
    pub fn is_polling(&self) -> bool {
        match self {
            Self::Intervals(coverage) => coverage.is_polling(),
            Self::Token(cursor) => cursor.is_polling(),
            Self::Delivery(cursor) => cursor.walk.is_some(),
        }
    }

    /// Whether anything but a poll is open.
    pub fn is_catching_up(&self) -> bool {
        match self {
            Self::Intervals(coverage) => coverage.is_catching_up(),
            Self::Token(cursor) => cursor.is_catching_up(),
            Self::Delivery(_) => false,
        }
    }

    /// Opens history before the floor, down to `floor`. Answers whether there was any.
    pub fn extend_back(&mut self, floor: Timestamp) -> bool {
        match self {
            Self::Intervals(coverage) => coverage.extend_back(floor),
            Self::Token(cursor) => cursor.extend_back(floor),
            Self::Delivery(_) => false,
        }
    }

    /// Gives up what the vendor no longer has; answers what was promised and is lost.
    pub fn trim(&mut self, reachable: Timestamp) -> Vec<Interval> {
        match self {
            Self::Intervals(coverage) => coverage.trim(reachable),
            Self::Token(cursor) => cursor.trim(reachable),
            Self::Delivery(_) => Vec::new(),
        }
    }

    /// Begins to read the open interval at `index`, cut to size where the vendor takes both ends.
    /// Answers it with the span to ask for.
    pub fn begin(
        &mut self,
        index: usize,
        facts: &ContentType,
        now: Timestamp,
    ) -> Option<(Open, Interval)> {
        match self {
            Self::Intervals(coverage) => {
                let width = stream::width(coverage, index, facts, now);
                coverage.begin(index, width)?;
                let open = coverage.open.get(index)?.clone();
                let span = stream::span(open.interval, open.kind, facts, now);
                Some((open, span))
            }
            Self::Token(cursor) => {
                let span = cursor.span(facts.overlap, stream::reachable(facts, now));
                Some((cursor.walk.clone()?, span))
            }
            Self::Delivery(cursor) => {
                let walk = cursor.walk.clone()?;
                let span = walk.interval;
                Some((walk, span))
            }
        }
    }

    /// Notes a page of an open interval. Answers whether the interval is covered now.
    pub fn page(&mut self, interval: Interval, note: PageNote, facts: &ContentType) -> bool {
        match self {
            Self::Intervals(coverage) => {
                let is_last = note.next.is_none();
                let before = coverage.next(interval).map(|next| &next.0);
                let goes_up = before < note.next.as_ref().map(|next| &next.0);
                coverage.page(interval, note.served, note.next);
                let (pages, records) = CIRCLE;
                let most = pages.max(records / u64::from(facts.page_size.max(1)));
                if !is_last && !goes_up && coverage.pages(interval) >= most {
                    tracing::warn!(%interval, "paging does not end: asking again in halves");
                    coverage.halve(interval, facts.overlap);
                }
                is_last
            }
            Self::Token(cursor) => cursor.page(note),
            Self::Delivery(cursor) => cursor.page(note.served, note.is_caught_up),
        }
    }

    /// What a failed page does to its interval: some failures can only be met by beginning again.
    pub fn mend(&mut self, interval: Interval, fault: &Fault, facts: &ContentType) {
        let in_halves = match fault {
            // Halves make sure that it ends: however short a link lives, one page fits at last.
            Fault::ForeignLink
            | Fault::RepeatedLink
            | Fault::ExpiredLink
            | Fault::ShortWalk
            | Fault::TooLarge => true,
            // A stored link that is no longer understood: the vendor's tokens expire.
            Fault::BadRequest if self.is_paging(interval) => false,
            _ => return,
        };
        match self {
            Self::Intervals(coverage) if in_halves => {
                coverage.halve(interval, facts.overlap);
            }
            Self::Intervals(coverage) => coverage.restart(interval),
            Self::Token(cursor) => cursor.restart(),
            Self::Delivery(_) => {}
        }
    }

    fn is_paging(&self, interval: Interval) -> bool {
        self.open().iter().any(|open| open.interval == interval && open.next.is_some())
    }

    /// Everything up to here is covered, except what is open.
    pub fn covered_until(&self) -> Timestamp {
        match self {
            Self::Intervals(coverage) => coverage.high_water,
            Self::Token(cursor) => cursor.covered,
            Self::Delivery(cursor) => cursor.emptied,
        }
    }

    /// What is not covered yet, as spans of time.
    pub fn open_spans(&self) -> Vec<Interval> {
        match self {
            Self::Intervals(coverage) => coverage.open.iter().map(|open| open.interval).collect(),
            Self::Token(cursor) => {
                let left = cursor.walk.iter().map(|walk| {
                    let start = cursor.reached.clamp(walk.interval.start, walk.interval.end);
                    Interval { start, end: walk.interval.end }
                });
                left.collect()
            }
            Self::Delivery(cursor) => cursor.walk.iter().map(|walk| walk.interval).collect(),
        }
    }

    /// Whether everything that there was at `time` has been read. A queue is always being asked for
    /// more, so nothing open says little about it.
    pub fn is_read_until(&self, time: Timestamp) -> bool {
        match self {
            Self::Delivery(cursor) => cursor.emptied >= time,
            _ => self.open().is_empty(),
        }
    }

    /// What the vendor forgot before it could be read.
    pub fn lost(&self) -> &[Interval] {
        match self {
            Self::Intervals(coverage) => &coverage.lost,
            Self::Token(cursor) => &cursor.lost,
            Self::Delivery(_) => &[],
        }
    }

    /// The span that it set out to read, and how much of its history is still to be read.
    pub fn history(&self) -> (Duration, Duration) {
        let (floor, end) = match self {
            Self::Intervals(coverage) => (coverage.floor, coverage.high_water),
            Self::Token(cursor) => {
                let walk_end = cursor.walk.as_ref().map(|walk| walk.interval.end);
                (cursor.floor, cursor.covered.max(walk_end.unwrap_or(cursor.covered)))
            }
            Self::Delivery(_) => return (Duration::ZERO, Duration::ZERO),
        };
        let spans = self.open().iter().zip(self.open_spans());
        let left = spans.filter(|(open, _)| open.kind == Kind::Backfill);
        (end.since(floor), left.map(|(_, span)| span.width()).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    fn facts() -> ContentType {
        let registry = connectors::Registry::new();
        registry.get("trend_micro_cas").unwrap().manifest().content_types[0].clone()
    }

    #[test]
    fn a_crowd_of_short_pages_is_no_circle_before_it_is_a_crowd_of_records() {
        let facts = ContentType { page_size: 10, ..facts() };
        let mut coverage = Coverage::first_run(NOW - HOUR, NOW);
        coverage.begin(0, HOUR);
        let mut cursor = Cursor::Intervals(coverage);
        let interval = cursor.open()[0].interval;
        let next = || Some(model::vendor::Continuation("t".to_owned()));
        for page in 1..=1_000 {
            let note =
                PageNote { served: 10, next: next(), is_caught_up: false, oldest: None, at: NOW };
            cursor.page(interval, note, &facts);
            assert_eq!(cursor.open()[0].interval == interval, page < 1_000, "{page}");
        }
    }

    #[test]
    fn a_walk_over_growing_places_may_be_long_and_a_circle_is_cut_in_halves() {
        let pages = |place: fn(u64) -> String| {
            let mut cursor = Cursor::first_run(CursorStrategy::Intervals, NOW - HOUR, NOW);
            let interval = cursor.open()[0].interval;
            for number in 0..CIRCLE.0 + 5 {
                let next = Some(model::vendor::Continuation(place(number)));
                let note = PageNote { served: 1, next, is_caught_up: false, oldest: None, at: NOW };
                cursor.page(interval, note, &facts());
            }
            cursor.open().len()
        };
        assert_eq!(pages(|number| format!("{number:08}")), 1);
        assert_eq!(pages(|number| (number % 3).to_string()), 2);
    }

    #[test]
    fn a_stored_cursor_comes_back_as_what_it_was() {
        use CursorStrategy::{Delivery, Intervals, PageToken};
        for strategy in [Intervals, PageToken, Delivery] {
            let cursor = Cursor::first_run(strategy, NOW - HOUR, NOW);
            let stored = serde_json::to_value(&cursor).unwrap();
            let again: Cursor = serde_json::from_value(stored).unwrap();
            assert_eq!(again, cursor);
            assert!(again.is_of(strategy));
        }
    }

    #[test]
    fn a_cursor_of_intervals_rests_as_it_did_before_there_was_another() {
        let coverage = Coverage::first_run(NOW - HOUR, NOW);
        let plain = serde_json::to_value(&coverage).unwrap();
        assert_eq!(serde_json::to_value(Cursor::Intervals(coverage.clone())).unwrap(), plain);
        assert_eq!(serde_json::from_value::<Cursor>(plain).unwrap(), Cursor::Intervals(coverage));
    }

    #[test]
    fn a_refused_page_restarts_only_what_can_be_asked_again() {
        let mut cursor = Cursor::first_run(CursorStrategy::PageToken, NOW - HOUR, NOW);
        let interval = cursor.open()[0].interval;
        let next = Some(model::vendor::Continuation("t".to_owned()));
        let note = PageNote { served: 1, next, is_caught_up: false, oldest: None, at: NOW };
        cursor.page(interval, note, &facts());
        for fault in [Fault::Outage, Fault::Throttled, Fault::MissingScope] {
            let before = cursor.clone();
            cursor.mend(interval, &fault, &facts());
            assert_eq!(cursor, before, "{fault}");
        }
        cursor.mend(interval, &Fault::BadRequest, &facts());
        assert_eq!(cursor.open()[0].next, None);
        let before = cursor.clone();
        cursor.mend(interval, &Fault::BadRequest, &facts());
        assert_eq!(cursor, before, "a first page that is refused is not the token's fault");
    }
}
