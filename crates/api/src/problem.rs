//! Every error leaves as problem details (RFC 9457), made here and nowhere else.
//!
//! The detail says what is wrong with the request. What failed inside goes to the log; the answer
//! never holds a secret, a path of the server or a debug print.

use model::causes::chain;
use std::any::Any;
use std::error::Error;

use axum::Json;
use axum::body::Body;
use axum::extract::rejection::{JsonRejection, PathRejection, QueryRejection};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER as RETRY_AFTER_HEADER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, Response, StatusCode, Uri};
use axum::response::IntoResponse;
use engine::error::{EngineError, ErrorKind};
use model::hint::Hint;
use serde::Serialize;
use utoipa::ToSchema;

/// The media type of problem details.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// Seconds after which something that cannot work now is worth another try, when nobody knows better.
const RETRY_AFTER: u64 = 5;

/// Why a request was not answered (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Problem {
    /// The kind of problem, fixed for programs: `urn:tarn:problem:not-found`.
    #[serde(rename = "type")]
    #[schema(example = "urn:tarn:problem:not-found")]
    kind: String,
    /// The kind of problem for people.
    #[schema(example = "not found")]
    title: String,
    /// The HTTP status.
    #[schema(example = 404)]
    status: u16,
    /// What is wrong with this request.
    #[schema(example = "no connector `mail` in tenant `default`")]
    detail: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// Seconds after which asking again may help.
    #[serde(skip)]
    retry_after: Option<u64>,
}

impl Problem {
    /// A problem of a status.
    pub(crate) fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        let (word, title) = kind_of(status);
        Self {
            kind: format!("urn:tarn:problem:{word}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            hint: None,
            retry_after: (status == StatusCode::SERVICE_UNAVAILABLE).then_some(RETRY_AFTER),
        }
    }

    /// With what to do about it.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Some part of the request cannot be read.
    pub(crate) fn unreadable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, detail)
    }

    /// The request can be read, but not carried out as it stands.
    pub(crate) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
    }

    /// No valid token. The answer is the same for an unknown, an expired and a revoked one.
    pub(crate) fn unauthorised() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "this request has no valid access token")
            .with_hint("send `Authorization: Bearer TOKEN`")
    }

    /// The token does not reach this far.
    pub(crate) fn forbidden(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, detail)
            .with_hint("use a token that holds this right in this tenant")
    }

    /// The catalog or the lake does not answer; which one and why is in the log.
    pub(crate) fn not_ready() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "the catalog or the lake does not answer")
            .with_hint("the server's log says why")
    }

    /// A fault of ours; what happened is in the log.
    pub(crate) fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "the server failed to answer")
            .with_hint("the server's log says why")
    }

    /// The status of the answer.
    pub(crate) fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

/// The word and the title of the problems of a status.
fn kind_of(status: StatusCode) -> (&'static str, &'static str) {
    match status {
        StatusCode::BAD_REQUEST => ("unreadable", "the request cannot be read"),
        StatusCode::UNAUTHORIZED => ("unauthorised", "no valid access token"),
        StatusCode::FORBIDDEN => ("forbidden", "not allowed"),
        StatusCode::NOT_FOUND => ("not-found", "not found"),
        StatusCode::METHOD_NOT_ALLOWED => ("method-not-allowed", "wrong method"),
        StatusCode::REQUEST_TIMEOUT => ("timeout", "the request took too long"),
        StatusCode::CONFLICT => ("conflict", "clashes with what is there"),
        StatusCode::PAYLOAD_TOO_LARGE => ("too-large", "the request is too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => ("media-type", "wrong media type"),
        StatusCode::UNPROCESSABLE_ENTITY => ("invalid", "the request cannot be carried out"),
        StatusCode::TOO_MANY_REQUESTS => ("throttled", "asked too much for now"),
        StatusCode::SERVICE_UNAVAILABLE => ("unavailable", "cannot answer now"),
        _ => ("internal", "the server failed"),
    }
}

/// The one place where a kind of failure becomes a status.
fn status_of(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::Unreadable => StatusCode::BAD_REQUEST,
        ErrorKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        ErrorKind::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::Throttled => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<EngineError> for Problem {
    fn from(error: EngineError) -> Self {
        let status = status_of(error.kind());
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = chain(&error), "failed to answer a request");
            return Self::internal();
        }
        let is_refusal = matches!(error, EngineError::Stack(_));
        let detail = if status.is_server_error() && !is_refusal {
            tracing::error!(error = chain(&error), "failed to answer a request");
            error.to_string()
        } else {
            chain(&error)
        };
        let mut problem = Self { hint: error.hint(), ..Self::new(status, detail) };
        if let Some(word) = error.word() {
            problem.kind = format!("urn:tarn:problem:{word}");
        }
        let seconds = error.retry_after().map(|span| span.as_secs().max(1));
        problem.retry_after = seconds.or(problem.retry_after);
        problem
    }
}

impl From<JsonRejection> for Problem {
    fn from(rejection: JsonRejection) -> Self {
        let problem = match &rejection {
            JsonRejection::JsonDataError(_) | JsonRejection::JsonSyntaxError(_) => {
                let cause = told(&rejection);
                Self::new(rejection.status(), format!("the body: {}", without_values(&cause)))
            }
            JsonRejection::MissingJsonContentType(_) => {
                Self::new(rejection.status(), "the body must be JSON")
                    .with_hint("send `Content-Type: application/json`")
            }
            rejection if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Self::new(rejection.status(), "the body is larger than this route accepts")
            }
            rejection => Self::new(rejection.status(), "the body cannot be read"),
        };
        match problem.hint {
            Some(_) => problem,
            None => problem.with_hint("/api/v1/openapi.json has the schema"),
        }
    }
}

impl From<QueryRejection> for Problem {
    fn from(rejection: QueryRejection) -> Self {
        Self::unreadable(format!("the query parameters: {}", told(&rejection)))
    }
}

impl From<PathRejection> for Problem {
    fn from(_: PathRejection) -> Self {
        Self::unreadable("the path cannot be read: it must be percent-encoded UTF-8")
    }
}

/// What axum says about a rejected part, without its own first words.
fn told(rejection: &dyn Error) -> String {
    let text = rejection.to_string();
    text.split_once(": ").map_or(text.as_str(), |(_, told)| told).to_owned()
}

/// A serde message without the text that was sent: it may be a secret in the wrong place.
pub(crate) fn without_values(message: &str) -> String {
    let Some((before, after)) = message.split_once(" string \"") else { return message.to_owned() };
    let rest = after.rfind(", expected ").map_or("", |end| &after[end..]);
    format!("{before} string{rest}")
}

impl IntoResponse for Problem {
    fn into_response(self) -> axum::response::Response {
        let (status, retry_after) = (self.status(), self.retry_after);
        let mut response = (status, Json(self)).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER_HEADER, seconds.into());
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        let challenge = match status {
            StatusCode::UNAUTHORIZED => "Bearer realm=\"tarn\"",
            StatusCode::FORBIDDEN => "Bearer realm=\"tarn\", error=\"insufficient_scope\"",
            _ => return response,
        };
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        response
    }
}

/// Answers requests to paths that do not exist.
pub(crate) async fn unknown_route(uri: Uri) -> Problem {
    Problem::new(StatusCode::NOT_FOUND, format!("there is no route `{}`", uri.path()))
        .with_hint("/api/v1/openapi.json lists the routes")
}

/// Answers requests with a method that the path does not know.
pub(crate) async fn wrong_method(method: Method, uri: Uri) -> Problem {
    let detail = format!("`{}` does not take {method}", uri.path());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail)
        .with_hint("the header `Allow` lists the methods")
}

/// Answers a request whose handler panicked.
pub(crate) fn panicked(_: Box<dyn Any + Send + 'static>) -> Response<Body> {
    tracing::error!("a request handler panicked");
    Problem::internal().into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_in_the_wrong_place_is_not_repeated() {
        let message = "connectors[0]: invalid type: string \"hunter2, expected x\", expected a map";
        let shown = without_values(message);
        assert_eq!(shown, "connectors[0]: invalid type: string, expected a map");
        assert_eq!(without_values("missing field `query`"), "missing field `query`");
    }

    #[test]
    fn a_cause_that_the_message_tells_already_is_not_told_twice() {
        #[derive(Debug)]
        struct Outer(std::fmt::Error);
        impl std::fmt::Display for Outer {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(out, "connector `a`: {}", self.0)
            }
        }
        impl Error for Outer {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.0)
            }
        }
        let error = Outer(std::fmt::Error);
        assert_eq!(chain(&error), error.to_string());
    }
}
