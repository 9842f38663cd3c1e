//! Sorts any JSON value into the attributes of a class and the rest, which goes to `unmapped`.

use serde_json::{Map, Value};

use super::format;
use super::generated::class::Class;
use super::generated::event::{self, Event};
use super::schema::{Attribute, Kind, attributes};

const UNMAPPED: &str = "unmapped";

/// See [`Event::from_value`].
pub(crate) fn event(class: Class, value: Value) -> Event<'static> {
    let (mut kept, rest) = match value {
        Value::Object(members) => object(members, attributes(class)),
        Value::Null => (Map::new(), Map::new()),
        other => (Map::new(), single("value", other)),
    };
    put_unmapped(&mut kept, rest);
    let kept = Value::Object(kept);
    event::read(class, &kept).unwrap_or_else(|_| {
        // Cannot happen while sorting and structs come from one table; even then nothing is lost.
        let all = Value::Object(single(UNMAPPED, kept));
        event::read(class, &all).unwrap_or_else(|_| event::empty(class))
    })
}

/// `unmapped` must be an object: another value there moves one level down.
fn put_unmapped(kept: &mut Map<String, Value>, rest: Map<String, Value>) {
    let mut unmapped = match kept.remove(UNMAPPED) {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(members)) => members,
        Some(other) => single(UNMAPPED, other),
    };
    merge(&mut unmapped, rest);
    if !unmapped.is_empty() {
        kept.insert(UNMAPPED.to_owned(), Value::Object(unmapped));
    }
}

fn single(key: &str, value: Value) -> Map<String, Value> {
    Map::from_iter([(key.to_owned(), value)])
}

/// Adds members; where both sides hold a value, the newcomer gets a key of its own.
fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (None, value) => {
                into.insert(key, value);
            }
            (Some(old), value) if *old == value => {}
            (Some(_), value) => {
                let free =
                    (2..).map(|n| format!("{key}_{n}")).find(|name| !into.contains_key(name));
                into.insert(free.unwrap_or(key), value);
            }
        }
    }
}

/// Sorts members into those that the attributes take and the rest.
fn object(
    members: Map<String, Value>,
    attributes: &[Attribute],
) -> (Map<String, Value>, Map<String, Value>) {
    let (mut kept, mut rest) = (Map::new(), Map::new());
    for (key, value) in members {
        let Some(attribute) = attributes.iter().find(|attribute| attribute.name == key) else {
            rest.insert(key, value);
            continue;
        };
        let (taken, left) = attribute_value(attribute, value);
        if let Some(taken) = taken {
            kept.insert(key.clone(), taken);
        }
        if let Some(left) = left {
            rest.insert(key, left);
        }
    }
    (kept, rest)
}

/// What the attribute takes of a value, and what is left of it.
fn attribute_value(attribute: &Attribute, value: Value) -> (Option<Value>, Option<Value>) {
    match value {
        Value::Null => (None, None),
        Value::Array(items) if attribute.list => list(attribute, items),
        other if attribute.list => (None, Some(other)),
        other => item(attribute, other),
    }
}

/// Items that do not fit leave the list and are named by their place in it.
fn list(attribute: &Attribute, items: Vec<Value>) -> (Option<Value>, Option<Value>) {
    let (mut kept, mut rest) = (Vec::new(), Map::new());
    for (place, value) in items.into_iter().enumerate() {
        let (taken, left) = item(attribute, value);
        kept.extend(taken);
        if let Some(left) = left {
            rest.insert(place.to_string(), left);
        }
    }
    let kept = (!kept.is_empty()).then_some(Value::Array(kept));
    (kept, (!rest.is_empty()).then_some(Value::Object(rest)))
}

fn item(attribute: &Attribute, value: Value) -> (Option<Value>, Option<Value>) {
    match (attribute.kind, value) {
        (_, Value::Null) => (None, None),
        (Kind::Object(inner), Value::Object(members)) => {
            let (kept, rest) = object(members, inner.attributes);
            let kept = (!kept.is_empty()).then_some(Value::Object(kept));
            (kept, (!rest.is_empty()).then_some(Value::Object(rest)))
        }
        (_, value) if fits(attribute, &value) => (Some(value), None),
        (_, value) => (None, Some(value)),
    }
}

fn fits(attribute: &Attribute, value: &Value) -> bool {
    match attribute.kind {
        Kind::String(form) => value.as_str().is_some_and(|text| format::fits(form, text)),
        Kind::Integer => integer(value).is_some_and(|number| is_known(attribute, number)),
        Kind::Port => value.as_u64().is_some_and(|port| u16::try_from(port).is_ok()),
        Kind::Long | Kind::Timestamp => value.as_i64().is_some(),
        Kind::Float => value.is_f64() || integer(value).is_some(),
        Kind::Boolean => value.is_boolean(),
        Kind::Json => true,
        Kind::Object(_) => false,
    }
}

fn integer(value: &Value) -> Option<i32> {
    value.as_i64().and_then(|number| i32::try_from(number).ok())
}

fn is_known(attribute: &Attribute, id: i32) -> bool {
    attribute.values.is_empty() || attribute.values.iter().any(|(value, _)| *value == id)
}
