//! The TTP logs: POST with a time range, newest first unless asked otherwise, pages by token.
//!
//! A token counts rows from the start of its order, so rows that arrive while somebody pages newest first shift
//! the pages, as they do at the vendor.

use axum::http::StatusCode;
use chrono::DateTime;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::times::{DAY_MS, parse_instant_ms};

use super::Mimecast;
use super::errors;
use super::paging::{accepted, encode};
use super::service::{Moment, next, strikes};
use super::siem_records::Transport;
use super::streams::{Stream, Ttp};
use super::ttp_rows;

/// Rows of a page when the request does not say.
const PAGE: usize = 25;
const KIND: &str = "ttp";
/// The flags of a token.
const OLDEST_FIRST: i64 = 1;
const MALICIOUS_ONLY: i64 = 2;

/// The failure of a paging token that is not accepted.
const STALE: Failure = ("err_validation_page_token", "The page token is not valid");

/// Code and message of a failure inside a 200.
type Failure = (&'static str, &'static str);

/// What a page of logs is about.
#[derive(Debug, Clone, Copy)]
struct Range {
    from_ms: i64,
    to_ms: i64,
    flags: i64,
    offset: usize,
}

impl Mimecast {
    /// A page of logs.
    pub(super) fn logs(&self, moment: &Moment<'_>, kind: Ttp) -> Answer {
        let Ok(request) = serde_json::from_str::<Value>(&moment.asked.body) else {
            let message = Some("The body is no JSON");
            return errors::gateway(StatusCode::BAD_REQUEST, "err_bad_request", message);
        };
        let key = request["data"][0].clone();
        if !key.is_object() {
            let message = Some("data must hold one object");
            return errors::gateway(StatusCode::BAD_REQUEST, "err_bad_request", message);
        }
        let failed = |(code, message)| errors::function(&key, code, message);
        self.page(moment, kind, &request).unwrap_or_else(failed)
    }

    fn page(&self, moment: &Moment<'_>, kind: Ttp, request: &Value) -> Result<Answer, Failure> {
        let knobs = moment.knobs;
        let pagination = &request["meta"]["pagination"];
        let size = pagination["pageSize"].as_u64().and_then(|size| usize::try_from(size).ok());
        let size = size.unwrap_or(PAGE).clamp(1, knobs.ttp_page);
        let token = pagination["pageToken"].as_str().filter(|token| !token.is_empty());
        let range = match token {
            Some(token) => Range::of_token(token, moment, self.seed).ok_or(STALE)?,
            None => first(&request["data"][0], moment, kind)?,
        };
        if strikes(next(&self.counters.ttp_pages), knobs.ttp_fail_every) {
            return Err(("err_internal", "The function failed"));
        }
        let is_stuck =
            token.is_some() && strikes(next(&self.counters.ttp_continued), knobs.ttp_stuck_every);
        let stream = Stream::of_ttp(kind);
        let rows = self.rows(stream, range, moment);
        let left = rows.get(range.offset..).unwrap_or_default();
        let taken = &left[..left.len().min(size)];
        let has_more = left.len() > size || (knobs.ttp_empty_end && !taken.is_empty());
        let next_token = match token {
            Some(token) if is_stuck => Some(token.to_owned()),
            _ => has_more.then(|| range.behind(taken.len()).encode(moment.now_ms, self.seed)),
        };
        let mut pagination = Map::new();
        pagination.insert("pageSize".to_owned(), json!(taken.len()));
        pagination.insert("totalCount".to_owned(), json!(rows.len()));
        if let Some(token) = next_token {
            pagination.insert("next".to_owned(), json!(token));
        }
        let logs = taken.iter().map(|number| self.row(stream, *number, moment)).collect();
        let data = if taken.is_empty() && token.is_some() { json!([]) } else { data(kind, logs) };
        let meta = json!({ "status": 200, "pagination": pagination });
        let body = json!({ "meta": meta, "data": data, "fail": [] });
        let mut answer = Answer::json(StatusCode::OK, body.to_string());
        answer.records = Some((stream.number(), taken.to_vec()));
        Ok(answer)
    }

    /// All rows of a range in its order.
    fn rows(&self, stream: Stream, range: Range, moment: &Moment<'_>) -> Vec<u64> {
        let knobs = moment.knobs;
        if !knobs.streams.contains(&stream) {
            return Vec::new();
        }
        let lattice = self.population.lattice(stream, knobs);
        let oldest_ms = moment.now_ms - knobs.ttp_history_ms;
        let numbers =
            lattice.first_at(range.from_ms.max(oldest_ms))..lattice.first_at(range.to_ms + 1);
        let is_shown = |number: &u64| {
            let is_asked = range.flags & MALICIOUS_ONLY == 0
                || ttp_rows::is_malicious(self.seed, stream, *number);
            is_asked && lattice.visible_ms(*number) <= moment.now_ms
        };
        let mut rows: Vec<u64> = numbers.filter(is_shown).collect();
        if range.flags & OLDEST_FIRST == 0 {
            rows.reverse();
        }
        rows
    }

    fn row(&self, stream: Stream, number: u64, moment: &Moment<'_>) -> Value {
        let mut text = String::new();
        self.write(stream, number, Transport::Batch, moment.knobs, &mut text);
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }
}

impl Range {
    fn of_token(token: &str, moment: &Moment<'_>, seed: u64) -> Option<Self> {
        let [from_ms, to_ms, flags, offset, ..] =
            accepted(KIND, token, seed, (moment.knobs, moment.now_ms))?;
        Some(Self { from_ms, to_ms, flags, offset: usize::try_from(offset).unwrap_or(0) })
    }

    fn behind(self, rows: usize) -> Self {
        Self { offset: self.offset + rows, ..self }
    }

    fn encode(self, now_ms: i64, seed: u64) -> String {
        let offset = i64::try_from(self.offset).unwrap_or(0);
        encode(KIND, [self.from_ms, self.to_ms, self.flags, offset, now_ms, 0], seed)
    }
}

/// The rows in the array of their kind.
fn data(kind: Ttp, logs: Vec<Value>) -> Value {
    match kind {
        Ttp::Url => json!([{ "clickLogs": logs }]),
        Ttp::Attachment => json!([{ "attachmentLogs": logs }]),
        Ttp::Impersonation => {
            let count = logs.len();
            json!([{ "impersonationLogs": logs, "resultCount": count }])
        }
    }
}

fn first(filter: &Value, moment: &Moment<'_>, kind: Ttp) -> Result<Range, Failure> {
    let instant = |name: &str, default: i64| match &filter[name] {
        Value::Null => Ok(default),
        Value::String(text) => {
            parse_instant(text).ok_or(("err_validation_date", "A date cannot be read"))
        }
        _ => Err(("err_validation_date", "A date must be a text")),
    };
    let today_ms = moment.now_ms.div_euclid(DAY_MS) * DAY_MS;
    let (from_ms, to_ms) = (instant("from", today_ms)?, instant("to", moment.now_ms)?);
    if to_ms < from_ms {
        return Err(("err_validation_date_range", "Start must precede end"));
    }
    let shows_all = match filter["scanResult"].as_str() {
        None => moment.knobs.ttp_shows_all,
        Some("all") => true,
        Some("malicious") => false,
        Some(_) => return Err(("err_validation_scan_result", "scanResult is unknown")),
    };
    let mut flags = 0;
    if filter["oldestFirst"] == json!(true) {
        flags |= OLDEST_FIRST;
    }
    if kind == Ttp::Url && !shows_all {
        flags |= MALICIOUS_ONLY;
    }
    Ok(Range { from_ms, to_ms, flags, offset: 0 })
}

/// `+0000` as documented, or RFC 3339.
fn parse_instant(text: &str) -> Option<i64> {
    let documented = DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%z").ok();
    documented.map(|time| time.timestamp_millis()).or_else(|| parse_instant_ms(text))
}
