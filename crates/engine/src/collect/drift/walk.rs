//! Every value of a JSON text with its path, in one pass and without building a tree.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};

/// Values deeper than this are not looked into.
const DEEPEST: usize = 12;
/// Characters of an example.
const EXAMPLE: usize = 80;

/// The type of a JSON value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// `true`, `false`
    Boolean,
    /// Any number.
    Number,
    /// A text.
    Text,
    /// `[…]`
    List,
    /// `{…}`
    Object,
}

/// A value on the way.
pub(super) struct Value<'a> {
    /// Its type; `null` has none.
    pub(super) kind: Option<Kind>,
    text: &'a str,
}

impl Value<'_> {
    /// The value for people, cut to a short text.
    pub(super) fn shown(&self) -> String {
        match self.text.char_indices().nth(EXAMPLE) {
            Some((end, _)) => format!("{}…", &self.text[..end]),
            None => self.text.to_owned(),
        }
    }
}

/// Gives every value below the root with its path: `user.name`, `list[].n`. Stops where the text is
/// not JSON.
pub(super) fn fields(json: &[u8], mut note: impl FnMut(&str, &Value<'_>)) {
    let mut path = String::new();
    let walk = Walk { path: &mut path, note: &mut note, depth: 0 };
    // What was seen up to a defect has been noted.
    drop(walk.deserialize(&mut serde_json::Deserializer::from_slice(json)));
}

struct Walk<'w> {
    path: &'w mut String,
    note: &'w mut dyn FnMut(&str, &Value<'_>),
    depth: usize,
}

impl Walk<'_> {
    fn say(&mut self, kind: Option<Kind>, text: &str) {
        if !self.path.is_empty() {
            (self.note)(self.path, &Value { kind, text });
        }
    }

    fn below(&mut self) -> Walk<'_> {
        Walk { path: self.path, note: self.note, depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<(), D::Error> {
        if self.depth > DEEPEST {
            serde::de::IgnoredAny::deserialize(input).map(drop)
        } else {
            input.deserialize_any(self)
        }
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("any value")
    }

    fn visit_unit<E>(mut self) -> Result<(), E> {
        self.say(None, "null");
        Ok(())
    }

    fn visit_bool<E>(mut self, value: bool) -> Result<(), E> {
        self.say(Some(Kind::Boolean), if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E>(mut self, value: i64) -> Result<(), E> {
        self.say(Some(Kind::Number), &value.to_string());
        Ok(())
    }

    fn visit_u64<E>(mut self, value: u64) -> Result<(), E> {
        self.say(Some(Kind::Number), &value.to_string());
        Ok(())
    }

    fn visit_f64<E>(mut self, value: f64) -> Result<(), E> {
        self.say(Some(Kind::Number), &value.to_string());
        Ok(())
    }

    fn visit_str<E>(mut self, value: &str) -> Result<(), E> {
        self.say(Some(Kind::Text), value);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.say(Some(Kind::List), "[…]");
        let length = self.path.len();
        self.path.push_str("[]");
        while items.next_element_seed(self.below())?.is_some() {}
        self.path.truncate(length);
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        self.say(Some(Kind::Object), "{…}");
        let length = self.path.len();
        while let Some(key) = entries.next_key::<String>()? {
            if length > 0 {
                self.path.push('.');
            }
            self.path.push_str(&key);
            entries.next_value_seed(self.below())?;
            self.path.truncate(length);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(json: &str) -> Vec<(String, Option<Kind>, String)> {
        let mut seen = Vec::new();
        fields(json.as_bytes(), |path, value| {
            seen.push((path.to_owned(), value.kind, value.shown()));
        });
        seen
    }

    #[test]
    fn every_value_has_its_path_and_type() {
        let seen = walked(r#"{"a":{"b":[1,{"c":null}]},"d":"x","e":true}"#);
        let seen: Vec<_> = seen.iter().map(|(path, kind, _)| (path.as_str(), *kind)).collect();
        let expected = [
            ("a", Some(Kind::Object)),
            ("a.b", Some(Kind::List)),
            ("a.b[]", Some(Kind::Number)),
            ("a.b[]", Some(Kind::Object)),
            ("a.b[].c", None),
            ("d", Some(Kind::Text)),
            ("e", Some(Kind::Boolean)),
        ];
        assert_eq!(seen, expected);
    }

    #[test]
    fn examples_are_short() {
        let long = "é".repeat(200);
        let seen = walked(&format!(r#"{{"a":"{long}"}}"#));
        assert_eq!(seen[0].2.chars().count(), EXAMPLE + 1);
    }

    #[test]
    fn a_text_that_breaks_off_says_what_it_can() {
        assert_eq!(walked(r#"{"a":1,"b":"#).len(), 1);
        assert_eq!(walked("no json").len(), 0);
        let deep = format!(r#"{{"a":{}1{}}}"#, "[".repeat(100), "]".repeat(100));
        assert_eq!(walked(&deep).len(), DEEPEST);
    }
}
