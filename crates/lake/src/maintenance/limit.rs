//! How far a log may be cleaned up: not past what somebody still has to read, and nothing young. No I/O.

use std::collections::{BTreeMap, HashSet};

use model::ids::InstallId;
use model::ocsf::Class;
use model::time::Timestamp;
use query::store::maintenance::Bookmark;

use super::bookmarks::RELEASED_AFTER;
use super::clean::MIN_AGE;
use crate::table::entry::Entry;

/// An entry of the log, with when it was written.
pub(super) struct Dated {
    pub(super) version: u64,
    pub(super) entry: Entry,
    pub(super) written_at: Timestamp,
}

/// Where a clean-up has to stop.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Limit {
    /// Everybody has passed every version before this one.
    pub(super) released: u64,
    /// Who has not, when that is why it is not more.
    pub(super) waits_for: Option<String>,
}

/// Goes through the entries in order, as far as `base`: the version from which snapshot and checkpoint
/// lead on.
pub(super) fn limit(
    class: Class,
    entries: &[Dated],
    base: u64,
    bookmarks: &[Bookmark],
    now: Timestamp,
) -> Limit {
    let waiting = Waiting::new(class, bookmarks, now);
    let mut released = entries.first().map_or(0, |first| first.version);
    for dated in entries.iter().take_while(|dated| dated.version <= base) {
        let age = now.since(dated.written_at);
        if age < MIN_AGE {
            break;
        }
        let is_forgiven = age >= RELEASED_AFTER;
        if let Some(waits_for) = waiting.who(dated.version, &dated.entry, is_forgiven) {
            return Limit { released, waits_for: Some(waits_for) };
        }
        released = dated.version + 1;
    }
    Limit { released, waits_for: None }
}

/// What the bookmarks say of one table.
struct Waiting<'b> {
    /// For each install, the version up to which its ledger has applied the receipts.
    applied: BTreeMap<InstallId, u64>,
    /// Installs that were heard of within the last days.
    fresh: HashSet<InstallId>,
    /// Readers of fresh bookmarks, with the version up to which they have read.
    readers: Vec<(InstallId, &'b str, Option<u64>)>,
}

impl<'b> Waiting<'b> {
    fn new(class: Class, bookmarks: &'b [Bookmark], now: Timestamp) -> Self {
        let mut waiting =
            Self { applied: BTreeMap::new(), fresh: HashSet::new(), readers: Vec::new() };
        for bookmark in bookmarks {
            if let Some(version) = bookmark.applied.get(&class) {
                waiting.applied.insert(bookmark.install, *version);
            }
            if now.since(bookmark.written_at) >= RELEASED_AFTER {
                continue;
            }
            waiting.fresh.insert(bookmark.install);
            for (name, versions) in &bookmark.readers {
                let read = versions.get(&class).copied();
                waiting.readers.push((bookmark.install, name, read));
            }
        }
        waiting
    }

    /// Who still needs an entry. Receipts of an install that is silent are forgiven with time.
    fn who(&self, version: u64, entry: &Entry, is_forgiven: bool) -> Option<String> {
        for install in entry.receipts.iter().map(|receipt| receipt.install) {
            let is_applied = self.applied.get(&install).is_some_and(|applied| *applied >= version);
            let is_waited_for = !is_forgiven || self.fresh.contains(&install);
            if !is_applied && is_waited_for {
                return Some(format!(
                    "install {install} has not entered the receipts of version {version}"
                ));
            }
        }
        if entry.brings_nothing() {
            return None;
        }
        let behind = self.readers.iter().find(|(.., read)| *read < Some(version));
        behind.map(|(install, name, _)| {
            format!("the reader `{name}` of install {install} has not read version {version}")
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use model::batch::CommitReceipt;
    use model::ids::{BatchId, ConnectorId, StreamId, TenantId};
    use uuid::Uuid;

    use super::*;
    use crate::table::file::DataFile;

    const CLASS: Class = Class::EmailActivity;

    fn install(number: u128) -> InstallId {
        InstallId(Uuid::from_u128(number))
    }

    fn at(hours: u64) -> Timestamp {
        Timestamp::from_millis(1_772_438_400_000) + Duration::from_secs(hours * 3600)
    }

    /// An entry of hour 0: an append of an install, or a merge.
    fn entry(version: u64, of: Option<u128>) -> Dated {
        let file = DataFile {
            path: format!("{version}"),
            tenant: TenantId::default(),
            day: at(0).day(),
            version,
            origin: version,
            added: at(0),
            size_bytes: 1,
            rows: 1,
            earliest: at(0),
            latest: at(0),
            sources: BTreeMap::new(),
            data_change: of.is_some(),
        };
        let receipt = |number| CommitReceipt {
            install: install(number),
            batch: BatchId::generate(),
            tenant: TenantId::default(),
            connector: ConnectorId(Uuid::nil()),
            source: "a.b".to_owned(),
            stream: StreamId::new("s").unwrap(),
            interval: None,
            rows: 1,
        };
        let receipts = of.map(receipt).into_iter().collect();
        let entry = Entry { added: vec![Arc::new(file)], receipts, ..Entry::default() };
        Dated { version, entry, written_at: at(0) }
    }

    fn bookmark(number: u128, applied: Option<u64>, read: Option<u64>) -> Bookmark {
        let versions = |version: u64| BTreeMap::from([(CLASS, version)]);
        Bookmark {
            install: install(number),
            written_at: at(0),
            applied: applied.map(versions).unwrap_or_default(),
            readers: read.map(|v| ("detect".to_owned(), versions(v))).into_iter().collect(),
            holds: Vec::new(),
        }
    }

    /// Appends of installs 1 and 2 in turn, then a merge.
    fn log() -> Vec<Dated> {
        vec![entry(4, Some(1)), entry(5, Some(2)), entry(6, Some(1)), entry(7, None)]
    }

    fn released(bookmarks: &[Bookmark], base: u64, hours: u64) -> (u64, bool) {
        let found = limit(CLASS, &log(), base, bookmarks, at(hours));
        (found.released, found.waits_for.is_some())
    }

    #[test]
    fn what_everybody_has_passed_is_released_up_to_the_base() {
        let all = [bookmark(1, Some(6), Some(6)), bookmark(2, Some(5), None)];
        assert_eq!(released(&all, 7, 1), (8, false), "a merge is nobody's to read");
        assert_eq!(released(&all, 5, 1), (6, false));
        assert_eq!(released(&all, 7, 0), (4, false), "nothing is an hour old");
        assert_eq!(limit(CLASS, &[], 7, &all, at(1)).released, 0);
    }

    #[test]
    fn an_install_and_a_reader_keep_what_they_have_not_passed() {
        let slow = [bookmark(1, Some(4), None), bookmark(2, Some(5), None)];
        assert_eq!(released(&slow, 7, 1), (6, true));
        let unheard = [bookmark(1, Some(6), None), bookmark(2, None, None)];
        assert_eq!(released(&unheard, 7, 1), (5, true));
        let reader = [bookmark(1, Some(6), Some(4)), bookmark(2, Some(5), None)];
        let found = limit(CLASS, &log(), 7, &reader, at(1));
        assert_eq!(found.released, 5);
        let install = install(1);
        let text = format!("the reader `detect` of install {install} has not read version 5");
        assert_eq!(found.waits_for.unwrap(), text);
    }

    #[test]
    fn after_seven_days_a_bookmark_keeps_nothing() {
        let week = 7 * 24;
        let old = [bookmark(1, Some(4), Some(4))];
        assert_eq!(released(&old, 7, week - 1), (5, true));
        assert_eq!(released(&old, 7, week), (8, false));
        assert_eq!(released(&[], 7, week - 1), (4, true), "receipts without a bookmark wait too");
        // A fresh bookmark keeps even old receipts.
        let fresh = [Bookmark { written_at: at(week), ..bookmark(1, Some(4), None) }];
        assert_eq!(released(&fresh, 7, week), (6, true));
    }
}
