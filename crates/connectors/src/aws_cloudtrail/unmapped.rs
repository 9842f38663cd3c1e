//! What no attribute has a place for, as one JSON object in the record's own shape.

use std::collections::HashSet;

use model::ocsf::Json;
use serde_json::Value;

use super::fields::{Fields, Known};
use super::text;

/// An object in the making.
#[derive(Debug, Default)]
pub(super) struct Unmapped {
    text: String,
}

impl Unmapped {
    /// What nobody took of an object.
    pub(super) fn rest<K: Known>(fields: &Fields<'_, K>) -> Self {
        let mut unmapped = Self::default();
        if fields.has_known_names_only() {
            for (name, json) in fields.rest() {
                unmapped.put(name, json);
            }
            return unmapped;
        }
        let mut names = HashSet::new();
        for (name, json) in fields.rest() {
            unmapped.put(&free(&mut names, name), json);
        }
        unmapped
    }

    /// Adds a member.
    pub(super) fn put(&mut self, name: &str, json: &str) {
        self.name(name);
        if text::is_sound(json) {
            self.text.push_str(json);
        } else {
            let text = text::scalar(json).unwrap_or(json.into());
            self.text.push_str(&Value::from(text.as_ref()).to_string());
        }
    }

    /// Adds a member that is an object, unless it is empty.
    pub(super) fn put_object(&mut self, name: &str, object: Self) {
        if !object.text.is_empty() {
            self.name(name);
            self.text.push('{');
            self.text.push_str(&object.text);
            self.text.push('}');
        }
    }

    /// The object; `None` when it is empty.
    pub(super) fn json(self) -> Option<Json<'static>> {
        (!self.text.is_empty()).then(|| Json::new(format!("{{{}}}", self.text)))
    }

    fn name(&mut self, name: &str) {
        if !self.text.is_empty() {
            self.text.push(',');
        }
        if name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            self.text.extend(["\"", name, "\":"]);
        } else {
            self.text.push_str(&Value::from(name).to_string());
            self.text.push(':');
        }
    }
}

/// A name that is free: a record may use one twice, an object may not.
fn free(names: &mut HashSet<String>, wanted: &str) -> String {
    let mut free = wanted.to_owned();
    let mut number = 2;
    while !names.insert(free.clone()) {
        free = format!("{wanted}_{number}");
        number += 1;
    }
    free
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::aws_cloudtrail::record::Top;

    fn unmapped(json: &str) -> Value {
        let found = Unmapped::rest(&Fields::<Top>::read(json).unwrap()).json().unwrap();
        serde_json::from_str(found.as_str()).unwrap()
    }

    #[test]
    fn what_nobody_took_keeps_its_form() {
        let fields = Fields::<Top>::read(r#"{"readOnly":true,"b":1.50,"c c":["x"],"d":""}"#);
        let found = Unmapped::rest(&fields.unwrap()).json().unwrap();
        assert_eq!(found.as_str(), r#"{"readOnly":true,"b":1.50,"c c":["x"]}"#);
        assert!(Unmapped::rest(&Fields::<Top>::default()).json().is_none());
    }

    #[test]
    fn objects_inside_are_left_out_when_nothing_is_left_of_them() {
        let mut inner = Unmapped::default();
        inner.put("a", "1");
        let mut outer = Unmapped::default();
        outer.put_object("empty", Unmapped::default());
        outer.put_object("full", inner);
        assert_eq!(outer.json().unwrap().as_str(), r#"{"full":{"a":1}}"#);
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
        assert_eq!(
            unmapped(r#"{"readOnly":true,"readOnly":false,"readOnly_2":1}"#),
            json!({"readOnly": true, "readOnly_2": false, "readOnly_2_2": 1})
        );
    }
}
