//! What the lists of alerts and audit logs share: offsets, orders, misleading pages, the envelope.

use std::sync::atomic::Ordering;

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use crate::answer::Answer;

use super::VisionOne;
use super::errors::Refused;
use super::knobs::Knobs;
use super::paging::{end, link, read_skip_token, skip_token, token_parameter};
use super::requests::{Moment, next, strikes};
use super::streams::Stream;

/// The parameter that carries an offset.
pub(super) const TOKEN: &str = "skipToken";

/// What faults make of a page's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mislead {
    /// Whether the page has a next link.
    pub(super) goes_on: bool,
    /// Whether the page is its own next one.
    pub(super) is_same: bool,
    /// Whether the page is empty though there is more.
    pub(super) is_empty_page: bool,
}

impl VisionOne {
    /// Decides how a page misleads; `is_continued` tells that a token led to it.
    pub(super) fn mislead(
        &self,
        moment: &Moment<'_>,
        is_continued: bool,
        has_more: bool,
    ) -> Mislead {
        let knobs = moment.knobs;
        let mut mislead = Mislead { goes_on: has_more, is_same: false, is_empty_page: false };
        if !has_more {
            return mislead;
        }
        let count = next(&self.counters.pages);
        mislead.goes_on = !strikes(count, knobs.lost_link);
        if is_continued && mislead.goes_on {
            let count = next(&self.counters.continued);
            mislead.is_empty_page = strikes(count, knobs.empty_page_with_link);
            mislead.is_same = !mislead.is_empty_page && strikes(count, knobs.link_repeat);
        }
        mislead
    }

    /// The answer with a page of records.
    pub(super) fn records_answer(
        &self,
        moment: &Moment<'_>,
        members: Map<String, Value>,
        mut items: Vec<String>,
        records: (Stream, Vec<u64>),
    ) -> Answer {
        if moment.knobs.wrong_type {
            return Answer::html(StatusCode::OK, "Sign in").injected();
        }
        let count = self.counters.answered.fetch_add(1, Ordering::Relaxed) + 1;
        if strikes(count, moment.knobs.poison_every) {
            items.push("\"poison\"".to_owned());
        }
        let mut answer = Answer::json(StatusCode::OK, page_text(&members, &items, moment.knobs));
        answer.cut = strikes(count, moment.knobs.cut_every);
        answer.injected = answer.cut;
        answer.records = Some((records.0.number(), records.1));
        answer
    }
}

impl VisionOne {
    /// A page of rows that are no records of a stream; `tells_progress` puts the percentage read so far in front.
    pub(super) fn rows_page(
        &self,
        moment: &Moment<'_>,
        rows: Vec<Value>,
        top: usize,
        tells_progress: bool,
    ) -> Result<Answer, Refused> {
        let offset = offset(moment).map_err(|problem| Refused::parameter(&problem))?;
        let total = rows.len();
        let reached = total.min(offset.saturating_add(top));
        let mislead = self.mislead(moment, offset > 0, reached < total);
        let at = if mislead.is_same || mislead.is_empty_page { offset } else { reached };
        let count = if mislead.is_empty_page { 0 } else { top };
        let rows = rows.into_iter().skip(offset).take(count);
        let items: Vec<String> = rows.map(|row| row.to_string()).collect();
        let mut members = Map::new();
        if tells_progress {
            members.insert("progressRate".to_owned(), Value::from(progress(at, total)));
        }
        if mislead.goes_on {
            let (host, path, query) = (&moment.asked.host, &moment.asked.path, &moment.asked.query);
            let url = link(moment.knobs, host, path, query, (TOKEN, &skip_token(at, None)));
            members.insert("nextLink".to_owned(), Value::from(url));
        } else {
            end(&mut members, moment.knobs.link_end, moment.ordinal);
        }
        Ok(Answer::json(StatusCode::OK, page_text(&members, &items, moment.knobs)))
    }

    /// What the faults of delivery make of an answer that is no page of a stream's records.
    pub(super) fn delivered(&self, moment: &Moment<'_>, mut answer: Answer) -> Answer {
        if moment.knobs.wrong_type && moment.asked.method == Method::GET {
            return Answer::html(StatusCode::OK, "Sign in").injected();
        }
        let count = next(&self.counters.answered);
        answer.cut = strikes(count, moment.knobs.cut_every);
        answer.injected = answer.cut;
        answer
    }
}

/// How much of everything is read, in percent.
fn progress(reached: usize, total: usize) -> usize {
    (reached * 100).checked_div(total).unwrap_or(100)
}

/// The offset in a skip token, 0 without one.
///
/// # Errors
/// The token is broken or too old.
pub(super) fn offset(moment: &Moment<'_>) -> Result<usize, String> {
    let Some(token) = token_parameter(&moment.asked.query, TOKEN) else { return Ok(0) };
    let (offset, issued) =
        read_skip_token(&token).ok_or_else(|| "\"skipToken\" is invalid".to_owned())?;
    let life_ms = moment.knobs.skip_token_life_ms;
    let outlived = life_ms > 0 && issued.is_some_and(|at_ms| moment.now_ms > at_ms + life_ms);
    if outlived { Err("\"skipToken\" is expired".to_owned()) } else { Ok(offset) }
}

/// Reads `field [asc|desc]`, comma separated: fields with whether they fall.
pub(super) fn order(text: &str, fields: &[&str]) -> Option<Vec<(String, bool)>> {
    if text.chars().count() > 200 {
        return None;
    }
    let read = |part: &str| {
        let mut words = part.split_whitespace();
        let field = words.next().filter(|field| fields.contains(field))?;
        let falls = match words.next() {
            None | Some("asc") => false,
            Some("desc") => true,
            Some(_) => return None,
        };
        words.next().is_none().then(|| (field.to_owned(), falls))
    };
    text.split(',').map(read).collect()
}

/// What rows are compared by.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SortKey {
    Nothing,
    Number(i64),
    Text(String),
}

impl SortKey {
    /// Of a value in a record.
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Number(number) => number.as_i64().map_or(Self::Nothing, Self::Number),
            Value::String(text) => Self::Text(text.clone()),
            _ => Self::Nothing,
        }
    }
}

/// Sorts by fields, ties by number.
pub(super) fn sort_rows<T>(
    rows: &mut Vec<T>,
    order: &[(String, bool)],
    key: impl Fn(&T, &str) -> SortKey,
    number: impl Fn(&T) -> u64,
) {
    let taken = std::mem::take(rows).into_iter();
    let mut keyed: Vec<(Vec<SortKey>, T)> =
        taken.map(|row| (order.iter().map(|(field, _)| key(&row, field)).collect(), row)).collect();
    keyed.sort_by(|(left, left_row), (right, right_row)| {
        for ((left, right), (_, falls)) in left.iter().zip(right).zip(order) {
            let by_field = if *falls { right.cmp(left) } else { left.cmp(right) };
            if by_field.is_ne() {
                return by_field;
            }
        }
        number(left_row).cmp(&number(right_row))
    });
    rows.extend(keyed.into_iter().map(|(_, row)| row));
}

/// Sorts records by their fields, ties by number.
pub(super) fn sort_records(rows: &mut Vec<(u64, Value)>, order: &[(String, bool)]) {
    sort_rows(rows, order, |(_, record), field| SortKey::of(&record[field]), |(number, _)| *number);
}

/// The members of a page around its records.
pub(super) fn page_text(members: &Map<String, Value>, items: &[String], knobs: &Knobs) -> String {
    let mut out = String::with_capacity(256 + items.iter().map(String::len).sum::<usize>());
    out.push('{');
    for (name, value) in members {
        out.push_str(&format!("{}:{value},", json!(name)));
    }
    out.push_str("\"items\":");
    if items.is_empty() && knobs.null_items {
        out.push_str("null");
    } else {
        out.push('[');
        out.push_str(&items.join(","));
        out.push(']');
    }
    if knobs.huge_body > 0 {
        out.push_str(",\"padding\":\"");
        out.extend(std::iter::repeat_n('x', knobs.huge_body));
        out.push('"');
    }
    out.push('}');
    out
}
