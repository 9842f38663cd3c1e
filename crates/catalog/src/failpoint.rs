//! The catalog's failpoints: see [`model::failpoint`].

use crate::error::{CatalogError, Result};

/// Fails when a test has armed the failpoint of this name for this catalog, by its place.
pub(crate) fn hit(name: &str, place: &str) -> Result<()> {
    if !model::failpoint::hit(name, place) {
        return Ok(());
    }
    Err(CatalogError::Unavailable {
        action: "pass a failpoint",
        source: format!("failpoint `{name}`").into(),
    })
}
