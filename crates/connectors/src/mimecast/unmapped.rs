//! What no attribute has a place for, as one JSON object in the record's own shape.

use std::collections::HashSet;

use model::ocsf::Json;
use serde_json::Value;

use super::fields::{Field, Fields};
use super::text;

/// Brackets around a value when it is tried: the depth at which events carry it, and some to spare.
const MARGIN: usize = 8;

/// The fields that nobody took.
pub(super) fn object<'a>(fields: &Fields<'a>) -> Option<Json<'a>> {
    let mut out = String::new();
    let mut names = HashSet::new();
    for field in fields.rest() {
        name(&mut out, &mut names, &field.name);
        value(&mut out, field);
    }
    (!out.is_empty()).then(|| Json::new(format!("{{{out}}}")))
}

/// An object with one text in it.
pub(super) fn single(name: &str, value: &str) -> Json<'static> {
    let object = [(name.to_owned(), Value::from(value))].into_iter().collect();
    Json::from(Value::Object(object))
}

fn value(out: &mut String, field: &Field<'_>) {
    if is_sound(field.json) {
        out.push_str(field.json);
    } else {
        let text = text::scalar(field.json).unwrap_or(field.json.into());
        out.push_str(&Value::from(text.as_ref()).to_string());
    }
}

/// Writes a name that is free: a record may use one twice, an object may not.
fn name(out: &mut String, names: &mut HashSet<String>, wanted: &str) {
    let mut free = wanted.to_owned();
    let mut number = 2;
    while !names.insert(free.clone()) {
        free = format!("{wanted}_{number}");
        number += 1;
    }
    if !out.is_empty() {
        out.push(',');
    }
    out.push_str(&Value::from(free).to_string());
    out.push(':');
}

/// Whether every reader of the event will take the value as it is: no half surrogates, no numbers
/// beyond a float, no nesting without end.
fn is_sound(json: &str) -> bool {
    match json.as_bytes() {
        b"true" | b"false" | b"null" => true,
        [b'"', ..] => {
            let is_plain = |byte: u8| byte >= b' ' && byte != b'\\';
            json.bytes().all(is_plain) || serde_json::from_str::<String>(json).is_ok()
        }
        _ => {
            let nested = format!("{}{json}{}", "[".repeat(MARGIN), "]".repeat(MARGIN));
            serde_json::from_str::<Value>(&nested).is_ok()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn unmapped(json: &str) -> Value {
        let found = object(&Fields::read(json).unwrap()).unwrap();
        serde_json::from_str(found.as_str()).unwrap()
    }

    #[test]
    fn what_nobody_took_keeps_its_form() {
        let found = object(&Fields::read(r#"{"a":1.50,"b":["x"],"c":""}"#).unwrap()).unwrap();
        assert_eq!(found.as_str(), r#"{"a":1.50,"b":["x"]}"#);
        assert!(object(&Fields::default()).is_none());
    }

    #[test]
    fn values_that_readers_refuse_are_kept_as_text() {
        assert_eq!(unmapped(r#"{"a":"x\ud83d"}"#), json!({"a": "x\u{fffd}"}));
        assert_eq!(unmapped(r#"{"a":1e999}"#), json!({"a": "1e999"}));
        let deep = format!("{}{}", "[".repeat(500), "]".repeat(500));
        assert_eq!(unmapped(&format!(r#"{{"a":{deep}}}"#)), json!({"a": deep}));
    }

    #[test]
    fn a_name_that_stands_twice_is_numbered() {
        assert_eq!(unmapped(r#"{"a":1,"a":2,"a":3}"#), json!({"a": 1, "a_2": 2, "a_3": 3}));
    }
}
