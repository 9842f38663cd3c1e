//! Arrow columns that are filled value by value: text, numbers, lists, objects. Absent values are
//! counted and written when the next value comes, and a column without values is left out.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Int32Builder, Int64Builder, ListArray, NullBufferBuilder,
    StringBuilder, StructArray, TimestampMicrosecondBuilder,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::Field;

/// Builds one column.
pub(super) trait Column: Default {
    /// What a row holds.
    type Value<'v>: Copy + 'v;

    /// Adds a row with a value.
    fn put(&mut self, value: Self::Value<'_>);

    /// Adds rows without one.
    fn skip(&mut self, rows: usize);

    /// The column, or `None` when no row has a value.
    fn finish(&mut self) -> Option<ArrayRef>;

    /// Adds a row.
    fn put_some(&mut self, value: Option<Self::Value<'_>>) {
        match value {
            Some(value) => self.put(value),
            None => self.skip(1),
        }
    }
}

/// Declares a column of single values over one of Arrow's builders.
macro_rules! scalar {
    ($(#[$doc:meta])* $name:ident, $builder:ty, $new:expr, <$life:lifetime> $value:ty) => {
        $(#[$doc])*
        pub(super) struct $name {
            missing: usize,
            has_values: bool,
            builder: $builder,
        }

        impl Default for $name {
            fn default() -> Self {
                Self { missing: 0, has_values: false, builder: $new }
            }
        }

        impl Column for $name {
            type Value<$life> = $value;

            fn put(&mut self, value: Self::Value<'_>) {
                if self.missing > 0 {
                    self.builder.append_nulls(self.missing);
                    self.missing = 0;
                }
                self.has_values = true;
                self.builder.append_value(value);
            }

            fn skip(&mut self, rows: usize) {
                self.missing += rows;
            }

            fn finish(&mut self) -> Option<ArrayRef> {
                self.has_values.then(|| {
                    self.builder.append_nulls(self.missing);
                    Arc::new(self.builder.finish()) as ArrayRef
                })
            }
        }
    };
}

scalar!(
    /// Text.
    Text,
    StringBuilder,
    StringBuilder::with_capacity(0, 0),
    <'v> &'v str
);
scalar!(
    /// Numbers of 32 bits.
    Int,
    Int32Builder,
    Int32Builder::with_capacity(0),
    <'v> i32
);
scalar!(
    /// Numbers of 64 bits.
    Long,
    Int64Builder,
    Int64Builder::with_capacity(0),
    <'v> i64
);
scalar!(
    /// True or false.
    Flag,
    BooleanBuilder,
    BooleanBuilder::with_capacity(0),
    <'v> bool
);
scalar!(
    /// Points in time, in microseconds.
    Micros,
    TimestampMicrosecondBuilder,
    TimestampMicrosecondBuilder::with_capacity(0).with_timezone("UTC"),
    <'v> i64
);

/// Lists; a row without items is null.
#[derive(Default)]
pub(super) struct List<C> {
    missing: usize,
    lengths: Vec<usize>,
    items: C,
}

impl<C: Column> Column for List<C> {
    type Value<'v> = &'v [C::Value<'v>];

    fn put(&mut self, value: Self::Value<'_>) {
        if value.is_empty() {
            return self.skip(1);
        }
        self.pad();
        self.lengths.push(value.len());
        for item in value {
            self.items.put(*item);
        }
    }

    fn skip(&mut self, rows: usize) {
        self.missing += rows;
    }

    fn finish(&mut self) -> Option<ArrayRef> {
        let items = self.items.finish()?;
        self.pad();
        let nulls: NullBuffer = self.lengths.iter().map(|length| *length > 0).collect();
        let field = Arc::new(Field::new("element", items.data_type().clone(), true));
        let offsets = OffsetBuffer::from_lengths(std::mem::take(&mut self.lengths));
        Some(Arc::new(ListArray::new(field, offsets, items, Some(nulls))))
    }
}

impl<C> List<C> {
    fn pad(&mut self) {
        self.lengths.resize(self.lengths.len() + self.missing, 0);
        self.missing = 0;
    }
}

/// Which rows of an object are there.
pub(super) struct Presence {
    missing: usize,
    rows: NullBufferBuilder,
}

impl Default for Presence {
    fn default() -> Self {
        Self { missing: 0, rows: NullBufferBuilder::new(0) }
    }
}

impl Presence {
    /// The row is there. Answers how many before it are not, and were not told of yet.
    pub(super) fn put(&mut self) -> usize {
        let missing = std::mem::take(&mut self.missing);
        self.rows.append_n_nulls(missing);
        self.rows.append_non_null();
        missing
    }

    /// Rows are not there.
    pub(super) fn skip(&mut self, rows: usize) {
        self.missing += rows;
    }

    /// Rows at the end that are not there and were not told of yet.
    pub(super) fn rest(&mut self) -> usize {
        let missing = std::mem::take(&mut self.missing);
        self.rows.append_n_nulls(missing);
        missing
    }

    /// Joins the columns that have values.
    pub(super) fn join<const N: usize>(
        &mut self,
        columns: [(&'static str, Option<ArrayRef>); N],
    ) -> Option<ArrayRef> {
        let nulls = self.rows.finish();
        let used = columns.into_iter().filter_map(|(name, array)| Some((name, array?)));
        let (fields, arrays): (Vec<Field>, Vec<ArrayRef>) = used
            .map(|(name, array)| (Field::new(name, array.data_type().clone(), true), array))
            .unzip();
        if arrays.is_empty() {
            return None;
        }
        Some(Arc::new(StructArray::new(fields.into(), arrays, nulls)))
    }
}

/// Declares an object: what a row holds, and the columns that take it. The types of both are written
/// out, for a type that is named through [`Column::Value`] cannot be borrowed for a shorter time.
macro_rules! object {
    (
        $(#[$doc:meta])*
        $value:ident<$life:lifetime> => $columns:ident {
            $($field:ident: $type:ty => $column:ty = $name:literal,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Default)]
        pub(super) struct $value<$life> {
            $(pub(super) $field: Option<$type>,)*
        }

        $(#[$doc])*
        #[derive(Default)]
        pub(super) struct $columns {
            present: Presence,
            $($field: $column,)*
        }

        impl Column for $columns {
            type Value<$life> = $value<$life>;

            fn put(&mut self, value: $value<'_>) {
                let missing = self.present.put();
                if missing > 0 {
                    $(self.$field.skip(missing);)*
                }
                $(self.$field.put_some(value.$field);)*
            }

            fn skip(&mut self, rows: usize) {
                self.present.skip(rows);
            }

            fn finish(&mut self) -> Option<ArrayRef> {
                let missing = self.present.rest();
                if missing > 0 {
                    $(self.$field.skip(missing);)*
                }
                self.present.join([$(($name, self.$field.finish()),)*])
            }
        }
    };
}
pub(super) use object;
