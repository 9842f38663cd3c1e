//! Requests about the block lists: show them, change them.

use axum::http::StatusCode;
use serde_json::json;

use crate::answer::Answer;

use super::Cas;
use super::blocklist::Change;
use super::errors::Refused;
use super::requests::{Moment, next, strikes};

pub(super) const PATH: &str = "/v1/remediation/mails";

impl Cas {
    /// All block lists; there is no paging.
    pub(super) fn show_blocklist(&self, moment: &Moment<'_>) -> Answer {
        let knobs = moment.knobs;
        let count = next(&self.counters.pages);
        if knobs.wrong_type {
            return Answer::html(StatusCode::OK, "Sign in").injected();
        }
        let rules = self.response().blocklist.shown(&knobs.actions);
        let mut body = json!({ "code": 0, "message": "Get rules successfully.", "rules": rules });
        if knobs.huge_body > 0 {
            body["padding"] = "x".repeat(knobs.huge_body).into();
        }
        let mut answer = Answer::json(StatusCode::OK, body.to_string());
        answer.cut = strikes(count, knobs.cut_every);
        answer.injected = answer.cut;
        answer
    }

    /// Adds or deletes entries, all or none.
    pub(super) fn change_blocklist(&self, moment: &Moment<'_>) -> Result<Answer, Refused> {
        let knobs = &moment.knobs.actions;
        let change = Change::parse(&moment.asked.body, &knobs.absent_lists)?;
        if change.is_named_in(&knobs.refuse_items) {
            let refused = Refused::BadParameter("The request is refused".to_owned());
            return Ok(refused.answer(&moment.trace_id).injected());
        }
        self.response().blocklist.apply(&change)?;
        let done = if change.adds { "Add" } else { "Delete" };
        let body = json!({ "code": 0, "message": format!("{done} rules successfully.") });
        let status = if knobs.blocklist_created { StatusCode::CREATED } else { StatusCode::OK };
        Ok(Answer::json(status, body.to_string()))
    }
}
