//! Reads columns back as the types they were written from. A value that does not parse is damage,
//! and the error names table-free facts only: the column, never the value.

use std::str::FromStr;

use model::time::Timestamp;
use serde_json::Value;
use sqlx::Row as _;

use crate::database::Row;
use crate::error::{CatalogError, Result};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Typed access to a row.
pub(crate) trait Columns {
    /// A text.
    fn text(&self, column: &str) -> Result<String>;
    /// A text that may be missing.
    fn text_maybe(&self, column: &str) -> Result<Option<String>>;
    /// A whole number.
    fn number(&self, column: &str) -> Result<i64>;
    /// A whole number that may be missing.
    fn number_maybe(&self, column: &str) -> Result<Option<i64>>;
    /// A number of things; never negative.
    fn count(&self, column: &str) -> Result<u64>;
    /// A point in time.
    fn time(&self, column: &str) -> Result<Timestamp>;
    /// A point in time that may be missing.
    fn time_maybe(&self, column: &str) -> Result<Option<Timestamp>>;
    /// Yes or no.
    fn flag(&self, column: &str) -> Result<bool>;
    /// Raw bytes.
    fn bytes(&self, column: &str) -> Result<Vec<u8>>;

    /// A text that parses as an identifier or a closed list.
    fn parsed<T: FromStr<Err: Into<BoxError>>>(&self, column: &str) -> Result<T> {
        self.text(column)?.parse().map_err(|source: T::Err| damaged(column, source))
    }

    /// Like [`Columns::parsed`], where the value may be missing.
    fn parsed_maybe<T: FromStr<Err: Into<BoxError>>>(&self, column: &str) -> Result<Option<T>> {
        let Some(text) = self.text_maybe(column)? else { return Ok(None) };
        text.parse().map(Some).map_err(|source: T::Err| damaged(column, source))
    }

    /// A JSON document.
    fn json(&self, column: &str) -> Result<Value> {
        serde_json::from_str(&self.text(column)?).map_err(|source| damaged(column, source))
    }
}

impl Columns for Row {
    fn text(&self, column: &str) -> Result<String> {
        self.try_get(column).map_err(|source| damaged(column, source))
    }

    fn text_maybe(&self, column: &str) -> Result<Option<String>> {
        self.try_get(column).map_err(|source| damaged(column, source))
    }

    fn number(&self, column: &str) -> Result<i64> {
        self.try_get(column).map_err(|source| damaged(column, source))
    }

    fn number_maybe(&self, column: &str) -> Result<Option<i64>> {
        self.try_get(column).map_err(|source| damaged(column, source))
    }

    fn count(&self, column: &str) -> Result<u64> {
        u64::try_from(self.number(column)?).map_err(|source| damaged(column, source))
    }

    fn time(&self, column: &str) -> Result<Timestamp> {
        self.number(column).map(Timestamp::from_micros)
    }

    fn time_maybe(&self, column: &str) -> Result<Option<Timestamp>> {
        let micros: Option<i64> = self.try_get(column).map_err(|source| damaged(column, source))?;
        Ok(micros.map(Timestamp::from_micros))
    }

    fn flag(&self, column: &str) -> Result<bool> {
        self.try_get(column).map_err(|source| damaged(column, source))
    }

    fn bytes(&self, column: &str) -> Result<Vec<u8>> {
        self.try_get(column).map_err(|source| damaged(column, source))
    }
}

fn damaged(column: &str, source: impl Into<BoxError>) -> CatalogError {
    CatalogError::corrupt(
        format!("the column `{column}` holds a value that cannot be read"),
        source,
    )
}

/// A count as the database keeps it.
pub(crate) fn stored_count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
