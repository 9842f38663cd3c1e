//! What a process of its own costs, by the system's account of it: a small script starts it and waits.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde::Deserialize;

const SCRIPT: &str = include_str!("../rivals/measured.py");

/// What a process cost.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Usage {
    /// Seconds that passed.
    pub(crate) wall: f64,
    user: f64,
    system: f64,
    /// The most memory that was resident at once.
    pub(crate) peak_bytes: u64,
}

impl Usage {
    /// Seconds that processors worked, for the program and for the system on its behalf.
    pub(crate) fn processor(&self) -> f64 {
        self.user + self.system
    }
}

/// Runs a command to its end; answers what it cost and what it printed.
pub(crate) fn run(command: &Command, place: &Path) -> Result<(Usage, String)> {
    let report = place.join("usage.json");
    let mut measured = Command::new("python3");
    measured.arg("-c").arg(SCRIPT).arg(&report).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            measured.env(name, value);
        }
    }
    let name = command.get_program().display().to_string();
    let ran = measured
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("failed to run `{name}` by python3"))?;
    ensure!(ran.status.success(), "`{name}` failed");
    let usage = serde_json::from_slice(&std::fs::read(&report)?)
        .with_context(|| format!("the script did not say what `{name}` cost"))?;
    Ok((usage, String::from_utf8(ran.stdout)?))
}
