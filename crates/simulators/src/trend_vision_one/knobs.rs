//! The settings that the faults change, typed.
//!
//! The table of names and help texts is `fault_table`.

use std::collections::BTreeMap;

use crate::faults::{self, FaultError, FaultInfo};

use super::access::Area;
use super::fault_table::FAULTS;
use super::response_knobs::{RESPONSE_FAULTS, ResponseKnobs};
use super::streams::Stream;

/// How the last page says that it is the last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum LinkEnd {
    #[default]
    Absent,
    Null,
    Empty,
    /// All of them in turn.
    Mixed,
}

/// How a 429 names the wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum RetryAfter {
    #[default]
    Off,
    Seconds,
    Date,
}

/// How ETags are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum ETag {
    #[default]
    Bare,
    Quoted,
    Weak,
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

/// A share of records, and a span.
#[derive(Debug, Clone, Copy)]
pub(super) struct Late {
    pub(super) percent: f64,
    pub(super) most_ms: i64,
}

/// A key and what it may not use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Denied {
    pub(super) key: String,
    pub(super) areas: Vec<Area>,
}

/// All settings. [`Knobs::default`] has the documented default of every fault.
#[derive(Debug, Clone)]
pub(super) struct Knobs {
    pub(super) keys: Vec<String>,
    pub(super) expired: Vec<String>,
    pub(super) revoked: Vec<String>,
    pub(super) disabled: Vec<String>,
    /// Keys with the end of their life, epoch milliseconds.
    pub(super) expires: Vec<(String, i64)>,
    pub(super) no_scope: Vec<Denied>,
    pub(super) health_refuses_expired: bool,

    pub(super) requests: u64,
    pub(super) window_ms: i64,
    pub(super) count_refused: bool,
    pub(super) retry_after: RetryAfter,
    pub(super) throttle_without_code: bool,

    pub(super) end_exclusive: bool,
    pub(super) top_refused: bool,
    pub(super) detected_default_applies: bool,
    pub(super) audit_ascending: bool,
    pub(super) no_products: bool,
    pub(super) widest_ms: i64,

    pub(super) streams: Vec<Stream>,
    pub(super) updates: bool,
    pub(super) settle_ms: i64,
    pub(super) withdraw: Option<Late>,
    pub(super) notes_touch: bool,
    pub(super) late: Option<Late>,
    pub(super) twins_percent: f64,
    pub(super) without_ingested: bool,
    pub(super) etag: ETag,

    pub(super) alerts_per_page: usize,
    pub(super) update_while_paging: u64,
    pub(super) withdraw_while_paging: u64,
    pub(super) link_end: LinkEnd,
    pub(super) raw_space: bool,
    pub(super) odd_path: bool,
    pub(super) link_host: Option<String>,
    pub(super) public_url: Option<String>,
    pub(super) link_repeat: u64,
    pub(super) empty_page_with_link: u64,
    pub(super) lost_link: u64,
    pub(super) null_items: bool,
    pub(super) token_life_ms: i64,
    pub(super) skip_token_life_ms: i64,

    pub(super) throttle_every: u64,
    pub(super) unavailable_every: u64,
    pub(super) fail_every: u64,
    pub(super) gateway_timeout_every: u64,
    pub(super) unavailable_html: bool,
    pub(super) cut_every: u64,
    pub(super) poison_every: u64,
    pub(super) release_ms: Option<i64>,
    pub(super) outage: Outage,
    pub(super) delay_ms: u64,
    pub(super) huge_body: usize,
    pub(super) gzip: bool,
    pub(super) wrong_type: bool,
    pub(super) date_skew_ms: i64,

    /// Those of actions and tasks.
    pub(super) response: ResponseKnobs,

    /// Every fault as it was last set.
    texts: BTreeMap<&'static str, String>,
}

impl Knobs {
    /// Sets one fault; nothing changes when it fails.
    pub(super) fn set(&mut self, name: &str, value: &str) -> Result<(), FaultError> {
        let is_of_response = RESPONSE_FAULTS.iter().any(|fault| fault.info.name == name);
        let table = if is_of_response { RESPONSE_FAULTS } else { FAULTS };
        let name = faults::set(table, self, name, value).map_err(|error| match error {
            FaultError::Unknown { name, .. } => FaultError::Unknown { name, known: all_names() },
            other => other,
        })?;
        self.texts.insert(name, value.trim().to_owned());
        Ok(())
    }

    /// Every fault with its value, in the order of the table.
    pub(super) fn texts(&self) -> Vec<(&'static str, String)> {
        let text = |name| self.texts.get(name).cloned().unwrap_or_default();
        all_faults().map(|info| (info.name, text(info.name))).collect()
    }
}

/// The faults of both tables.
pub(super) fn all_faults() -> impl Iterator<Item = FaultInfo> {
    FAULTS.iter().chain(RESPONSE_FAULTS).map(|fault| fault.info)
}

fn all_names() -> String {
    all_faults().map(|info| info.name).collect::<Vec<_>>().join(", ")
}

impl Knobs {
    /// What there is before the table's defaults are applied.
    fn unset() -> Self {
        Self {
            keys: Vec::new(),
            expired: Vec::new(),
            revoked: Vec::new(),
            disabled: Vec::new(),
            expires: Vec::new(),
            no_scope: Vec::new(),
            health_refuses_expired: false,
            requests: 0,
            window_ms: 0,
            count_refused: false,
            retry_after: RetryAfter::default(),
            throttle_without_code: false,
            end_exclusive: false,
            top_refused: false,
            detected_default_applies: false,
            audit_ascending: false,
            no_products: false,
            widest_ms: 0,
            streams: Vec::new(),
            updates: false,
            settle_ms: 0,
            withdraw: None,
            notes_touch: false,
            late: None,
            twins_percent: 0.0,
            without_ingested: false,
            etag: ETag::default(),
            alerts_per_page: 0,
            update_while_paging: 0,
            withdraw_while_paging: 0,
            link_end: LinkEnd::default(),
            raw_space: false,
            odd_path: false,
            link_host: None,
            public_url: None,
            link_repeat: 0,
            empty_page_with_link: 0,
            lost_link: 0,
            null_items: false,
            token_life_ms: 0,
            skip_token_life_ms: 0,
            throttle_every: 0,
            unavailable_every: 0,
            fail_every: 0,
            gateway_timeout_every: 0,
            unavailable_html: false,
            cut_every: 0,
            poison_every: 0,
            release_ms: None,
            outage: Outage::default(),
            delay_ms: 0,
            huge_body: 0,
            gzip: false,
            wrong_type: false,
            date_skew_ms: 0,
            response: ResponseKnobs::default(),
            texts: BTreeMap::new(),
        }
    }
}

impl Default for Knobs {
    fn default() -> Self {
        let mut knobs = Self::unset();
        for info in all_faults() {
            let set = knobs.set(info.name, info.default);
            debug_assert!(set.is_ok(), "the default of `{}` is not accepted", info.name);
        }
        knobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_accepted_and_shown() {
        let defaults: Vec<_> =
            all_faults().map(|info| (info.name, info.default.to_owned())).collect();
        let mut knobs = Knobs::unset();
        for (name, default) in &defaults {
            assert_eq!(knobs.set(name, default), Ok(()), "{name}");
        }
        assert_eq!(Knobs::default().texts(), defaults);
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = all_faults().map(|info| info.name).collect();
        assert_eq!(names.len(), all_faults().count());
    }

    #[test]
    fn nonsense_is_refused_by_every_fault_with_a_fixed_set_of_values() {
        let free = ["keys", "expired", "revoked", "disabled", "link_host"];
        let targets = ["fail_targets", "unsupported", "out_of_scope"];
        let is_free = |name: &str| free.contains(&name) || targets.contains(&name);
        for info in all_faults().filter(|info| !is_free(info.name)) {
            let mut knobs = Knobs::default();
            assert!(knobs.set(info.name, "?:?").is_err(), "{}", info.name);
        }
        let refused = Knobs::default().set("nothing", "on").map_err(|error| error.to_string());
        assert!(refused.is_err_and(|text| text.contains("outage") && text.contains("task_delay")));
    }

    #[test]
    fn keys_are_denied_everything_or_single_areas() {
        let mut knobs = Knobs::default();
        assert_eq!(knobs.set("no_scope", "a,b:alerts+audit_logs"), Ok(()));
        let areas: Vec<_> = knobs.no_scope.iter().map(|denied| denied.areas.len()).collect();
        assert_eq!(areas, [Area::ALL.len(), 2]);
        assert!(knobs.set("no_scope", "b:mails").is_err());
    }
}
