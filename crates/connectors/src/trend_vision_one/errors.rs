//! What the vendor's refusals mean: six shapes of JSON, or anything a gateway says.

use model::secret::Secret;
use model::vendor::{Fault, FetchError};
use serde_json::{Map, Value};

use super::content::Content;
use super::token::{self, End};
use crate::client::{Answer, quote, status_fault};

/// No product that reports techniques is connected: there is nothing to be had, and nothing wrong.
const NO_PRODUCTS: u64 = 1_010_420;
/// The data lake took too long: a narrower window may go through.
const DATA_LAKE_TIMEOUT: u64 = 1_000_520;
/// The page token has run out, or is no longer understood.
const LOST_TOKENS: [u64; 2] = [1_010_550, 1_010_407];

/// Whether a refusal speaks of the quota.
pub(super) fn is_throttled(status: u16, body: &[u8]) -> bool {
    status == 429 || Refusal::read(body).code == "TooManyRequests"
}

/// Whether a refusal says that there is nothing to be had, which is an empty page.
pub(super) fn is_empty(answer: &Answer) -> bool {
    answer.status == 400 && Refusal::read(&answer.body).number == Some(NO_PRODUCTS)
}

/// The error that a refusal stands for. `continued` tells that a next link was asked.
pub(super) fn refused(
    answer: &Answer,
    secret: &Secret,
    content: &Content,
    continued: bool,
) -> FetchError {
    let refusal = Refusal::read(&answer.body);
    let words = quote(&refusal.words, secret);
    match refusal.fault(answer.status, continued) {
        Fault::UnknownKey => of_key(answer, secret, &words),
        Fault::MissingScope => {
            let separator = if words.is_empty() { "" } else { " " };
            let needs = format!("{words}{separator}{} needs {}", content.name, content.permission);
            answer.refused(Fault::MissingScope, &needs)
        }
        fault => answer.refused(fault, &words),
    }
}

/// The error that a refusal of an action's request stands for.
pub(super) fn refused_call(answer: &Answer, secret: &Secret) -> FetchError {
    let refusal = Refusal::read(&answer.body);
    let words = quote(&refusal.words, secret);
    match refusal.fault(answer.status, false) {
        Fault::UnknownKey => of_key(answer, secret, &words),
        // The vendor knows the path and misses what it names: an alert that it has withdrawn, for instance.
        Fault::WrongUrl if refusal.number.is_some() => answer.refused(Fault::BadRequest, &words),
        fault => answer.refused(fault, &words),
    }
}

/// The error of a success whose body is no page: a refusal in disguise, or nothing of this vendor.
pub(super) fn misread(
    answer: &Answer,
    secret: &Secret,
    content: &Content,
    problem: &str,
) -> FetchError {
    if Refusal::read(&answer.body).code.is_empty() {
        return answer.refused(Fault::Unreadable, problem);
    }
    refused(answer, secret, content, false)
}

/// A refused key: its own end, and the vendor's clock, tell whether it has run out.
fn of_key(answer: &Answer, secret: &Secret, words: &str) -> FetchError {
    if let (End::At(end), Some(now)) = (token::end(secret), answer.vendor_time)
        && end <= now
    {
        let separator = if words.is_empty() { "" } else { "; " };
        return answer
            .refused(Fault::ExpiredKey, &format!("{words}{separator}the key ran out at {end}"));
    }
    answer.refused(Fault::UnknownKey, words)
}

/// What can be read of a refusal's body.
#[derive(Debug, Default, PartialEq)]
struct Refusal {
    code: String,
    number: Option<u64>,
    words: String,
}

impl Refusal {
    fn read(body: &[u8]) -> Self {
        let Ok(value) = serde_json::from_slice::<Value>(body) else {
            return Self { words: foreign_words(body), ..Self::default() };
        };
        let Value::Object(members) = &value else {
            return Self { words: value.to_string(), ..Self::default() };
        };
        // One of the vendor's own examples spells it with three r's; some services have no wrapper.
        let inner = ["error", "errror"].iter().find_map(|name| members.get(*name)?.as_object());
        let error = inner.unwrap_or(members);
        let code = text(error, "code");
        let words = text(error, "message").or_else(|| text(members, "message"));
        let number = error.get("number").and_then(|number| match number {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_u64(),
        });
        let words = words.or(code).unwrap_or_default().to_owned();
        Self { code: code.unwrap_or_default().to_owned(), number, words }
    }

    fn fault(&self, status: u16, continued: bool) -> Fault {
        let number = self.number.unwrap_or_default();
        if self.code == "TooManyRequests" {
            return Fault::Throttled;
        }
        if number == DATA_LAKE_TIMEOUT {
            return Fault::TooLarge;
        }
        // The vendor made the link itself, so what is wrong with it is its age.
        if LOST_TOKENS.contains(&number) || (continued && matches!(status, 400 | 404 | 410)) {
            return Fault::ExpiredLink;
        }
        if matches!(status, 401 | 403) && self.words.to_ascii_lowercase().contains("expir") {
            return Fault::ExpiredKey;
        }
        status_fault(status).unwrap_or(Fault::Unreadable)
    }
}

fn text<'v>(members: &'v Map<String, Value>, name: &str) -> Option<&'v str> {
    members.get(name)?.as_str().filter(|text| !text.is_empty())
}

/// A body that is not JSON comes from something between us and the vendor.
fn foreign_words(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    if text.trim_start().starts_with('<') {
        return "a web page instead of JSON".to_owned();
    }
    text.into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(status: u16, body: &str) -> Fault {
        Refusal::read(body.as_bytes()).fault(status, false)
    }

    #[test]
    fn every_shape_gives_code_number_and_words() {
        let inner = r#""innererror":{"code":"InvalidToken","service":"svp"}"#;
        for (body, code, number, words) in [
            (
                r#"{"error":{"code":"BadRequest","message":"no","number":3090003}}"#,
                "BadRequest",
                Some(3_090_003),
                "no",
            ),
            (
                &format!(r#"{{"error":{{"code":"InvalidCredentials","message":"m",{inner}}}}}"#),
                "InvalidCredentials",
                None,
                "m",
            ),
            (
                r#"{"error":{"code":"BadRequest","message":"m","number":"1010550","target":"t"}}"#,
                "BadRequest",
                Some(1_010_550),
                "m",
            ),
            (
                r#"{"errror":{"code":"InternalServerError"}}"#,
                "InternalServerError",
                None,
                "InternalServerError",
            ),
            (r#"{"code":"Access Denied","message":"m"}"#, "Access Denied", None, "m"),
            ("<html><h1>Bad gateway", "", None, "a web page instead of JSON"),
            ("upstream\nreset", "", None, "upstream\nreset"),
            (r#"["no"]"#, "", None, r#"["no"]"#),
            ("", "", None, ""),
        ] {
            let refusal = Refusal::read(body.as_bytes());
            assert_eq!(
                (refusal.code.as_str(), refusal.number, refusal.words.as_str()),
                (code, number, words),
                "{body}"
            );
        }
    }

    #[test]
    fn numbers_under_400_that_are_no_mistakes_of_ours() {
        let numbered =
            |number: u64| format!(r#"{{"error":{{"code":"BadRequest","number":{number}}}}}"#);
        assert_eq!(fault(400, &numbered(DATA_LAKE_TIMEOUT)), Fault::TooLarge);
        assert_eq!(fault(400, &numbered(1_010_550)), Fault::ExpiredLink);
        assert_eq!(fault(400, &numbered(1_010_407)), Fault::ExpiredLink);
        assert_eq!(fault(400, &numbered(1_010_400)), Fault::BadRequest);
    }

    #[test]
    fn keys_quotas_and_links_are_told_apart() {
        assert_eq!(fault(401, r#"{"error":{"code":"InvalidCredentials"}}"#), Fault::UnknownKey);
        assert_eq!(fault(401, r#"{"error":{"message":"Token EXPIRED"}}"#), Fault::ExpiredKey);
        assert_eq!(fault(403, r#"{"error":{"code":"AccessDenied"}}"#), Fault::MissingScope);
        assert_eq!(fault(403, r#"{"error":{"code":"Access Denied"}}"#), Fault::MissingScope);
        assert_eq!(fault(400, r#"{"error":{"code":"TooManyRequests"}}"#), Fault::Throttled);
        assert!(is_throttled(429, b"") && !is_throttled(503, b"{}"));
        let refusal = Refusal::default();
        assert_eq!(refusal.fault(400, true), Fault::ExpiredLink);
        assert_eq!(refusal.fault(404, false), Fault::WrongUrl);
        assert_eq!(refusal.fault(504, true), Fault::Timeout);
    }
}
