//! What a table's log adds up to: its version, its active files by tenant and day, and the sums of
//! its receipts.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Weak};

use model::ids::TenantId;
use model::time::{Day, Timestamp};

use super::entry::Entry;
use super::file::DataFile;
use super::snapshot::Snapshot;
use super::tally::Tally;

/// Files of one tenant by day.
pub(crate) type Days = BTreeMap<Day, Vec<Arc<DataFile>>>;

/// The state of one table at a version. Before the first version there is no table.
#[derive(Debug, Default)]
pub(crate) struct TableState {
    version: Option<u64>,
    tenants: HashMap<TenantId, Days>,
    /// Active files in the order they came.
    arrivals: Vec<Arc<DataFile>>,
    tally: Tally,
    /// The newest version that removed rows.
    shrunk: Option<u64>,
    /// The newest version whose snapshot is known to be good.
    noted: Option<u64>,
    /// Files that are no longer active and may still be read by running queries.
    leaving: Vec<Weak<DataFile>>,
}

impl TableState {
    /// The newest version that is known.
    pub(crate) fn version(&self) -> Option<u64> {
        self.version
    }

    /// The version that comes next.
    pub(crate) fn next_version(&self) -> u64 {
        self.version.map_or(0, |version| version + 1)
    }

    /// Takes the entry of the next version in; entries of other versions are ignored, because
    /// another task took them in already.
    pub(crate) fn apply(&mut self, version: u64, entry: &Entry) {
        if version != self.next_version() {
            return;
        }
        self.remove(&entry.removed);
        self.place(&entry.added);
        self.tally.add(entry);
        if !entry.expired.is_empty() {
            self.shrunk = Some(version);
        }
        self.version = Some(version);
    }

    /// The state that a snapshot holds.
    pub(crate) fn from_snapshot(snapshot: &Snapshot) -> Self {
        let version = Some(snapshot.version);
        let mut state = Self { version, noted: version, ..Self::default() };
        state.place(&snapshot.files);
        state.tally = snapshot.tally.clone();
        state.shrunk = snapshot.shrunk;
        state
    }

    /// All of it, to be written down; `None` before the first version.
    pub(crate) fn to_snapshot(&self) -> Option<Snapshot> {
        Some(Snapshot {
            version: self.version?,
            files: self.arrivals.clone(),
            tally: self.tally.clone(),
            shrunk: self.shrunk,
        })
    }

    /// Takes the place of an older state, whose files may still be read.
    pub(crate) fn replace(&mut self, newer: Self) {
        if newer.version <= self.version {
            return;
        }
        let mut leaving = std::mem::take(&mut self.leaving);
        leaving.extend(self.arrivals.iter().map(Arc::downgrade));
        let noted = newer.noted.max(self.noted);
        *self = Self { leaving, noted, ..newer };
    }

    fn place(&mut self, files: &[Arc<DataFile>]) {
        for file in files {
            let days = self.tenants.entry(file.tenant.clone()).or_default();
            days.entry(file.day).or_default().push(Arc::clone(file));
            self.arrivals.push(Arc::clone(file));
        }
    }

    fn remove(&mut self, paths: &[String]) {
        if paths.is_empty() {
            return;
        }
        let paths: HashSet<&str> = paths.iter().map(String::as_str).collect();
        let goes = |file: &Arc<DataFile>| paths.contains(file.path.as_str());
        let (gone, kept) = std::mem::take(&mut self.arrivals).into_iter().partition(goes);
        self.arrivals = kept;
        self.leaving.retain(|file| file.strong_count() > 0);
        let gone: Vec<Arc<DataFile>> = gone;
        for file in gone {
            let days = self.tenants.get_mut(&file.tenant);
            if let Some(files) = days.and_then(|days| days.get_mut(&file.day)) {
                files.retain(|other| other.path != file.path);
            }
            self.leaving.push(Arc::downgrade(&file));
        }
        for days in self.tenants.values_mut() {
            days.retain(|_, files| !files.is_empty());
        }
    }

    /// The files of a tenant by day.
    pub(crate) fn days(&self, tenant: &TenantId) -> Option<&Days> {
        self.tenants.get(tenant)
    }

    /// Every tenant that has files, with them.
    pub(crate) fn tenants(&self) -> impl Iterator<Item = (&TenantId, &Days)> {
        self.tenants.iter()
    }

    /// Every active file, oldest first.
    pub(crate) fn files(&self) -> &[Arc<DataFile>] {
        &self.arrivals
    }

    /// Whether all of these files are active.
    pub(crate) fn holds(&self, files: &[Arc<DataFile>]) -> bool {
        files.iter().all(|file| {
            let day = self.tenants.get(&file.tenant).and_then(|days| days.get(&file.day));
            day.into_iter().flatten().any(|other| other.path == file.path)
        })
    }

    /// Files that came after a version.
    pub(crate) fn since(&self, version: Option<u64>) -> &[Arc<DataFile>] {
        let known = self.arrivals.partition_point(|file| Some(file.version) <= version);
        &self.arrivals[known..]
    }

    /// Files of a tenant and day with rows between two times, both inclusive.
    pub(crate) fn covering(
        &self,
        tenant: &TenantId,
        day: Day,
        earliest: Timestamp,
        latest: Timestamp,
    ) -> impl Iterator<Item = &Arc<DataFile>> {
        let files = self.tenants.get(tenant).and_then(|days| days.get(&day));
        files
            .into_iter()
            .flatten()
            .filter(move |file| file.earliest <= latest && file.latest >= earliest)
    }

    /// What receipts and removals add up to.
    pub(crate) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// The newest version that removed rows.
    pub(crate) fn shrunk(&self) -> Option<u64> {
        self.shrunk
    }

    /// The newest version whose snapshot is known to be good.
    pub(crate) fn noted(&self) -> Option<u64> {
        self.noted
    }

    /// Notes that the snapshot of a version is good.
    pub(crate) fn note(&mut self, version: u64) {
        self.noted = self.noted.max(Some(version));
    }

    /// Paths of files that went and that running queries of this process may still read.
    pub(crate) fn leaving(&self) -> Vec<String> {
        let alive = self.leaving.iter().filter_map(Weak::upgrade);
        alive.map(|file| file.path.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, version: u64, seconds: i64) -> Arc<DataFile> {
        let time = Timestamp::from_micros(seconds * 1_000_000);
        Arc::new(DataFile {
            path: path.to_owned(),
            tenant: TenantId::default(),
            day: time.day(),
            version,
            origin: version,
            added: time,
            size_bytes: 1,
            rows: 1,
            earliest: time,
            latest: time,
            sources: BTreeMap::new(),
            data_change: true,
        })
    }

    #[test]
    fn entries_add_and_remove_files_once() {
        let mut state = TableState::default();
        let added = Entry { added: vec![file("a", 0, 10), file("b", 0, 20)], ..Entry::default() };
        state.apply(0, &added);
        state.apply(0, &added);
        assert_eq!(state.files().len(), 2);
        let moved = Entry {
            added: vec![file("c", 1, 10)],
            removed: vec!["a".to_owned()],
            ..Entry::default()
        };
        state.apply(1, &moved);
        assert_eq!(state.since(Some(0)).len(), 1);
        let at = Timestamp::from_micros(10_000_000);
        let found: Vec<&str> = state
            .covering(&TenantId::default(), at.day(), at, at)
            .map(|file| file.path.as_str())
            .collect();
        assert_eq!(found, ["c"]);
        assert_eq!(state.version().unwrap(), 1);
    }

    #[test]
    fn a_file_that_went_is_known_while_a_query_holds_it() {
        let mut state = TableState::default();
        state.apply(0, &Entry { added: vec![file("a", 0, 10)], ..Entry::default() });
        let held = Arc::clone(&state.files()[0]);
        state.apply(1, &Entry { removed: vec!["a".to_owned()], ..Entry::default() });
        assert_eq!(state.leaving(), ["a"]);
        assert!(state.files().is_empty() && state.days(&TenantId::default()).unwrap().is_empty());
        drop(held);
        assert!(state.leaving().is_empty());
    }

    #[test]
    fn a_state_is_the_same_out_of_its_snapshot() {
        let mut state = TableState::default();
        state.apply(
            0,
            &Entry { added: vec![file("a", 0, 10), file("b", 0, 20)], ..Entry::default() },
        );
        state.apply(1, &Entry { added: vec![file("c", 1, 9)], ..Entry::default() });
        let again = TableState::from_snapshot(&state.to_snapshot().unwrap());
        assert_eq!((again.version(), again.files()), (Some(1), state.files()));
        assert_eq!(again.since(Some(0)).len(), 1);
        assert_eq!(again.noted(), Some(1));
    }
}
