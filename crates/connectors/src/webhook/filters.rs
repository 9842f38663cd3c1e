//! The filters and tests that expressions may use: a short list, without anything that reads or includes.

use std::sync::Arc;

use minijinja::value::{Object, Value};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior, filters, tests};

/// The most steps and characters that one expression may take.
const FUEL: u64 = 20_000_000;

/// What `| optional` makes of nothing: the key that holds it is left out.
#[derive(Debug)]
pub(crate) struct Omitted;

impl Object for Omitted {
    fn is_true(self: &Arc<Self>) -> bool {
        false
    }
}

/// The language: strict about what is missing, without control flow, includes and functions.
pub(crate) fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
    environment.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
    environment.set_fuel(Some(FUEL));
    environment.add_filter("default", default);
    environment.add_filter("optional", optional);
    environment.add_filter("last_segment", last_segment);
    environment.add_filter("pluck", pluck);
    environment.add_filter("without", without);
    environment.add_filter("first", filters::first);
    environment.add_filter("last", filters::last);
    environment.add_filter("join", filters::join);
    environment.add_filter("length", filters::length);
    environment.add_filter("unique", filters::unique);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("upper", filters::upper);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("replace", filters::replace);
    environment.add_filter("split", filters::split);
    environment.add_filter("string", filters::string);
    environment.add_filter("int", filters::int);
    environment.add_filter("float", filters::float);
    environment.add_test("defined", tests::is_defined);
    environment.add_test("undefined", tests::is_undefined);
    environment.add_test("none", tests::is_none);
    environment.add_test("string", tests::is_string);
    environment.add_test("number", tests::is_number);
    environment.add_test("sequence", tests::is_sequence);
    environment.add_test("mapping", tests::is_mapping);
    environment
}

fn is_missing(value: &Value) -> bool {
    value.is_undefined()
        || value.is_none()
        || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// The value, or what is said instead when there is none.
fn default(value: Value, instead: Value) -> Value {
    if is_missing(&value) { instead } else { value }
}

/// The value, or nothing at all: the key that holds it is left out.
fn optional(value: Value) -> Value {
    let is_empty_list = value.len() == Some(0);
    if is_missing(&value) || is_empty_list { Value::from_object(Omitted) } else { value }
}

/// The last segment of a URL's path: a task's id out of its address.
fn last_segment(value: Value) -> Result<Value, Error> {
    let Some(text) = value.as_str() else { return Ok(Value::UNDEFINED) };
    let path = text.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    Ok(path
        .rsplit('/')
        .next()
        .filter(|last| !last.is_empty())
        .map_or(Value::UNDEFINED, Value::from))
}

/// The values of one key in a list of objects; an empty list when there is no list.
fn pluck(value: Value, key: String) -> Result<Value, Error> {
    if value.is_undefined() || value.is_none() {
        return Ok(Value::from(Vec::<Value>::new()));
    }
    let list = value.try_iter().map_err(|_| not_a_list("pluck"))?;
    Ok(list
        .filter_map(|item| item.get_attr(&key).ok())
        .filter(|found| !found.is_undefined())
        .collect())
}

/// The list without these values.
fn without(value: Value, unwanted: Vec<Value>) -> Result<Value, Error> {
    let list = value.try_iter().map_err(|_| not_a_list("without"))?;
    Ok(list.filter(|item| !unwanted.contains(item)).collect())
}

fn not_a_list(filter: &str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("`{filter}` takes a list"))
}
