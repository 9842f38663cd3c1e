//! The list of audit logs.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::times::DAY_MS;

use super::VisionOne;
use super::errors::Refused;
use super::filter::Filter;
use super::page::{TOKEN, offset, order, sort_records};
use super::paging::{end, link, skip_token};
use super::parameters::Parameters;
use super::requests::Moment;
use super::streams::Stream;

const PATH: &str = "/v3.0/audit/logs";
const TOPS: [usize; 3] = [50, 100, 200];
const ORDERS: [&str; 3] = ["loggedDateTime", "accessType", "ingestedDateTime"];
const FILTERS: [&str; 6] =
    ["loggedUser", "loggedRole", "accessType", "category", "activity", "result"];
/// How long audit logs are kept.
const KEPT_MS: i64 = 180 * DAY_MS;

/// A checked request.
struct ListQuery {
    start_ms: i64,
    end_ms: i64,
    by_ingestion: bool,
    order: Vec<(String, bool)>,
    filter: Option<Filter>,
    top: usize,
    labels: bool,
    offset: usize,
}

impl VisionOne {
    /// A page of audit logs.
    pub(super) fn audit_page(&self, moment: &Moment<'_>) -> Result<Answer, Refused> {
        let knobs = moment.knobs;
        let query = ListQuery::read(moment).map_err(|problem| Refused::audit(&problem))?;
        let mut rows = self.audit_rows(moment, &query);
        sort_records(&mut rows, &query.order);
        let total = rows.len();
        let offset = query.offset.min(total);
        let page: Vec<(u64, Value)> = rows.into_iter().skip(offset).take(query.top).collect();
        let reached = offset + page.len();
        let mislead = self.mislead(moment, query.offset > 0, reached < total);
        let page = if mislead.is_empty_page { Vec::new() } else { page };
        let items: Vec<String> = page.iter().map(|(_, record)| record.to_string()).collect();
        let mut members = Map::new();
        if query.labels {
            members.insert("labels".to_owned(), json!({ "name": "Name" }));
        }
        if mislead.goes_on {
            let at = if mislead.is_same || mislead.is_empty_page { offset } else { reached };
            let issued = (knobs.skip_token_life_ms > 0).then_some(moment.now_ms);
            let token = skip_token(at, issued);
            let url = link(knobs, &moment.asked.host, PATH, &moment.asked.query, (TOKEN, &token));
            members.insert("nextLink".to_owned(), Value::from(url));
        } else {
            end(&mut members, knobs.link_end, moment.ordinal);
        }
        let numbers = page.into_iter().map(|(number, _)| number).collect();
        let answer = self.records_answer(moment, members, items, (Stream::AuditLogs, numbers));
        debug_assert_eq!(answer.status, StatusCode::OK);
        Ok(answer)
    }

    fn audit_rows(&self, moment: &Moment<'_>, query: &ListQuery) -> Vec<(u64, Value)> {
        let knobs = moment.knobs;
        if !knobs.streams.contains(&Stream::AuditLogs) {
            return Vec::new();
        }
        let lattice = self.population.lattice(Stream::AuditLogs);
        // Logged earlier than taken in, by all of the delay; a twin has the time of the record before.
        let slack_ms = knobs.late.map_or(0, |late| late.most_ms) + DAY_MS;
        let numbers =
            lattice.between(query.start_ms - slack_ms, query.end_ms.min(moment.now_ms) + slack_ms);
        let rows = numbers.filter_map(|number| {
            let (logged_ms, ingested_ms) = self.audit_times(number, knobs);
            let at_ms = if query.by_ingestion { ingested_ms } else { logged_ms };
            let before_end =
                if knobs.end_exclusive { at_ms < query.end_ms } else { at_ms <= query.end_ms };
            if ingested_ms > moment.now_ms || at_ms < query.start_ms || !before_end {
                return None;
            }
            let record = self.audit_record(number, knobs);
            let values =
                |field: &str| record[field].as_str().map(str::to_owned).into_iter().collect();
            let passes = query.filter.as_ref().is_none_or(|filter| filter.accepts(&values));
            passes.then_some((number, record))
        });
        rows.collect()
    }
}

impl ListQuery {
    fn read(moment: &Moment<'_>) -> Result<Self, String> {
        let parameters = Parameters::read(&moment.asked.query);
        let oldest_ms = moment.now_ms - KEPT_MS;
        let start_ms = parameters.instant("startDateTime")?.unwrap_or(oldest_ms);
        let end_ms = parameters.instant("endDateTime")?.unwrap_or(moment.now_ms);
        if start_ms < oldest_ms {
            return Err("\"startDateTime\" must be within 180 days".to_owned());
        }
        if end_ms < start_ms {
            return Err("\"endDateTime\" must not be before \"startDateTime\"".to_owned());
        }
        let by_ingestion = match parameters.get("dateTimeTarget") {
            None | Some("loggedDateTime") => false,
            Some("ingestedDateTime") => true,
            Some(_) => return Err("\"dateTimeTarget\" is invalid".to_owned()),
        };
        let default =
            if moment.knobs.audit_ascending { "loggedDateTime asc" } else { "loggedDateTime desc" };
        let order = order(parameters.get("orderBy").unwrap_or(default), &ORDERS)
            .ok_or_else(|| "\"orderBy\" is invalid".to_owned())?;
        let labels = match parameters.get("labels") {
            None | Some("matched" | "all") => true,
            Some("none") => false,
            Some(_) => return Err("\"labels\" must be one of [none, matched, all]".to_owned()),
        };
        let filter = moment.asked.filter.as_deref();
        let filter = filter.map(|text| Filter::parse(text, &FILTERS, 1_024)).transpose()?;
        let top = parameters.top(&TOPS, 50)?;
        let offset = offset(moment)?;
        Ok(Self { start_ms, end_ms, by_ingestion, order, filter, top, labels, offset })
    }
}
