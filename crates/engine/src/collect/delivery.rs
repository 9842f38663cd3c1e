//! A stream's cursor where the vendor keeps what it has to say until it hears that it is stored: a queue.
//!
//! The place in the stream rests with the vendor, and a message that was not acknowledged comes again.
//! What is kept here is for people and for the ledger: up to when the queue is known to have been
//! emptied. Pure: no clock, no I/O.

use model::time::{Interval, Timestamp};
use serde::{Deserialize, Serialize};

use super::coverage::{Kind, Open};

/// The cursor as it rests in the catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryCursor {
    /// Everything that was announced before this has been read.
    pub emptied: Timestamp,
    /// The reading under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub walk: Option<Open>,
}

impl DeliveryCursor {
    /// A queue that was never read.
    pub fn first_run(now: Timestamp) -> Self {
        Self { emptied: now, walk: None }
    }

    /// Begins to read up to `end`, unless that is under way.
    pub fn poll(&mut self, end: Timestamp) {
        if self.walk.is_none() && end > self.emptied {
            let interval = Interval { start: self.emptied, end };
            self.walk = Some(Open::new(interval, Kind::Live));
        }
    }

    /// Notes a page. Answers whether the queue was empty behind it.
    pub fn page(&mut self, served: u64, is_caught_up: bool) -> bool {
        let Some(walk) = &mut self.walk else { return false };
        walk.pages += 1;
        walk.records += served;
        if is_caught_up {
            self.emptied = walk.interval.end;
            self.walk = None;
        }
        is_caught_up
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_000_000);
    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn a_queue_is_read_until_it_is_empty_and_the_next_reading_adjoins() {
        let mut cursor = DeliveryCursor::first_run(NOW);
        cursor.poll(NOW);
        assert_eq!(cursor.walk, None, "there is no time to read about");
        cursor.poll(NOW + MINUTE);
        assert!(!cursor.page(5, false));
        assert_eq!(cursor.emptied, NOW, "there is more");
        // A poll while the queue is being read changes nothing.
        cursor.poll(NOW + MINUTE * 2);
        assert!(cursor.page(0, true));
        assert_eq!((cursor.emptied, &cursor.walk), (NOW + MINUTE, &None));
        cursor.poll(NOW + MINUTE * 3);
        assert_eq!(cursor.walk.as_ref().unwrap().interval.start, NOW + MINUTE);
    }
}
