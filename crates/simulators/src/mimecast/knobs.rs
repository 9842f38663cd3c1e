//! The settings that the faults change, typed.
//!
//! The table of names and help texts is `fault_table`. Where the vendor's documentation leaves a point open, a
//! knob plays each reading.

use std::collections::BTreeMap;

use crate::faults::{self, FaultError};

use super::fault_table::FAULTS;
use super::streams::Stream;

/// A registered application: its id and its secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Application {
    pub(super) id: String,
    pub(super) secret: String,
}

/// The groups of calls that permissions and quotas tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Token,
    Batch,
    Live,
    TtpUrl,
    TtpAttachment,
    TtpImpersonation,
}

impl Function {
    /// Its name in faults.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Batch => "siem",
            Self::Live => "siem_stream",
            Self::TtpUrl => "ttp_url",
            Self::TtpAttachment => "ttp_attachment",
            Self::TtpImpersonation => "ttp_impersonation",
        }
    }
}

/// Whether nothing but 503 is answered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Outage {
    #[default]
    Off,
    On,
    /// From (inclusive) to (exclusive), epoch milliseconds.
    Between(i64, i64),
}

impl Outage {
    pub(super) fn covers(self, now_ms: i64) -> bool {
        match self {
            Self::Off => false,
            Self::On => true,
            Self::Between(start_ms, end_ms) => (start_ms..end_ms).contains(&now_ms),
        }
    }
}

/// Records that become visible after their generation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Late {
    pub(super) percent: f64,
    pub(super) most_ms: i64,
}

/// The order of records within a file or a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Order {
    #[default]
    Ascending,
    Descending,
    Shuffled,
}

/// The body of a 429.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum ThrottleBody {
    #[default]
    Fail,
    Detail,
    Html,
    Empty,
}

/// When the rate limit headers are sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum LimitHeaders {
    #[default]
    Exceeded,
    Always,
    Never,
}

/// The names of type and subtype.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Spelling {
    /// `type` in files, `eventType` in the stream.
    #[default]
    ByTransport,
    Lower,
    Camel,
    /// In turn.
    Mixed,
}

/// How a field without a value stands in a record.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Nulls {
    #[default]
    Null,
    Absent,
    Empty,
    /// In turn.
    Mixed,
}

/// How the verdict of the spam filter is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum SpamDetail {
    #[default]
    Mixed,
    Text,
    Double,
    Object,
}

/// How TTP logs write times.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum TimeForm {
    /// `+0000`
    #[default]
    Basic,
    /// `+00:00`
    Colon,
    Zulu,
}

/// How paging tokens stand in SIEM answers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum NextName {
    #[default]
    Page,
    /// Only `@nextLink`.
    Link,
    Both,
}

/// Which parameter names the types of events.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum TypeParameter {
    #[default]
    Both,
    Type,
    Types,
}

/// All settings; `Default` is the documented default of every fault.
#[derive(Debug, Clone, Default)]
pub(super) struct Knobs {
    pub(super) keys: Vec<Application>,
    pub(super) revoked: Vec<String>,
    pub(super) forbidden: Vec<String>,
    pub(super) token_life_s: i64,
    pub(super) one_token: bool,
    pub(super) token_fails: bool,
    pub(super) auth_outage: bool,
    pub(super) transient_every: u64,
    pub(super) transient_code: String,

    pub(super) requests: u64,
    pub(super) window_ms: i64,
    pub(super) live_requests: u64,
    pub(super) live_window_ms: i64,
    pub(super) quota_per_application: bool,
    pub(super) token_counts: bool,
    pub(super) count_refused: bool,
    pub(super) retry_after: bool,
    pub(super) limit_headers: LimitHeaders,
    pub(super) throttle_body: ThrottleBody,

    pub(super) streams: Vec<Stream>,
    pub(super) late: Option<Late>,
    pub(super) order: Order,
    pub(super) live_is_held: bool,

    pub(super) spelling: Spelling,
    pub(super) offsets: bool,
    pub(super) nulls: Nulls,
    pub(super) recipient_lists: bool,
    pub(super) spam_detail: SpamDetail,
    pub(super) postmaster_percent: u64,
    pub(super) unknown_every: u64,
    pub(super) release_ms: Option<i64>,

    pub(super) file_ms: i64,
    pub(super) file_records: u64,
    pub(super) link_life_ms: i64,
    pub(super) file_host: Option<String>,
    pub(super) public_url: Option<String>,
    pub(super) dead_link_every: u64,
    pub(super) gone_file_every: u64,
    pub(super) repeat_link_every: u64,
    pub(super) repeat_records_percent: f64,
    pub(super) corrupt_every: u64,
    pub(super) truncated_every: u64,
    pub(super) bad_line_every: u64,
    pub(super) bad_utf8_every: u64,
    pub(super) blank_lines: bool,
    pub(super) members: u64,
    pub(super) file_encoding: bool,

    pub(super) clip_old_start: bool,
    pub(super) type_parameter: TypeParameter,
    pub(super) next_name: NextName,
    pub(super) page_token_life_ms: i64,
    pub(super) stale_status: u16,
    pub(super) siem_fail_shape: bool,
    pub(super) short_page_every: u64,
    pub(super) empty_page_every: u64,
    pub(super) missing_next_every: u64,
    pub(super) stuck_token_every: u64,

    pub(super) ttp_history_ms: i64,
    pub(super) ttp_page: usize,
    pub(super) ttp_shows_all: bool,
    pub(super) ttp_empty_end: bool,
    pub(super) ttp_stuck_every: u64,
    pub(super) ttp_fail_every: u64,
    pub(super) time_form: TimeForm,

    pub(super) throttle_every: u64,
    pub(super) unavailable_every: u64,
    pub(super) fail_every: u64,
    pub(super) unavailable_html: bool,
    pub(super) cut_every: u64,
    pub(super) outage: Outage,
    pub(super) delay_ms: u64,
    pub(super) gzip: bool,
    pub(super) wrong_type: bool,
    pub(super) date_skew_ms: i64,

    /// Every fault as it was last set.
    texts: BTreeMap<&'static str, String>,
}

impl Knobs {
    /// Every fault at its documented default.
    pub(super) fn documented() -> Self {
        let mut knobs = Self::default();
        for fault in FAULTS {
            let set = knobs.set(fault.info.name, fault.info.default);
            debug_assert!(set.is_ok(), "the default of `{}` is not accepted", fault.info.name);
        }
        knobs
    }

    /// Sets one fault; nothing changes when it fails.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), FaultError> {
        let name = faults::set(FAULTS, self, name, value)?;
        self.texts.insert(name, value.trim().to_owned());
        Ok(())
    }

    /// Every fault with its value, in the order of the table.
    pub(super) fn texts(&self) -> Vec<(&'static str, String)> {
        let text = |name| self.texts.get(name).cloned().unwrap_or_default();
        FAULTS.iter().map(|fault| (fault.info.name, text(fault.info.name))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_accepted_and_shown() {
        let mut knobs = Knobs::default();
        for fault in FAULTS {
            let set = knobs.set(fault.info.name, fault.info.default);
            assert_eq!(set, Ok(()), "{}", fault.info.name);
        }
        let defaults: Vec<_> =
            FAULTS.iter().map(|fault| (fault.info.name, fault.info.default.to_owned())).collect();
        assert_eq!(Knobs::documented().texts(), defaults);
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> =
            FAULTS.iter().map(|fault| fault.info.name).collect();
        assert_eq!(names.len(), FAULTS.len());
    }

    #[test]
    fn nonsense_is_refused_by_every_fault_with_a_fixed_set_of_values() {
        let free = ["keys", "revoked", "transient_code", "file_host"];
        for fault in FAULTS.iter().filter(|fault| !free.contains(&fault.info.name)) {
            let mut knobs = Knobs::documented();
            assert!(knobs.set(fault.info.name, "?:?").is_err(), "{}", fault.info.name);
        }
    }
}
