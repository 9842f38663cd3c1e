//! `/v3.0/search/emailActivities`: the mails as events. Where a mail was moved to does not show here.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::times::{DAY_MS, HOUR_MS, format_instant};

use super::VisionOne;
use super::errors::Refused;
use super::mailboxes::{MAILS, Mail, ORGANIZATION};
use super::parameters::Parameters;
use super::requests::Moment;
use super::search_query::SearchQuery;

const TOPS: [usize; 5] = [50, 100, 500, 1_000, 5_000];
const MODES: [&str; 3] = ["default", "countOnly", "performance"];

impl VisionOne {
    /// A page of mail events, the newest first; in the mode `countOnly` their number.
    pub(super) fn mail_search(&self, moment: &Moment<'_>) -> Result<Answer, Refused> {
        let bad = |problem: String| Refused::parameter(&problem);
        let parameters = Parameters::read(&moment.asked.query);
        let end_ms = parameters.instant("endDateTime").map_err(bad)?.unwrap_or(moment.now_ms);
        let start_ms = parameters.instant("startDateTime").map_err(bad)?.unwrap_or(end_ms - DAY_MS);
        let top = parameters.top(&TOPS, 500).map_err(bad)?;
        let mode = parameters.get("mode").unwrap_or("default");
        if !MODES.contains(&mode) {
            return Err(bad("\"mode\" is invalid".to_owned()));
        }
        let query = moment.asked.search.as_deref();
        let query = query.ok_or_else(|| bad("TMV1-Query is required".to_owned()))?;
        let query = SearchQuery::parse(query).map_err(bad)?;
        let select = parameters.get("select").filter(|select| *select != "empty");
        let rows: Vec<Value> = MAILS
            .iter()
            .enumerate()
            .map(|(place, mail)| (self.received_ms(place), place, mail))
            .filter(|(at_ms, ..)| (start_ms..=end_ms).contains(at_ms))
            .map(|(at_ms, place, mail)| record(mail, place, at_ms))
            .filter(|record| query.accepts(&|field| values(&record[field])))
            .map(|record| selected(record, select))
            .collect();
        if mode == "countOnly" {
            return Ok(Answer::json(
                StatusCode::OK,
                json!({ "totalCount": rows.len() }).to_string(),
            ));
        }
        // In this mode `top` does not count.
        let top = if mode == "performance" { 500 } else { top };
        self.rows_page(moment, rows, top, true)
    }

    /// When a mail came in: one each hour before the start.
    fn received_ms(&self, place: usize) -> i64 {
        let hours = i64::try_from(place).unwrap_or(0) + 1;
        (self.started_ms - hours * HOUR_MS).div_euclid(1_000) * 1_000
    }
}

fn record(mail: &Mail, place: usize, at_ms: i64) -> Value {
    json!({
        "uuid": format!("3d5c0f2e-0000-4000-8000-{place:012x}"),
        "eventTime": at_ms, "eventTimeDT": format_instant(at_ms).replace('Z', "+00:00"),
        "mailMsgSubject": mail.subject, "mailMsgId": mail.message_id, "msgUuid": mail.unique_id,
        "mailbox": mail.mailbox, "mailSenderIp": "203.0.113.25", "mailFromAddresses": [mail.sender],
        "mailToAddresses": [mail.mailbox], "mailUrlsRealLink": [mail.link], "org_id": ORGANIZATION,
    })
}

fn selected(record: Value, select: Option<&str>) -> Value {
    let Some(select) = select else { return record };
    let names: Vec<&str> = select.split(',').map(str::trim).collect();
    let Value::Object(members) = record else { return record };
    let kept = members.into_iter().filter(|(name, _)| names.contains(&name.as_str()));
    Value::Object(kept.collect::<Map<_, _>>())
}

fn values(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Number(number) => vec![number.to_string()],
        Value::Array(items) => items.iter().flat_map(values).collect(),
        _ => Vec::new(),
    }
}
