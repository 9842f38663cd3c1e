//! Places where a test can make a write fail or stop the process. Nothing in a normal build.
//!
//! Armed with `return`, a failpoint fails in every lake of the process; armed with `return(TEXT)`,
//! only in lakes whose directory contains the text.

use std::path::Path;

use crate::error::LakeError;

/// Fails when a test has armed the failpoint of this name for this lake.
#[cfg(feature = "failpoints")]
pub(crate) fn hit(name: &'static str, lake: &Path) -> Result<(), LakeError> {
    let place = lake.display().to_string();
    let armed = fail::eval(name, |only_in| only_in.is_none_or(|text| place.contains(&text)));
    if armed == Some(true) { Err(LakeError::Failpoint(name)) } else { Ok(()) }
}

/// Does nothing in a normal build.
#[cfg(not(feature = "failpoints"))]
#[expect(clippy::unnecessary_wraps, reason = "the same face as with failpoints")]
pub(crate) fn hit(_name: &'static str, _lake: &Path) -> Result<(), LakeError> {
    Ok(())
}
