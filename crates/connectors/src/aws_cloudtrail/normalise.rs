//! One record, one event: a sign-in becomes Authentication, a change of an account Account Change, an Insights event a
//! Detection Finding, any other call API Activity, and what names no call a Base Event.
//!
//! Pure and total: odd values stay in `unmapped`, and arbitrary JSON is a Base Event at worst.

use model::mapping::EventSink;
use model::ocsf::objects::{Metadata, Product};
use model::ocsf::values::{base_event, severity};
use model::ocsf::{BaseEvent, Event};
use model::time::Timestamp;
use serde_json::Value;

use super::call::{self, Call};
use super::fields::Fields;
use super::kinds::Kind;
use super::record::{TimeWindow, Top};
use super::unmapped::Unmapped;
use super::{account, api_call, identify, insight, kinds, sign_in};

/// Gives the record's event to the sink.
pub(super) fn normalise(raw: &[u8], sink: &mut dyn EventSink) {
    // The look that repairs is several times slower than the one that only checks.
    let json = std::str::from_utf8(raw)
        .map_or_else(|_| String::from_utf8_lossy(raw), std::borrow::Cow::Borrowed);
    let event = match Fields::read(&json) {
        Ok(fields) => mapped(fields),
        Err(_) => unreadable(&json),
    };
    sink.push(&event.stamped());
}

fn mapped(mut fields: Fields<'_, Top>) -> Event<'_> {
    if let Some(event) = insight::event(&mut fields) {
        return event;
    }
    let Some(call) = Call::take(&mut fields) else { return base(fields) };
    match kinds::kind(&call.service, &call.operation) {
        Kind::SignIn(sign_in) => sign_in::event(fields, call, sign_in),
        Kind::Change(change) => account::event(fields, call, change),
        Kind::Call => api_call::event(fields, call),
    }
}

/// What is no call: aggregated events, and what nobody knows yet.
fn base(mut fields: Fields<'_, Top>) -> Event<'_> {
    let is_aggregated = fields.peek(Top::EventId).is_none();
    let (id, account) = if is_aggregated {
        (Top::AggregatedEventId, Top::AccountId)
    } else {
        (Top::EventId, Top::RecipientAccountId)
    };
    let time = call::time(&mut fields);
    let window = fields.object::<TimeWindow>(Top::TimeWindow);
    let mut rest = Unmapped::default();
    let (start, end) = window.map_or((None, None), |mut window| {
        let found = ends(&mut window);
        rest = Unmapped::rest(&window);
        found
    });
    let metadata = call::metadata(&mut fields, id);
    let cloud = call::cloud(&mut fields, account);
    let kind = metadata.event_code.clone();
    let mut unmapped = Unmapped::rest(&fields);
    unmapped.put_object("timeWindow", rest);
    Event::from(BaseEvent {
        activity_id: Some(base_event::OTHER),
        activity_name: kind,
        severity_id: Some(severity::INFORMATIONAL),
        time: Some(time.as_millis()),
        start_time: start,
        end_time: end,
        metadata: Some(metadata.into()),
        cloud: Some(cloud.into()),
        unmapped: unmapped.json(),
        ..BaseEvent::default()
    })
}

/// Takes both ends of a window, when both are times and in order.
fn ends(window: &mut Fields<'_, TimeWindow>) -> (Option<i64>, Option<i64>) {
    let time = |field| Timestamp::parse(&window.peek(field)?).ok()?.plausible();
    let (Some(start), Some(end)) = (time(TimeWindow::Start), time(TimeWindow::End)) else {
        return (None, None);
    };
    if end < start {
        return (None, None);
    }
    window.take(TimeWindow::Start);
    window.take(TimeWindow::End);
    (Some(start.as_millis()), Some(end.as_millis()))
}

/// Bytes that are no object of JSON: the lake never asks for them, but a mapping is total.
fn unreadable(text: &str) -> Event<'_> {
    let time = identify::identify(text.as_bytes()).ok().and_then(|identity| identity.time);
    let mut unmapped = Unmapped::default();
    unmapped.put("record", &Value::from(text).to_string());
    Event::from(BaseEvent {
        activity_id: Some(base_event::UNKNOWN),
        severity_id: Some(severity::UNKNOWN),
        time: Some(time.and_then(Timestamp::plausible).unwrap_or_default().as_millis()),
        metadata: Some(
            Metadata {
                product: Some(Product {
                    name: Some("CloudTrail".into()),
                    vendor_name: Some("AWS".into()),
                    ..Product::default()
                }),
                ..Metadata::default()
            }
            .into(),
        ),
        unmapped: unmapped.json(),
        ..BaseEvent::default()
    })
}
