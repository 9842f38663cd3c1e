//! TTP logs: a POST that reads, oldest first, with the same filters on every page.

use bytes::Bytes;
use model::batch::DeadLetter;
use model::record::Record;
use model::time::{Interval, Timestamp};
use serde_json::{Map, Value, json};

use super::Kind;
use crate::cutting::{Document, Items, readable};

/// The most rows that clients are known to ask for.
const FULL_PAGE: u32 = 500;

/// A page of logs.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Logs {
    pub(super) records: Vec<Record>,
    pub(super) unusable: Vec<DeadLetter>,
    /// The token of the next page; `None` at the end.
    pub(super) next: Option<String>,
}

/// The path of a kind of logs.
pub(super) fn path(kind: Kind) -> &'static str {
    match kind {
        Kind::TtpAttachment => "/api/ttp/attachment/get-logs",
        Kind::TtpImpersonation => "/api/ttp/impersonation/get-logs",
        Kind::TtpUrl | Kind::Siem => "/api/ttp/url/get-logs",
    }
}

/// The body of a request.
pub(super) fn body(
    kind: Kind,
    interval: Interval,
    token: Option<&str>,
    page_size: Option<u32>,
) -> Bytes {
    let mut pagination = json!({ "pageSize": page_size.unwrap_or(FULL_PAGE).clamp(1, FULL_PAGE) });
    if let Some(token) = token {
        pagination["pageToken"] = json!(token);
    }
    let mut filter = json!({
        "from": written(interval.start),
        "to": written(rounded_up(interval.end)),
        // Newest first would shift the pages whenever a row arrives.
        "oldestFirst": true,
    });
    if kind == Kind::TtpUrl {
        // Unasked, the vendor answers malicious links only.
        filter["scanResult"] = json!("all");
    }
    let request = json!({ "meta": { "pagination": pagination }, "data": [filter] });
    Bytes::from(request.to_string())
}

/// Reads a page. Failures inside it are looked for before.
pub(super) fn read(body: &Bytes, kind: Kind) -> Result<Logs, &'static str> {
    let text = readable(body);
    let page = Document::object(body, &text).map_err(|_| "the body is not a JSON object")?;
    let meta: Value =
        page.member("meta").and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
    let items = match page.member("data") {
        None | Some("null") if meta.is_object() => Items::default(),
        None | Some("null") => return Err("the body is no page of logs"),
        Some(data) if is_idle(data) => Items::default(),
        Some(_) => page.items(kind.array()).ok_or("`data` holds no logs of this kind")?,
    };
    let served = items.records.len() + items.unusable.len();
    let next = match &meta["pagination"]["next"] {
        Value::String(token) if !token.trim().is_empty() => Some(token.clone()),
        _ => None,
    };
    // A last page without rows may still name a next one.
    let next = next.filter(|_| served > 0);
    Ok(Logs { records: items.records, unusable: items.unusable, next })
}

/// Whether `data` says that there are no logs, and leaves their list out.
fn is_idle(data: &str) -> bool {
    let parts: Vec<Map<String, Value>> = serde_json::from_str(data).unwrap_or_default();
    let is_empty = |part: &Map<String, Value>| {
        part.len() == 1 && part.get("resultCount").is_some_and(|count| *count == 0)
    };
    !parts.is_empty() && parts.iter().all(is_empty)
}

/// The documented form: whole seconds, and an offset without colon.
fn written(time: Timestamp) -> String {
    time.to_chrono().format("%Y-%m-%dT%H:%M:%S+0000").to_string()
}

/// The next whole second, so that cutting loses no row at the end.
fn rounded_up(time: Timestamp) -> Timestamp {
    Timestamp::from_millis(time.as_micros().saturating_add(999_999).div_euclid(1_000_000) * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logs(body: &str) -> Result<(usize, Option<String>), &'static str> {
        read(&Bytes::copy_from_slice(body.as_bytes()), Kind::TtpUrl)
            .map(|page| (page.records.len(), page.next))
    }

    #[test]
    fn both_bounds_the_order_and_all_results_are_asked_for() {
        let time = |text: &str| Timestamp::parse(text).unwrap();
        let interval =
            Interval { start: time("2026-10-01T00:00:00.9Z"), end: time("2026-10-01T01:00:00.1Z") };
        let asked = |kind, token| {
            serde_json::from_slice::<Value>(&body(kind, interval, token, None)).unwrap()
        };
        assert_eq!(
            asked(Kind::TtpUrl, None),
            json!({
                "meta": {"pagination": {"pageSize": 500}},
                "data": [{"from": "2026-10-01T00:00:00+0000", "to": "2026-10-01T01:00:01+0000",
                          "oldestFirst": true, "scanResult": "all"}]
            })
        );
        let next = asked(Kind::TtpAttachment, Some("T"));
        assert_eq!(next["meta"]["pagination"]["pageToken"], "T");
        assert_eq!(next["data"][0].get("scanResult"), None);
        assert_eq!(next["data"][0]["from"], "2026-10-01T00:00:00+0000");
    }

    #[test]
    fn paging_ends_without_a_token_or_without_rows() {
        let page = |next: &str, data: &str| {
            logs(&format!(r#"{{"meta":{{"status":200,"pagination":{{{next}}}}},"data":{data}}}"#))
        };
        let next = r#""next":"T2""#;
        let one = r#"[{"clickLogs":[{"a":1}]}]"#;
        assert_eq!(page(next, one), Ok((1, Some("T2".to_owned()))));
        assert_eq!(page("", one), Ok((1, None)));
        assert_eq!(page(next, "[]"), Ok((0, None)));
        assert_eq!(page(next, r#"[{"clickLogs":[]}]"#), Ok((0, None)));
        assert_eq!(page(r#""next":"""#, one), Ok((1, None)));
    }

    #[test]
    fn records_are_the_bytes_as_served_and_odd_rows_dead_letters() {
        let body = Bytes::from_static(
            br#"{"meta":{},"data":[{"clickLogs":[{"a": 1.50}, 7]},{"clickLogs":[{"b":2}],"resultCount":1}]}"#,
        );
        let page = read(&body, Kind::TtpUrl).unwrap();
        let raw: Vec<_> = page.records.iter().map(|record| record.raw().as_ref()).collect();
        assert_eq!(raw, [&br#"{"a": 1.50}"#[..], br#"{"b":2}"#]);
        assert_eq!(page.unusable.len(), 1);
    }

    #[test]
    fn other_bodies_are_no_page() {
        for body in [
            "",
            "[]",
            "{}",
            "<html>",
            r#"{"data":7}"#,
            r#"{"meta":{},"data":[{"resultCount":3}]}"#,
            r#"{"meta":{},"data":[{"attachmentLogs":[{"a":1}]}]}"#,
            r#"{"data":[{"clickLogs":[{"a":1},"#,
        ] {
            assert!(logs(body).is_err(), "{body}");
        }
        assert_eq!(logs(r#"{"meta":{"status":200}}"#), Ok((0, None)));
        assert_eq!(logs(r#"{"meta":{},"data":[{"resultCount":0}]}"#), Ok((0, None)));
    }
}
