//! moto, which answers as S3, SQS, SNS, EventBridge and STS do, for the tests of what is collected from AWS.
//!
//! It lies in the build cache in a Python environment of its own, made anew when its requirements change.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::workspace::{Workspace, succeed};

/// Variable that tells tests where the server's program lies.
pub(crate) const VARIABLE: &str = "TARN_MOTO_SERVER";

/// Every package with its version and the digests of its files.
const REQUIREMENTS: &str = "tools/moto-requirements.txt";

/// Installs it where it is missing or old, and gives the path of its program.
pub(crate) fn ensure(workspace: &Workspace) -> Result<PathBuf> {
    let requirements = workspace.root.join(REQUIREMENTS);
    let inputs = std::fs::read_to_string(&requirements)
        .with_context(|| format!("failed to read `{}`", requirements.display()))?;
    let home = workspace.target.join("moto");
    let environment = home.join("venv");
    let program = environment.join("bin/moto_server");
    let seal = home.join("inputs");
    if program.exists() && std::fs::read_to_string(&seal).is_ok_and(|sealed| sealed == inputs) {
        println!("moto is up to date in `{}`", environment.display());
        return Ok(program);
    }
    std::fs::create_dir_all(&home)
        .with_context(|| format!("failed to create `{}`", home.display()))?;
    succeed(workspace.command("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
    let mut pip = workspace.command(environment.join("bin/python"));
    pip.args(install).args(["--require-hashes", "--requirement"]).arg(&requirements);
    succeed(&mut pip).context("failed to fetch moto from PyPI")?;
    std::fs::write(&seal, inputs)
        .with_context(|| format!("failed to write `{}`", seal.display()))?;
    Ok(program)
}
