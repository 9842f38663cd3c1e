//! Other programs that load the same files, in a Python environment of their own below the working
//! directory. It is kept for the next time; versions are pinned.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

const REQUIREMENTS: &str = "duckdb==2.0.1\ntenzir==6.20.0\n";
const DUCKDB: &str = include_str!("../rivals/duckdb-load.py");
const TENZIR: &str = include_str!("../rivals/tenzir-map.tql");

/// The environment with the programs.
pub(crate) struct Rivals {
    home: PathBuf,
}

impl Rivals {
    /// Makes the environment where it is missing or has other versions.
    pub(crate) fn ensure(place: &Path) -> Result<Self> {
        let home = place.join("rivals");
        let seal = home.join("installed.txt");
        let rivals = Self { home };
        if std::fs::read_to_string(&seal).is_ok_and(|installed| installed == REQUIREMENTS) {
            return Ok(rivals);
        }
        std::fs::create_dir_all(&rivals.home)?;
        let requirements = rivals.home.join("requirements.txt");
        std::fs::write(&requirements, REQUIREMENTS)?;
        let environment = rivals.home.join("venv");
        succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(environment))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        let mut pip = Command::new(rivals.program("python"));
        pip.args(install).arg("--requirement").arg(requirements);
        succeed(&mut pip).context("failed to fetch DuckDB and Tenzir from PyPI")?;
        std::fs::write(&seal, REQUIREMENTS)?;
        Ok(rivals)
    }

    fn program(&self, name: &str) -> PathBuf {
        self.home.join("venv/bin").join(name)
    }

    /// DuckDB: loads a folder into a file.
    pub(crate) fn duckdb(&self, folder: &Path, file: &Path) -> Command {
        let mut command = Command::new(self.program("python"));
        command.arg("-c").arg(DUCKDB).arg(folder).arg(file);
        command
    }

    /// Tenzir: maps what is in a folder to OCSF and writes a file.
    pub(crate) fn tenzir(&self, folder: &Path, file: &Path) -> Command {
        let mut command = Command::new(self.program("tenzir"));
        command.arg(TENZIR).env("FOLDER", folder).env("FILE", file);
        command
    }
}

fn succeed(command: &mut Command) -> Result<()> {
    let name = command.get_program().display().to_string();
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("failed to start `{name}`"))?;
    ensure!(status.success(), "`{name}` failed with {status}");
    Ok(())
}
