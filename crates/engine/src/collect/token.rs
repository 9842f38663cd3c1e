//! A stream's cursor where the vendor answers a page token: the token, and what is covered by time beside it.
//!
//! There is one walk at a time, from what is covered up to its poll; it ends when the vendor says that there is
//! nothing further. The token outlives the walk. When the vendor forgets it, the walk begins again by time, from
//! the newest instant that is certainly covered, never from the beginning. Pure: no clock, no I/O.

use std::time::Duration;

use model::time::{Interval, Timestamp};
use model::vendor::Continuation;
use serde::{Deserialize, Serialize};

use super::coverage::{Kind, Open};

/// Pages without records in a row after which a walk waits for the next poll.
const EMPTY_PAGES: u32 = 50;

/// The cursor as it rests in the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenCursor {
    /// Nothing before this was ever asked for.
    pub floor: Timestamp,
    /// Walks up to here came to their end.
    pub covered: Timestamp,
    /// The walk under way covers up to here for certain: begun again by time, it begins here.
    pub reached: Timestamp,
    /// The vendor's last token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<Held>,
    /// The walk under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walk: Option<Open>,
    /// What the vendor forgot before it could be read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost: Vec<Interval>,
    /// Pages without records since the last one that had some.
    #[serde(default)]
    pub empty_pages: u32,
}

/// A token and when the vendor gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Where to go on.
    pub next: Continuation,
    /// When.
    pub at: Timestamp,
}

/// What a page says to the cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageNote {
    /// Items that the vendor served.
    pub served: u64,
    /// Where to go on.
    pub next: Option<Continuation>,
    /// Whether there is nothing further now.
    pub is_caught_up: bool,
    /// The time of the oldest record in it, if any has a time.
    pub oldest: Option<Timestamp>,
    /// When it came.
    pub at: Timestamp,
}

impl TokenCursor {
    /// A stream that was never read: a walk over history from `floor` to `now` is due.
    pub fn first_run(floor: Timestamp, now: Timestamp) -> Self {
        let floor = floor.min(now);
        let mut cursor = Self {
            floor,
            covered: floor,
            reached: floor,
            token: None,
            walk: None,
            lost: Vec::new(),
            empty_pages: 0,
        };
        cursor.begin(now, Kind::Backfill);
        cursor
    }

    /// Begins the walk of a poll up to `end`, unless one is under way. One that begins before
    /// `recent` is a gap.
    pub fn poll(&mut self, end: Timestamp, recent: Duration) {
        if self.walk.is_none() {
            let is_old = self.covered < end - recent;
            self.begin(end, if is_old { Kind::Gap } else { Kind::Live });
        }
    }

    /// Whether a walk is under way; the next poll waits for its end.
    pub fn is_polling(&self) -> bool {
        self.walk.is_some()
    }

    /// Whether the walk under way is more than a poll.
    pub fn is_catching_up(&self) -> bool {
        self.walk.as_ref().is_some_and(|walk| walk.kind != Kind::Live)
    }

    /// Begins again at an earlier `floor`. Answers whether it is earlier.
    pub fn extend_back(&mut self, floor: Timestamp) -> bool {
        if floor >= self.floor {
            return false;
        }
        let end = self.walk.as_ref().map_or(self.covered, |walk| walk.interval.end);
        self.token = None;
        self.floor = floor;
        self.reached = floor;
        self.walk = Some(Open::new(Interval { start: floor, end }, Kind::Backfill));
        true
    }

    /// Gives up what lies before `reachable`, unless a token leads on from there. History that was
    /// never promised just shrinks; what was promised is noted as lost and answered.
    pub fn trim(&mut self, reachable: Timestamp) -> Vec<Interval> {
        let leads_on = self.token.as_ref().is_some_and(|held| held.at >= reachable);
        if self.reached >= reachable || leads_on {
            return Vec::new();
        }
        let gone = Interval { start: self.reached, end: reachable };
        let was_promised = self.covered > self.floor || self.reached > self.floor;
        self.token = None;
        self.reached = reachable;
        if let Some(walk) = &mut self.walk {
            walk.next = None;
            if walk.pages == 0 {
                walk.interval.start = reachable.min(walk.interval.end);
            }
        }
        self.walk = self.walk.take().filter(|walk| walk.interval.end > reachable);
        if self.walk.is_none() {
            self.covered = self.covered.max(reachable);
        }
        if !was_promised {
            self.floor = reachable;
            self.covered = self.covered.max(reachable);
            return Vec::new();
        }
        self.lost.push(gone);
        vec![gone]
    }

    /// The span to ask for when there is no token: from what is certainly covered, `overlap` before.
    pub fn span(&self, overlap: Duration, reachable: Timestamp) -> Interval {
        let end = self.walk.as_ref().map_or(self.covered, |walk| walk.interval.end);
        let early = if self.reached > self.floor { overlap } else { Duration::ZERO };
        Interval { start: (self.reached - early).max(reachable), end }
    }

    /// Notes a page of the walk. Answers whether the walk has covered its interval.
    pub fn page(&mut self, note: PageNote) -> bool {
        let Some(walk) = &mut self.walk else { return false };
        walk.pages += 1;
        walk.records += note.served;
        self.empty_pages = if note.served == 0 { self.empty_pages + 1 } else { 0 };
        if let Some(oldest) = note.oldest {
            // The vendor lists in the order of publication, and nothing is published before it
            // happened: what follows this page was published later than its oldest record.
            self.reached = self.reached.max(oldest.min(walk.interval.end));
        }
        let has_next = note.next.is_some();
        if let Some(next) = note.next {
            walk.next = Some(next.clone());
            self.token = Some(Held { next, at: note.at });
        }
        if note.is_caught_up {
            self.covered = self.covered.max(walk.interval.end);
            self.reached = self.reached.max(self.covered);
        }
        let waits = !has_next || self.empty_pages >= EMPTY_PAGES;
        if note.is_caught_up || waits {
            self.walk = None;
            self.empty_pages = 0;
        }
        note.is_caught_up
    }

    /// Begins the walk again by time: the vendor does not know the token any more.
    pub fn restart(&mut self) {
        self.token = None;
        if let Some(walk) = &mut self.walk {
            *walk = Open::new(walk.interval, walk.kind);
        }
    }

    fn begin(&mut self, end: Timestamp, kind: Kind) {
        if end <= self.covered {
            return;
        }
        let interval = Interval { start: self.covered, end };
        let next = self.token.as_ref().map(|held| held.next.clone());
        self.walk = Some(Open { next, ..Open::new(interval, kind) });
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    fn token(text: &str) -> Option<Continuation> {
        Some(Continuation(text.to_owned()))
    }

    fn page(next: Option<Continuation>, oldest: Timestamp) -> PageNote {
        PageNote { served: 5, next, is_caught_up: false, oldest: Some(oldest), at: NOW }
    }

    fn caught_up(next: Option<Continuation>) -> PageNote {
        PageNote { served: 0, next, is_caught_up: true, oldest: None, at: NOW }
    }

    #[test]
    fn the_first_walk_begins_by_time_and_later_ones_with_the_token() {
        let mut cursor = TokenCursor::first_run(NOW - HOUR * 24, NOW);
        assert_eq!(cursor.walk.as_ref().unwrap().next, None);
        assert!(!cursor.page(page(token("a"), NOW - HOUR * 20)));
        assert!(cursor.page(caught_up(token("b"))));
        assert_eq!((cursor.covered, cursor.is_polling()), (NOW, false));
        cursor.poll(NOW + HOUR, HOUR * 2);
        let walk = cursor.walk.as_ref().unwrap();
        assert_eq!((walk.kind, &walk.next), (Kind::Live, &token("b")));
        assert_eq!(walk.interval, Interval { start: NOW, end: NOW + HOUR });
    }

    #[test]
    fn an_empty_page_keeps_the_token() {
        let mut cursor = TokenCursor::first_run(NOW - HOUR, NOW);
        cursor.page(caught_up(token("a")));
        cursor.poll(NOW + HOUR, HOUR);
        cursor.page(caught_up(token("a")));
        assert_eq!(cursor.token.as_ref().map(|held| &held.next), token("a").as_ref());
        assert_eq!(cursor.covered, NOW + HOUR);
    }

    #[test]
    fn a_forgotten_token_begins_again_where_it_is_certainly_covered() {
        let mut cursor = TokenCursor::first_run(NOW - HOUR * 24, NOW);
        cursor.page(page(token("a"), NOW - HOUR * 10));
        cursor.page(page(token("b"), NOW - HOUR * 11));
        cursor.restart();
        assert_eq!(cursor.token, None);
        let asked = cursor.span(HOUR, NOW - HOUR * 100);
        assert_eq!(asked, Interval { start: NOW - HOUR * 11, end: NOW });
        assert_eq!(
            cursor.walk.as_ref().unwrap().interval.start,
            NOW - HOUR * 24,
            "the ledger's row goes on"
        );
        // After a whole walk, from its end.
        cursor.page(caught_up(token("c")));
        cursor.poll(NOW + HOUR, HOUR);
        cursor.restart();
        assert_eq!(cursor.span(HOUR, NOW - HOUR * 100).start, NOW - HOUR);
    }

    #[test]
    fn a_missing_token_covers_nothing_and_waits_for_the_next_poll() {
        let mut cursor = TokenCursor::first_run(NOW - HOUR, NOW);
        cursor.page(page(token("a"), NOW - HOUR));
        assert!(!cursor.page(page(None, NOW - HOUR)));
        assert_eq!((cursor.is_polling(), cursor.covered), (false, NOW - HOUR));
        cursor.poll(NOW, HOUR);
        assert_eq!(cursor.walk.as_ref().unwrap().next, token("a"));
    }

    #[test]
    fn a_token_that_dies_while_its_walk_waits_skips_nothing_that_was_not_read() {
        let mut cursor = TokenCursor::first_run(NOW - HOUR * 24 * 7, NOW);
        cursor.page(page(token("a"), NOW - HOUR * 24 * 6));
        // More is to come, and nothing is there yet.
        assert!(!cursor.page(PageNote { served: 0, oldest: None, ..page(None, NOW) }));
        assert_eq!((cursor.is_polling(), cursor.covered), (false, NOW - HOUR * 24 * 7));
        cursor.poll(NOW + HOUR, HOUR);
        assert_eq!(cursor.walk.as_ref().unwrap().next, token("a"));
        cursor.restart();
        let asked = cursor.span(HOUR, NOW - HOUR * 24 * 7);
        assert_eq!(asked, Interval { start: NOW - HOUR * 24 * 6 - HOUR, end: NOW + HOUR });
    }

    #[test]
    fn pages_without_records_do_not_go_on_for_ever() {
        let mut cursor = TokenCursor::first_run(NOW - HOUR, NOW);
        for number in 0..EMPTY_PAGES {
            assert!(cursor.is_polling(), "{number}");
            let empty = PageNote { is_caught_up: false, ..caught_up(token(&number.to_string())) };
            assert!(!cursor.page(empty));
        }
        assert!(!cursor.is_polling());
        assert_eq!(cursor.covered, NOW - HOUR);
    }

    #[test]
    fn history_beyond_reach_shrinks_but_what_was_promised_is_noted_as_lost() {
        let mut cursor = TokenCursor::first_run(NOW - HOUR * 2, NOW);
        assert_eq!(cursor.trim(NOW - HOUR), []);
        assert_eq!(
            (cursor.floor, cursor.walk.as_ref().unwrap().interval.start),
            (NOW - HOUR, NOW - HOUR)
        );
        cursor.page(caught_up(token("a")));
        // The token leads on as long as the vendor remembers what follows it.
        assert_eq!(cursor.trim(NOW), []);
        let lost = cursor.trim(NOW + HOUR);
        assert_eq!(lost, [Interval { start: NOW, end: NOW + HOUR }]);
        assert_eq!(
            (&cursor.lost, cursor.covered, cursor.token.is_none()),
            (&lost, NOW + HOUR, true)
        );
    }

    #[test]
    fn earlier_history_begins_again_before_it() {
        let mut cursor = TokenCursor::first_run(NOW - HOUR, NOW);
        cursor.page(caught_up(token("a")));
        assert!(!cursor.extend_back(NOW - HOUR));
        assert!(cursor.extend_back(NOW - HOUR * 5));
        assert_eq!(cursor.span(HOUR, NOW - HOUR * 100).start, NOW - HOUR * 5);
        assert!(cursor.page(caught_up(token("b"))));
        assert_eq!(cursor.covered, NOW);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Poll(u64),
        Page(u64, bool),
        CaughtUp,
        Restart,
        Trim(u64),
        ExtendBack(u64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            (1u64..10_000).prop_map(Step::Poll),
            (0u64..20_000, any::<bool>()).prop_map(|(back, next)| Step::Page(back, next)),
            Just(Step::CaughtUp),
            Just(Step::Restart),
            (0u64..90_000).prop_map(Step::Trim),
            (1u64..5_000).prop_map(Step::ExtendBack),
        ];
        prop::collection::vec(step, 0..60)
    }

    proptest! {
        /// Whatever happens, an instant that was not walked over is in the walk under way, after what
        /// is covered, or noted as lost; and a walk begun again never skips what it did not reach.
        #[test]
        fn nothing_is_skipped(steps in steps()) {
            let mut cursor = TokenCursor::first_run(NOW - HOUR * 24, NOW);
            let mut clock = NOW;
            // What a token has certainly passed.
            let mut passed = cursor.floor;
            for step in steps {
                match step {
                    Step::Poll(seconds) => {
                        clock = clock + Duration::from_secs(seconds);
                        cursor.poll(clock, HOUR);
                    }
                    Step::Page(back, next) => if let Some(walk) = &cursor.walk {
                        let oldest = walk.interval.end - Duration::from_secs(back);
                        passed = passed.max(oldest);
                        let next = next.then(|| Continuation("n".to_owned()));
                        let note = PageNote { at: clock, ..page(next, oldest) };
                        cursor.page(note);
                    },
                    Step::CaughtUp => if let Some(walk) = &cursor.walk {
                        passed = passed.max(walk.interval.end);
                        let note = PageNote { at: clock, ..caught_up(token("c")) };
                        cursor.page(note);
                    },
                    Step::Restart => cursor.restart(),
                    Step::Trim(back) => for lost in cursor.trim(clock - Duration::from_secs(back)) {
                        prop_assert!(lost.start <= passed || cursor.floor <= lost.start);
                        passed = passed.max(lost.end);
                    },
                    Step::ExtendBack(seconds) => {
                        let floor = cursor.floor - Duration::from_secs(seconds);
                        if cursor.extend_back(floor) {
                            passed = floor;
                        }
                    }
                }
                passed = passed.max(cursor.floor);
                prop_assert!(cursor.reached <= passed, "{cursor:?} {passed}");
                if let Some(walk) = &cursor.walk {
                    prop_assert!(walk.interval.start <= cursor.covered.max(cursor.reached));
                    prop_assert!(!walk.interval.is_empty());
                    prop_assert!(cursor.span(HOUR, cursor.floor).start <= passed);
                }
            }
        }
    }
}
