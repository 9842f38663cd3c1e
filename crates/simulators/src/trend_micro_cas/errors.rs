//! The vendor's error answers: `{"code":-<status><serial>,"traceId":…,"msg":…}`.

use axum::http::StatusCode;
use serde_json::json;

use crate::answer::Answer;

/// A refusal in the vendor's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refused {
    TokenNotFound,
    TokenExpired,
    NoPermission,
    BadParameter(String),
    UnknownPath,
    UnknownBatch,
    /// With the methods that the path takes.
    WrongMethod(&'static str),
    BodyTooLarge,
    TooMany,
    Unexpected,
    Unavailable,
}

impl Refused {
    /// Status, serial and message.
    fn facts(&self) -> (StatusCode, i32, String) {
        let (status, serial, message) = match self {
            Self::TokenNotFound => (StatusCode::UNAUTHORIZED, 1, "Authentication token not found"),
            Self::TokenExpired => (StatusCode::UNAUTHORIZED, 2, "Authentication token expired"),
            Self::NoPermission => (StatusCode::FORBIDDEN, 1, "No permission for this request"),
            Self::BadParameter(reason) => (StatusCode::BAD_REQUEST, 1, reason.as_str()),
            Self::UnknownPath => (StatusCode::NOT_FOUND, 1, "Unknown API"),
            Self::UnknownBatch => (StatusCode::NOT_FOUND, 2, "Unknown task token"),
            Self::WrongMethod(_) => (StatusCode::METHOD_NOT_ALLOWED, 1, "Method not supported"),
            Self::BodyTooLarge => (StatusCode::PAYLOAD_TOO_LARGE, 1, "The request is too large"),
            Self::TooMany => {
                (StatusCode::TOO_MANY_REQUESTS, 1, "Maximum allowed requests exceeded")
            }
            Self::Unexpected => {
                (StatusCode::INTERNAL_SERVER_ERROR, 1, "Unexpected server condition")
            }
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, 1, "Service temporarily unavailable")
            }
        };
        (status, serial, message.to_owned())
    }

    /// The answer that carries this refusal.
    pub(super) fn answer(&self, trace_id: &str) -> Answer {
        let (status, serial, message) = self.facts();
        let code = -(i32::from(status.as_u16()) * 10_000 + serial);
        let body = json!({ "code": code, "traceId": trace_id, "msg": message });
        let mut answer = Answer::json(status, body.to_string());
        if let Self::WrongMethod(methods) = self {
            answer.headers.push(("allow", (*methods).to_owned()));
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_follow_the_contract() {
        let answer = Refused::TooMany.answer("t-1");
        assert_eq!(answer.status.as_u16(), 429);
        assert_eq!(
            String::from_utf8_lossy(&answer.body),
            r#"{"code":-4290001,"traceId":"t-1","msg":"Maximum allowed requests exceeded"}"#
        );
        let expired = Refused::TokenExpired.answer("t-2");
        assert!(String::from_utf8_lossy(&expired.body).contains("-4010002"));
        assert_eq!(
            Refused::WrongMethod("GET").answer("t-3").headers,
            [("allow", "GET".to_owned())]
        );
    }
}
