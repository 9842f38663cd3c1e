//! moto, which answers as the services of AWS do, and cfn-lint, which knows what CloudFormation takes: for the tests of
//! what is collected from AWS and of the template of a stack.

use std::path::PathBuf;

use anyhow::Result;

use crate::python;
use crate::workspace::Workspace;

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
    let folder = python::ensure(workspace, "moto", REQUIREMENTS, &["moto_server", "cfn-lint"])?;
    Ok(Programs { server: folder.join("moto_server"), lint: folder.join("cfn-lint") })
}
