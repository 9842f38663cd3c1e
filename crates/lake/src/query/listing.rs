//! Notes which files the scans of a query list, for those who want to see it instead of the rows.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

/// The notes of one query; off unless somebody asked.
#[derive(Debug, Clone)]
pub(crate) struct Listing(Option<Arc<Mutex<BTreeSet<String>>>>);

impl Listing {
    /// Notes nothing.
    pub(crate) fn off() -> Self {
        Self(None)
    }

    /// Notes every file.
    pub(crate) fn on() -> Self {
        Self(Some(Arc::default()))
    }

    /// Notes the files of a scan.
    pub(crate) fn note(&self, files: impl Iterator<Item = String>) {
        if let Some(noted) = &self.0 {
            noted.lock().unwrap_or_else(PoisonError::into_inner).extend(files);
        }
    }

    /// What was noted, in order.
    pub(crate) fn files(&self) -> Vec<String> {
        let noted = self.0.as_ref();
        noted.map_or_else(Vec::new, |noted| {
            noted.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
        })
    }
}
