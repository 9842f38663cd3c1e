//! Tools that come from PyPI: each set lies in the build cache in a Python environment of its own, made anew when its
//! requirements change.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::workspace::{Workspace, succeed};

/// Installs what a file of requirements names with versions and digests, and gives the folder of its programs.
/// `programs` are those that must be there.
pub(crate) fn ensure(
    workspace: &Workspace,
    name: &str,
    requirements: &str,
    programs: &[&str],
) -> Result<PathBuf> {
    let requirements = workspace.root.join(requirements);
    let inputs = std::fs::read_to_string(&requirements)
        .with_context(|| format!("failed to read `{}`", requirements.display()))?;
    let home = workspace.target.join(name);
    let environment = home.join("venv");
    let folder = environment.join("bin");
    let are_there = programs.iter().all(|program| folder.join(program).exists());
    let seal = home.join("inputs");
    if are_there && std::fs::read_to_string(&seal).is_ok_and(|sealed| sealed == inputs) {
        println!("{name} is up to date in `{}`", environment.display());
        return Ok(folder);
    }
    std::fs::create_dir_all(&home)
        .with_context(|| format!("failed to create `{}`", home.display()))?;
    succeed(workspace.command("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
    let mut pip = workspace.command(folder.join("python"));
    pip.args(install).args(["--require-hashes", "--requirement"]).arg(&requirements);
    succeed(&mut pip).with_context(|| format!("failed to fetch {name} from PyPI"))?;
    std::fs::write(&seal, inputs)
        .with_context(|| format!("failed to write `{}`", seal.display()))?;
    Ok(folder)
}
