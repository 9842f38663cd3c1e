//! An answer before it is put on the wire, and the faults of the wire: gzip, cut bodies, a skewed date.
//!
//! Vendors decide *what* is answered as an [`Answer`]; nothing here knows a vendor.

use std::io::{self, Write};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode, header};
use chrono::DateTime;
use flate2::{Compression, write::GzEncoder};
use futures::stream::{self, StreamExt};

use crate::journal::Refusal;

/// How long the first half of a cut body is given to reach the client.
const CUT_DELAY: Duration = Duration::from_millis(20);

/// A decided answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    /// Seconds for the `Retry-After` header.
    pub(crate) retry_after_s: Option<i64>,
    /// Other headers: lower-case name and value.
    pub(crate) headers: Vec<(&'static str, String)>,
    /// Whether the body is gzip-encoded whatever the faults say.
    pub(crate) compressed: bool,
    /// Why it is a 429.
    pub(crate) reason: Option<Refusal>,
    /// Whether a fault decided it.
    pub(crate) injected: bool,
    /// Whether the connection breaks in the middle of the body.
    pub(crate) cut: bool,
    /// Stream number and record numbers that the body carries.
    pub(crate) records: Option<(usize, Vec<u64>)>,
}

impl Answer {
    /// A JSON answer.
    pub(crate) fn json(status: StatusCode, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            content_type: "application/json",
            body: body.into(),
            retry_after_s: None,
            headers: Vec::new(),
            compressed: false,
            reason: None,
            injected: false,
            cut: false,
            records: None,
        }
    }

    /// An HTML page, as gateways between client and vendor send.
    pub(crate) fn html(status: StatusCode, title: &str) -> Self {
        let body = format!(
            "<html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
        );
        Self { content_type: "text/html; charset=utf-8", ..Self::json(status, body) }
    }

    /// The same answer, marked as decided by a fault.
    pub(crate) fn injected(self) -> Self {
        Self { injected: true, ..self }
    }

    /// The records that reach the client: none when the body is cut.
    pub(crate) fn delivered(&self) -> Option<(usize, &[u64])> {
        let (stream, numbers) = self.records.as_ref()?;
        (!self.cut).then_some((*stream, numbers.as_slice()))
    }
}

/// Puts an answer on the wire; `date_ms` is the `Date` header in epoch milliseconds.
pub(crate) fn respond(answer: Answer, gzip: bool, date_ms: i64) -> Response<Body> {
    let gzip = gzip || answer.compressed;
    let body = if gzip { compress(&answer.body).unwrap_or_default() } else { answer.body };
    let length = body.len();
    let mut response = Response::new(if answer.cut { cut_body(body) } else { Body::from(body) });
    *response.status_mut() = answer.status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(answer.content_type));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    if let Some(date) = http_date(date_ms) {
        headers.insert(header::DATE, date);
    }
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Some(seconds) = answer.retry_after_s {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

fn compress(body: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body)?;
    encoder.finish()
}

/// Sends the first half, then breaks: the announced length is never reached.
#[expect(clippy::disallowed_methods, reason = "a cut on the wire takes real time")]
fn cut_body(mut body: Vec<u8>) -> Body {
    body.truncate(body.len() / 2);
    let first_half = stream::once(async move { Ok(Bytes::from(body)) });
    let rupture = stream::once(async {
        tokio::time::sleep(CUT_DELAY).await;
        Err(io::Error::from(io::ErrorKind::ConnectionReset))
    });
    Body::from_stream(first_half.chain(rupture))
}

fn http_date(epoch_ms: i64) -> Option<HeaderValue> {
    let date = DateTime::from_timestamp_millis(epoch_ms)?;
    HeaderValue::from_str(&date.format("%a, %d %b %Y %H:%M:%S GMT").to_string()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cut_answers_deliver_no_records() {
        let mut answer = Answer::json(StatusCode::OK, "{}");
        answer.records = Some((3, vec![1, 2]));
        assert_eq!(answer.delivered(), Some((3, [1, 2].as_slice())));
        answer.cut = true;
        assert_eq!(answer.delivered(), None);
    }

    #[test]
    fn the_date_header_is_the_given_time() {
        let response = respond(Answer::json(StatusCode::OK, "{}"), false, 1_772_438_400_000);
        let date = response.headers().get(header::DATE).and_then(|date| date.to_str().ok());
        assert_eq!(date, Some("Mon, 02 Mar 2026 08:00:00 GMT"));
    }
}
