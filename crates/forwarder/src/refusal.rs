//! What Tarn's answers mean to a client: wait, halve, pause, or leave a message to come again.

use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::Deserialize;

/// The ends of the problem types that say a stack is not wanted now.
const UNWANTED: [&str; 3] = ["stack-revoked", "stack-expired", "token-unknown"];
/// The end of the problem type that refuses a code.
const ENROLMENT: &str = "enrolment-refused";
/// Most characters of an answer's own words in an error.
const WORDS: usize = 300;

/// Why something was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The stack is revoked, has expired, or its token is not known.
    #[error("Tarn does not want this stack now: {0}")]
    Unwanted(String),
    /// The code does not enrol this client.
    #[error("Tarn refuses the enrolment code: {0}")]
    Enrolment(String),
    /// The body is too large.
    #[error("the request is too large for Tarn")]
    TooLarge,
    /// Refused for another reason, which a repetition does not change.
    #[error("Tarn refuses the request: {0}")]
    Refused(String),
    /// Not answered, or answered with a failure, to the end of all patience.
    #[error("Tarn does not take the request: {0}")]
    Failed(String),
}

/// A failed attempt.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// It may be repeated, after so long if the server said so.
    Again(String, Option<Duration>),
    /// It may not.
    Over(Refusal),
}

/// A problem document (RFC 9457); what is missing is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Problem {
    r#type: String,
    title: String,
    detail: String,
}

/// What an answer other than 2xx means.
pub(crate) fn of(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Attempt {
    let problem: Problem = serde_json::from_slice(body).unwrap_or_default();
    let words = told(status, &problem);
    let has_type = |end: &str| problem.r#type.ends_with(end);
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Attempt::Over(Refusal::TooLarge),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if has_type(ENROLMENT) => {
            Attempt::Over(Refusal::Enrolment(words))
        }
        // Without one of these types something before Tarn refuses, a firewall that dislikes a record's words: that is
        // one request's misfortune and says nothing about the stack.
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if UNWANTED.into_iter().any(has_type) => {
            Attempt::Over(Refusal::Unwanted(words))
        }
        StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
            Attempt::Again(words, retry_after(headers))
        }
        _ if status.is_server_error() => Attempt::Again(words, retry_after(headers)),
        _ => Attempt::Over(Refusal::Refused(words)),
    }
}

/// Seconds only: Tarn writes no dates.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}

fn told(status: StatusCode, problem: &Problem) -> String {
    let words = if problem.detail.is_empty() { &problem.title } else { &problem.detail };
    let words: String = words.chars().filter(|letter| !letter.is_control()).take(WORDS).collect();
    if words.is_empty() { status.to_string() } else { format!("{status}: {words}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, wait: Option<&str>, body: &str) -> Attempt {
        let mut headers = HeaderMap::new();
        if let Some(wait) = wait {
            headers.insert(RETRY_AFTER, wait.parse().unwrap());
        }
        of(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
    }

    #[test]
    fn only_a_known_type_says_that_the_stack_is_not_wanted() {
        for end in UNWANTED {
            let body = format!(r#"{{"type":"https://tarn.example/problems/{end}","detail":"no"}}"#);
            assert!(matches!(read(401, None, &body), Attempt::Over(Refusal::Unwanted(_))));
            assert!(matches!(read(403, None, &body), Attempt::Over(Refusal::Unwanted(_))));
        }
        let code = r#"{"type":"enrolment-refused","title":"the code is old"}"#;
        let refused = Refusal::Enrolment("403 Forbidden: the code is old".to_owned());
        assert_eq!(read(403, None, code), Attempt::Over(refused));
        for body in ["<html>blocked</html>", r#"{"type":"about:blank"}"#, ""] {
            assert!(matches!(read(403, None, body), Attempt::Over(Refusal::Refused(_))), "{body}");
        }
    }

    #[test]
    fn what_is_repeated_waits_as_long_as_it_was_told() {
        let wait = |status, header| match read(status, header, "") {
            Attempt::Again(_, wait) => wait,
            Attempt::Over(refusal) => panic!("{refusal}"),
        };
        assert_eq!(wait(429, Some("7")), Some(Duration::from_secs(7)));
        assert_eq!(wait(503, Some(" 0 ")), Some(Duration::ZERO));
        assert_eq!(wait(500, None), None);
        assert_eq!(wait(503, Some("Wed, 21 Oct 2026 07:28:00 GMT")), None);
        assert_eq!(read(413, None, ""), Attempt::Over(Refusal::TooLarge));
        assert!(matches!(read(301, None, ""), Attempt::Over(Refusal::Refused(_))));
    }
}
