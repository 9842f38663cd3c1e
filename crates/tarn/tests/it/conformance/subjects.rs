//! What the suite has to know of each integration: the one place where a new one names itself.

use std::time::Duration;

use tokio::sync::OnceCell;

use super::cases::Case;

const HOUR: Duration = Duration::from_secs(3600);

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
    /// What its simulator does in every case.
    pub(super) faults: Faults,
    /// Whether the document selects a stream of the simulator.
    pub(super) selects: fn(&str) -> bool,
    /// How far back the document reads, and what happened before is not looked at.
    pub(super) reach: Duration,
    /// Whether it asks for access tokens with its key.
    pub(super) has_access_tokens: bool,
    /// How its simulator plays a case.
    pub(super) play: fn(Case) -> Play,
    /// Duplicates in the ledger of some hours without faults, once they are counted.
    pub(super) repeats: OnceCell<u64>,
}

/// The simulators' records look different from an hour after the start of a case on.
const NEXT_RELEASE: Play = Play::Throughout(&[("next_release", "2026-03-10T01:00:00Z")]);

/// Every integration.
pub(super) static SUBJECTS: [Subject; 3] = [
    Subject {
        integration: "trend_micro_cas",
        // Half of the vendor's quota on both sides, so that a walk over one day has to wait and can be disturbed.
        document: "credential: { api_keys: \"{key}\" }\n    \
                   parameters: { base_url: \"{url}\", services: [exchange], events: [dlp, ransomware] }\n    \
                   quota: { requests: 10, per: 60s }\n    backfill: 24h",
        key: "sim-key",
        rate: 120.0,
        faults: &[("requests", "10")],
        selects: |stream| ["exchange/dlp", "exchange/ransomware"].contains(&stream),
        reach: HOUR.saturating_mul(24),
        has_access_tokens: false,
        play: trend_micro_cas,
        repeats: OnceCell::const_new(),
    },
    Subject {
        integration: "trend_vision_one",
        document: "credential: { token: \"{key}\" }\n    \
                   parameters: { base_url: \"{url}\" }\n    \
                   interval: { audit_logs: 10m }\n    backfill: 12h",
        key: "sim-key",
        rate: 20.0,
        // A version of an alert that came and went while the vendor could not be reached is nowhere to
        // be had.
        faults: &[("settle", "2h")],
        selects: |_| true,
        reach: HOUR.saturating_mul(12),
        has_access_tokens: false,
        play: trend_vision_one,
        repeats: OnceCell::const_new(),
    },
    Subject {
        integration: "mimecast",
        document: "credential: { client_id: sim-client, client_secret: \"{key}\" }\n    \
                   parameters: { base_url: \"{url}\", siem_types: [receipt, delivery, url_protect] }\n    \
                   backfill: 24h",
        key: "sim-secret",
        rate: 20.0,
        faults: &[("ttp_page", "50")],
        selects: |stream| {
            stream.starts_with("ttp_")
                || ["siem/receipt", "siem/delivery", "siem/url_protect"].contains(&stream)
        },
        reach: HOUR.saturating_mul(24),
        has_access_tokens: true,
        play: mimecast,
        repeats: OnceCell::const_new(),
    },
];

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
        Case::SchemaDrift => NEXT_RELEASE,
        Case::RotatedCredential => Throughout(&[("keys", "new-key")]),
    }
}

fn trend_vision_one(case: Case) -> Play {
    use Play::{ForAWhile, Throughout};
    match case {
        Case::FirstRun | Case::Failpoints | Case::Paging => Throughout(&[]),
        Case::EmptyPage => Throughout(&[("empty_page_with_link", "2"), ("null_items", "on")]),
        Case::ThrottledWithWait => Throughout(&[("throttle_every", "5"), ("retry_after", "date")]),
        Case::ThrottledWithoutWait => {
            Throughout(&[("throttle_every", "5"), ("throttle_code", "absent")])
        }
        Case::Unauthorized => ForAWhile(&[("keys", "other")], &[("keys", "sim-key")]),
        Case::OneContentTypeForbidden => {
            ForAWhile(&[("no_scope", "sim-key:alerts")], &[("no_scope", "")])
        }
        Case::ServerError => Throughout(&[
            ("unavailable_every", "4"),
            ("fail_every", "7"),
            ("gateway_timeout_every", "9"),
        ]),
        Case::Outage => ForAWhile(&[("outage", "on")], &[("outage", "off")]),
        Case::CutBody => Throughout(&[("cut_every", "3")]),
        Case::WrongContentType => ForAWhile(&[("wrong_type", "on")], &[("wrong_type", "off")]),
        Case::DuplicateDelivery => Throughout(&[("update_while_paging", "41")]),
        Case::LateDelivery => Throughout(&[("late", "10:10m")]),
        Case::NewestFirst => Throughout(&[("audit_order", "descending"), ("fail_every", "3")]),
        Case::ExpiredPageToken => Throughout(&[("token_life", "30s"), ("skip_token_life", "30s")]),
        Case::SameCursorTwice => Throughout(&[("link_repeat", "3")]),
        Case::NullCursor => Throughout(&[("link_end", "mixed"), ("lost_link", "5")]),
        Case::ClockSkew => Throughout(&[("date_skew", "-10m")]),
        Case::PoisonedRecord => Throughout(&[("poison_every", "3")]),
        Case::SchemaDrift => NEXT_RELEASE,
        Case::RotatedCredential => Throughout(&[("keys", "new-key")]),
    }
}

fn mimecast(case: Case) -> Play {
    use Play::{ForAWhile, Throughout};
    match case {
        Case::FirstRun | Case::Failpoints => Throughout(&[]),
        Case::Paging => Throughout(&[("file_span", "5m")]),
        // The token dies while the walk waits after an empty page. Dates are whole days, so a walk that
        // begins again needs several pages in a row: more empty ones would hold it up for ever.
        Case::EmptyPage => Throughout(&[
            ("file_span", "5m"),
            ("empty_page", "5"),
            ("page_token_life", "10m"),
            ("ttp_end", "empty_page"),
        ]),
        Case::ThrottledWithWait => Throughout(&[("throttle_every", "23"), ("retry_after", "on")]),
        Case::ThrottledWithoutWait => {
            Throughout(&[("throttle_every", "23"), ("limit_headers", "never")])
        }
        Case::Unauthorized => ForAWhile(&[("revoked", "sim-client")], &[("revoked", "")]),
        Case::OneContentTypeForbidden => {
            ForAWhile(&[("forbidden", "ttp_url")], &[("forbidden", "")])
        }
        Case::ServerError => Throughout(&[
            ("unavailable_every", "4"),
            ("fail_every", "7"),
            ("transient_401", "9"),
            ("ttp_fail", "5"),
        ]),
        Case::Outage => ForAWhile(&[("outage", "on")], &[("outage", "off")]),
        Case::CutBody => Throughout(&[("cut_every", "3")]),
        Case::WrongContentType => ForAWhile(&[("wrong_type", "on")], &[("wrong_type", "off")]),
        Case::DuplicateDelivery => {
            Throughout(&[("repeat_records", "50"), ("repeat_link", "3"), ("dead_link", "7")])
        }
        Case::LateDelivery => Throughout(&[("late", "10:10m")]),
        Case::NewestFirst => Throughout(&[("order", "descending"), ("fail_every", "3")]),
        Case::ExpiredPageToken => Throughout(&[("page_token_life", "30s")]),
        Case::SameCursorTwice => Throughout(&[("stuck_token", "2"), ("ttp_stuck", "2")]),
        Case::NullCursor => Throughout(&[("missing_next", "3"), ("next_name", "link")]),
        Case::ClockSkew => Throughout(&[("date_skew", "-10m")]),
        Case::PoisonedRecord => Throughout(&[("bad_line", "3"), ("bad_utf8", "5")]),
        Case::SchemaDrift => NEXT_RELEASE,
        Case::RotatedCredential => Throughout(&[("keys", "sim-client:new-key")]),
    }
}
