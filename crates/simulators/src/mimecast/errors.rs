//! The vendor's refusals in their shapes: `fail` of the gateway, `error` of SIEM, and a failure inside a 200.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::answer::Answer;

use super::knobs::Knobs;

/// A refusal of the gateway: `{"fail":[{"code":…,"message":…}]}`; the message may be missing.
pub(super) fn gateway(status: StatusCode, code: &str, message: Option<&str>) -> Answer {
    let mut failure = json!({ "code": code });
    if let Some(message) = message {
        failure["message"] = json!(message);
    }
    Answer::json(status, json!({ "fail": [failure] }).to_string())
}

/// A refusal of the SIEM routes, in either of the shapes that have been seen.
pub(super) fn siem(status: StatusCode, code: &str, message: &str, as_fail: bool) -> Answer {
    if as_fail {
        return gateway(status, code, Some(message));
    }
    let body = json!({ "error": { "code": code, "message": message } });
    Answer::json(status, body.to_string())
}

/// The refusal of a paging token of the SIEM routes.
pub(super) fn stale(knobs: &Knobs) -> Answer {
    let status = StatusCode::from_u16(knobs.stale_status).unwrap_or(StatusCode::BAD_REQUEST);
    let message = "The page token is not valid any more";
    siem(status, "err_page_token", message, knobs.siem_fail_shape)
}

/// A call that was made and failed: HTTP 200 with the reason inside.
pub(super) fn function(key: &Value, code: &str, message: &str) -> Answer {
    let errors = json!([{ "code": code, "message": message, "retryable": false }]);
    let body = json!({
        "meta": { "status": 200 },
        "data": [],
        "fail": [{ "key": key, "errors": errors }],
    });
    Answer::json(StatusCode::OK, body.to_string())
}

pub(super) fn unknown_application() -> Answer {
    let message = "Client credentials are invalid";
    gateway(StatusCode::UNAUTHORIZED, "InvalidClientIdentifier", Some(message))
}

pub(super) fn forbidden() -> Answer {
    let message = "Forbidden to perform the requested operation";
    gateway(StatusCode::FORBIDDEN, "app_forbidden", Some(message))
}

pub(super) fn unavailable(html: bool) -> Answer {
    if html {
        return Answer::html(StatusCode::SERVICE_UNAVAILABLE, "503 Service Unavailable");
    }
    let message = "The service is temporarily unavailable";
    gateway(StatusCode::SERVICE_UNAVAILABLE, "internal-error", Some(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_have_their_shapes() {
        let body = |answer: Answer| String::from_utf8(answer.body).unwrap();
        assert_eq!(
            body(gateway(StatusCode::UNAUTHORIZED, "unauthorized", None)),
            r#"{"fail":[{"code":"unauthorized"}]}"#
        );
        assert_eq!(
            body(siem(StatusCode::BAD_REQUEST, "c", "m", false)),
            r#"{"error":{"code":"c","message":"m"}}"#
        );
        let inside = function(&json!({"from": "x"}), "err", "m");
        assert_eq!(inside.status, 200);
        assert!(body(inside).contains(r#""data":[],"fail":[{"key":{"from":"x"}"#));
    }
}
