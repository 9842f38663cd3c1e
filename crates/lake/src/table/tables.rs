//! The states of all tables, shared by the writer, the readers and maintenance.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use model::ocsf::Class;
use object_store::path::Path;
use object_store::{Error, ObjectStoreExt as _};

use super::data::data_path;
use super::entry::Entry;
use super::file::DataFile;
use super::log::Log;
use super::snapshot::{self, Snapshot, SnapshotName};
use super::state::TableState;
use crate::durable::Durable;
use crate::error::LakeError;

/// How often a table is looked at again when clean-up in another process took what was just listed.
const ATTEMPTS: usize = 5;

/// Every table of a lake, each at the newest version that this process has seen.
#[derive(Debug)]
pub(crate) struct Tables {
    store: Durable,
    states: HashMap<Class, RwLock<TableState>>,
    /// Data files that are being written and that no version names yet.
    unnamed: Arc<Mutex<HashSet<Path>>>,
}

impl Tables {
    /// Brings every table to its newest version: from its newest readable snapshot, else from the
    /// start of its log.
    pub(crate) async fn open(store: Durable) -> Result<Self, LakeError> {
        let states = Class::ALL.into_iter().map(|class| (class, RwLock::default())).collect();
        let tables = Self { store, states, unnamed: Arc::default() };
        for class in Class::ALL {
            tables.reload(class).await?;
        }
        Ok(tables)
    }

    /// The store that the tables lie on.
    pub(crate) fn store(&self) -> &Durable {
        &self.store
    }

    /// The log of a class.
    pub(crate) fn log(&self, class: Class) -> Log {
        Log::new(class, self.store.clone())
    }

    /// The state of a class; do not hold it across an await.
    pub(crate) fn state(&self, class: Class) -> RwLockReadGuard<'_, TableState> {
        self.states[&class].read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an entry into the state of a class.
    pub(crate) fn apply(&self, class: Class, version: u64, entry: &Entry) {
        self.change(class).apply(version, entry);
    }

    /// Notes that the snapshot of a version is good.
    pub(crate) fn note(&self, class: Class, version: u64) {
        self.change(class).note(version);
    }

    fn change(&self, class: Class) -> RwLockWriteGuard<'_, TableState> {
        self.states[&class].write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what other processes have committed since. What is built on it must be durable.
    pub(crate) async fn refresh(&self, class: Class) -> Result<(), LakeError> {
        let log = self.log(class);
        let mut found = None;
        loop {
            let version = self.state(class).next_version();
            let Some(entry) = log.read(version).await? else { break };
            self.apply(class, version, &entry);
            found = Some(version);
        }
        match found {
            Some(version) => log.settle(version).await,
            None => self.catch_up(class, &log).await,
        }
    }

    /// The next version is not there. Either there is none yet, or clean-up has passed this process:
    /// then it has removed the newest version that is known here too.
    async fn catch_up(&self, class: Class, log: &Log) -> Result<(), LakeError> {
        let Some(version) = self.state(class).version() else {
            // A table that is not known here was begun, and its first entries are gone already.
            let is_new = snapshot::list(&self.store, class).await?.is_empty();
            return if is_new { Ok(()) } else { self.reload(class).await };
        };
        if log.has(version).await? { Ok(()) } else { self.reload(class).await }
    }

    /// Reads a table anew.
    async fn reload(&self, class: Class) -> Result<(), LakeError> {
        let Some(state) = load(&self.store, class).await? else { return Ok(()) };
        self.change(class).replace(state);
        Ok(())
    }

    /// Keeps clean-up away from a file that is about to be written, until the answer is dropped.
    pub(crate) fn begin_file(&self, path: Path) -> Unnamed {
        self.unnamed.lock().unwrap_or_else(PoisonError::into_inner).insert(path.clone());
        Unnamed { path, all: Arc::clone(&self.unnamed) }
    }

    /// Whether files that no version names yet are still on the store. Clean-up in another process
    /// takes them for left behind when their writer has slept for hours.
    pub(crate) async fn are_there(
        &self,
        class: Class,
        files: impl Iterator<Item = &DataFile>,
    ) -> Result<bool, LakeError> {
        for file in files {
            let path = data_path(class, &file.path);
            match self.store.head(&path).await {
                Ok(_) => {}
                Err(Error::NotFound { .. }) => return Ok(false),
                Err(source) => {
                    let action = format!("look for `{path}`");
                    return Err(LakeError::Store { action, source });
                }
            }
        }
        Ok(true)
    }

    /// Files that are being written now.
    pub(crate) fn unnamed(&self) -> HashSet<Path> {
        self.unnamed.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A data file that no version names yet.
#[derive(Debug)]
pub(crate) struct Unnamed {
    path: Path,
    all: Arc<Mutex<HashSet<Path>>>,
}

impl Drop for Unnamed {
    fn drop(&mut self) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.path);
    }
}

/// The newest state of a table that is on the store; `None` when there is no table.
async fn load(store: &Durable, class: Class) -> Result<Option<TableState>, LakeError> {
    let log = Log::new(class, store.clone());
    for attempt in 1.. {
        let snapshots = snapshot::list(store, class).await?;
        let Some((oldest, newest)) = log.listing().await?.run() else {
            // A log never loses its newest entry to clean-up.
            return match snapshots.first() {
                None => Ok(None),
                Some(name) => Err(LakeError::Gap { class, version: name.version }),
            };
        };
        let base = match base(store, class, &snapshots, oldest..=newest).await {
            Err(LakeError::NoBase { .. }) if attempt < ATTEMPTS => continue,
            base => base?,
        };
        let mut state = base.as_ref().map(TableState::from_snapshot).unwrap_or_default();
        match log.entries(state.next_version()..=newest).await {
            // Another process has cleaned up since the listing.
            Err(LakeError::Gap { .. }) if attempt < ATTEMPTS => continue,
            entries => {
                for (version, entry) in entries? {
                    state.apply(version, &entry);
                }
            }
        }
        log.settle(newest).await?;
        return Ok(Some(state));
    }
    Ok(None)
}

/// The snapshot from which a run of entries leads on; `None` when the run begins with the table.
async fn base(
    store: &Durable,
    class: Class,
    snapshots: &[SnapshotName],
    run: std::ops::RangeInclusive<u64>,
) -> Result<Option<Snapshot>, LakeError> {
    let leads_on =
        |name: &&SnapshotName| name.version + 1 >= *run.start() && name.version <= *run.end();
    let mut broken = None;
    for name in snapshots.iter().filter(leads_on) {
        match Snapshot::read(store, class, *name).await {
            Ok(snapshot) => {
                let [first, _] = SnapshotName::both(name.version);
                if !snapshots.contains(&first) {
                    let path = first.path(class);
                    tracing::warn!(%path, "a snapshot is missing; its copy takes its place");
                }
                return Ok(Some(snapshot));
            }
            Err(error) => {
                let cause = &error as &dyn std::error::Error;
                let path = name.path(class);
                tracing::warn!(%path, error = cause, "a snapshot cannot be used; an older one or the log takes its place");
                broken = Some(error);
            }
        }
    }
    if *run.start() == 0 {
        return Ok(None);
    }
    Err(LakeError::NoBase { class, oldest: *run.start(), source: broken.map(Box::new) })
}
