//! The API key: a JSON Web Token, read offline and without checking its signature.
//!
//! The vendor does not say which claim holds the end of its life, so every claim that can be a point in time is
//! looked at. What cannot be read is said to be unknown, never to be good.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use model::secret::Secret;
use model::time::Timestamp;
use model::vendor::{Fault, FetchError, KeyNotice};
use serde_json::Value;

/// A key that ends this soon should be replaced.
const SOON: Duration = Duration::from_secs(30 * 24 * 3600);
/// Claims that speak of the beginning.
const BEGINNINGS: [&str; 4] = ["iat", "nbf", "it", "auth_time"];
/// Numbers from here on are milliseconds: 5138-11-16 in seconds.
const FIRST_MILLIS: i64 = 100_000_000_000;

/// What a key says about its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// It is at this time.
    At(Timestamp),
    /// It is a token, and its end cannot be read.
    Unknown,
    /// It is no token of the vendor's form.
    NoToken,
}

/// The key without the white space around it and the line breaks that copying puts inside.
pub(super) fn cleaned(secret: &Secret) -> Secret {
    Secret::new(secret.expose().trim().replace(['\r', '\n'], ""))
}

/// Refuses what cannot be a key before anything is sent. `strict` demands the vendor's own form.
pub(super) fn check(secret: &Secret, strict: bool) -> Result<(), FetchError> {
    let text = secret.expose();
    let problem = if text.is_empty() {
        "the key is empty"
    } else if text.chars().any(char::is_whitespace) {
        "the key has white space in it"
    } else if text.contains(['"', '\'', '`']) {
        "the key has quotes in it"
    } else if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        "the key has characters beyond ASCII"
    } else if strict && end(secret) == End::NoToken {
        "the key is no token of three parts, as the vendor's keys are"
    } else {
        return Ok(());
    };
    let detail = problem.to_owned();
    Err(FetchError { fault: Fault::MalformedKey, detail, retry_after: None, source: None })
}

/// When the key ends, as far as it says so: by a claim of that name, else the latest of several times.
pub(super) fn end(secret: &Secret) -> End {
    let Some(claims) = claims(secret.expose()) else { return End::NoToken };
    let times: Vec<(&str, Timestamp)> = claims
        .iter()
        .filter_map(|(name, value)| Some((name.as_str(), plausible_time(value)?)))
        .collect();
    if let Some((_, end)) = times.iter().find(|(name, _)| is_end(name)) {
        return End::At(*end);
    }
    let earliest = times.iter().map(|(_, time)| time).min();
    match times.iter().max_by_key(|(_, time)| *time) {
        Some((name, latest)) if earliest < Some(latest) && !BEGINNINGS.contains(name) => {
            End::At(*latest)
        }
        _ => End::Unknown,
    }
}

fn is_end(name: &str) -> bool {
    name == "et" || name.starts_with("exp")
}

/// A number of seconds or milliseconds that lies in this century.
fn plausible_time(value: &Value) -> Option<Timestamp> {
    let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok())?;
    let millis = if number < FIRST_MILLIS { number.checked_mul(1_000)? } else { number };
    Timestamp::from_millis(millis).plausible()
}

/// What a person should know about the key's end at a time.
pub(super) fn notice(secret: &Secret, now: Timestamp) -> Option<KeyNotice> {
    match end(secret) {
        End::At(end) if end <= now => Some(KeyNotice::Expired(end)),
        End::At(end) if end.since(now) < SOON => Some(KeyNotice::ExpiresSoon(end)),
        End::At(_) | End::NoToken => None,
        End::Unknown => Some(KeyNotice::ExpiryUnknown),
    }
}

/// The payload of a token; `None` when the text is none.
fn claims(text: &str) -> Option<serde_json::Map<String, Value>> {
    let parts: Vec<&str> = text.split('.').collect();
    let [header, payload, signature] = parts[..] else { return None };
    if [header, signature].iter().any(|part| part.is_empty()) {
        return None;
    }
    let bytes = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice(&bytes).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn token(claims: &Value) -> Secret {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        Secret::new(format!("{}.{}.c2lnbg", part(&json!({"alg": "RS256"})), part(claims)))
    }

    fn end_of(claims: &Value) -> Option<String> {
        match end(&token(claims)) {
            End::At(end) => Some(end.to_string()),
            End::Unknown => None,
            End::NoToken => panic!("it is a token"),
        }
    }

    #[test]
    fn the_end_is_found_under_any_name() {
        let expected = Some("2026-03-02T08:00:00Z".to_owned());
        for claims in [
            json!({"exp": 1_772_438_400, "iat": 1_740_902_400, "later": 1_900_000_000}),
            json!({"exp": "1772438400"}),
            json!({"et": 1_772_438_400_000_i64, "it": 1_740_902_400_000_i64, "cid": "abc"}),
            json!({"until": 1_772_438_400, "issued": 1_740_902_400, "ver": 3, "tl": 8_760}),
        ] {
            assert_eq!(end_of(&claims), expected, "{claims}");
        }
        for claims in [
            json!({}),
            json!({"iat": 1_740_902_400}),
            json!({"made": 1_740_902_400}),
            json!({"exp": 0, "cid": "abc"}),
        ] {
            assert_eq!(end_of(&claims), None, "{claims}");
        }
    }

    #[test]
    fn notices_begin_thirty_days_before_the_end() {
        let key = token(&json!({"exp": 1_772_438_400}));
        let end = Timestamp::from_millis(1_772_438_400_000);
        let day = Duration::from_secs(24 * 3600);
        assert_eq!(notice(&key, end - day * 31), None);
        assert_eq!(notice(&key, end - day * 29), Some(KeyNotice::ExpiresSoon(end)));
        assert_eq!(notice(&key, end), Some(KeyNotice::Expired(end)));
        assert_eq!(notice(&token(&json!({})), end), Some(KeyNotice::ExpiryUnknown));
        assert_eq!(notice(&Secret::new("sim-key"), end), None);
    }

    #[test]
    fn what_cannot_be_a_key_is_told_by_its_looks() {
        let good = token(&json!({"exp": 1_772_438_400}));
        assert!(check(&good, true).is_ok());
        assert!(check(&Secret::new("sim-key"), false).is_ok());
        let wrapped = format!("\n {}\r\n", good.expose().replacen('.', ".\n", 1));
        assert_eq!(cleaned(&Secret::new(wrapped)).expose(), good.expose());
        for text in ["", "a b", "\"k\"", "ключ", "k\u{7}"] {
            assert_eq!(check(&Secret::new(text), false).unwrap_err().fault, Fault::MalformedKey);
        }
        for text in ["sim-key", "a.b.c", "a..c", ".e30.c", "e30.e30", "a.e30.c.d"] {
            assert!(check(&Secret::new(text), true).is_err(), "{text}");
        }
    }
}
