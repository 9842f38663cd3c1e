//! Page tokens and next links.
//!
//! The token of alerts and audit logs is an offset, so rows that move while somebody pages are skipped or repeated.
//! The token of techniques knows its time and runs out.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::draw::mix;

use super::knobs::{Knobs, LinkEnd};

/// An offset as the vendor writes it; `issued_ms` is kept only where tokens are to run out.
pub(super) fn skip_token(offset: usize, issued_ms: Option<i64>) -> String {
    let text = issued_ms.map_or_else(|| offset.to_string(), |issued| format!("{offset};{issued}"));
    STANDARD.encode(text)
}

/// Reads an offset and the time of its token.
pub(super) fn read_skip_token(token: &str) -> Option<(usize, Option<i64>)> {
    let text = String::from_utf8(STANDARD.decode(token).ok()?).ok()?;
    match text.split_once(';') {
        None => Some((text.parse().ok()?, None)),
        Some((offset, issued)) => Some((offset.parse().ok()?, Some(issued.parse().ok()?))),
    }
}

/// A place in the walk through techniques.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Batch {
    /// Records already passed.
    pub(super) position: usize,
    /// When the first page was answered: what came in later is left out.
    pub(super) as_of_ms: i64,
}

impl Batch {
    /// Writes the token; `binding` stands for the request's other parameters.
    pub(super) fn encode(self, life_ms: i64, binding: u64) -> String {
        let valid_until =
            (self.as_of_ms + if life_ms > 0 { life_ms } else { 3_600_000_000 }) / 1_000;
        let seal = mix(&[
            binding,
            u64::try_from(self.position).unwrap_or(0),
            self.as_of_ms.cast_unsigned(),
        ]);
        // The bytes in front make the token hold the characters that get lost in re-encoding.
        let mut bytes = vec![0xfb, 0xef, 0xff];
        bytes.extend(
            json!({ "valid_until": valid_until, "position": self.position, "as_of": self.as_of_ms, "seal": seal })
                .to_string()
                .into_bytes(),
        );
        STANDARD.encode(bytes)
    }

    /// Reads a token of the same binding, and until when it is good, in epoch milliseconds.
    pub(super) fn decode(token: &str, binding: u64) -> Option<(Self, i64)> {
        let bytes = STANDARD.decode(token).ok()?;
        let value: Value = serde_json::from_slice(bytes.get(3..)?).ok()?;
        let position = usize::try_from(value["position"].as_u64()?).ok()?;
        let as_of_ms = value["as_of"].as_i64()?;
        let seal = mix(&[binding, u64::try_from(position).unwrap_or(0), as_of_ms.cast_unsigned()]);
        let valid_until = value["valid_until"].as_i64()?;
        (value["seal"].as_u64() == Some(seal))
            .then_some((Self { position, as_of_ms }, valid_until.saturating_mul(1_000)))
    }
}

/// The value of a token's parameter, in which `+` is the token's own and no space.
pub(super) fn token_parameter(query: &str, name: &str) -> Option<String> {
    let raw = query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))?;
    let pair = format!("v={}", raw.replace('+', "%2B"));
    let mut pairs = form_urlencoded::parse(pair.as_bytes());
    Some(pairs.next()?.1.into_owned())
}

/// A number that stands for a query without its token.
pub(super) fn binding(seed: u64, query: &str, token_name: &str) -> u64 {
    let text = without(query, token_name);
    text.bytes().fold(mix(&[seed]), |state, byte| mix(&[state, u64::from(byte)]))
}

fn without(query: &str, name: &str) -> String {
    let is_other = |pair: &&str| !pair.is_empty() && pair.split('=').next() != Some(name);
    query.split('&').filter(is_other).collect::<Vec<_>>().join("&")
}

/// The scheme and host of links, without a slash at the end.
pub(super) fn base(knobs: &Knobs, host: &str) -> String {
    knobs.public_url.clone().unwrap_or_else(|| format!("http://{host}"))
}

/// A next link in the form that the faults ask for.
pub(super) fn link(
    knobs: &Knobs,
    host: &str,
    path: &str,
    query: &str,
    token: (&str, &str),
) -> String {
    let base = base(knobs, host);
    let (scheme, own_host) = base.split_once("://").unwrap_or(("http", &base));
    let host = knobs.link_host.as_deref().unwrap_or(own_host);
    let mut rest = without(query, token.0);
    if knobs.raw_space {
        rest = rest.replace("%20", " ").replace('+', " ");
    }
    let separator = if rest.is_empty() { "" } else { "&" };
    format!("{scheme}://{host}{path}?{}={}{separator}{rest}", token.0, token.1)
}

/// Writes the member that ends paging into a page; `ordinal` makes the mixed ending take its turns.
pub(super) fn end(page: &mut serde_json::Map<String, Value>, link_end: LinkEnd, ordinal: u64) {
    match link_end {
        LinkEnd::Absent => {}
        LinkEnd::Null => drop(page.insert("nextLink".to_owned(), Value::Null)),
        LinkEnd::Empty => drop(page.insert("nextLink".to_owned(), Value::from(""))),
        LinkEnd::Mixed => {
            let turns = [LinkEnd::Absent, LinkEnd::Null, LinkEnd::Empty];
            end(page, turns[usize::try_from(ordinal % 3).unwrap_or(0)], ordinal);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_are_the_vendors_own_and_may_carry_a_time() {
        assert_eq!(skip_token(10, None), "MTA=");
        assert_eq!(read_skip_token("MTA="), Some((10, None)));
        assert_eq!(read_skip_token(&skip_token(20, Some(5))), Some((20, Some(5))));
        assert_eq!(read_skip_token("%%"), None);
    }

    #[test]
    fn batches_are_read_back_only_with_their_binding_and_verbatim() {
        let batch = Batch { position: 100, as_of_ms: 1_772_438_400_000 };
        let token = batch.encode(60_000, 7);
        let query = format!("top=50&nextBatchToken={token}");
        assert_eq!(token_parameter(&query, "nextBatchToken"), Some(token.clone()));
        assert!(token.contains('+') || token.contains('/'), "{token}");
        assert_eq!(Batch::decode(&token, 7), Some((batch, 1_772_438_460_000)));
        assert_eq!(Batch::decode(&token, 8), None);
        assert_eq!(Batch::decode(&token.replace('+', " "), 7).is_some(), !token.contains('+'));
    }

    #[test]
    fn links_take_the_asked_form() {
        let mut knobs = Knobs::default();
        let made = |knobs: &Knobs| {
            link(knobs, "127.0.0.1:9", "/v3.0/x", "a=b%20c&skipToken=old", ("skipToken", "MTA="))
        };
        assert_eq!(made(&knobs), "http://127.0.0.1:9/v3.0/x?skipToken=MTA=&a=b c");
        for (name, value) in [("raw_space", "off"), ("link_host", "evil.example")] {
            assert_eq!(knobs.set(name, value), Ok(()));
        }
        assert_eq!(made(&knobs), "http://evil.example/v3.0/x?skipToken=MTA=&a=b%20c");
    }
}
