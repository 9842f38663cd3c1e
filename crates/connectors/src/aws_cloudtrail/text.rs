//! Texts out of JSON values whose type nobody promised, and whether a value may be handed on as it is.

use std::borrow::Cow;

use serde_json::Value;

/// Brackets around a value when it is tried: the depth at which events carry it, and some to spare.
const MARGIN: usize = 8;
/// Nesting that no reader has trouble with.
const SHALLOW: usize = 32;
/// Digits of a number that surely fits a float.
const SHORT: usize = 300;

/// The text of a JSON text, number or truth value.
pub(super) fn scalar(json: &str) -> Option<Cow<'_, str>> {
    match json.as_bytes().first()? {
        b'"' => string(json),
        b'{' | b'[' | b'n' => None,
        _ => Some(Cow::Borrowed(json)),
    }
}

/// Whether a value is absent, `null`, `""`, `[]` or `{}`.
pub(super) fn says_nothing(json: &str) -> bool {
    match json.as_bytes() {
        b"" | b"null" | b"\"\"" => true,
        [b'[', inner @ .., b']'] | [b'{', inner @ .., b'}'] => inner.trim_ascii().is_empty(),
        _ => false,
    }
}

/// The text between quotes; half a surrogate pair becomes U+FFFD.
fn string(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.as_bytes().contains(&b'\\') {
        return Some(Cow::Borrowed(inner));
    }
    let mut reader = sonic_rs::Deserializer::from_str(json).utf8_lossy();
    let text: String = reader.deserialize().ok()?;
    Some(Cow::Owned(text))
}

/// Whether every reader of the event will take the value as it is: no half surrogates, no numbers
/// beyond a float, no nesting without end.
pub(super) fn is_sound(json: &str) -> bool {
    if is_plain(json.as_bytes()) {
        return true;
    }
    let nested = format!("{}{json}{}", "[".repeat(MARGIN), "]".repeat(MARGIN));
    serde_json::from_str::<Value>(&nested).is_ok()
}

/// Whether a value that was found to be JSON holds nothing that readers disagree on. One look at each
/// byte; what it does not know it refuses.
fn is_plain(json: &[u8]) -> bool {
    let mut depth = 0_usize;
    let mut digits = 0_usize;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => loop {
                match bytes.next() {
                    Some(b'"') => break,
                    Some(b'\\') => match bytes.next() {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {}
                        _ => return false,
                    },
                    Some(byte) if *byte >= b' ' => {}
                    _ => return false,
                }
            },
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'0'..=b'9' => {
                digits += 1;
                if digits > SHORT {
                    return false;
                }
                continue;
            }
            // An exponent: behind digits only; `true` and `false` have none before their `e`.
            b'e' | b'E' if digits > 0 => return false,
            _ => {}
        }
        if depth > SHALLOW {
            return false;
        }
        digits = 0;
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn half_a_surrogate_pair_does_not_lose_the_text() {
        assert_eq!(scalar(r#""a\ud83dz""#).as_deref(), Some("a\u{fffd}z"));
        assert_eq!(scalar(r#""\ud83d\udcce""#).as_deref(), Some("📎"));
    }

    #[test]
    fn empty_values_say_nothing() {
        for json in ["", "null", r#""""#, "[]", "{}", "[ ]"] {
            assert!(says_nothing(json), "{json}");
        }
        for json in ["0", "false", r#"" ""#, "[1]"] {
            assert!(!says_nothing(json), "{json}");
        }
    }

    #[test]
    fn values_that_readers_refuse_are_told_apart() {
        for json in [r#"{"a":[1.5e3,true,false,null,"x\ty\u00e9"]}"#, "-12", r#""\ud83d\udcce""#] {
            assert!(is_sound(json), "{json}");
        }
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        for json in [r#""x\ud83d""#, "1e999", &deep] {
            assert!(!is_sound(json), "{json}");
        }
    }

    proptest! {
        #[test]
        fn what_is_plain_is_what_serde_reads(
            parts in prop::collection::vec(prop::sample::select(vec![
                "{", "}", "[", "]", "\"a\"", ":", ",", "1", "e9", "E", "true", "null", "\"\\u00e9\"",
                "\"\\ud83d\"", "\"\\n\"", "0.5", "-", " ", "999", "\"\u{1}\"",
            ]), 0..12),
        ) {
            let json = parts.concat();
            // The promise is about values that a first reader found to be JSON.
            if sonic_rs::from_str::<serde::de::IgnoredAny>(&json).is_ok() && is_plain(json.as_bytes()) {
                prop_assert!(serde_json::from_str::<Value>(&json).is_ok(), "{}", json);
            }
        }
    }
}
