//! Functions that DataFusion does not have: predicates over lists and JSON text, and values as JSON.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use ::query::plan::Predicate;
use arrow::array::{
    Array, ArrayRef, AsArray as _, BooleanArray, BooleanBufferBuilder, ListArray, StringBuilder,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use datafusion::common::{Result, ScalarValue, exec_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use model::time::{Day, Timestamp};
use serde_json::Value;

use super::json_path;
use super::matcher::{Matcher, Stored};
use super::print::{self, Shape};

/// Whether a predicate holds for any value at a path below a column. Never null.
pub(crate) fn holds(column: Expr, path: &[String], predicate: &Predicate) -> Result<Expr> {
    let matcher = match Matcher::new(predicate) {
        Ok(matcher) => matcher,
        Err(error) => return plan_err!("`{predicate:?}` cannot be compiled: {error}"),
    };
    let text = format!("{path:?} {predicate:?}");
    let function =
        Holds { signature: any(1), path: path.to_vec(), matcher: Arc::new(matcher), text };
    Ok(ScalarUDF::new_from_impl(function).call(vec![column]))
}

/// The values at a path below a column as JSON text: a list where the path leads through lists, null
/// where there is nothing.
pub(crate) fn as_json(column: Expr, path: &[String], shape: Shape) -> Expr {
    let function = AsJson { signature: any(1), path: path.to_vec(), shape };
    ScalarUDF::new_from_impl(function).call(vec![column])
}

/// SQL's way into the raw record: `raw_text(raw_data, 'requestParameters', 'bucketName')`.
pub(crate) fn raw_text() -> ScalarUDF {
    ScalarUDF::new_from_impl(RawText { signature: Signature::variadic_any(Volatility::Immutable) })
}

fn any(arguments: usize) -> Signature {
    Signature::any(arguments, Volatility::Immutable)
}

#[derive(Debug)]
struct Holds {
    signature: Signature,
    path: Vec<String>,
    matcher: Arc<Matcher>,
    /// Path and predicate as text: what makes two of these equal.
    text: String,
}

impl PartialEq for Holds {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Holds {}

impl Hash for Holds {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl ScalarUDFImpl for Holds {
    fn name(&self) -> &'static str {
        "holds"
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Ok(format!("holds({} {})", arguments.join(","), self.text))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [column] = &arguments.args[..] else { return exec_err!("`holds` takes one column") };
        let column = column.to_array(arguments.number_rows)?;
        let found = test(&column, &self.path, &self.matcher)?;
        Ok(ColumnarValue::Array(Arc::new(BooleanArray::new(found, None))))
    }
}

/// For each row, whether any value at the path passes.
fn test(array: &ArrayRef, path: &[String], matcher: &Matcher) -> Result<BooleanBuffer> {
    let rows = array.len();
    let by_row = |holds: &dyn Fn(usize) -> bool| {
        BooleanBuffer::collect_bool(rows, |row| array.is_valid(row) && holds(row))
    };
    Ok(match (array.data_type(), path.split_first()) {
        (DataType::List(_), _) => return test_list(array.as_list::<i32>(), path, matcher),
        (DataType::Struct(_), None) => by_row(&|_| matcher.holds(Stored::Object)),
        (DataType::Struct(_), Some((name, rest))) => {
            let Some(child) = array.as_struct().column_by_name(name) else {
                return Ok(BooleanBuffer::new_unset(rows));
            };
            let below = test(child, rest, matcher)?;
            by_row(&|row| below.value(row))
        }
        (DataType::Utf8, None) => {
            let texts = array.as_string::<i32>();
            by_row(&|row| matcher.holds(Stored::Text(texts.value(row))))
        }
        (DataType::Utf8, Some(_)) => {
            let texts = array.as_string::<i32>();
            by_row(&|row| json_holds(texts.value(row), path, matcher))
        }
        (DataType::Utf8View | DataType::LargeUtf8, _) => {
            return test(&cast(array, &DataType::Utf8)?, path, matcher);
        }
        (DataType::Int32, None) => {
            let numbers = array.as_primitive::<Int32Type>();
            by_row(&|row| matcher.holds(Stored::Integer(i64::from(numbers.value(row)))))
        }
        (DataType::Int64, None) => {
            let numbers = array.as_primitive::<Int64Type>();
            by_row(&|row| matcher.holds(Stored::Integer(numbers.value(row))))
        }
        (DataType::Float64, None) => {
            let numbers = array.as_primitive::<Float64Type>();
            by_row(&|row| matcher.holds(Stored::Float(numbers.value(row))))
        }
        (DataType::Boolean, None) => {
            let truths = array.as_boolean();
            by_row(&|row| matcher.holds(Stored::Boolean(truths.value(row))))
        }
        (DataType::Timestamp(arrow::datatypes::TimeUnit::Microsecond, _), None) => {
            let times = array.as_primitive::<TimestampMicrosecondType>();
            by_row(&|row| matcher.holds(Stored::Time(Timestamp::from_micros(times.value(row)))))
        }
        (DataType::Date32, None) => {
            let days = array.as_primitive::<Date32Type>();
            by_row(&|row| matcher.holds(Stored::Text(&Day(days.value(row)).to_string())))
        }
        _ => BooleanBuffer::new_unset(rows),
    })
}

fn test_list(lists: &ListArray, path: &[String], matcher: &Matcher) -> Result<BooleanBuffer> {
    let offsets = lists.value_offsets();
    let first = usize::try_from(offsets[0]).unwrap_or(0);
    let last = usize::try_from(offsets[lists.len()]).unwrap_or(0);
    let items = test(&lists.values().slice(first, last - first), path, matcher)?;
    let mut found = BooleanBufferBuilder::new(lists.len());
    for row in 0..lists.len() {
        let start = usize::try_from(offsets[row]).unwrap_or(0) - first;
        let end = usize::try_from(offsets[row + 1]).unwrap_or(0) - first;
        found.append(lists.is_valid(row) && (start..end).any(|item| items.value(item)));
    }
    Ok(found.finish())
}

fn json_holds(text: &str, path: &[String], matcher: &Matcher) -> bool {
    let mut found = false;
    json_path::each(text, path, &mut |value| {
        found = match &value {
            Value::String(text) => matcher.holds(Stored::Text(text)),
            Value::Bool(truth) => matcher.holds(Stored::Boolean(*truth)),
            Value::Number(number) => match (number.as_i64(), number.as_f64()) {
                (Some(number), _) => matcher.holds(Stored::Integer(number)),
                (None, Some(number)) => matcher.holds(Stored::Float(number)),
                (None, None) => false,
            },
            Value::Object(_) => matcher.holds(Stored::Object),
            Value::Null | Value::Array(_) => false,
        };
        !found
    });
    found
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct AsJson {
    signature: Signature,
    path: Vec<String>,
    shape: Shape,
}

impl ScalarUDFImpl for AsJson {
    fn name(&self) -> &'static str {
        "as_json"
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        let arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
        Ok(format!("as_json({} {:?})", arguments.join(","), self.path))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [column] = &arguments.args[..] else { return exec_err!("`as_json` takes one column") };
        let column = column.to_array(arguments.number_rows)?;
        let mut texts = StringBuilder::new();
        for row in 0..column.len() {
            let value = collect(&column, row, &self.path, self.shape);
            texts.append_option(value.map(|value| value.to_string()));
        }
        Ok(ColumnarValue::Array(Arc::new(texts.finish())))
    }
}

/// The value of a row at a path; a list of all values where lists lie on the way.
fn collect(array: &ArrayRef, row: usize, path: &[String], shape: Shape) -> Option<Value> {
    let Some((name, rest)) = path.split_first() else { return print::value(array, row, shape) };
    if array.is_null(row) {
        return None;
    }
    match array.data_type() {
        DataType::Struct(_) => collect(array.as_struct().column_by_name(name)?, row, rest, shape),
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            let mut values = Vec::new();
            for item in 0..items.len() {
                match collect(&items, item, path, shape) {
                    Some(Value::Array(inner)) => values.extend(inner),
                    Some(value) => values.push(value),
                    None => {}
                }
            }
            (!values.is_empty()).then_some(Value::Array(values))
        }
        DataType::Utf8 => {
            let mut values = Vec::new();
            json_path::each(array.as_string::<i32>().value(row), path, &mut |value| {
                values.push(value);
                true
            });
            if values.len() > 1 { Some(Value::Array(values)) } else { values.pop() }
        }
        _ => None,
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct RawText {
    signature: Signature,
}

impl ScalarUDFImpl for RawText {
    fn name(&self) -> &'static str {
        "raw_text"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        if arguments.len() < 2 {
            return plan_err!(
                "raw_text takes a column and at least one key: raw_text(raw_data, 'id')"
            );
        }
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let Some((column, keys)) = arguments.args.split_first() else {
            return exec_err!("raw_text takes a column");
        };
        let mut path = Vec::with_capacity(keys.len());
        for key in keys {
            match key {
                ColumnarValue::Scalar(
                    ScalarValue::Utf8(Some(key)) | ScalarValue::Utf8View(Some(key)),
                ) => path.push(key.clone()),
                ColumnarValue::Scalar(ScalarValue::Int64(Some(place))) => {
                    path.push(place.to_string())
                }
                _ => {
                    return exec_err!(
                        "the keys of raw_text are literals: raw_text(raw_data, 'id')"
                    );
                }
            }
        }
        let column = cast(&column.to_array(arguments.number_rows)?, &DataType::Utf8)?;
        let texts = column.as_string::<i32>();
        let mut found = StringBuilder::new();
        for row in 0..texts.len() {
            let value = texts.is_valid(row).then(|| json_path::first(texts.value(row), &path));
            found.append_option(value.flatten().map(|value| match value {
                Value::String(text) => text,
                other => other.to_string(),
            }));
        }
        Ok(ColumnarValue::Array(Arc::new(found.finish())))
    }
}
