//! Where the repository and its build cache lie, and how commands are run in them.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

/// The checkout that the tasks work on.
pub(crate) struct Workspace {
    /// Root of the repository.
    pub(crate) root: PathBuf,
    /// Build cache that all tasks share.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Finds the repository around the current folder, and the build cache by `CARGO_TARGET_DIR`,
    /// else `~/.cache/tarn/target`. Paths known at compile time would not do: checkouts that share
    /// a build cache may run each other's binary.
    pub(crate) fn find() -> Result<Self> {
        let here = std::env::current_dir().context("failed to find the current folder")?;
        let root = here
            .ancestors()
            .find(|folder| folder.join("crates/xtask/Cargo.toml").is_file())
            .with_context(|| format!("`{}` is in no checkout of Tarn", here.display()))?
            .to_path_buf();
        let target = match (variable("CARGO_TARGET_DIR"), variable("HOME")) {
            (Some(target), _) => root.join(target),
            (None, Some(home)) => PathBuf::from(home).join(".cache/tarn/target"),
            (None, None) => root.join("target"),
        };
        Ok(Self { root, target })
    }

    /// A command at the root of the repository that builds into the shared cache.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).env("CARGO_TARGET_DIR", &self.target);
        command
    }

    /// A cargo command such as `clippy --workspace`, in the environment that it would have without
    /// this task: build scripts run again when they see other variables of cargo, and the query
    /// engine would be compiled once for people and once for tasks.
    pub(crate) fn cargo(&self, arguments: &[&str]) -> Command {
        let mut command = self.command("cargo");
        for name in of_this_package() {
            command.env_remove(name);
        }
        command.args(arguments);
        command
    }
}

/// A variable of the environment, unless it is empty.
#[expect(clippy::disallowed_methods, reason = "tasks are configured by cargo's own variables")]
pub(crate) fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// The variables that cargo sets for the program that it runs.
#[expect(clippy::disallowed_methods, reason = "tasks are configured by cargo's own variables")]
fn of_this_package() -> impl Iterator<Item = String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    names.filter(|name| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_"))
}

/// Runs a command without input; an exit code other than 0 is an error that shows the command.
pub(crate) fn succeed(command: &mut Command) -> Result<()> {
    let shown = shown(command);
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("failed to start `{shown}`"))?;
    if !status.success() {
        bail!("`{shown}` failed with {status}");
    }
    Ok(())
}

/// Whether a command exists and succeeds; its output is dropped.
pub(crate) fn works(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}
