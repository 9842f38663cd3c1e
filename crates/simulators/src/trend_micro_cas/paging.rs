//! Paging: the opaque token, the order of records within a window, and the form of the next link.
//!
//! A token freezes the record numbers of the window at its first page and is bound to the request's parameters,
//! so that paging neither repeats nor skips as time goes on.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;

use crate::draw::mix;

use super::errors::Refused;
use super::knobs::{Knobs, LinkEnd, Order};

/// Where a page begins, in a frozen window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The first record number of the window.
    pub(super) low: u64,
    /// The first record number after the window.
    pub(super) high: u64,
    pub(super) order: Order,
    /// Records already passed, in this order.
    pub(super) position: u64,
    /// Pages already answered.
    pub(super) page: u64,
    /// When the first page was answered, epoch milliseconds.
    pub(super) issued_ms: i64,
}

impl Cursor {
    /// Writes the token; `binding` stands for the request's other parameters.
    pub(super) fn encode(&self, binding: u64) -> String {
        let fields = [
            self.low,
            self.high,
            order_code(self.order),
            self.position,
            self.page,
            self.issued_ms.cast_unsigned(),
        ];
        let text = format!("{fields:?}#{:x}", seal(&fields, binding));
        URL_SAFE.encode(text)
    }

    /// Reads a token of the same binding.
    pub(super) fn decode(token: &str, binding: u64) -> Result<Self, Refused> {
        let invalid = || Refused::BadParameter("The skiptoken is invalid".to_owned());
        let text = URL_SAFE
            .decode(token)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .ok_or_else(invalid)?;
        let (list, check) = text.split_once('#').ok_or_else(invalid)?;
        let fields: [u64; 6] = serde_json::from_str(list).map_err(|_| invalid())?;
        if check != format!("{:x}", seal(&fields, binding)) {
            return Err(invalid());
        }
        let [low, high, order, position, page, issued] = fields;
        let order = order_of(order).ok_or_else(invalid)?;
        Ok(Self { low, high, order, position, page, issued_ms: issued.cast_signed() })
    }

    /// The record at a position of the order; positions run from 0 to the window's size.
    pub(super) fn record_at(&self, position: u64) -> u64 {
        let size = self.size();
        debug_assert!(position < size, "a position lies within its window");
        match self.order {
            Order::Ascending => self.low + position,
            Order::Descending => self.high - 1 - position,
            Order::Shuffled => self.low + shuffled(position, size),
        }
    }

    /// How many record numbers the window spans.
    pub(super) fn size(&self) -> u64 {
        self.high.saturating_sub(self.low)
    }
}

fn order_code(order: Order) -> u64 {
    match order {
        Order::Ascending => 0,
        Order::Descending => 1,
        Order::Shuffled => 2,
    }
}

fn order_of(code: u64) -> Option<Order> {
    [Order::Ascending, Order::Descending, Order::Shuffled]
        .into_iter()
        .find(|order| order_code(*order) == code)
}

fn seal(fields: &[u64; 6], binding: u64) -> u64 {
    mix(fields) ^ mix(&[binding, 0x5ea1])
}

/// A permutation of `0..size`: steps of nearly the golden section, coprime to the size.
fn shuffled(position: u64, size: u64) -> u64 {
    let mut stride = size / 1_000 * 618 + size % 1_000 * 618 / 1_000 + 1;
    while greatest_common_divisor(stride, size) != 1 {
        stride += 1;
    }
    let product = u128::from(position) * u128::from(stride) + u128::from(size / 2);
    u64::try_from(product % u128::from(size)).unwrap_or(0)
}

fn greatest_common_divisor(mut left: u64, mut right: u64) -> u64 {
    while right != 0 {
        (left, right) = (right, left % right);
    }
    left
}

/// The `next_link` member of an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NextLink {
    Text(String),
    Null,
    Absent,
}

/// The member that ends paging; `ordinal` makes the mixed ending take its turns.
pub(super) fn ending(link_end: LinkEnd, ordinal: u64) -> NextLink {
    match link_end {
        LinkEnd::Empty => NextLink::Text(String::new()),
        LinkEnd::Null => NextLink::Null,
        LinkEnd::Absent => NextLink::Absent,
        LinkEnd::NullText => NextLink::Text("null".to_owned()),
        LinkEnd::Mixed => {
            let turns = [LinkEnd::Empty, LinkEnd::Null, LinkEnd::Absent, LinkEnd::NullText];
            ending(turns[usize::try_from(ordinal % 4).unwrap_or(0)], ordinal)
        }
    }
}

/// The base of the links in an answer: scheme and host.
pub(super) fn link_base(knobs: &Knobs, host: &str) -> String {
    knobs.public_url.clone().unwrap_or_else(|| format!("http://{host}"))
}

/// A link in the form that the faults ask for; `target` is path and query.
pub(super) fn link(knobs: &Knobs, base: &str, target: &str) -> String {
    let (scheme, host) = base.split_once("://").unwrap_or(("http", base));
    let host = knobs.link_host.as_deref().unwrap_or(host);
    if knobs.link_without_scheme {
        format!("{host}{target}")
    } else {
        format!("{scheme}://{host}{target}")
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use proptest::prelude::*;

    fn cursor(order: Order, low: u64, high: u64) -> Cursor {
        Cursor { low, high, order, position: 3, page: 1, issued_ms: -5 }
    }

    #[test]
    fn tokens_are_read_back_only_with_their_binding_and_unchanged() {
        let cursor = cursor(Order::Shuffled, 10, 20);
        let token = cursor.encode(9);
        assert_eq!(Cursor::decode(&token, 9), Ok(cursor));
        assert!(Cursor::decode(&token, 8).is_err());
        let forged = URL_SAFE.encode(
            String::from_utf8(URL_SAFE.decode(&token).unwrap()).unwrap().replace("20", "99"),
        );
        for bad in [forged.as_str(), "", "%%%", "YWJj"] {
            assert!(Cursor::decode(bad, 9).is_err(), "{bad}");
        }
    }

    #[test]
    fn endings_take_turns_when_mixed() {
        let all: Vec<_> = (0..5).map(|ordinal| ending(LinkEnd::Mixed, ordinal)).collect();
        let text = |text: &str| NextLink::Text(text.to_owned());
        assert_eq!(all, [text(""), NextLink::Null, NextLink::Absent, text("null"), text("")]);
    }

    #[test]
    fn links_take_the_asked_form() {
        let linked = |faults: &[(&str, &str)]| {
            let mut knobs = Knobs::default();
            for (name, value) in faults {
                knobs.set(name, value).unwrap();
            }
            link(&knobs, &link_base(&knobs, "127.0.0.1:9"), "/v1/x?a=1")
        };
        assert_eq!(linked(&[]), "http://127.0.0.1:9/v1/x?a=1");
        assert_eq!(linked(&[("link_scheme", "absent")]), "127.0.0.1:9/v1/x?a=1");
        assert_eq!(linked(&[("link_host", "evil.example")]), "http://evil.example/v1/x?a=1");
        assert_eq!(
            linked(&[("public_url", "https://cas.example/")]),
            "https://cas.example/v1/x?a=1"
        );
    }

    #[test]
    fn shuffled_is_not_sorted() {
        let cursor = cursor(Order::Shuffled, 0, 100);
        let records: Vec<_> = (0..100).map(|position| cursor.record_at(position)).collect();
        assert!(!records.is_sorted());
        assert!(!records.iter().rev().is_sorted());
    }

    proptest! {
        #[test]
        fn every_order_is_a_permutation_of_the_window(low in 0_u64..1_000, size in 1_u64..2_000) {
            for order in [Order::Ascending, Order::Descending, Order::Shuffled] {
                let cursor = cursor(order, low, low + size);
                let mut records: Vec<_> = (0..size).map(|position| cursor.record_at(position)).collect();
                records.sort_unstable();
                prop_assert_eq!(records, (low..low + size).collect::<Vec<_>>());
            }
        }
    }
}
