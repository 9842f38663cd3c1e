//! Audit logs: asked for by the time at which the vendor took them in, so that late ones are not missed.

use model::identity::Identity;
use model::time::Timestamp;
use model::vendor::Ask;

use super::alerts::{bounds, canonical};
use super::audit_event;
use super::content::Content;
use super::fields::Fields;

/// Fields with the time of an audit log, best first.
pub(super) const TIMES: [&str; 2] = ["loggedDateTime", "ingestedDateTime"];
/// The page sizes that the vendor takes.
pub(super) const TOPS: [u32; 3] = [50, 100, 200];

/// The content type.
pub(super) const AUDIT_LOGS: Content = Content {
    name: "audit_logs",
    path: "/v3.0/audit/logs",
    permission: "`Audit Logs: View, filter, and search` and `Audit Logs: Export And Download`",
    query,
    page_size: top,
    filter: |_| None,
    identify,
    event: audit_event::event,
    feature: "Audit Logs",
    asks_the_time: false,
};

/// The order is always said: the vendor's pages disagree about the default.
fn query(ask: &Ask, _: Option<Timestamp>) -> String {
    let (start, end) = bounds(ask);
    let top = top(ask);
    format!(
        "startDateTime={start}&endDateTime={end}&dateTimeTarget=ingestedDateTime\
         &orderBy=ingestedDateTime%20asc&top={top}&labels=none"
    )
}

/// There is no id: the canonical record stands for itself. Two equal ones of one second are one.
fn identify(fields: &Fields, raw: &[u8]) -> Identity {
    Identity { key: canonical(raw), time: fields.first_time(&TIMES).map(|(time, _)| time) }
}

/// The smallest page that the vendor gives and that holds what is asked for.
pub(super) fn top(ask: &Ask) -> u32 {
    let wanted = ask.page_size.unwrap_or(u32::MAX);
    TOPS.into_iter().find(|top| *top >= wanted).unwrap_or(TOPS[2])
}

#[cfg(test)]
mod tests {
    use model::time::Interval;

    use super::*;

    #[test]
    fn page_sizes_are_those_that_the_vendor_takes() {
        let at = Timestamp::from_millis(1_772_438_400_000);
        let ask = |page_size| Ask {
            stream: AUDIT_LOGS.stream(),
            interval: Interval { start: at, end: at },
            next: None,
            page_size,
        };
        let tops = [None, Some(1), Some(50), Some(51), Some(9_999)].map(|size| top(&ask(size)));
        assert_eq!(tops, [200, 50, 50, 100, 200]);
    }
}
