//! moto, which answers as the services of AWS do, and cfn-lint, which knows what CloudFormation takes: for the tests of
//! what is collected from AWS and of the template of a stack.
//!
//! They lie in the build cache in a Python environment of their own, made anew when its requirements change.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::workspace::{Workspace, succeed};

/// Variable that tells tests where the server's program lies.
pub(crate) const VARIABLE: &str = "TARN_MOTO_SERVER";

/// Every package with its version and the digests of its files.
const REQUIREMENTS: &str = "tools/moto-requirements.txt";

/// Variable that tells tests where cfn-lint's program lies.
pub(crate) const LINT_VARIABLE: &str = "TARN_CFN_LINT";

/// The programs.
pub(crate) struct Programs {
    /// moto's server.
    pub(crate) server: PathBuf,
    /// cfn-lint.
    pub(crate) lint: PathBuf,
}

/// Installs them where they are missing or old.
pub(crate) fn ensure(workspace: &Workspace) -> Result<Programs> {
    let requirements = workspace.root.join(REQUIREMENTS);
    let inputs = std::fs::read_to_string(&requirements)
        .with_context(|| format!("failed to read `{}`", requirements.display()))?;
    let home = workspace.target.join("moto");
    let environment = home.join("venv");
    let programs = Programs {
        server: environment.join("bin/moto_server"),
        lint: environment.join("bin/cfn-lint"),
    };
    let are_there = programs.server.exists() && programs.lint.exists();
    let seal = home.join("inputs");
    if are_there && std::fs::read_to_string(&seal).is_ok_and(|sealed| sealed == inputs) {
        println!("moto is up to date in `{}`", environment.display());
        return Ok(programs);
    }
    std::fs::create_dir_all(&home)
        .with_context(|| format!("failed to create `{}`", home.display()))?;
    succeed(workspace.command("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
    let mut pip = workspace.command(environment.join("bin/python"));
    pip.args(install).args(["--require-hashes", "--requirement"]).arg(&requirements);
    succeed(&mut pip).context("failed to fetch moto and cfn-lint from PyPI")?;
    std::fs::write(&seal, inputs)
        .with_context(|| format!("failed to write `{}`", seal.display()))?;
    Ok(programs)
}
