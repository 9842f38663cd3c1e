//! Arrow values as JSON: without nulls and empty objects, times as epoch milliseconds, days as text.

use arrow::array::{Array, ArrayRef, AsArray as _, RecordBatch};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use model::ocsf::Class;
use model::ocsf::schema::{Attribute, Kind, attributes};
use model::time::Day;
use query::store::Row;
use serde_json::{Map, Number, Value};

use crate::columns::schema::UNMAPPED;

/// What the type of a column does not say: which texts are JSON.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Shape {
    /// As the type says.
    Plain,
    /// Text that is JSON.
    Json,
    /// An object of OCSF, or a list of such, some of whose texts may be JSON.
    Object(&'static [Attribute]),
}

impl PartialEq for Shape {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Plain, Self::Plain) | (Self::Json, Self::Json) => true,
            (Self::Object(one), Self::Object(two)) => std::ptr::eq(*one, *two),
            _ => false,
        }
    }
}

impl Eq for Shape {}

impl std::hash::Hash for Shape {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
    }
}

impl Shape {
    /// The shape of an attribute's column.
    pub(crate) fn of(attribute: &Attribute) -> Self {
        match attribute.kind {
            Kind::Json => Self::Json,
            Kind::Object(object) => Self::Object(object.attributes),
            _ => Self::Plain,
        }
    }

    /// The shape of a column of a class's table.
    pub(crate) fn of_column(class: Class, name: &str) -> Self {
        let attribute = attributes(class).iter().find(|attribute| attribute.name == name);
        attribute.map_or(Self::Plain, Self::of)
    }

    /// The shape of a column that a statement made: known by its name, when the type agrees.
    pub(crate) fn guess(name: &str, data_type: &DataType) -> Self {
        match data_type {
            DataType::Utf8 | DataType::Utf8View if name == UNMAPPED => Self::Json,
            DataType::Struct(_) | DataType::List(_) => {
                let shapes = Class::ALL.into_iter().map(|class| Self::of_column(class, name));
                shapes
                    .into_iter()
                    .find(|shape| matches!(shape, Self::Object(_)))
                    .unwrap_or(Self::Plain)
            }
            _ => Self::Plain,
        }
    }

    /// The shape of an attribute inside.
    pub(crate) fn of_child(self, name: &str) -> Self {
        match self {
            Self::Object(attributes) => attributes
                .iter()
                .find(|attribute| attribute.name == name)
                .map_or(Self::Plain, Self::of),
            _ => Self::Plain,
        }
    }
}

/// A row of a batch: column names and shapes are given in the order of the columns.
pub(crate) fn row(batch: &RecordBatch, names: &[String], shapes: &[Shape], row: usize) -> Row {
    let columns = names.iter().zip(shapes).zip(batch.columns());
    let values = columns.filter_map(|((name, shape), column)| {
        value(column, row, *shape).map(|value| (name.clone(), value))
    });
    values.collect()
}

/// One value; `None` for nulls, and for objects and lists with nothing in them.
pub(crate) fn value(array: &ArrayRef, row: usize, shape: Shape) -> Option<Value> {
    if array.is_null(row) {
        return None;
    }
    Some(match array.data_type() {
        DataType::Utf8 => text(array.as_string::<i32>().value(row), shape),
        DataType::Utf8View => text(array.as_string_view().value(row), shape),
        DataType::LargeUtf8 => text(array.as_string::<i64>().value(row), shape),
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int8 => array.as_primitive::<Int8Type>().value(row).into(),
        DataType::Int16 => array.as_primitive::<Int16Type>().value(row).into(),
        DataType::Int32 => array.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::UInt8 => array.as_primitive::<UInt8Type>().value(row).into(),
        DataType::UInt16 => array.as_primitive::<UInt16Type>().value(row).into(),
        DataType::UInt32 => array.as_primitive::<UInt32Type>().value(row).into(),
        DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).into(),
        DataType::Float32 => float(f64::from(array.as_primitive::<Float32Type>().value(row)))?,
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row))?,
        DataType::Date32 => Day(array.as_primitive::<Date32Type>().value(row)).to_string().into(),
        DataType::Timestamp(unit, _) => millis(array, *unit, row).into(),
        DataType::Struct(fields) => {
            let columns = fields.iter().zip(array.as_struct().columns());
            let members: Map<String, Value> = columns
                .filter_map(|(field, column)| {
                    let member = value(column, row, shape.of_child(field.name()))?;
                    Some((field.name().clone(), member))
                })
                .collect();
            if members.is_empty() {
                return None;
            }
            Value::Object(members)
        }
        DataType::List(_) => list(&array.as_list::<i32>().value(row), shape)?,
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row), shape)?,
        DataType::Decimal128(_, _) => {
            let text = array.as_primitive::<Decimal128Type>().value_as_string(row);
            serde_json::from_str::<Number>(&text).map_or(Value::String(text), Value::Number)
        }
        _ => other(array, row)?,
    })
}

fn text(text: &str, shape: Shape) -> Value {
    match shape {
        Shape::Json => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        _ => text.into(),
    }
}

fn float(number: f64) -> Option<Value> {
    Number::from_f64(number).map(Value::Number)
}

fn list(items: &ArrayRef, shape: Shape) -> Option<Value> {
    let values: Vec<Value> =
        (0..items.len()).filter_map(|item| value(items, item, shape)).collect();
    (!values.is_empty()).then_some(Value::Array(values))
}

fn millis(array: &ArrayRef, unit: TimeUnit, row: usize) -> i64 {
    match unit {
        TimeUnit::Second => {
            array.as_primitive::<TimestampSecondType>().value(row).saturating_mul(1000)
        }
        TimeUnit::Millisecond => array.as_primitive::<TimestampMillisecondType>().value(row),
        TimeUnit::Microsecond => {
            array.as_primitive::<TimestampMicrosecondType>().value(row).div_euclid(1000)
        }
        TimeUnit::Nanosecond => {
            array.as_primitive::<TimestampNanosecondType>().value(row).div_euclid(1_000_000)
        }
    }
}

/// Types that only SQL's own functions make: as their usual text.
fn other(array: &ArrayRef, row: usize) -> Option<Value> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(array.as_ref(), &options).ok()?;
    Some(formatter.value(row).to_string().into())
}
