//! `cargo xtask bench`: builds the benchmarks and the server in one release build, then measures.

use anyhow::{Context as _, Result};

use crate::prerequisites;
use crate::workspace::{Workspace, succeed};

/// One build for both: the figures of a process are taken from the binary that people run.
const BUILD: &[&str] = &["build", "--release", "-p", "bench", "-p", "tarn"];

/// Builds, then runs the figures that the arguments name; all of them when they name none.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    prerequisites::ensure()?;
    succeed(&mut workspace.cargo(BUILD))?;
    let place = workspace.target.join("bench");
    std::fs::create_dir_all(&place)
        .with_context(|| format!("failed to make `{}`", place.display()))?;
    let mut bench = workspace.command(workspace.target.join("release").join("bench"));
    bench.arg("--place").arg(place).args(arguments);
    succeed(&mut bench)
}
