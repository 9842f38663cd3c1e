//! Columns of single values: text, numbers, booleans, times.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanBuilder, Float64Builder, Int32Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};

use super::{Column, UTC};

/// Declares a column over one of Arrow's builders: how it pads and how it takes a value.
macro_rules! scalar_column {
    ($(#[$doc:meta])* $name:ident, $builder:ty, $new:expr, <$life:lifetime> $value:ty) => {
        $(#[$doc])*
        #[derive(Default)]
        pub(crate) struct $name {
            rows: usize,
            builder: Option<Box<$builder>>,
        }

        impl Column for $name {
            type Value<$life> = $value;

            fn put(&mut self, row: usize, value: Self::Value<'_>) {
                let builder = self.builder.get_or_insert_with(|| Box::new($new));
                debug_assert!(row >= self.rows, "rows are put in order, each once");
                if row > self.rows {
                    builder.append_nulls(row - self.rows);
                }
                builder.append_value(value);
                self.rows = row + 1;
            }

            fn finish(&mut self, rows: usize) -> Option<ArrayRef> {
                let mut builder = self.builder.take()?;
                builder.append_nulls(rows - self.rows);
                self.rows = 0;
                Some(Arc::new(builder.finish()))
            }
        }
    };
}

scalar_column!(
    /// Text, also JSON in its text form.
    Text,
    StringBuilder,
    StringBuilder::with_capacity(0, 0),
    <'v> &'v str
);
scalar_column!(
    /// Whole numbers of 32 bits.
    Integer,
    Int32Builder,
    Int32Builder::with_capacity(0),
    <'v> i32
);
scalar_column!(
    /// Whole numbers of 64 bits.
    Long,
    Int64Builder,
    Int64Builder::with_capacity(0),
    <'v> i64
);
scalar_column!(
    /// Numbers with a fraction.
    Float,
    Float64Builder,
    Float64Builder::with_capacity(0),
    <'v> f64
);
scalar_column!(
    /// True or false.
    Boolean,
    BooleanBuilder,
    BooleanBuilder::with_capacity(0),
    <'v> bool
);
scalar_column!(
    /// Points in time, in microseconds.
    Micros,
    TimestampMicrosecondBuilder,
    TimestampMicrosecondBuilder::with_capacity(0).with_timezone(UTC),
    <'v> i64
);

/// Points in time that events give in milliseconds.
#[derive(Default)]
pub(crate) struct Millis(Micros);

impl Column for Millis {
    type Value<'v> = i64;

    fn put(&mut self, row: usize, value: i64) {
        self.0.put(row, value.saturating_mul(1000));
    }

    fn finish(&mut self, rows: usize) -> Option<ArrayRef> {
        self.0.finish(rows)
    }
}
