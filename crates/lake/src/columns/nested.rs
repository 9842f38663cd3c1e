//! Columns of lists and of objects.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanBufferBuilder, ListArray, StructArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::Field;

use super::Column;

/// Lists of what the inner column holds.
#[derive(Default)]
pub(crate) struct List<C> {
    inner: C,
    items: usize,
    /// Items of each row so far; rows behind the end have none and are null.
    lengths: Vec<usize>,
}

impl<C: Column> List<C> {
    /// Puts the items of a row; a row without items stays null.
    pub(crate) fn put_all<'v>(
        &mut self,
        row: usize,
        items: impl IntoIterator<Item = C::Value<'v>>,
    ) {
        let before = self.items;
        for item in items {
            self.inner.put(self.items, item);
            self.items += 1;
        }
        if self.items > before {
            self.lengths.resize(row, 0);
            self.lengths.push(self.items - before);
        }
    }

    /// The column, or `None` when no row has items.
    pub(crate) fn finish(&mut self, rows: usize) -> Option<ArrayRef> {
        let values = self.inner.finish(std::mem::take(&mut self.items))?;
        let mut lengths = std::mem::take(&mut self.lengths);
        lengths.resize(rows, 0);
        let nulls: NullBuffer = lengths.iter().map(|length| *length > 0).collect();
        let field = Arc::new(Field::new("element", values.data_type().clone(), true));
        let offsets = OffsetBuffer::from_lengths(lengths);
        Some(Arc::new(ListArray::new(field, offsets, values, Some(nulls))))
    }
}

/// Which rows of an object column are there.
#[derive(Default)]
pub(crate) struct Presence(Option<BooleanBufferBuilder>);

impl Presence {
    /// The row is there.
    pub(crate) fn put(&mut self, row: usize) {
        let bits = self.0.get_or_insert_with(|| BooleanBufferBuilder::new(0));
        bits.append_n(row - bits.len(), false);
        bits.append(true);
    }

    fn finish(&mut self, rows: usize) -> Option<NullBuffer> {
        let mut bits = self.0.take()?;
        bits.append_n(rows - bits.len(), false);
        Some(NullBuffer::new(bits.finish()))
    }

    /// Joins the columns of an object's attributes, leaving out those that no row uses.
    pub(crate) fn object<const N: usize>(
        &mut self,
        rows: usize,
        attributes: [(&'static str, Option<ArrayRef>); N],
    ) -> Option<ArrayRef> {
        let nulls = self.finish(rows);
        let (fields, columns) = named(attributes);
        if columns.is_empty() {
            return None;
        }
        Some(Arc::new(StructArray::new(fields.into(), columns, nulls)))
    }
}

/// Fields and arrays of the columns that any row uses.
pub(crate) fn named(
    columns: impl IntoIterator<Item = (&'static str, Option<ArrayRef>)>,
) -> (Vec<Field>, Vec<ArrayRef>) {
    let used = columns.into_iter().filter_map(|(name, array)| Some((name, array?)));
    used.map(|(name, array)| (Field::new(name, array.data_type().clone(), true), array)).unzip()
}
