//! The lake's failpoints: see [`model::failpoint`].

use std::path::Path;

use crate::error::LakeError;

/// Fails when a test has armed the failpoint of this name for this lake, by its directory.
pub(crate) fn hit(name: &'static str, lake: &Path) -> Result<(), LakeError> {
    if model::failpoint::hit(name, &lake.to_string_lossy()) {
        return Err(LakeError::Failpoint(name));
    }
    Ok(())
}
