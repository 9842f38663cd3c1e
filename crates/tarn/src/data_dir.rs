//! The data directory: catalog, master key, lake, and the lock that says who writes.
//!
//! A catalog is written by one process. The lock is the operating system's, so it goes with the
//! process whatever happens; the text in its file only tells the others whom to ask.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::error::Failure;

const LOCK: &str = "lock";
const CATALOG: &str = "catalog.db";
const MASTER_KEY: &str = "master.key";
const LAKE: &str = "lake";

/// A directory with everything that a process keeps.
#[derive(Debug, Clone)]
pub(crate) struct DataDir(PathBuf);

impl DataDir {
    /// Names the directory; nothing is read or made.
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// Where it lies.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// The catalog's file.
    pub(crate) fn catalog(&self) -> PathBuf {
        self.0.join(CATALOG)
    }

    /// The master key's file.
    pub(crate) fn master_key(&self) -> PathBuf {
        self.0.join(MASTER_KEY)
    }

    /// The lake, unless it lies elsewhere.
    pub(crate) fn lake(&self) -> PathBuf {
        self.0.join(LAKE)
    }

    /// Makes the directory, for its owner only, when there is none. A power cut does not take it away.
    ///
    /// # Errors
    /// It cannot be made.
    pub(crate) fn make(&self) -> Result<()> {
        if self.0.is_dir() {
            return Ok(());
        }
        let doing = || format!("failed to make the data directory `{}`", self.0.display());
        let parents = new_parents(&self.0);
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(&self.0).with_context(doing)?;
        parents.iter().try_for_each(|parent| sync(parent)).with_context(doing)
    }

    /// Takes the lock; `None` when another process holds it.
    ///
    /// # Errors
    /// The lock file cannot be opened or locked.
    pub(crate) fn try_lock(&self) -> Result<Option<Lock>> {
        let path = self.0.join(LOCK);
        let doing = || format!("failed to lock the data directory `{}`", self.0.display());
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        let file = options.open(&path).with_context(doing)?;
        match file.try_lock() {
            Ok(()) => {
                let mut lock = Lock { file };
                lock.write(None).with_context(doing)?;
                Ok(Some(lock))
            }
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error).with_context(doing),
        }
    }

    /// Takes the lock.
    ///
    /// # Errors
    /// Another process holds it: the error names the server, or the process.
    pub(crate) fn lock(&self) -> Result<Lock> {
        match self.try_lock()? {
            Some(lock) => Ok(lock),
            None => Err(self.held().into()),
        }
    }

    /// The error that says who holds the lock.
    pub(crate) fn held(&self) -> Failure {
        let mut text = String::new();
        // Not readable: then the message says less.
        drop(File::open(self.0.join(LOCK)).and_then(|mut file| file.read_to_string(&mut text)));
        let mut lines = text.lines().filter(|line| !line.is_empty());
        let process = lines.next().map_or_else(String::new, |pid| format!(" (process {pid})"));
        let shown = self.0.display();
        match lines.next() {
            Some(url) => Failure::new(format!(
                "the data directory `{shown}` is in use by the server at {url}{process}"
            ))
            .hint(format!("use `--server {url} --token TOKEN`, or stop that server")),
            None => Failure::new(format!(
                "the data directory `{shown}` is in use by another `tarn`{process}"
            ))
            .hint("wait until it has finished, or name another directory with `--data-dir`"),
        }
    }
}

/// The directories that get a new entry when a directory is made with its parents, the lowest first.
fn new_parents(directory: &Path) -> Vec<PathBuf> {
    let new = directory.ancestors().take_while(|path| !path.as_os_str().is_empty());
    new.take_while(|path| !path.is_dir())
        .filter_map(|path| path.parent())
        .map(|parent| if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
        .map(Path::to_path_buf)
        .collect()
}

/// Waits until a directory's entries are on the disk.
fn sync(directory: &Path) -> std::io::Result<()> {
    match File::open(directory).and_then(|opened| opened.sync_all()) {
        // A parent that we may not open is not ours to sync.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Ok(()),
        done => done,
    }
}

/// The right to write in a data directory, as long as it lives.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Tells the others where this process can be asked.
    ///
    /// # Errors
    /// The lock file cannot be written.
    pub(crate) fn publish(&mut self, url: &str) -> Result<()> {
        self.write(Some(url)).context("failed to write the lock file")
    }

    fn write(&mut self, url: Option<&str>) -> std::io::Result<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        writeln!(self.file, "{}\n{}", std::process::id(), url.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error;

    #[test]
    fn each_parent_that_gets_a_new_directory_is_synced() -> Result<()> {
        let root = tempfile::tempdir()?;
        let (one, two) = (root.path().join("one"), root.path().join("one/two"));
        let data_dir = DataDir::new(two.join("data"));
        assert_eq!(new_parents(data_dir.path()), [two, one, root.path().to_path_buf()]);
        data_dir.make()?;
        assert!(new_parents(data_dir.path()).is_empty());
        assert_eq!(new_parents(Path::new("not-there")), [PathBuf::from(".")]);
        Ok(())
    }

    #[test]
    fn a_held_lock_names_the_server_and_how_to_reach_it() -> Result<()> {
        let root = tempfile::tempdir()?;
        let data_dir = DataDir::new(root.path().join("data"));
        data_dir.make()?;
        let mut held = data_dir.lock()?;
        let plain = data_dir.lock().map(|_| ()).expect_err("it is held");
        assert!(
            model::causes::chain(plain.as_ref())
                .contains(&format!("process {}", std::process::id()))
        );
        held.publish("http://127.0.0.1:8717")?;
        let served = data_dir.lock().map(|_| ()).expect_err("it is held");
        assert!(
            model::causes::chain(served.as_ref()).contains("the server at http://127.0.0.1:8717")
        );
        let hint = error::hint(&served).unwrap_or_default();
        assert!(hint.contains("--server http://127.0.0.1:8717 --token"), "{hint}");
        drop(held);
        assert!(data_dir.try_lock()?.is_some());
        Ok(())
    }
}
