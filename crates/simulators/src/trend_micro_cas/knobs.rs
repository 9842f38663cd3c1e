//! The settings that the faults change, typed.
//!
//! The table of names and help texts is `fault_table`.

use std::collections::BTreeMap;

use crate::faults::{self, FaultError};

use super::access::ApiTypes;
use super::action_knobs::ActionKnobs;
use super::fault_table::FAULTS;
use super::streams::Stream;

/// How an expired key is told so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum ExpiredText {
    #[default]
    Expired,
    NotFound,
}

/// The order of records within a window.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Order {
    #[default]
    Ascending,
    Descending,
    Shuffled,
}

/// How the last page says that it is the last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum LinkEnd {
    #[default]
    Empty,
    Null,
    Absent,
    NullText,
    /// All of them in turn.
    Mixed,
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

/// A stretch of time with more records.
#[derive(Debug, Clone)]
pub(super) struct Spike {
    pub(super) streams: Vec<Stream>,
    pub(super) factor: f64,
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
}

/// All settings; `Default` is the documented default of every fault.
#[derive(Debug, Clone)]
pub(super) struct Knobs {
    pub(super) keys: Vec<String>,
    pub(super) expired: Vec<String>,
    pub(super) revoked: Vec<String>,
    pub(super) no_scope: Vec<String>,
    /// Keys with their API types.
    pub(super) scopes: Vec<(String, ApiTypes)>,
    /// Keys with their day of issue, epoch milliseconds.
    pub(super) issued: Vec<(String, i64)>,
    pub(super) expired_text: ExpiredText,

    pub(super) requests: u64,
    pub(super) window_ms: i64,
    pub(super) quota_per_tenant: bool,
    pub(super) count_refused: bool,
    pub(super) retry_after: bool,

    pub(super) end_exclusive: bool,
    pub(super) clip_old_start: bool,
    pub(super) order: Order,

    pub(super) streams: Vec<Stream>,
    pub(super) late: Option<Late>,
    pub(super) spike: Option<Spike>,

    pub(super) link_end: LinkEnd,
    pub(super) link_without_scheme: bool,
    pub(super) link_host: Option<String>,
    pub(super) public_url: Option<String>,
    pub(super) link_repeat: u64,
    pub(super) empty_page_with_link: u64,
    pub(super) duplicates_percent: f64,
    pub(super) token_life_ms: i64,

    pub(super) throttle_every: u64,
    pub(super) unavailable_every: u64,
    pub(super) fail_every: u64,
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

    /// The settings of the response side.
    pub(super) actions: ActionKnobs,

    /// Every fault as it was last set.
    texts: BTreeMap<&'static str, String>,
}

impl Knobs {
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

    /// What a fault changes when nothing is said, before the table's defaults are applied.
    fn unset() -> Self {
        Self {
            keys: Vec::new(),
            expired: Vec::new(),
            revoked: Vec::new(),
            no_scope: Vec::new(),
            scopes: Vec::new(),
            issued: Vec::new(),
            expired_text: ExpiredText::default(),
            requests: 1,
            window_ms: 1,
            quota_per_tenant: false,
            count_refused: false,
            retry_after: false,
            end_exclusive: false,
            clip_old_start: false,
            order: Order::default(),
            streams: Vec::new(),
            late: None,
            spike: None,
            link_end: LinkEnd::default(),
            link_without_scheme: false,
            link_host: None,
            public_url: None,
            link_repeat: 0,
            empty_page_with_link: 0,
            duplicates_percent: 0.0,
            token_life_ms: 0,
            throttle_every: 0,
            unavailable_every: 0,
            fail_every: 0,
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
            actions: ActionKnobs::default(),
            texts: BTreeMap::new(),
        }
    }
}

impl Default for Knobs {
    fn default() -> Self {
        let mut knobs = Self::unset();
        for fault in FAULTS {
            let set = knobs.set(fault.info.name, fault.info.default);
            debug_assert!(set.is_ok(), "the default of `{}` is not accepted", fault.info.name);
        }
        knobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_accepted_and_shown() {
        let mut knobs = Knobs::unset();
        for fault in FAULTS {
            assert_eq!(
                knobs.set(fault.info.name, fault.info.default),
                Ok(()),
                "{}",
                fault.info.name
            );
        }
        let defaults: Vec<_> =
            FAULTS.iter().map(|fault| (fault.info.name, fault.info.default.to_owned())).collect();
        assert_eq!(Knobs::default().texts(), defaults);
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> =
            FAULTS.iter().map(|fault| fault.info.name).collect();
        assert_eq!(names.len(), FAULTS.len());
    }

    #[test]
    fn nonsense_is_refused_by_every_fault_with_a_fixed_set_of_values() {
        let free =
            ["keys", "expired", "revoked", "no_scope", "link_host", "fail_items", "refuse_items"];
        for fault in FAULTS.iter().filter(|fault| !free.contains(&fault.info.name)) {
            let mut knobs = Knobs::default();
            assert!(knobs.set(fault.info.name, "?:?").is_err(), "{}", fault.info.name);
        }
    }

    #[test]
    fn outages_cover_their_period() {
        assert!(Outage::On.covers(0));
        assert!(!Outage::Off.covers(0));
        assert!(Outage::Between(5, 9).covers(5));
        assert!(!Outage::Between(5, 9).covers(9));
    }
}
