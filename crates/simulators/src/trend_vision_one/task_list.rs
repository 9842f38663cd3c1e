//! The tasks as clients read them: one by its id, or all that a filter lets through.

use axum::http::StatusCode;
use serde_json::Value;

use crate::answer::Answer;
use crate::times::DAY_MS;

use super::VisionOne;
use super::errors::Refused;
use super::filter::Filter;
use super::parameters::{Parameters, instant};
use super::requests::Moment;

const TOPS: [usize; 3] = [50, 100, 200];
const FILTERS: [&str; 4] = ["id", "status", "action", "account"];
/// How far back tasks are kept.
const REACH_MS: i64 = 180 * DAY_MS;

impl VisionOne {
    /// One task.
    pub(super) fn task_detail(&self, moment: &Moment<'_>, id: &str) -> Result<Answer, Refused> {
        let knobs = &moment.knobs.response;
        let books = self.books(moment.now_ms, knobs);
        let task = books.tasks.iter().find(|task| task.id == id);
        let task = task.ok_or_else(Refused::no_task)?;
        Ok(Answer::json(StatusCode::OK, task.record(moment.now_ms, knobs).to_string()))
    }

    /// A page of tasks, the newest first. The filter is a parameter here, and no header.
    pub(super) fn task_page(&self, moment: &Moment<'_>) -> Result<Answer, Refused> {
        let bad = |problem: String| Refused::parameter(&problem);
        let parameters = Parameters::read(&moment.asked.query);
        let reach_ms = moment.now_ms - REACH_MS;
        let start_ms = parameters.instant("startDateTime").map_err(bad)?.unwrap_or(reach_ms);
        let end_ms = parameters.instant("endDateTime").map_err(bad)?.unwrap_or(moment.now_ms);
        if end_ms < start_ms || end_ms - start_ms > REACH_MS {
            return Err(bad(
                "the period is longer than 180 days, or ends before it starts".to_owned()
            ));
        }
        let target = parameters.get("dateTimeTarget").unwrap_or("createdDateTime");
        if !["createdDateTime", "lastActionDateTime"].contains(&target) {
            return Err(bad("\"dateTimeTarget\" is invalid".to_owned()));
        }
        let top = parameters.top(&TOPS, 50).map_err(bad)?;
        let filter = parameters.get("filter");
        let filter =
            filter.map(|text| Filter::parse(text, &FILTERS, 2_048)).transpose().map_err(bad)?;
        let knobs = &moment.knobs.response;
        let books = self.books(moment.now_ms, knobs);
        let records = books.tasks.iter().rev().map(|task| task.record(moment.now_ms, knobs));
        let is_wanted = |record: &Value| {
            let text =
                |field: &str| record[field].as_str().map(str::to_owned).into_iter().collect();
            let at_ms = record[target].as_str().and_then(instant);
            at_ms.is_some_and(|at_ms| (start_ms..=end_ms).contains(&at_ms))
                && filter.as_ref().is_none_or(|filter| filter.accepts(&text))
        };
        let rows: Vec<Value> = records.filter(is_wanted).collect();
        drop(books);
        self.rows_page(moment, rows, top, false)
    }
}
