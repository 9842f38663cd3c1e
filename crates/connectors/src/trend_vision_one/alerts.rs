//! Workbench alerts: asked for by the time of their last change, so that every change is seen.
//!
//! The vendor shows an alert in its newest version only. Each version that is served is a record of its own.

use chrono::SecondsFormat;
use model::identity::{Identity, canonical_payload};
use model::time::Timestamp;
use model::vendor::Ask;

use super::alert_event;
use super::content::Content;
use super::fields::Fields;
use super::filters::{Filters, any_of};

/// Fields with the time of an alert, best first. The creation comes first, so that all versions of an alert lie
/// at one time.
pub(super) const TIMES: [&str; 3] =
    ["createdDateTime", "updatedDateTime", "firstInvestigatedDateTime"];

/// The content type.
pub(super) const ALERTS: Content = Content {
    name: "alerts",
    path: "/v3.0/workbench/alerts",
    permission: "`Workbench: View, filter, and search`",
    query,
    page_size: |_| 10,
    filter: |filters: &Filters| any_of("modelType", filters.model_types.as_deref()),
    identify,
    event: alert_event::event,
    feature: "Workbench",
    asks_the_time: false,
};

/// There is no page size: the vendor gives ten, or one where they are huge.
fn query(ask: &Ask, _: Option<Timestamp>) -> String {
    let (start, end) = bounds(ask);
    format!(
        "startDateTime={start}&endDateTime={end}&dateTimeTarget=updatedDateTime&orderBy=updatedDateTime%20asc"
    )
}

/// The vendor's id and the whole payload: a version that is served again is the same, a changed one is another.
fn identify(fields: &Fields, raw: &[u8]) -> Identity {
    let mut key = fields.peek("id").unwrap_or_default().into_bytes();
    key.push(b'\n');
    key.extend(canonical(raw));
    Identity { key, time: fields.first_time(&TIMES).map(|(time, _)| time) }
}

/// The canonical form of a record; one that even this refuses is itself, byte for byte.
pub(super) fn canonical(raw: &[u8]) -> Vec<u8> {
    canonical_payload(raw, &[]).unwrap_or_else(|_| raw.trim_ascii().to_vec())
}

/// Start and end of what is asked for, in whole seconds that leave nothing out.
pub(super) fn bounds(ask: &Ask) -> (String, String) {
    (written(ask.interval.start), written(rounded_up(ask.interval.end)))
}

/// Whole seconds and `Z`: the only form that every list takes.
pub(super) fn written(time: Timestamp) -> String {
    time.to_chrono().to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn rounded_up(time: Timestamp) -> Timestamp {
    let seconds = time.as_micros().saturating_add(999_999).div_euclid(1_000_000);
    Timestamp::from_micros(seconds.saturating_mul(1_000_000))
}

#[cfg(test)]
mod tests {
    use model::time::Interval;

    use super::*;

    #[test]
    fn bounds_are_whole_seconds_that_leave_nothing_out() {
        let time = |text: &str| Timestamp::parse(text).unwrap();
        let interval = Interval {
            start: time("2026-03-02T08:00:00.9Z"),
            end: time("2026-03-02T09:00:00.000001Z"),
        };
        let ask = Ask { stream: ALERTS.stream(), interval, next: None, page_size: Some(1) };
        assert_eq!(
            query(&ask, None),
            "startDateTime=2026-03-02T08:00:00Z&endDateTime=2026-03-02T09:00:01Z\
             &dateTimeTarget=updatedDateTime&orderBy=updatedDateTime%20asc"
        );
    }
}
