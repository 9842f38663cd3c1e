//! What all figures share: where they work, which server they start, and the machine.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use bench::machine::Machine;
use tempfile::TempDir;

use crate::history::History;

/// The setting of one run.
pub(crate) struct Setting {
    /// Where it is measured.
    pub(crate) machine: Machine,
    /// The server's binary.
    pub(crate) tarn: PathBuf,
    place: PathBuf,
    history: OnceCell<History>,
}

impl Setting {
    /// Works under `place` with this server, or with the one beside this program.
    pub(crate) fn new(place: &Path, tarn: Option<&Path>) -> Result<Self> {
        let tarn = match tarn {
            Some(tarn) => tarn.to_path_buf(),
            None => std::env::current_exe()?.with_file_name("tarn"),
        };
        ensure!(tarn.is_file(), "there is no server at `{}`: name it with --tarn", tarn.display());
        let place = std::path::absolute(place)?;
        Ok(Self { machine: Machine::here(), tarn, place, history: OnceCell::new() })
    }

    /// The directory to work in.
    pub(crate) fn place(&self) -> &Path {
        &self.place
    }

    /// A new directory that goes with its handle.
    pub(crate) fn directory(&self, name: &str) -> Result<TempDir> {
        tempfile::Builder::new()
            .prefix(&format!("{name}-"))
            .tempdir_in(&self.place)
            .with_context(|| format!("failed to make a directory in `{}`", self.place.display()))
    }

    /// A data directory with thousands of commits; grown when it is first asked for.
    pub(crate) fn history(&self) -> Result<&History> {
        if let Some(history) = self.history.get() {
            return Ok(history);
        }
        let grown = History::grow(self)?;
        Ok(self.history.get_or_init(|| grown))
    }
}

/// Lets real time pass.
#[expect(clippy::disallowed_methods, reason = "other processes run in real time")]
pub(crate) fn pause(span: std::time::Duration) {
    std::thread::sleep(span);
}
