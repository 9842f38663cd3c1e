//! What a table's log adds up to: its version and its active files, by tenant and day.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::ids::TenantId;
use model::time::{Day, Timestamp};

use super::entry::Entry;

/// An active data file: rows of one tenant and one day, sorted by time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataFile {
    /// Path from the table's directory.
    pub(crate) path: String,
    /// The owner of all its rows.
    pub(crate) tenant: TenantId,
    /// The UTC day of all its rows.
    pub(crate) day: Day,
    /// The version that added it.
    pub(crate) version: u64,
    /// Size on disk.
    pub(crate) size_bytes: u64,
    /// Rows in it.
    pub(crate) rows: u64,
    /// The earliest event time in it.
    pub(crate) earliest: Timestamp,
    /// The latest event time in it.
    pub(crate) latest: Timestamp,
    /// Rows per source.
    pub(crate) sources: BTreeMap<String, u64>,
    /// Whether its rows were new when it came, and not only moved by maintenance.
    pub(crate) data_change: bool,
}

/// Files of one tenant by day.
pub(crate) type Days = BTreeMap<Day, Vec<Arc<DataFile>>>;

/// The state of one table at a version. Before the first version there is no table.
#[derive(Debug, Default)]
pub(crate) struct TableState {
    version: Option<u64>,
    tenants: HashMap<TenantId, Days>,
    /// Active files in the order they came.
    arrivals: Vec<Arc<DataFile>>,
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
        for path in &entry.removed {
            self.remove(path);
        }
        for file in &entry.added {
            let days = self.tenants.entry(file.tenant.clone()).or_default();
            days.entry(file.day).or_default().push(Arc::clone(file));
            self.arrivals.push(Arc::clone(file));
        }
        self.version = Some(version);
    }

    fn remove(&mut self, path: &str) {
        let Some(place) = self.arrivals.iter().position(|file| file.path == path) else { return };
        let file = self.arrivals.remove(place);
        if let Some(files) =
            self.tenants.get_mut(&file.tenant).and_then(|days| days.get_mut(&file.day))
        {
            files.retain(|other| other.path != path);
        }
    }

    /// The files of a tenant by day.
    pub(crate) fn days(&self, tenant: &TenantId) -> Option<&Days> {
        self.tenants.get(tenant)
    }

    /// Every active file, oldest first.
    pub(crate) fn files(&self) -> &[Arc<DataFile>] {
        &self.arrivals
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
}
