//! Events as Arrow columns: what a mapping gives goes straight into the builders of its class.
//!
//! A column takes values by row and pads the rows between by itself, so that an absent attribute
//! costs nothing, and a column that no row uses is not written to the file at all.
//! The builders of classes and objects are generated; [`scalar`] and [`nested`] are their parts.

pub(crate) mod file;
mod generated;
pub(crate) mod nested;
pub(crate) mod rows;
mod scalar;
pub(crate) mod schema;
pub(crate) mod shape;

use arrow::array::ArrayRef;

pub(crate) use generated::EventColumns;

/// The time zone of every timestamp column.
pub(crate) const UTC: &str = "UTC";

/// Builds one column.
pub(crate) trait Column: Default {
    /// What a row holds.
    type Value<'v>;

    /// Puts a value into a row; rows come in rising order, each at most once.
    fn put(&mut self, row: usize, value: Self::Value<'_>);

    /// Puts a value where there is one.
    fn put_some(&mut self, row: usize, value: Option<Self::Value<'_>>) {
        if let Some(value) = value {
            self.put(row, value);
        }
    }

    /// The column padded to `rows`, or `None` when no row has a value. Empty again afterwards.
    fn finish(&mut self, rows: usize) -> Option<ArrayRef>;
}
