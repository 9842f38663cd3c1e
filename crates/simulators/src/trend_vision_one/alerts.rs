//! Workbench alerts: the list with its windows, orders and filter, one alert with its ETag, and edits.

use axum::http::StatusCode;
use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::draw::mix;

use super::VisionOne;
use super::errors::Refused;
use super::filter::Filter;
use super::history::{History, LONGEST_MS, VERSIONS};
use super::knobs::{ETag, Knobs};
use super::page::{SortKey, TOKEN, offset, order, sort_rows};
use super::paging::{end, link, skip_token};
use super::parameters::{Parameters, instant};
use super::requests::{Asked, Moment, next, strikes};
use super::streams::Stream;

const PATH: &str = "/v3.0/workbench/alerts";
const ORDERS: [&str; 13] = [
    "id",
    "caseId",
    "name",
    "investigationStatus",
    "status",
    "investigationResult",
    "modelId",
    "model",
    "score",
    "severity",
    "createdDateTime",
    "updatedDateTime",
    "firstInvestigatedDateTime",
];
const FILTERS: [&str; 12] = [
    "id",
    "investigationStatus",
    "status",
    "investigationResult",
    "alertProvider",
    "modelId",
    "model",
    "modelType",
    "severity",
    "impactScopeEntityValue",
    "indicatorValue",
    "incidentId",
];
const STATUSES: [&str; 3] = ["Open", "In Progress", "Closed"];
const RESULTS: [&str; 6] = [
    "No Findings",
    "Noteworthy",
    "True Positive",
    "False Positive",
    "Benign True Positive",
    "Other Findings",
];

/// A checked request for the list.
struct ListQuery {
    start_ms: i64,
    end_ms: i64,
    target: String,
    /// Fields with whether they fall.
    order: Vec<(String, bool)>,
    filter: Option<Filter>,
    offset: usize,
}

/// An alert in its version of now. Its record is made when somebody has to look at it.
struct Row {
    alert: u64,
    position: usize,
    history: History,
    record: Option<Value>,
}

impl Row {
    fn record(&self) -> &Value {
        self.record.as_ref().unwrap_or(&Value::Null)
    }

    /// What it is sorted by in a field: a time that is known without the record, else the record's value.
    fn key(&self, field: &str) -> SortKey {
        match field {
            "createdDateTime" => SortKey::Number(self.history.updated_ms(0)),
            "updatedDateTime" => SortKey::Number(self.history.updated_ms(self.position)),
            _ => SortKey::of(&self.record()[field]),
        }
    }
}

impl VisionOne {
    /// A page of the list.
    pub(super) fn alert_page(&self, moment: &Moment<'_>) -> Result<Answer, Refused> {
        let knobs = moment.knobs;
        let query = ListQuery::read(moment)?;
        if query.offset > 0 {
            self.disturb(moment, &query);
        }
        let mut rows = self.rows(moment, &query);
        query.sort(&mut rows);
        let total = rows.len();
        let offset = query.offset.min(total);
        let page: Vec<Row> = rows.into_iter().skip(offset).take(knobs.alerts_per_page).collect();
        let reached = offset + page.len();
        let mislead = self.mislead(moment, query.offset > 0, reached < total);
        let page = if mislead.is_empty_page { Vec::new() } else { page };
        let text = |row: &Row| self.alert(row.alert, &row.history, row.position).to_string();
        let numbers: Vec<u64> = page
            .iter()
            .map(|row| row.alert * VERSIONS + u64::try_from(row.position).unwrap_or(0))
            .collect();
        let items: Vec<String> = page.iter().map(text).collect();
        let mut members = Map::new();
        members.insert("totalCount".to_owned(), Value::from(total));
        members.insert("count".to_owned(), Value::from(items.len()));
        if mislead.goes_on {
            let at = if mislead.is_same || mislead.is_empty_page { offset } else { reached };
            let issued = (knobs.skip_token_life_ms > 0).then_some(moment.now_ms);
            let token = skip_token(at, issued);
            let url = link(knobs, &moment.asked.host, PATH, &moment.asked.query, (TOKEN, &token));
            members.insert("nextLink".to_owned(), Value::from(url));
        } else {
            end(&mut members, knobs.link_end, moment.ordinal);
        }
        Ok(self.records_answer(moment, members, items, (Stream::Alerts, numbers)))
    }

    /// One alert with its ETag.
    pub(super) fn alert_detail(&self, moment: &Moment<'_>, id: &str) -> Result<Answer, Refused> {
        let (alert, history, position) = self.shown(moment, id)?;
        let mut answer =
            Answer::json(StatusCode::OK, self.alert(alert, &history, position).to_string());
        let etag = etag(moment.knobs, alert, history.updated_ms(position), position);
        answer.headers.push(("etag", etag));
        Ok(answer)
    }

    /// An edit of status or result.
    pub(super) fn alert_edit(&self, moment: &Moment<'_>, id: &str) -> Result<Answer, Refused> {
        let (alert, history, position) = self.shown(moment, id)?;
        let current = etag(moment.knobs, alert, history.updated_ms(position), position);
        check_match(moment.asked, &current)?;
        let bad = |what: &str| Refused::workbench(StatusCode::BAD_REQUEST, what, 3_090_003);
        let body: Map<String, Value> = serde_json::from_slice(&moment.asked.body)
            .map_err(|_| bad("The request body is not a JSON object"))?;
        let (mut status, mut result) = (None, None);
        for (name, value) in &body {
            let word = value.as_str().ok_or_else(|| bad("A value is not a text"))?;
            match name.as_str() {
                "status" if STATUSES.contains(&word) => status = Some(word.to_owned()),
                "investigationResult" if RESULTS.contains(&word) => result = Some(word.to_owned()),
                "investigationStatus" => {
                    (status, result) =
                        of_deprecated(word).ok_or_else(|| bad("Unknown investigationStatus"))?
                }
                _ => return Err(bad("Unknown field or value")),
            }
        }
        self.interventions.edit(alert, moment.now_ms, status, result);
        Ok(Answer::json(StatusCode::NO_CONTENT, ""))
    }

    /// The alert of an id with its version of now.
    pub(super) fn shown(
        &self,
        moment: &Moment<'_>,
        id: &str,
    ) -> Result<(u64, History, usize), Refused> {
        let gone =
            |message: &str, number| Refused::workbench(StatusCode::NOT_FOUND, message, number);
        let missing = || gone("The alert does not exist", 3_090_007);
        let alert = self.alert_of(id).ok_or_else(missing)?;
        let history = self.history(alert, moment.knobs);
        if let Some(position) = history.current(moment.now_ms) {
            return Ok((alert, history, position));
        }
        let was_withdrawn = history.withdrawn_ms.is_some_and(|at_ms| at_ms <= moment.now_ms);
        Err(if was_withdrawn {
            gone("The alert was withdrawn as a false positive", 3_090_015)
        } else {
            missing()
        })
    }

    /// The alerts in the window, unordered.
    fn rows(&self, moment: &Moment<'_>, query: &ListQuery) -> Vec<Row> {
        let knobs = moment.knobs;
        if !knobs.streams.contains(&Stream::Alerts) {
            return Vec::new();
        }
        let lattice = self.population.lattice(Stream::Alerts);
        let from_ms = match query.target.as_str() {
            "createdDateTime" => query.start_ms,
            // What changed in the window was made up to so much earlier.
            _ => query.start_ms.saturating_sub(LONGEST_MS),
        };
        let last_ms = query.end_ms.min(moment.now_ms);
        let mut alerts: Vec<u64> = lattice.between(from_ms, last_ms + 1).collect();
        alerts.extend(self.interventions.alerts());
        alerts.sort_unstable();
        alerts.dedup();
        let needs_record = query.needs_record();
        let rows = alerts.into_iter().filter_map(|alert| {
            let history = self.history_from(alert, lattice.time_ms(alert), knobs);
            let position = history.current(moment.now_ms)?;
            let quick = match query.target.as_str() {
                "createdDateTime" => Some(history.updated_ms(0)),
                "updatedDateTime" => Some(history.updated_ms(position)),
                _ => None,
            };
            if quick.is_some_and(|at_ms| !query.covers(at_ms, knobs)) {
                return None;
            }
            let record = needs_record.then(|| self.alert(alert, &history, position));
            let row = Row { alert, position, history, record };
            let at_ms = quick.or_else(|| instant(row.record()[&query.target].as_str()?))?;
            let passes = |filter: &Filter| filter.accepts(&|field| values(row.record(), field));
            let is_in = query.covers(at_ms, knobs) && query.filter.as_ref().is_none_or(passes);
            is_in.then_some(row)
        });
        rows.collect()
    }

    /// What the faults do to the window's first alert while somebody pages.
    fn disturb(&self, moment: &Moment<'_>, query: &ListQuery) {
        let knobs = moment.knobs;
        let count = next(&self.counters.continued_alerts);
        let edits = strikes(count, knobs.update_while_paging);
        let withdraws = strikes(count, knobs.withdraw_while_paging);
        if !edits && !withdraws {
            return;
        }
        let mut rows = self.rows(moment, query);
        query.sort(&mut rows);
        if let Some(first) = rows.first() {
            if edits {
                self.interventions.edit(first.alert, moment.now_ms, None, None);
            }
            if withdraws {
                self.interventions.withdraw(first.alert, moment.now_ms);
            }
        }
    }
}

impl ListQuery {
    fn read(moment: &Moment<'_>) -> Result<Self, Refused> {
        let bad = |what: String| Refused::workbench(StatusCode::BAD_REQUEST, &what, 3_090_003);
        let knobs = moment.knobs;
        let parameters = Parameters::read(&moment.asked.query);
        if knobs.top_refused && parameters.get("top").is_some() {
            return Err(bad("\"top\" is not allowed".to_owned()));
        }
        let start_ms = parameters.instant("startDateTime").map_err(bad)?.unwrap_or(0);
        let end_ms = parameters.instant("endDateTime").map_err(bad)?.unwrap_or(moment.now_ms);
        if end_ms < start_ms {
            return Err(bad("\"endDateTime\" is before \"startDateTime\"".to_owned()));
        }
        let target = parameters.get("dateTimeTarget").unwrap_or("createdDateTime");
        if !["createdDateTime", "updatedDateTime", "firstInvestigatedDateTime"].contains(&target) {
            return Err(bad("\"dateTimeTarget\" is invalid".to_owned()));
        }
        let order = order(parameters.get("orderBy").unwrap_or("createdDateTime desc"), &ORDERS)
            .ok_or_else(|| bad("\"orderBy\" is invalid".to_owned()))?;
        let filter = moment.asked.filter.as_deref();
        let filter = filter.map(|text| Filter::parse(text, &FILTERS, 5_000)).transpose();
        let offset = offset(moment).map_err(bad)?;
        Ok(Self {
            start_ms,
            end_ms,
            target: target.to_owned(),
            order,
            filter: filter.map_err(bad)?,
            offset,
        })
    }

    fn covers(&self, at_ms: i64, knobs: &Knobs) -> bool {
        let before_end =
            if knobs.end_exclusive { at_ms < self.end_ms } else { at_ms <= self.end_ms };
        at_ms >= self.start_ms && before_end
    }

    fn sort(&self, rows: &mut Vec<Row>) {
        sort_rows(rows, &self.order, |row, field| row.key(field), |row| row.alert);
    }

    /// Whether more than times decides.
    fn needs_record(&self) -> bool {
        let is_time = |field: &str| ["createdDateTime", "updatedDateTime"].contains(&field);
        let is_sorted_by_time = self.order.iter().all(|(field, _)| is_time(field));
        self.filter.is_some() || !is_time(&self.target) || !is_sorted_by_time
    }
}

/// The values that a filter field has in a record.
fn values(record: &Value, field: &str) -> Vec<String> {
    let texts = |value: &Value| match value {
        Value::String(text) => vec![text.clone()],
        Value::Object(members) => {
            members.values().filter_map(Value::as_str).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    };
    let of_items = |items: &Value, member: &str| {
        let items = items.as_array().into_iter().flatten();
        items.flat_map(|item| texts(&item[member])).collect()
    };
    match field {
        "impactScopeEntityValue" => of_items(&record["impactScope"]["entities"], "entityValue"),
        "indicatorValue" => of_items(&record["indicators"], "value"),
        _ => texts(&record[field]),
    }
}

fn of_deprecated(word: &str) -> Option<(Option<String>, Option<String>)> {
    let some = |text: &str| Some(text.to_owned());
    let pair = match word {
        "New" => (some("Open"), None),
        "In Progress" | "Closed" => (some(word), None),
        "True Positive" | "False Positive" | "Benign True Positive" => (some("Closed"), some(word)),
        _ => return None,
    };
    Some(pair)
}

/// The ETag of a version in the form that the fault asks for.
pub(super) fn etag(knobs: &Knobs, number: u64, at_ms: i64, position: usize) -> String {
    let tag = mix(&[number, at_ms.cast_unsigned(), u64::try_from(position).unwrap_or(0)]);
    match knobs.etag {
        ETag::Bare => format!("{tag:016x}"),
        ETag::Quoted => format!("\"{tag:016x}\""),
        ETag::Weak => format!("W/\"{tag:016x}\""),
    }
}

/// Compares `If-Match` without regard to quotes and weakness; without the header everything goes.
pub(super) fn check_match(asked: &Asked, current: &str) -> Result<(), Refused> {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").trim_matches('"').to_owned();
    match &asked.if_match {
        Some(tag) if bare(tag) != bare(current) => Err(Refused::workbench(
            StatusCode::PRECONDITION_FAILED,
            "The alert was changed in the meantime",
            3_090_018,
        )),
        _ => Ok(()),
    }
}
