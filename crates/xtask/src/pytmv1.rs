//! pytmv1, the client of Vision One that its vendor publishes: the simulator is held against it.

use std::path::PathBuf;

use anyhow::Result;

use crate::python;
use crate::workspace::Workspace;

/// Variable that tells tests which Python has the client.
pub(crate) const VARIABLE: &str = "TARN_PYTMV1_PYTHON";

/// Every package with its version and the digests of its files.
const REQUIREMENTS: &str = "tools/pytmv1-requirements.txt";

/// Installs it where it is missing or old, and gives its Python.
pub(crate) fn ensure(workspace: &Workspace) -> Result<PathBuf> {
    let folder = python::ensure(workspace, "pytmv1", REQUIREMENTS, &["python"])?;
    Ok(folder.join("python"))
}
