//! Power cuts: a disk that forgets what was not synced keeps every acknowledged row (I1).

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use lake::{Disk, Lake, LakeOptions, LocalDisk};
use model::ocsf::Class;
use query::store::EventStore as _;
use serde_json::json;

use crate::support::*;

/// A disk whose power can be cut: names and contents that were never synced are gone then. After
/// `steps` operations every further one fails, as if the machine were off already.
#[derive(Debug, Default)]
struct Flickering(Mutex<State>);

/// The syncs of a durable write, by what they make durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sync {
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
    /// Syncs that are only pretended.
    without: Option<Sync>,
}

impl Flickering {
    fn without(sync: Sync) -> Self {
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

    fn cut_after(&self, steps: Option<usize>) {
        self.0.lock().unwrap().steps = steps;
    }

    /// Forgets everything that was not synced.
    fn cut(&self) {
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
        drop(self.step()?);
        LocalDisk.remove(path)
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

async fn open_on(disk: &Arc<Flickering>, root: &Path) -> Lake {
    let disk: Arc<dyn Disk> = disk.clone();
    let options = LakeOptions { linger: Duration::ZERO, disk, ..LakeOptions::new(root) };
    Lake::open(options).await.unwrap()
}

fn records(round: u64) -> Vec<serde_json::Value> {
    let mails = (0..4).map(|n| mail(round * 10 + n, (n as i64) * 40_000));
    let other = of_class(Class::BaseEvent, round * 10 + 9, 0, json!({"message": "m"}));
    mails.chain([other]).collect()
}

/// A power cut after any number of disk operations loses no acknowledged row, and sending everything
/// again stores each record once.
#[tokio::test]
async fn a_power_cut_at_any_step_loses_nothing_that_was_acknowledged() {
    let mut steps = 0;
    loop {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("deep/er/lake");
        let disk = Arc::new(Flickering::default());
        let lake = open_on(&disk, &root).await;
        lake.append(vec![batch(&records(1))]).await.unwrap();
        disk.cut_after(Some(steps));
        let second = lake.append(vec![batch(&records(2))]).await;
        let acknowledged = if second.is_ok() { 10 } else { 5 };
        disk.cut();
        drop(lake);

        let lake = open_on(&disk, &root).await;
        let rows: u64 = lake.stats(None).await.unwrap().iter().map(|table| table.rows).sum();
        assert!(rows >= acknowledged, "{rows} rows after a cut at step {steps}");
        let again = lake.append(vec![batch(&records(1)), batch(&records(2))]).await.unwrap();
        assert_eq!(counts(&again[0]), [0, 5, 0, 0], "step {steps}");
        assert_eq!(again[1].stored + again[1].duplicate, 5);
        assert_eq!(again[1].stored, 10 - rows, "step {steps}");
        let found = lake.verify().await.unwrap();
        assert_eq!((found.rows, found.findings), (10, vec![]), "step {steps}");
        if second.is_ok() {
            break;
        }
        steps += 1;
    }
    assert!(steps > 20, "only {steps} steps");
}

/// Whether a row that an append acknowledged is there after a power cut, on a disk that may pretend
/// one of its syncs. The lake may also refuse to open, which counts as a loss.
async fn keeps_what_it_acknowledged(disk: Flickering) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("lake");
    let disk = Arc::new(disk);
    let lake = open_on(&disk, &root).await;
    lake.append(vec![batch(&records(1))]).await.unwrap();
    disk.cut();
    drop(lake);
    is_whole(&disk, &root).await
}

/// Whether a lake opens and holds five sound rows.
async fn is_whole(disk: &Arc<Flickering>, root: &Path) -> bool {
    let disk: Arc<dyn Disk> = disk.clone();
    let options = LakeOptions { linger: Duration::ZERO, disk, ..LakeOptions::new(root) };
    let Ok(lake) = Lake::open(options).await else { return false };
    lake.verify().await.is_ok_and(|found| found.rows == 5 && found.findings.is_empty())
}

/// The test above can fail: without any one of the syncs of a write, a power cut loses rows.
#[tokio::test]
async fn every_sync_of_a_write_is_needed() {
    assert!(keeps_what_it_acknowledged(Flickering::default()).await);
    for sync in [Sync::Content, Sync::DataName, Sync::LogName, Sync::DirectoryName] {
        assert!(!keeps_what_it_acknowledged(Flickering::without(sync)).await, "{sync:?}");
    }
}

/// What another process put into the log without syncing is synced before it is built upon: the
/// entry's name and its content. A disk that only pretends that sync loses the row.
async fn keeps_what_it_found(disk: Flickering) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("lake");
    let disk = Arc::new(disk);
    let lake = open_on(&disk, &root).await;
    lake.append(vec![batch(&records(1))]).await.unwrap();
    // The process dies between naming the log entry and syncing it and its directory.
    let entry = root.join("events/email_activity/_delta_log/00000000000000000001.json");
    {
        let mut state = disk.0.lock().unwrap();
        state.unsynced_content.insert(entry.clone());
        state.unsynced_names.push((entry, None));
    }
    drop(lake);
    let lake = open_on(&disk, &root).await;
    let again = lake.append(vec![batch(&records(1))]).await.unwrap();
    assert_eq!(counts(&again[0]), [0, 5, 0, 0]);
    disk.cut();
    is_whole(&disk, &root).await
}

#[tokio::test]
async fn rows_found_in_the_log_are_durable_before_they_count_as_duplicates() {
    assert!(keeps_what_it_found(Flickering::default()).await);
    assert!(!keeps_what_it_found(Flickering::without(Sync::FoundEntry)).await);
    assert!(!keeps_what_it_found(Flickering::without(Sync::LogName)).await);
}
