//! One page: which records it holds, what follows it, and its envelope.

use serde_json::Value;

use crate::times::push_instant;

use super::paging::{Cursor, NextLink};
use super::population::Lattice;
use super::records::push_record;
use super::streams::Stream;

/// Most records that a page repeats of the one before.
const MOST_REPEATS: usize = 3;

/// The records of a page, in its order, and where the next one begins.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) numbers: Vec<u64>,
    pub(super) next: Option<Cursor>,
}

impl Page {
    /// Fills a page of at most `limit` visible records from the cursor on, beginning with some of those before
    /// it if `repeats` is set.
    pub(super) fn fill(
        cursor: &Cursor,
        limit: usize,
        repeats: bool,
        visible: impl Fn(u64) -> bool,
    ) -> Self {
        let mut numbers = Vec::with_capacity(limit);
        if repeats {
            // One place is kept for a new record, or paging would never end.
            let most = MOST_REPEATS.min(limit - 1);
            let before = (0..cursor.position).rev().map(|position| cursor.record_at(position));
            numbers.extend(before.filter(|number| visible(*number)).take(most));
            numbers.reverse();
        }
        for position in cursor.position..cursor.size() {
            let number = cursor.record_at(position);
            if !visible(number) {
                continue;
            }
            if numbers.len() == limit {
                let next = Cursor { position, page: cursor.page + 1, ..*cursor };
                return Self { numbers, next: Some(next) };
            }
            numbers.push(number);
        }
        Self { numbers, next: None }
    }
}

/// The envelope around the records of a page.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    pub(super) trace_id: Option<&'a str>,
    pub(super) current_link: &'a str,
    pub(super) next_link: &'a NextLink,
    /// Whether a page without records shows an empty time, or none.
    pub(super) shows_empty_time: bool,
    /// Bytes of padding.
    pub(super) padding: usize,
    /// Whether an item follows that is no record.
    pub(super) poisoned: bool,
    /// When records begin to look different, if at all.
    pub(super) release_ms: Option<i64>,
}

impl Envelope<'_> {
    /// Writes the body of a page.
    pub(super) fn write(
        &self,
        seed: u64,
        stream: Stream,
        lattice: &Lattice,
        numbers: &[u64],
    ) -> String {
        let mut out = String::with_capacity(1_024 + numbers.len() * 1_024 + self.padding);
        out.push('{');
        if let Some(trace_id) = self.trace_id {
            push_member(&mut out, "traceId", trace_id);
            out.push(',');
        }
        push_member(&mut out, "current_link", self.current_link);
        match self.next_link {
            NextLink::Text(link) => {
                out.push(',');
                push_member(&mut out, "next_link", link);
            }
            NextLink::Null => out.push_str(",\"next_link\":null"),
            NextLink::Absent => {}
        }
        let newest = numbers.iter().max().map(|number| lattice.generation_ms(*number));
        if newest.is_some() || self.shows_empty_time {
            out.push_str(",\"last_log_item_generation_time\":\"");
            if let Some(newest_ms) = newest {
                push_instant(&mut out, newest_ms);
            }
            out.push('"');
        }
        out.push_str(",\"security_events\":[");
        for (position, number) in numbers.iter().enumerate() {
            if position > 0 {
                out.push(',');
            }
            let at_ms = lattice.generation_ms(*number);
            push_record(&mut out, seed, stream, *number, at_ms, self.release_ms);
        }
        if self.poisoned {
            out.push_str(if numbers.is_empty() { "\"poison\"" } else { ",\"poison\"" });
        }
        out.push(']');
        if self.padding > 0 {
            out.push_str(",\"padding\":\"");
            out.extend(std::iter::repeat_n('x', self.padding));
            out.push('"');
        }
        out.push('}');
        out
    }
}

fn push_member(out: &mut String, name: &str, text: &str) {
    out.push('"');
    out.push_str(name);
    out.push_str("\":");
    out.push_str(&Value::from(text).to_string());
}

#[cfg(test)]
mod tests {
    use super::super::knobs::Order;
    use super::*;

    fn cursor(position: u64) -> Cursor {
        Cursor { low: 10, high: 20, order: Order::Ascending, position, page: 1, issued_ms: 0 }
    }

    #[test]
    fn a_page_that_ends_with_the_window_has_no_next() {
        let page = Page::fill(&cursor(5), 5, false, |_| true);
        assert_eq!(page, Page { numbers: (15..20).collect(), next: None });
        let page = Page::fill(&cursor(5), 4, false, |_| true);
        assert_eq!(page.next.map(|next| (next.position, next.page)), Some((9, 2)));
    }

    #[test]
    fn invisible_records_neither_fill_a_page_nor_ask_for_a_next_one() {
        let page = Page::fill(&cursor(0), 3, false, |number| number < 13);
        assert_eq!(page, Page { numbers: vec![10, 11, 12], next: None });
    }

    #[test]
    fn repeats_come_first_and_leave_room_for_a_new_record() {
        let page = Page::fill(&cursor(5), 4, true, |_| true);
        assert_eq!(page.numbers, [12, 13, 14, 15]);
        assert_eq!(Page::fill(&cursor(5), 1, true, |_| true).numbers, [15]);
        assert_eq!(Page::fill(&cursor(5), 3, true, |number| number != 14).numbers, [12, 13, 15]);
    }
}
