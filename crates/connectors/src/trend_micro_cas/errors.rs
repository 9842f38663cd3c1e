//! What the vendor's refusals mean: `{"code":-4010001,"traceId":…,"msg":…}`, or anything a gateway says.

use model::secret::Secret;
use model::vendor::{Fault, FetchError};
use serde_json::Value;

use crate::client::{Answer, quote, status_fault};

/// The code of "too many requests", whatever the status says.
const THROTTLED: i64 = -4_290_001;

/// Whether a refusal speaks of the quota.
pub(super) fn is_throttled(status: u16, body: &[u8]) -> bool {
    status == 429 || Refusal::read(body).code == Some(THROTTLED)
}

/// The error that a refusal stands for. `continued` tells that a next link was asked.
pub(super) fn refused(answer: &Answer, secret: &Secret, continued: bool) -> FetchError {
    let refusal = Refusal::read(&answer.body);
    let fault = refusal.fault(answer.status, continued);
    answer.refused(fault, &quote(&refusal.words, secret))
}

/// The error of a success whose body is no page: a refusal in disguise, or nothing of this vendor.
pub(super) fn misread(answer: &Answer, secret: &Secret, problem: &str) -> FetchError {
    let refusal = Refusal::read(&answer.body);
    match refusal.code {
        Some(code) if code != 0 => refused(answer, secret, false),
        _ => answer.refused(Fault::Unreadable, problem),
    }
}

/// What can be read of a refusal's body.
#[derive(Debug, Default, PartialEq)]
struct Refusal {
    code: Option<i64>,
    words: String,
}

impl Refusal {
    fn read(body: &[u8]) -> Self {
        match serde_json::from_slice(body) {
            Ok(Value::Object(members)) => {
                let number = |name: &str| match members.get(name)? {
                    Value::String(text) => text.trim().parse().ok(),
                    other => other.as_i64(),
                };
                let text = |name: &str| members.get(name)?.as_str().filter(|text| !text.is_empty());
                let words = ["msg", "message", "error"].iter().find_map(|name| text(name));
                Self { code: number("code"), words: words.unwrap_or_default().to_owned() }
            }
            Ok(other) => Self { code: None, words: other.to_string() },
            Err(_) => Self { code: None, words: foreign_words(body) },
        }
    }

    fn fault(&self, status: u16, continued: bool) -> Fault {
        let words = self.words.to_ascii_lowercase();
        if self.code == Some(THROTTLED) {
            return Fault::Throttled;
        }
        if matches!(status, 401 | 403) && words.contains("expir") {
            return Fault::ExpiredKey;
        }
        if status == 403 && words.contains("token not found") {
            return Fault::UnknownKey;
        }
        // The vendor made the link itself, so what is wrong with it is its age.
        if continued && matches!(status, 400 | 404 | 410) {
            return Fault::ExpiredLink;
        }
        status_fault(status).unwrap_or(Fault::Unreadable)
    }
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
    fn keys_are_unknown_expired_or_without_the_right() {
        let unknown = r#"{"code":-4010001,"traceId":"t","msg":"Authentication token not found"}"#;
        assert_eq!(fault(401, unknown), Fault::UnknownKey);
        assert_eq!(fault(403, unknown), Fault::UnknownKey);
        assert_eq!(fault(401, r#"{"msg":"Token has EXPIRED"}"#), Fault::ExpiredKey);
        assert_eq!(
            fault(403, r#"{"message":"the token is past its expiration"}"#),
            Fault::ExpiredKey
        );
        assert_eq!(fault(403, r#"{"msg":"No permission"}"#), Fault::MissingScope);
        assert_eq!(fault(401, ""), Fault::UnknownKey);
    }

    #[test]
    fn the_throttling_code_counts_whatever_the_status() {
        let body = r#"{"code":"-4290001","msg":"Maximum allowed requests exceeded"}"#;
        assert_eq!(fault(400, body), Fault::Throttled);
        assert!(is_throttled(400, body.as_bytes()));
        assert!(is_throttled(429, b"<html>"));
        assert!(!is_throttled(503, b"{}"));
    }

    #[test]
    fn a_refused_link_has_run_out() {
        let refusal = Refusal::read(b"{}");
        assert_eq!(refusal.fault(400, true), Fault::ExpiredLink);
        assert_eq!(refusal.fault(404, true), Fault::ExpiredLink);
        assert_eq!(refusal.fault(404, false), Fault::WrongUrl);
        assert_eq!(refusal.fault(503, true), Fault::Outage);
    }

    #[test]
    fn any_body_gives_words_or_none() {
        assert_eq!(Refusal::read(b"<html><h1>Bad gateway").words, "a web page instead of JSON");
        assert_eq!(Refusal::read(b"upstream\nreset").words, "upstream\nreset");
        assert_eq!(Refusal::read(b"\xff\xfe").words, "\u{fffd}\u{fffd}");
        assert_eq!(Refusal::read(br#"["no"]"#).words, r#"["no"]"#);
        assert_eq!(Refusal::read(br#"{"code":7,"msg":null,"message":"m"}"#).words, "m");
        assert_eq!(Refusal::read(b""), Refusal::default());
    }
}
