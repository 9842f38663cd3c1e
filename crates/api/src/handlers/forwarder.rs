//! The routes of a stack's client: `docs/decisions/0011-stacks-and-their-client.md` says how they work together.

use axum::Json;
use axum::body::Body as RawBody;
use axum::extract::State;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use engine::stacks::push::{PACKED_CAP, Push};
use percent_encoding::percent_decode_str;

use crate::dto::counts::Counts;
use crate::dto::forwarder::{EnrolmentRequest, Heartbeat, NextToken, Standing};
use crate::extract::{Body, StackSender};
use crate::problem::Problem;
use crate::server::Server;
use crate::upload;

const KEY: &str = "Idempotency-Key";
const OBJECT: &str = "Tarn-Object";
const REASON: &str = "Tarn-Reason";

/// Exchanges the code of a link for a token that the client made. The same exchange again is answered the same.
#[utoipa::path(
    post, path = "/api/v1/forwarder/enrol", tag = "forwarder", request_body = EnrolmentRequest,
    responses(
        (status = 200, body = Standing),
        (status = 403, description = "The code is unknown, old or used", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn enrol(
    State(server): State<Server>,
    Body(asked): Body<EnrolmentRequest>,
) -> Result<Json<Standing>, Problem> {
    Ok(Json(server.app.enrol(asked.into()).await?.into()))
}

/// Gives the client its next token. The present one is valid until the next one is used.
#[utoipa::path(
    post, path = "/api/v1/forwarder/token", tag = "forwarder", request_body = NextToken,
    responses((status = 200, body = Standing))
)]
pub(crate) async fn rotate_token(
    State(server): State<Server>,
    StackSender(sender): StackSender,
    Body(next): Body<NextToken>,
) -> Result<Json<Standing>, Problem> {
    Ok(Json(server.app.rotate(&sender, &next.token).await?.into()))
}

/// Notes that the client lives. That of a stack which is not wanted is refused, and noted all the same.
#[utoipa::path(
    post, path = "/api/v1/forwarder/heartbeat", tag = "forwarder", request_body = Heartbeat,
    responses((status = 200, body = Standing))
)]
pub(crate) async fn heartbeat(
    State(server): State<Server>,
    StackSender(sender): StackSender,
    Body(beat): Body<Heartbeat>,
) -> Result<Json<Standing>, Problem> {
    Ok(Json(server.app.heartbeat(&sender, &beat.into()).await?.into()))
}

/// Stores records, `{"Records":[…]}`, gzipped or not: at most 2 MiB, 16 MiB unpacked, 10,000 records. They are durable
/// when this is answered. The same key with the same body again is answered the same for seven days.
#[utoipa::path(
    post, path = "/api/v1/forwarder/records", tag = "forwarder",
    request_body(content = serde_json::Value, content_type = "application/json"),
    params(
        ("Idempotency-Key" = String, Header, description = "Tells this push from every other one of the stack"),
        ("Tarn-Object" = Option<String>, Header, description = "The object, percent-encoded: `s3://bucket/key`"),
        ("Content-Encoding" = Option<String>, Header, description = "`gzip`, or none"),
    ),
    responses((status = 200, description = "What became of the records", body = Counts))
)]
pub(crate) async fn push_records(
    State(server): State<Server>,
    StackSender(sender): StackSender,
    headers: HeaderMap,
    body: RawBody,
) -> Result<Json<Counts>, Problem> {
    must_be_json(&headers)?;
    let push = push_of(&server, &headers, body).await?;
    Ok(Json(server.app.push_records(&sender, push).await?.into()))
}

/// Sets aside what the client could not read: the object's bytes up to 1 MiB, or none and its name.
#[utoipa::path(
    post, path = "/api/v1/forwarder/dead-letters", tag = "forwarder",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    params(
        ("Idempotency-Key" = String, Header, description = "Tells this push from every other one of the stack"),
        ("Tarn-Object" = Option<String>, Header, description = "The object, percent-encoded: `s3://bucket/key`"),
        ("Tarn-Reason" = Option<String>, Header, description = "Why it cannot be read, percent-encoded"),
    ),
    responses((status = 200, description = "It is kept", body = Counts))
)]
pub(crate) async fn push_dead_letter(
    State(server): State<Server>,
    StackSender(sender): StackSender,
    headers: HeaderMap,
    body: RawBody,
) -> Result<Json<Counts>, Problem> {
    let reason = text(&headers, REASON)?;
    let reason = if reason.is_empty() { "the client could not read it" } else { &reason };
    let push = push_of(&server, &headers, body).await?;
    Ok(Json(server.app.push_dead_letter(&sender, push, reason).await?.into()))
}

/// Reads a push. Memory for it is claimed before.
async fn push_of(server: &Server, headers: &HeaderMap, body: RawBody) -> Result<Push, Problem> {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let place = server.app.push_place(length)?;
    Ok(Push {
        key: text(headers, KEY)?,
        object: text(headers, OBJECT)?,
        encoding: plain(headers, CONTENT_ENCODING.as_str())?,
        body: upload::whole(body, PACKED_CAP, &server.app).await?,
        place,
    })
}

fn must_be_json(headers: &HeaderMap) -> Result<(), Problem> {
    let sent = plain(headers, CONTENT_TYPE.as_str())?;
    let media_type = sent.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match media_type.as_str() {
        "" | "application/json" | "application/octet-stream" => Ok(()),
        _ => Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "the body must be JSON")
            .with_hint("send `Content-Type: application/json`")),
    }
}

/// A header that is percent-encoded, because names of objects may be any text; empty when it is not there.
fn text(headers: &HeaderMap, name: &str) -> Result<String, Problem> {
    let plain = plain(headers, name)?;
    decoded(&plain).ok_or_else(|| unreadable(name))
}

/// A header that is given at most once.
fn plain(headers: &HeaderMap, name: &str) -> Result<String, Problem> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(String::new()),
        (Some(value), None) => value.to_str().map(str::to_owned).map_err(|_| unreadable(name)),
        (Some(_), Some(_)) => Err(unreadable(name)),
    }
}

fn unreadable(name: &str) -> Problem {
    Problem::unreadable(format!("the header `{name}` must be given once, as percent-encoded UTF-8"))
}

/// Undoes percent-encoding; a `%` that begins none is itself.
fn decoded(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_objects_come_through_headers() {
        let sent = "s3://b/a%20b/%E6%97%A5%E6%9C%AC%25.json.gz";
        assert_eq!(decoded(sent).as_deref(), Some("s3://b/a b/日本%.json.gz"));
        assert_eq!(decoded("100%").as_deref(), Some("100%"));
        for plain in ["%zz%2", "%+f"] {
            assert_eq!(decoded(plain).as_deref(), Some(plain), "no escape begins there");
        }
        assert_eq!(decoded("%ff"), None);
    }
}
