//! Observed attack techniques: asked for by the time at which the vendor took them in, newest first.
//!
//! Whether the vendor's default of one hour by detection holds beside a window by ingestion is not documented, so
//! both windows are always sent.

use std::time::Duration;

use model::identity::Identity;
use model::time::Timestamp;
use model::vendor::Ask;

use super::alerts::{bounds, canonical, written};
use super::audit_logs::top;
use super::content::Content;
use super::fields::Fields;
use super::filters::any_of;
use super::technique_event;

/// Fields with the time of a technique, best first.
pub(super) const TIMES: [&str; 2] = ["detectedDateTime", "ingestedDateTime"];
/// How far back the vendor takes a start, less a day for clocks that do not agree.
const REACH: Duration = Duration::from_secs(364 * 24 * 3600);
/// How late something may have been taken in where the vendor's clock is not known: an interval may begin at the
/// end of the reach, and the vendor still takes a day more.
const BLIND_REACH: Duration = Duration::from_secs(23 * 3600);
/// How far machines' clocks may be ahead of the vendor's: at first less than polls stay behind now, for the vendor
/// refuses an end in the future, and in history up to a day.
const AHEAD: (Duration, Duration) = (Duration::from_secs(4 * 60), Duration::from_secs(24 * 3600));

/// The content type.
pub(super) const TECHNIQUES: Content = Content {
    name: "observed_attack_techniques",
    path: "/v3.0/oat/detections",
    permission: "`Observed Attack Techniques: View, filter, and search`",
    query,
    page_size: top,
    filter: |filters| any_of("riskLevel", filters.risk_levels.as_deref()),
    identify,
    event: technique_event::event,
    feature: "Observed Attack Techniques",
    asks_the_time: true,
};

fn query(ask: &Ask, vendor_now: Option<Timestamp>) -> String {
    let (start, end) = bounds(ask);
    let reach = vendor_now.map_or(ask.interval.start - BLIND_REACH, |now| now - REACH);
    let detected_start = written(reach.min(ask.interval.start));
    let detected_end = written(ask.interval.end + ahead(ask.interval.end, vendor_now));
    let top = top(ask);
    format!(
        "detectedStartDateTime={detected_start}&detectedEndDateTime={detected_end}\
         &ingestedStartDateTime={start}&ingestedEndDateTime={end}&top={top}"
    )
}

/// How far beyond the end of what was taken in something may have been detected. Never beyond the vendor's time,
/// and only a part of the way there, for the time that it tells may be wrong by minutes.
fn ahead(end: Timestamp, vendor_now: Option<Timestamp>) -> Duration {
    let (least, most) = AHEAD;
    vendor_now.map_or(least, |now| (now.since(end) / 4).clamp(least, most).min(now.since(end)))
}

fn identify(fields: &Fields, raw: &[u8]) -> Identity {
    let key = fields.peek("uuid").map_or_else(|| canonical(raw), String::into_bytes);
    let time = fields.first_time(&TIMES).map(|(time, _)| time);
    Identity { key, time: time.or_else(|| detail_time(fields)) }
}

/// The time that the event itself gives.
pub(super) fn detail_time(fields: &Fields) -> Option<Timestamp> {
    fields.object("detail")?.first_time(&["eventTime", "eventTimeDT"]).map(|(time, _)| time)
}

#[cfg(test)]
mod tests {
    use model::time::Interval;

    use super::*;

    #[test]
    fn both_windows_are_sent_and_the_wider_one_stays_within_reach() {
        let time = |text: &str| Timestamp::parse(text).unwrap();
        let interval =
            Interval { start: time("2026-03-02T08:00:00Z"), end: time("2026-03-02T09:00:00Z") };
        let ask = Ask { stream: TECHNIQUES.stream(), interval, next: None, page_size: None };
        assert!(query(&ask, None).starts_with("detectedStartDateTime=2026-03-01T09:00:00Z&"));
        assert_eq!(
            query(&ask, Some(time("2026-04-01T00:00:00Z"))),
            "detectedStartDateTime=2025-04-02T00:00:00Z&detectedEndDateTime=2026-03-03T09:00:00Z\
             &ingestedStartDateTime=2026-03-02T08:00:00Z&ingestedEndDateTime=2026-03-02T09:00:00Z&top=200"
        );
    }
    #[test]
    fn nothing_is_asked_for_beyond_the_vendors_time() {
        let end = Timestamp::parse("2026-03-02T09:00:00Z").unwrap();
        let minute = Duration::from_secs(60);
        for (vendor_is_at, minutes) in [(-1, 0), (0, 0), (1, 1), (5, 4), (15, 4), (60, 15)] {
            let now = match u32::try_from(vendor_is_at) {
                Ok(later) => end + minute * later,
                Err(_) => end - minute,
            };
            assert_eq!(ahead(end, Some(now)), minute * minutes, "{vendor_is_at}");
        }
        assert_eq!(ahead(end, None), minute * 4);
    }
}
