//! Opaque paging tokens: a list of numbers with a seal, so that a token of another simulator is none.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Map, Value, json};

use super::access::seal;
use super::knobs::{Knobs, NextName};
use super::streams::Stream;

/// What a token says.
pub(super) type Fields = [i64; 6];

/// Writes a token for a kind of route.
pub(super) fn encode(kind: &str, fields: Fields, seed: u64) -> String {
    let text = format!("{kind}{fields:?}");
    URL_SAFE.encode(format!("{text}#{:x}", seal(&text, seed)))
}

/// Reads a token of the same kind.
pub(super) fn decode(kind: &str, token: &str, seed: u64) -> Option<Fields> {
    let text = String::from_utf8(URL_SAFE.decode(token).ok()?).ok()?;
    let (text, check) = text.split_once('#')?;
    if check != format!("{:x}", seal(text, seed)) {
        return None;
    }
    serde_json::from_str(text.strip_prefix(kind)?).ok()
}

/// Reads a token of the same kind that is not too old; the fifth number says when it was issued.
pub(super) fn accepted(
    kind: &str,
    token: &str,
    seed: u64,
    (knobs, now_ms): (&Knobs, i64),
) -> Option<Fields> {
    let fields = decode(kind, token, seed)?;
    let life_ms = knobs.page_token_life_ms;
    (life_ms == 0 || now_ms <= fields[4] + life_ms).then_some(fields)
}

/// The streams as bits of a number.
pub(super) fn mask(streams: &[Stream]) -> i64 {
    streams.iter().fold(0, |mask, stream| mask | 1 << stream.number())
}

/// The streams of a mask.
pub(super) fn unmask(mask: i64) -> Vec<Stream> {
    Stream::all().filter(|stream| mask & 1 << stream.number() != 0).collect()
}

/// Puts the token of a SIEM answer where the knobs say.
pub(super) fn put_next(page: &mut Map<String, Value>, token: &str, knobs: &Knobs) {
    if knobs.next_name != NextName::Link {
        page.insert("@nextPage".to_owned(), json!(token));
    }
    if knobs.next_name != NextName::Page {
        page.insert("@nextLink".to_owned(), json!(token));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_and_foreign_ones_do_not() {
        let fields = [1, -2, 3, i64::MAX, 0, 6];
        let token = encode("batch", fields, 7);
        assert_eq!(decode("batch", &token, 7), Some(fields));
        assert_eq!(decode("live", &token, 7), None);
        assert_eq!(decode("batch", &token, 8), None);
        assert_eq!(decode("batch", "NDU1NA==", 7), None);
        let streams: Vec<_> = Stream::all().collect();
        assert_eq!(unmask(mask(&streams[3..5])), streams[3..5]);
    }
}
