//! The vendor's next release: records from a time on look different, and nobody was told.

use serde_json::{Map, Value, json};

/// Rewrites a record as the next release does: one field is gone, the value of another is wrapped in an
/// object, and one is new.
pub(crate) fn rewrite(record: &mut Map<String, Value>, gone: &str, wrapped: &str) {
    record.shift_remove(gone);
    if let Some(value) = record.get_mut(wrapped) {
        *value = json!({ "value": value.take() });
    }
    record.insert("ofTheNextRelease".to_owned(), json!(["new"]));
}

/// Whether a record of a time is one of the next release, which comes at `release_ms` if at all.
pub(crate) fn is_out(release_ms: Option<i64>, at_ms: i64) -> bool {
    release_ms.is_some_and(|release_ms| at_ms >= release_ms)
}
