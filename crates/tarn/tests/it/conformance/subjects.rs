//! What the suite has to know of each integration: the one place where a new one names itself.

use super::cases::Case;

/// Faults of a simulator: name and value.
pub(super) type Faults = &'static [(&'static str, &'static str)];

/// How a simulator plays a case.
pub(super) enum Play {
    /// With these faults from the start to the end.
    Throughout(Faults),
    /// With the first faults for a while, and with the second ones afterwards.
    ForAWhile(Faults, Faults),
    /// The vendor cannot behave so: why.
    Impossible(&'static str),
}

/// An integration under test.
pub(super) struct Subject {
    /// Its name, also of its simulator.
    pub(super) integration: &'static str,
    /// The rest of a connector document; `{url}` and `{key}` are filled in.
    pub(super) document: &'static str,
    /// The key that its simulator knows at first.
    pub(super) key: &'static str,
    /// Records per hour and stream: enough for several pages in an interval of history.
    pub(super) rate: f64,
    /// Whether the document selects a stream of the simulator.
    pub(super) selects: fn(&str) -> bool,
    /// How its simulator plays a case.
    pub(super) play: fn(Case) -> Play,
}

/// Every integration.
pub(super) const SUBJECTS: &[Subject] = &[Subject {
    integration: "trend_micro_cas",
    document: "credential: { api_keys: \"{key}\" }\n    \
               parameters: { base_url: \"{url}\", services: [exchange], events: [dlp, ransomware] }",
    key: "sim-key",
    rate: 120.0,
    selects: |stream| ["exchange/dlp", "exchange/ransomware"].contains(&stream),
    play: trend_micro_cas,
}];

fn trend_micro_cas(case: Case) -> Play {
    use Play::{ForAWhile, Impossible, Throughout};
    match case {
        Case::FirstRun | Case::Failpoints | Case::Paging => Throughout(&[]),
        Case::EmptyPage => Throughout(&[("empty_page_with_link", "2")]),
        Case::ThrottledWithWait => Throughout(&[("throttle_every", "5"), ("retry_after", "on")]),
        Case::ThrottledWithoutWait => Throughout(&[("throttle_every", "5")]),
        Case::Unauthorized => ForAWhile(&[("keys", "other")], &[("keys", "sim-key")]),
        Case::OneContentTypeForbidden => Impossible("one content type"),
        Case::ServerError => Throughout(&[("unavailable_every", "4"), ("fail_every", "7")]),
        Case::Outage => ForAWhile(&[("outage", "on")], &[("outage", "off")]),
        Case::CutBody => Throughout(&[("cut_every", "3")]),
        Case::WrongContentType => ForAWhile(&[("wrong_type", "on")], &[("wrong_type", "off")]),
        Case::DuplicateDelivery => Throughout(&[("duplicates", "80")]),
        Case::LateDelivery => Throughout(&[("late", "10:10m")]),
        Case::NewestFirst => Throughout(&[("order", "descending")]),
        Case::ExpiredPageToken => Throughout(&[("token_life", "30s")]),
        Case::SameCursorTwice => Throughout(&[("link_repeat", "3")]),
        Case::NullCursor => Throughout(&[("link_end", "mixed")]),
        Case::ClockSkew => Throughout(&[("date_skew", "-10m")]),
        Case::PoisonedRecord => Throughout(&[("poison_every", "3")]),
        Case::RotatedCredential => Throughout(&[("keys", "new-key")]),
    }
}
