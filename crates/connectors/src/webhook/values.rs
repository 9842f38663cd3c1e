//! Values between JSON and expressions: what is empty in a record is not there for an expression.

use std::collections::BTreeMap;

use minijinja::Value as Evaluated;
use minijinja::value::ValueKind;
use serde_json::{Map, Value};

/// The names that an expression may read. Nothing in it is empty.
pub(crate) type Scope = Map<String, Value>;

/// Whether nothing can be read in it: null, blank text, a list of such, an object without keys.
pub(crate) fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(values) => values.iter().all(is_blank),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The value without keys that hold nothing. Lists keep their places.
pub(crate) fn pruned(value: Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(
            map.into_iter()
                .map(|(key, value)| (key, pruned(value)))
                .filter(|(_, value)| !is_blank(value))
                .collect(),
        ),
        Value::Array(values) => values.into_iter().map(pruned).collect(),
        other => other,
    }
}

/// Puts objects where a path passes through nothing, so that its end can be missing without an error.
pub(crate) fn passable(scope: &mut Scope, path: &str) {
    let steps: Vec<_> = path.split('.').collect();
    let Some((_, inner)) = steps.split_last() else { return };
    let mut place = scope;
    for step in inner {
        let next = place.entry(*step).or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(map) = next else { return };
        place = map;
    }
}

/// A JSON value as expressions see it.
pub(crate) fn evaluated(value: &Value) -> Evaluated {
    match value {
        Value::Null => Evaluated::UNDEFINED,
        Value::Bool(flag) => Evaluated::from(*flag),
        Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => Evaluated::from(number),
            (None, Some(number), _) => Evaluated::from(number),
            (None, None, number) => number.map_or(Evaluated::UNDEFINED, Evaluated::from),
        },
        Value::String(text) => Evaluated::from(text.as_str()),
        Value::Array(values) => values.iter().map(evaluated).collect(),
        Value::Object(map) => Evaluated::from(
            map.iter()
                .map(|(key, value)| (key.clone(), evaluated(value)))
                .collect::<BTreeMap<String, Evaluated>>(),
        ),
    }
}

/// What an expression came to, as JSON; undefined is null.
pub(crate) fn json(value: &Evaluated) -> Value {
    match value.kind() {
        ValueKind::Undefined | ValueKind::None => Value::Null,
        ValueKind::String => Value::from(value.as_str().unwrap_or_default()),
        _ => serde_json::to_value(value).unwrap_or(Value::Null),
    }
}

/// A value as it stands inside a longer text; `None` for lists and objects.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_empty_goes_and_lists_keep_their_places() {
        let value =
            json!({ "a": [""], "b": { "c": null, "d": " " }, "e": ["", "x"], "f": 0, "g": false });
        assert_eq!(pruned(value), json!({ "e": ["", "x"], "f": 0, "g": false }));
    }

    #[test]
    fn numbers_and_text_come_back_as_they_were() {
        let value = json!([1, u64::MAX, 1.5, "x\u{0}\"", true, { "k": [-3] }]);
        assert_eq!(json(&evaluated(&value)), value);
    }
}
