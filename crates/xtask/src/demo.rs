//! `cargo xtask demo`: builds what the tests build and starts `tarn demo`.

use anyhow::{Result, bail};

use crate::prerequisites;
use crate::workspace::{Workspace, succeed};

/// Exactly what the tests build: any other choice of targets makes cargo choose other features of
/// dependencies, and the query engine would be compiled a second time.
const BUILD: &[&str] = &["build", "--workspace", "--lib", "--bins", "--examples", "--tests"];

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
