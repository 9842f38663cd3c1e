//! Cursor paging: a list is `{"items": […], "next": cursor or null}`.
//!
//! A cursor says after which item the next page starts. It is opaque: clients hand it back as it is.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::problem::Problem;

const DEFAULT: u32 = 100;
/// The most items of a page.
pub(crate) const MOST: u32 = 1_000;

/// Where a page starts and how long it is.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageParameters {
    /// The most items that the page may have, from 1 to 1000; 100 unless told otherwise.
    #[param(minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<u32>,
    /// `next` of the page before.
    pub(crate) cursor: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// The cursor of the next page; null at the end.
    pub(crate) next: Option<String>,
}

impl<T> Page<T> {
    /// A list that is always whole.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

/// The number of items that is asked for.
pub(crate) fn limit(asked: Option<u32>) -> Result<u32, Problem> {
    match asked.unwrap_or(DEFAULT) {
        limit @ 1..=MOST => Ok(limit),
        limit => Err(Problem::invalid(format!("`limit`: {limit} is not between 1 and {MOST}"))),
    }
}

/// The cursor that goes on after this key.
pub(crate) fn cursor(key: &str) -> String {
    URL_SAFE_NO_PAD.encode(key)
}

/// The key that a cursor goes on after.
pub(crate) fn key(cursor: &str) -> Result<String, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    bytes.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(foreign)
}

/// The answer to a cursor that was not handed out by the same list.
pub(crate) fn foreign() -> Problem {
    Problem::invalid("`cursor`: is none of this list")
        .with_hint("hand `next` of the page before back as it is")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_keeps_any_name_and_a_foreign_one_is_refused() {
        assert_eq!(key(&cursor("経理 CAS/1")).as_deref(), Ok("経理 CAS/1"));
        assert!(key("not a cursor!").is_err());
        assert!(limit(Some(0)).is_err() && limit(Some(1_001)).is_err());
    }
}
