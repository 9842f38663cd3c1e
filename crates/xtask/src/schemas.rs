//! The published OCSF schema as JSON Schema files, for tests, and the comparison of our table with it.
//!
//! The files lie in the build cache and are made anew when the table, the script or the version
//! changes. `tools/ocsf-schemas.py` does the work in a Python environment of its own.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};

use crate::codegen::TABLE_FOLDER;
use crate::codegen::table::Table;
use crate::workspace::{Workspace, succeed};

/// Variable that tells tests where the files lie.
pub(crate) const VARIABLE: &str = "TARN_OCSF_SCHEMAS";

const SCRIPT: &str = "tools/ocsf-schemas.py";
/// The package that ships the compiled schema, pinned by content.
const REQUIREMENT: &str = "ocsf-json-schema==1.2.0 \
     --hash=sha256:64d819042d20c3c04bc0d024c7c47c41006ebbe0209ce768ba6efa1240106708\n";

/// Makes the files where they are missing or old, and gives their folder.
pub(crate) fn ensure(workspace: &Workspace) -> Result<PathBuf> {
    let table = Table::load(&workspace.root.join(TABLE_FOLDER))?;
    let script = workspace.root.join(SCRIPT);
    let script_text = std::fs::read_to_string(&script)
        .with_context(|| format!("failed to read `{}`", script.display()))?;
    let table_text = serde_json::to_string(&table).context("failed to write the table as JSON")?;
    let inputs = format!("{REQUIREMENT}\n{script_text}\n{table_text}");
    let home = workspace.target.join("ocsf");
    let folder = home.join(&table.version);
    let seal = folder.join("inputs");
    if std::fs::read_to_string(&seal).is_ok_and(|sealed| sealed == inputs) {
        println!("OCSF schemas are up to date in `{}`", folder.display());
        return Ok(folder);
    }
    let python = python(workspace, &home)?;
    clear(&folder)?;
    run_script(workspace, &python, &script, &table_text, &folder)?;
    std::fs::write(&seal, inputs)
        .with_context(|| format!("failed to write `{}`", seal.display()))?;
    Ok(folder)
}

/// The Python of the environment that has the package.
fn python(workspace: &Workspace, home: &Path) -> Result<PathBuf> {
    std::fs::create_dir_all(home)
        .with_context(|| format!("failed to create `{}`", home.display()))?;
    let environment = home.join("venv");
    let requirements = home.join("requirements.txt");
    std::fs::write(&requirements, REQUIREMENT)
        .with_context(|| format!("failed to write `{}`", requirements.display()))?;
    succeed(workspace.command("python3").args(["-m", "venv", "--clear"]).arg(&environment))?;
    let python = environment.join("bin/python");
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"];
    let mut pip = workspace.command(&python);
    pip.args(install).args(["--require-hashes", "--requirement"]).arg(&requirements);
    succeed(&mut pip).context("failed to fetch the OCSF schema from PyPI")?;
    Ok(python)
}

fn clear(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)
            .with_context(|| format!("failed to clear `{}`", folder.display()))?;
    }
    std::fs::create_dir_all(folder)
        .with_context(|| format!("failed to create `{}`", folder.display()))
}

fn run_script(
    workspace: &Workspace,
    python: &Path,
    script: &Path,
    table: &str,
    folder: &Path,
) -> Result<()> {
    let mut child = workspace
        .command(python)
        .arg(script)
        .arg(folder)
        .stdin(Stdio::piped())
        .spawn()
        .with_context(|| format!("failed to start `{}`", python.display()))?;
    let mut input = child.stdin.take().context("the script has no input")?;
    input.write_all(table.as_bytes()).context("failed to hand the table to the script")?;
    drop(input);
    let status = child.wait().context("failed to wait for the script")?;
    ensure!(status.success(), "the OCSF table differs from the published schema, see above");
    Ok(())
}
