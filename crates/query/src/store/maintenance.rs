//! Keeping a store in order: what a run is to do, what it did, and the bookmarks that say which part
//! of the log is still needed.

use std::collections::BTreeMap;

use model::ids::{InstallId, TenantId};
use model::ocsf::Class;
use model::time::{Day, Timestamp};
use serde::{Deserialize, Serialize};

/// How eagerly a step is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Effort {
    /// Not at all.
    #[default]
    Skip,
    /// Where it is worth its cost: what the background task asks for.
    WhenDue,
    /// Wherever there is anything to do.
    Now,
}

/// What a run is to do. The steps are done in the order of the fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaintenancePlan {
    /// The time now, from which ages are counted.
    pub now: Timestamp,
    /// What has expired: files whose whole day lies before the limit are removed. Legal holds of
    /// any install that shares the store win over it.
    pub expire: Vec<Expiry>,
    /// Merging small files.
    pub merge: Effort,
    /// Noting the state of the log, so that its older entries are not needed.
    pub snapshot: Effort,
    /// Removing log entries and files that nobody needs any more.
    pub clean_up: Effort,
    /// Only tell what would be expired and cleaned up; change nothing.
    pub dry_run: bool,
}

impl MaintenancePlan {
    /// A plan that does nothing yet.
    pub fn new(now: Timestamp) -> Self {
        Self {
            now,
            expire: Vec::new(),
            merge: Effort::Skip,
            snapshot: Effort::Skip,
            clean_up: Effort::Skip,
            dry_run: false,
        }
    }
}

/// Rows of a tenant in a table that are older than they may get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// The owner.
    pub tenant: TenantId,
    /// The table.
    pub class: Class,
    /// The first day that stays.
    pub before: Day,
}

impl Expiry {
    /// Whether rows of a day may go, the last of which came in at `added`. Rows without a time of
    /// their own lie under 1970-01-01; they are as old as their coming in.
    pub fn reaches(&self, day: Day, added: Timestamp) -> bool {
        let day = if day == Timestamp::EPOCH.day() { added.day() } else { day };
        day < self.before
    }
}

/// What a run did; in a dry run, what it would have done.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct MaintenanceReport {
    /// Tables in which something was done, or which wait for somebody.
    pub tables: Vec<TableMaintenance>,
    /// What retention removed.
    pub expired: Vec<Expired>,
    /// What did not work, by table.
    pub failures: Vec<Failure>,
}

/// What was done in one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableMaintenance {
    /// The table.
    pub class: Class,
    /// Small files that were merged.
    pub merged: u64,
    /// Files that hold their rows now.
    pub merged_into: u64,
    /// The version whose state was noted.
    pub snapshot: Option<u64>,
    /// Log entries that were removed.
    pub log_entries: u64,
    /// Other files that were removed.
    pub files: u64,
    /// Bytes of all that was removed.
    pub size_bytes: u64,
    /// Who keeps more of the log from being removed, for people.
    pub waits_for: Option<String>,
}

impl TableMaintenance {
    /// Nothing was done yet.
    pub fn new(class: Class) -> Self {
        Self {
            class,
            merged: 0,
            merged_into: 0,
            snapshot: None,
            log_entries: 0,
            files: 0,
            size_bytes: 0,
            waits_for: None,
        }
    }

    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        *self == Self::new(self.class)
    }
}

/// Rows of a tenant that retention removed from a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expired {
    /// The table.
    pub class: Class,
    /// The owner.
    pub tenant: TenantId,
    /// The version that removed them; `None` in a dry run.
    pub version: Option<u64>,
    /// The days, oldest first.
    pub days: Vec<Day>,
    /// Files.
    pub files: u64,
    /// Rows in them.
    pub rows: u64,
}

/// A step that did not work in one table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The table.
    pub class: Class,
    /// What was tried, and why it failed.
    pub problem: String,
}

/// How far an install has come in the log, and what it wants kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bookmark {
    /// Whose it is.
    pub install: InstallId,
    /// When it was written. A bookmark that is not renewed for seven days keeps nothing but holds.
    pub written_at: Timestamp,
    /// For each table, the version up to which every receipt of the install is in its ledger.
    pub applied: BTreeMap<Class, u64>,
    /// For each reader of commits, by name, the versions up to which it has read. A table that is
    /// missing here is one that the reader has not begun.
    #[serde(default)]
    pub readers: BTreeMap<String, BTreeMap<Class, u64>>,
    /// What must not expire, however old the bookmark is.
    #[serde(default)]
    pub holds: Vec<Hold>,
}

/// Rows that must not be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The owner.
    pub tenant: TenantId,
    /// The table; every table when there is none.
    pub class: Option<Class>,
}

impl Hold {
    /// Whether it covers the tenant's rows in a table.
    pub fn covers(&self, tenant: &TenantId, class: Class) -> bool {
        self.tenant == *tenant && self.class.is_none_or(|held| held == class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_without_a_time_expire_by_when_they_came_in() {
        let before = Day::parse("2026-03-02").unwrap();
        let expiry = Expiry { tenant: TenantId::default(), class: Class::BaseEvent, before };
        let came = |text| Timestamp::parse(text).unwrap();
        let epoch = Timestamp::EPOCH.day();
        assert!(expiry.reaches(epoch, came("2026-03-01T23:59:59Z")));
        assert!(!expiry.reaches(epoch, came("2026-03-02T00:00:00Z")));
        assert!(expiry.reaches(Day(before.0 - 1), came("2026-03-05T00:00:00Z")));
        assert!(!expiry.reaches(before, came("2026-03-05T00:00:00Z")));
    }

    #[test]
    fn a_hold_without_a_table_covers_all_of_its_tenant_only() {
        let other = TenantId::new("other").unwrap();
        let hold = Hold { tenant: TenantId::default(), class: None };
        assert!(hold.covers(&TenantId::default(), Class::EmailActivity));
        assert!(!hold.covers(&other, Class::EmailActivity));
        let narrow = Hold { class: Some(Class::BaseEvent), ..hold };
        assert!(!narrow.covers(&TenantId::default(), Class::EmailActivity));
    }
}
