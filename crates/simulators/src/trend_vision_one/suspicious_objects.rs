//! The Suspicious Object List as clients read it: what actions added, and what was on it before.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::times::DAY_MS;

use super::VisionOne;
use super::books::Blocked;
use super::errors::Refused;
use super::filter::Filter;
use super::page::{order, sort_records};
use super::parameters::{Parameters, seconds};
use super::requests::Moment;

const TOPS: [usize; 3] = [50, 100, 200];
const ORDERS: [&str; 3] = ["riskLevel", "lastModifiedDateTime", "expiredDateTime"];
const FILTERS: [&str; 9] = [
    "type",
    "url",
    "domain",
    "ip",
    "senderMailAddress",
    "fileSha1",
    "fileSha256",
    "scanAction",
    "riskLevel",
];
/// How long an object stays.
const LIFE_MS: i64 = 30 * DAY_MS;
/// On the list since before the start, and not by an action: no action removes them.
const IMPORTED: [(&str, &str); 2] = [("domain", "imported.example"), ("ip", "203.0.113.200")];
/// On the exception list: listed all the same, but not blocked.
const EXCEPTIONS: [(&str, &str); 1] = [("domain", "tarn.example")];

impl VisionOne {
    /// A page of the list.
    pub(super) fn suspicious_page(&self, moment: &Moment<'_>) -> Result<Answer, Refused> {
        let bad = |problem: String| Refused::parameter(&problem);
        let parameters = Parameters::read(&moment.asked.query);
        let start_ms = parameters.instant("startDateTime").map_err(bad)?.unwrap_or(0);
        let end_ms = parameters.instant("endDateTime").map_err(bad)?.unwrap_or(moment.now_ms);
        let order =
            order(parameters.get("orderBy").unwrap_or("lastModifiedDateTime desc"), &ORDERS)
                .ok_or_else(|| bad("\"orderBy\" is invalid".to_owned()))?;
        let top = parameters.top(&TOPS, 100).map_err(bad)?;
        let filter = moment.asked.filter.as_deref();
        let filter =
            filter.map(|text| Filter::parse(text, &FILTERS, 4_000)).transpose().map_err(bad)?;
        let mut rows: Vec<(u64, Value)> = (0_u64..)
            .zip(self.listed_objects(moment))
            .filter(|(_, object)| (start_ms..=end_ms).contains(&object.modified_ms))
            .map(|(number, object)| (number, record(&object)))
            .collect();
        rows.retain(|(_, record)| {
            let text =
                |field: &str| record[field].as_str().map(str::to_owned).into_iter().collect();
            filter.as_ref().is_none_or(|filter| filter.accepts(&text))
        });
        sort_records(&mut rows, &order);
        self.rows_page(moment, rows.into_iter().map(|(_, record)| record).collect(), top, false)
    }

    fn listed_objects(&self, moment: &Moment<'_>) -> Vec<Blocked> {
        let books = self.books(moment.now_ms, &moment.knobs.response);
        let added = |kind: &str, value: &str| {
            books.objects.iter().any(|object| object.kind == kind && object.value == value)
        };
        let imported = IMPORTED.into_iter().filter(|(kind, value)| !added(kind, value));
        let imported = imported.map(|(kind, value)| Blocked {
            kind,
            value: value.to_owned(),
            description: Some("Imported".to_owned()),
            modified_ms: self.started_ms - DAY_MS,
        });
        let mut all: Vec<Blocked> = imported.collect();
        all.extend(books.objects.iter().cloned());
        all.retain(|object| moment.now_ms < object.modified_ms + LIFE_MS);
        all
    }
}

fn record(object: &Blocked) -> Value {
    let is_exception = EXCEPTIONS.contains(&(object.kind, object.value.as_str()));
    let mut record = json!({
        object.kind: object.value, "type": object.kind, "scanAction": "block", "riskLevel": "high",
        "inExceptionList": is_exception, "lastModifiedDateTime": seconds(object.modified_ms),
        "expiredDateTime": seconds(object.modified_ms + LIFE_MS),
    });
    if let Some(description) = &object.description {
        record["description"] = Value::from(description.clone());
    }
    record
}
