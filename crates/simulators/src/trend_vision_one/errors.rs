//! The vendor's refusals, in the shapes that differ by service.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::answer::Answer;

/// A refusal in the vendor's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    status: StatusCode,
    body: Value,
    allow: Option<&'static str>,
}

impl Refused {
    /// 401 of the gateway; the misspelling is the vendor's.
    pub(super) fn invalid_token() -> Self {
        let message = "Invalid token, Authorization token invaild for header";
        Self::gateway(StatusCode::UNAUTHORIZED, "InvalidCredentials", message, "InvalidToken")
    }

    /// 403: the role lacks a permission.
    pub(super) fn access_denied() -> Self {
        Self::plain(StatusCode::FORBIDDEN, "AccessDenied", "Insufficient permissions.", None)
    }

    /// 404 of the gateway: no such path.
    pub(super) fn unknown_path() -> Self {
        Self::gateway(StatusCode::NOT_FOUND, "NotFound", "Not found", "NotFound")
    }

    /// 405.
    pub(super) fn wrong_method(allow: &'static str) -> Self {
        let refused = Self::plain(
            StatusCode::METHOD_NOT_ALLOWED,
            "MethodNotAllowed",
            "Method not allowed",
            None,
        );
        Self { allow: Some(allow), ..refused }
    }

    /// 413: the body is over 1 MB.
    pub(super) fn too_large() -> Self {
        Self::plain(StatusCode::PAYLOAD_TOO_LARGE, "PayloadTooLarge", "Payload too large", None)
    }

    /// 429, with a code or without.
    pub(super) fn too_many(with_code: bool) -> Self {
        let body = if with_code {
            json!({ "error": { "code": "TooManyRequests", "message": "Too many requests" } })
        } else {
            json!({ "message": "Too many API requests" })
        };
        Self { status: StatusCode::TOO_MANY_REQUESTS, body, allow: None }
    }

    /// 500.
    pub(super) fn unexpected() -> Self {
        Self::plain(
            StatusCode::INTERNAL_SERVER_ERROR,
            "InternalServerError",
            "Internal server error",
            Some(3_090_999),
        )
    }

    /// 503.
    pub(super) fn unavailable() -> Self {
        Self::plain(
            StatusCode::SERVICE_UNAVAILABLE,
            "ServiceUnavailable",
            "Service unavailable",
            None,
        )
    }

    /// A refusal of the workbench with the vendor's number.
    pub(super) fn workbench(status: StatusCode, message: &str, number: u32) -> Self {
        let code = match status {
            StatusCode::NOT_FOUND => "NotFound",
            StatusCode::PRECONDITION_FAILED => "ConditionNotMet",
            _ => "BadRequest",
        };
        Self::plain(status, code, message, Some(number))
    }

    /// 400 of the audit logs.
    pub(super) fn audit(message: &str) -> Self {
        let body = json!({ "error": {
            "code": "BadRequest", "message": format!("params error: {message}"),
            "innererror": { "code": "ParameterNotAccepted", "innererror": { "service": "uic" } },
        } });
        Self { status: StatusCode::BAD_REQUEST, body, allow: None }
    }

    /// 400 of the observed attack techniques.
    pub(super) fn technique(number: u32, message: &str) -> Self {
        let body = json!({ "error": {
            "code": "BadRequest", "message": message, "number": number, "target": "oat",
            "innererror": { "code": number.to_string() },
        } });
        Self { status: StatusCode::BAD_REQUEST, body, allow: None }
    }

    /// A refusal of the pipelines, whose 403 spells its code with a space.
    pub(super) fn pipeline(status: StatusCode, code: &str, message: &str) -> Self {
        let body = json!({ "error": {
            "code": code, "message": message, "target": "oat", "innererror": { "code": code },
        } });
        Self { status, body, allow: None }
    }

    /// 400 of the endpoint lists and the API keys.
    pub(super) fn parameter(message: &str) -> Self {
        Self::plain(StatusCode::BAD_REQUEST, "BadRequest", message, None)
    }

    /// 404 of the tasks and analyses.
    pub(super) fn no_task() -> Self {
        Self::plain(StatusCode::NOT_FOUND, "NotFound", "Not found.", None)
    }

    /// An action's refusal as a whole, in the words of its items.
    pub(super) fn whole(status: StatusCode) -> Self {
        match status {
            StatusCode::FORBIDDEN => Self::access_denied(),
            StatusCode::INTERNAL_SERVER_ERROR => {
                Self::plain(status, "InternalServerError", "Internal server error.", None)
            }
            _ => Self::plain(StatusCode::BAD_REQUEST, "BadRequest", "Bad request.", None),
        }
    }

    /// A refusal with this code.
    pub(super) fn coded(status: StatusCode, code: &str, message: &str) -> Self {
        Self::plain(status, code, message, None)
    }

    /// The answer that carries this refusal.
    pub(super) fn answer(&self) -> Answer {
        let mut answer = Answer::json(self.status, self.body.to_string());
        answer.headers.extend(self.allow.map(|methods| ("allow", methods.to_owned())));
        answer
    }

    fn plain(status: StatusCode, code: &str, message: &str, number: Option<u32>) -> Self {
        let mut error = json!({ "code": code, "message": message });
        if let Some(number) = number {
            error["number"] = Value::from(number);
        }
        Self { status, body: json!({ "error": error }), allow: None }
    }

    fn gateway(status: StatusCode, code: &str, message: &str, inner: &str) -> Self {
        let body = json!({ "error": {
            "code": code, "message": message, "innererror": { "code": inner, "service": "svp" },
        } });
        Self { status, body, allow: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(refused: &Refused) -> Value {
        serde_json::from_slice(&refused.answer().body).unwrap()
    }

    #[test]
    fn shapes_differ_by_service() {
        assert_eq!(body(&Refused::invalid_token())["error"]["innererror"]["service"], "svp");
        let audit = body(&Refused::audit("x"));
        assert_eq!(audit["error"]["innererror"]["innererror"]["service"], "uic");
        assert_eq!(body(&Refused::technique(1_010_550, "x"))["error"]["number"], 1_010_550);
        let gone = Refused::workbench(StatusCode::NOT_FOUND, "gone", 3_090_015);
        assert_eq!(body(&gone)["error"]["code"], "NotFound");
        assert!(body(&Refused::too_many(false)).get("error").is_none());
    }
}
