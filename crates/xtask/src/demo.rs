//! `cargo xtask demo`: builds what the tests build and starts `tarn demo`.

use anyhow::{Result, bail};

use crate::prerequisites;
use crate::workspace::{Workspace, succeed};

/// Naming examples (there are none) makes cargo choose the features that the tests are built with:
/// without it the query engine would be compiled a second time. The benchmarks choose no feature of
/// their own, and nobody needs them here.
const BUILD: &[&str] = &["build", "--workspace", "--exclude", "bench", "--bins", "--examples"];

/// Builds, then hands the terminal over to the demo.
pub(crate) fn run(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    prerequisites::ensure()?;
    succeed(&mut workspace.cargo(BUILD))?;
    let mut demo = workspace.command(workspace.target.join("debug").join("tarn"));
    demo.arg("demo").args(arguments).env_remove("CARGO_TARGET_DIR");
    hand_over(demo)
}

#[cfg(unix)]
fn hand_over(mut demo: std::process::Command) -> Result<()> {
    use std::os::unix::process::CommandExt as _;
    let error = demo.exec();
    bail!("failed to start `tarn demo`: {error}")
}

#[cfg(not(unix))]
fn hand_over(mut demo: std::process::Command) -> Result<()> {
    if !demo.status()?.success() {
        bail!("`tarn demo` failed");
    }
    Ok(())
}
