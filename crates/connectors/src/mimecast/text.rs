//! Texts and times out of JSON values whose type nobody promised.

use std::borrow::Cow;

use chrono::DateTime;
use model::time::Timestamp;

/// Numbers below are seconds since 1970, from here on milliseconds: 5138-11-16 and 1973-03-03.
const FIRST_MILLIS: f64 = 1e11;

/// The text of a JSON text, number or truth value, or of a list with just one of them.
pub(super) fn scalar(json: &str) -> Option<Cow<'_, str>> {
    match json.as_bytes().first()? {
        b'"' => string(json),
        b'[' => {
            let mut texts = list(json)?;
            if texts.len() == 1 { texts.pop() } else { None }
        }
        b'{' | b'n' => None,
        _ => Some(Cow::Borrowed(json)),
    }
}

/// The texts of a JSON text, or of a list whose items are all texts, numbers, truth values or null.
pub(super) fn list(json: &str) -> Option<Vec<Cow<'_, str>>> {
    match json.as_bytes().first()? {
        b'[' => {
            let items: Vec<sonic_rs::LazyValue<'_>> = sonic_rs::from_str(json).ok()?;
            let texts = items.iter().filter_map(|item| match item.as_raw_cow() {
                Cow::Borrowed("null") => None,
                Cow::Borrowed(raw) if raw.starts_with(['[', '{']) => Some(None),
                Cow::Borrowed(raw) => Some(scalar(raw)),
                Cow::Owned(raw) => Some(scalar(&raw).map(|text| Cow::Owned(text.into_owned()))),
            });
            texts.collect()
        }
        b'{' | b'n' => None,
        _ => scalar(json).map(|text| vec![text]),
    }
}

/// Whether a value is `null`, `""`, `[]` or `{}`.
pub(super) fn says_nothing(json: &str) -> bool {
    match json.as_bytes() {
        b"null" | b"\"\"" => true,
        [b'[', inner @ .., b']'] | [b'{', inner @ .., b'}'] => inner.trim_ascii().is_empty(),
        _ => false,
    }
}

/// The text between quotes; half a surrogate pair becomes U+FFFD.
fn string(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if !inner.contains('\\') {
        return Some(Cow::Borrowed(inner));
    }
    let mut reader = sonic_rs::Deserializer::from_str(json).utf8_lossy();
    let text: String = reader.deserialize().ok()?;
    Some(Cow::Owned(text))
}

/// A point in time: milliseconds or seconds since 1970, RFC 3339, or the form of the TTP logs, whose
/// offset has no colon.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if let Ok(time) = Timestamp::parse(text) {
        return Some(time);
    }
    for form in ["%Y-%m-%dT%H:%M:%S%.f%z", "%Y-%m-%d %H:%M:%S%.f%z"] {
        if let Ok(time) = DateTime::parse_from_str(text, form) {
            return Some(Timestamp::from_micros(time.timestamp_micros()));
        }
    }
    let number: f64 = text.parse().ok().filter(|number: &f64| number.is_finite())?;
    let millis = if number.abs() < FIRST_MILLIS { number * 1000.0 } else { number };
    #[expect(clippy::cast_possible_truncation, reason = "casts from float saturate")]
    let millis = millis as i64;
    Some(Timestamp::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_every_form_are_the_same_point() {
        for text in [
            "1790842530000",
            "1790842530",
            "2026-10-01T08:15:30+0000",
            "2026-10-01T08:15:30+00:00",
            " 2026-10-01T17:15:30+0900 ",
            "2026-10-01T08:15:30Z",
            "2026-10-01T08:15:30.000Z",
        ] {
            let found = time(text).map(|time| time.to_string());
            assert_eq!(found.as_deref(), Some("2026-10-01T08:15:30Z"), "{text}");
        }
        for text in ["", "yesterday", "2026-10-01", "2026-10-01T08:15:30", "inf", "NaN"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn half_a_surrogate_pair_does_not_lose_the_text() {
        assert_eq!(scalar(r#""a\ud83dz""#).as_deref(), Some("a\u{fffd}z"));
        assert_eq!(scalar(r#""\ud83d\udcce""#).as_deref(), Some("📎"));
    }

    #[test]
    fn lists_are_texts_only() {
        assert_eq!(list(r#"["a",null,7]"#), Some(vec!["a".into(), "7".into()]));
        assert_eq!(list(r#""a""#), Some(vec!["a".into()]));
        assert_eq!(list("[]"), Some(Vec::new()));
        assert_eq!(list(r#"["a",{}]"#), None);
        assert_eq!(list("null"), None);
    }

    #[test]
    fn empty_values_say_nothing() {
        for json in ["null", r#""""#, "[]", "{}", "[ ]"] {
            assert!(says_nothing(json), "{json}");
        }
        for json in ["0", "false", r#"" ""#, "[1]"] {
            assert!(!says_nothing(json), "{json}");
        }
    }
}
