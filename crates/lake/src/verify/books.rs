//! What the log says that a table must hold, read anew from the store: version by version from the
//! oldest point that can still be reached. Snapshots on the way must say the same.

use model::causes::chain;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::ocsf::Class;
use object_store::ObjectStoreExt as _;

use super::Audit;
use crate::error::LakeError;
use crate::table::entry::Entry;
use crate::table::file::DataFile;
use crate::table::snapshot::{self, Snapshot};
use crate::table::state::TableState;
use crate::table::tables::Tables;
use crate::table::tally::Tally;

/// The account of one table.
pub(super) struct Books {
    state: TableState,
    versions: Vec<Version>,
}

/// What one version says it did.
struct Version {
    version: u64,
    /// Files with new rows, and how many each has.
    brought: Vec<(String, u64)>,
    /// Files with moved rows.
    moved: Vec<(String, u64)>,
    /// Rows of files that went.
    taken: u64,
    /// Rows that the receipts say came.
    received: u64,
    /// Rows that the entry says expired.
    expired: u64,
}

impl Books {
    /// Reads the account; `None` when there is no table. What contradicts itself is told to the audit.
    pub(super) async fn read(
        tables: &Tables,
        class: Class,
        audit: &mut Audit,
    ) -> Result<Option<Self>, LakeError> {
        let log = tables.log(class);
        let Some((oldest, newest)) = log.listing().await?.run() else { return Ok(None) };
        let snapshots = readable_snapshots(tables, class, audit).await?;
        let mut state = TableState::default();
        if oldest > 0 {
            let Some((_, base)) = snapshots.range(oldest - 1..=newest).next() else {
                return Err(LakeError::NoBase { class, oldest, source: None });
            };
            state = TableState::from_snapshot(base);
        }
        let mut rows: HashMap<String, u64> =
            state.files().iter().map(|file| (file.path.clone(), file.rows)).collect();
        let mut versions = Vec::new();
        for (version, entry) in log.entries(state.next_version()..=newest).await? {
            versions.push(Version::of(version, &entry, &mut rows));
            state.apply(version, &entry);
            let noted = snapshots.get(&version);
            if noted.is_some_and(|noted| state.to_snapshot().as_ref() != Some(noted)) {
                let place = format!("snapshot {version}");
                audit.find(class, place, "does not say what the log says");
            }
        }
        Ok(Some(Self { state, versions }))
    }

    /// The active files.
    pub(super) fn files(&self) -> &[Arc<DataFile>] {
        self.state.files()
    }

    /// What receipts and removals add up to.
    pub(super) fn tally(&self) -> &Tally {
        self.state.tally()
    }

    /// Versions whose rows are not as many as they say. Files that were read count as they were
    /// found, those that are gone as the log says.
    pub(super) fn problems(&self, counted: &HashMap<String, u64>) -> Vec<(u64, String)> {
        let count = |files: &[(String, u64)]| -> u64 {
            files.iter().map(|(path, rows)| counted.get(path).unwrap_or(rows)).sum()
        };
        let mut problems = Vec::new();
        for version in &self.versions {
            let Version { version, brought, moved, taken, received, expired } = version;
            let (brought, moved) = (count(brought), count(moved));
            if brought != *received {
                let problem = format!("holds {brought} rows, its receipts say {received}");
                problems.push((*version, problem));
            }
            if moved + expired != *taken {
                let problem = format!(
                    "took {taken} rows away, of which {moved} were moved and {expired} had expired"
                );
                problems.push((*version, problem));
            }
        }
        problems
    }
}

impl Version {
    /// Reads an entry, and keeps the rows of each active file up to date.
    fn of(version: u64, entry: &Entry, rows: &mut HashMap<String, u64>) -> Self {
        let taken = entry.removed.iter().filter_map(|path| rows.remove(path)).sum();
        rows.extend(entry.added.iter().map(|file| (file.path.clone(), file.rows)));
        let files = |is_new: bool| {
            let files = entry.added.iter().filter(|file| file.data_change == is_new);
            files.map(|file| (file.path.clone(), file.rows)).collect()
        };
        Self {
            version,
            brought: files(true),
            moved: files(false),
            taken,
            received: entry.receipts.iter().map(|receipt| receipt.rows).sum(),
            expired: entry.expired_rows(),
        }
    }
}

/// Every snapshot that can be read, by version; the others are findings.
async fn readable_snapshots(
    tables: &Tables,
    class: Class,
    audit: &mut Audit,
) -> Result<BTreeMap<u64, Snapshot>, LakeError> {
    let mut snapshots = BTreeMap::new();
    for name in snapshot::list(tables.store(), class).await? {
        match Snapshot::read(tables.store(), class, name).await {
            Ok(snapshot) => {
                snapshots.insert(name.version, snapshot);
            }
            // Cleaned up since it was listed.
            Err(_) if tables.store().head(&name.path(class)).await.is_err() => {}
            Err(error) => {
                let place = name.path(class).to_string();
                audit.find(class, place, format!("cannot be read: {}", chain(&error)));
            }
        }
    }
    Ok(snapshots)
}
