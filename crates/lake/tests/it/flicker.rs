//! A disk whose power can be cut.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use lake::{Disk, Lake, LakeOptions, LocalDisk};

/// A disk whose power can be cut: names and contents that were never synced are gone then. After
/// `steps` operations every further one fails, as if the machine were off already.
#[derive(Debug, Default)]
pub(crate) struct Flickering(Mutex<State>);

/// The syncs of a durable write, by what they make durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sync {
    /// A staged file's content.
    Content,
    /// The name of a data file.
    DataName,
    /// The name of a log entry.
    LogName,
    /// The name of a new directory.
    DirectoryName,
    /// The content of an entry that was found in the log.
    FoundEntry,
}

impl Sync {
    fn of(path: &Path) -> Self {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        match path.is_dir() {
            true if name == "_delta_log" => Self::LogName,
            true if name.starts_with("day=") => Self::DataName,
            true => Self::DirectoryName,
            false if name.contains('#') => Self::Content,
            false => Self::FoundEntry,
        }
    }
}

#[derive(Debug, Default)]
struct State {
    /// Files whose content is only in the cache.
    unsynced_content: BTreeSet<PathBuf>,
    /// Names whose directory was not synced since, oldest first, with what was there before.
    unsynced_names: Vec<(PathBuf, Option<Vec<u8>>)>,
    steps: Option<usize>,
    removals: usize,
    /// Syncs that are only pretended.
    without: Option<Sync>,
}

impl Flickering {
    /// A disk that only pretends one kind of sync.
    pub(crate) fn without(sync: Sync) -> Self {
        Self(Mutex::new(State { without: Some(sync), ..State::default() }))
    }

    fn step(&self) -> io::Result<MutexGuard<'_, State>> {
        let mut state = self.0.lock().unwrap();
        match &mut state.steps {
            Some(0) => return Err(io::Error::other("the power is off")),
            Some(left) => *left -= 1,
            None => {}
        }
        Ok(state)
    }

    /// Lets so many operations through; `None` for any number.
    pub(crate) fn cut_after(&self, steps: Option<usize>) {
        self.0.lock().unwrap().steps = steps;
    }

    /// Says that neither this file's name nor its content is on the disk yet.
    pub(crate) fn unsync(&self, path: &Path) {
        let mut state = self.0.lock().unwrap();
        state.unsynced_content.insert(path.to_owned());
        state.unsynced_names.push((path.to_owned(), None));
    }

    /// Forgets everything that was not synced.
    pub(crate) fn cut(&self) {
        let mut state = self.0.lock().unwrap();
        for path in std::mem::take(&mut state.unsynced_content) {
            if path.is_file() {
                std::fs::write(path, b"").unwrap();
            }
        }
        for (path, before) in std::mem::take(&mut state.unsynced_names).into_iter().rev() {
            match before {
                Some(content) => std::fs::write(path, content).unwrap(),
                None if path.is_dir() => std::fs::remove_dir_all(path).unwrap(),
                None => drop(std::fs::remove_file(path)),
            }
        }
        state.steps = None;
    }
}

impl Disk for Flickering {
    fn create(&self, path: &Path, content: &[Bytes]) -> io::Result<()> {
        let mut state = self.step()?;
        LocalDisk.create(path, content)?;
        state.unsynced_content.insert(path.to_owned());
        state.unsynced_names.push((path.to_owned(), None));
        Ok(())
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        let mut state = self.step()?;
        LocalDisk.sync(path)?;
        if state.without == Some(Sync::of(path)) {
            return Ok(());
        }
        if path.is_dir() {
            state.unsynced_names.retain(|(name, _)| name.parent() != Some(path));
        } else {
            state.unsynced_content.remove(path);
        }
        Ok(())
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.step()?;
        LocalDisk.link(from, to)?;
        if state.unsynced_content.contains(from) {
            state.unsynced_content.insert(to.to_owned());
        }
        state.unsynced_names.push((to.to_owned(), None));
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.step()?;
        let before = std::fs::read(to).ok();
        LocalDisk.rename(from, to)?;
        state.unsynced_names.push((to.to_owned(), before));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.step()?;
        let before = std::fs::read(path)?;
        LocalDisk.remove(path)?;
        state.removals += 1;
        // The disk may have got round to any of them: every second one comes back.
        if state.removals % 2 == 0 {
            state.unsynced_names.push((path.to_owned(), Some(before)));
        }
        Ok(())
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        let mut state = self.step()?;
        let is_new = !path.is_dir();
        LocalDisk.create_directory(path)?;
        if is_new {
            state.unsynced_names.push((path.to_owned(), None));
        }
        Ok(())
    }
}

/// A lake on such a disk.
pub(crate) async fn open_on(disk: &Arc<Flickering>, root: &Path) -> Lake {
    let disk: Arc<dyn Disk> = disk.clone();
    let options = LakeOptions { linger: Duration::ZERO, disk, ..LakeOptions::new(root) };
    Lake::open(options).await.unwrap()
}
