//! Places where a test can make a write fail or stop the process. Nothing in a normal build.
//!
//! Armed with `return`, a failpoint fails in every catalog of the process; armed with
//! `return(TEXT)`, only in catalogs whose place contains the text.

use crate::error::Result;

/// Fails when a test has armed the failpoint of this name for this catalog.
#[cfg(feature = "failpoints")]
pub(crate) fn hit(name: &str, place: &str) -> Result<()> {
    let armed = fail::eval(name, |only_in| only_in.is_none_or(|text| place.contains(&text)));
    if armed != Some(true) {
        return Ok(());
    }
    Err(crate::error::CatalogError::Unavailable {
        action: "pass a failpoint",
        source: format!("failpoint `{name}`").into(),
    })
}

/// Does nothing in a normal build.
#[cfg(not(feature = "failpoints"))]
#[expect(clippy::unnecessary_wraps, reason = "the same face as with failpoints")]
pub(crate) fn hit(_name: &str, _place: &str) -> Result<()> {
    Ok(())
}
