//! An Insights event as Detection Finding. It has no caller, no operation and no address of its own: all it says stands
//! in `insightDetails`. Start and end of one insight share `sharedEventID`.

use std::borrow::Cow;

use model::ocsf::objects::{Analytic, Evidences, FindingInfo};
use model::ocsf::values::{analytic_type, detection_finding, severity};
use model::ocsf::{DetectionFinding, Event, Json};

use super::call;
use super::fields::{Fields, known};
use super::record::Top;
use super::unmapped::Unmapped;

known!(
    /// `insightDetails`.
    Details {
        State = "state",
        EventSource = "eventSource",
        EventName = "eventName",
        InsightType = "insightType",
        ErrorCode = "errorCode",
        Context = "insightContext",
    }
);

/// The event of an insight; `None`, with nothing taken, when the record is something else.
pub(super) fn event<'a>(fields: &mut Fields<'a, Top>) -> Option<Event<'a>> {
    let mut details = Fields::<Details>::read(fields.json(Top::InsightDetails)?).ok()?;
    let insight = details.peek(Details::InsightType)?;
    let uid = fields.peek(Top::SharedEventId).or_else(|| fields.peek(Top::EventId))?;
    fields.take(Top::InsightDetails);
    fields.take(Top::SharedEventId);
    details.take(Details::InsightType);
    let activity_id = activity(&mut details);
    let evidence = details.take_json(Details::Context).map(Json::new);
    let title = title(&insight, &details);
    let time = call::time(fields);
    let metadata = call::metadata(fields, Top::EventId);
    let cloud = call::cloud(fields, Top::RecipientAccountId);
    let mut unmapped = Unmapped::rest(fields);
    unmapped.put_object("insightDetails", Unmapped::rest(&details));
    Some(Event::from(DetectionFinding {
        activity_id: Some(activity_id),
        severity_id: Some(severity::UNKNOWN),
        is_alert: Some(activity_id != detection_finding::CLOSE),
        time: Some(time.as_millis()),
        message: Some(Cow::Owned(title.clone())),
        metadata: Some(metadata.into()),
        cloud: Some(cloud.into()),
        finding_info: Some(
            FindingInfo {
                uid: Some(uid),
                title: Some(Cow::Owned(title)),
                types: vec![insight.clone()],
                analytic: Some(Analytic {
                    name: Some(insight),
                    type_id: Some(analytic_type::STATISTICAL),
                    ..Analytic::default()
                }),
                ..FindingInfo::default()
            }
            .into(),
        ),
        evidences: evidence
            .map(|data| Evidences { data: Some(data), ..Evidences::default() })
            .into_iter()
            .collect(),
        unmapped: unmapped.json(),
        ..DetectionFinding::default()
    }))
}

/// Takes `state`: an insight begins, and ends with a record of its own.
fn activity(details: &mut Fields<'_, Details>) -> i32 {
    let activity_id = match details.peek(Details::State).as_deref() {
        Some("Start") => detection_finding::CREATE,
        Some("End") => detection_finding::CLOSE,
        _ => return detection_finding::UNKNOWN,
    };
    details.take(Details::State);
    activity_id
}

/// `ApiCallRateInsight: RunInstances of ec2.amazonaws.com`.
fn title(insight: &str, details: &Fields<'_, Details>) -> String {
    let mut title = insight.to_owned();
    if let Some(name) = details.peek(Details::EventName) {
        title.extend([": ", name.as_ref()]);
    }
    if let Some(source) = details.peek(Details::EventSource) {
        title.extend([" of ", source.as_ref()]);
    }
    if let Some(code) = details.peek(Details::ErrorCode) {
        title.extend([" with ", code.as_ref()]);
    }
    title
}
