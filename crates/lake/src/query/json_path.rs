//! Reads one path out of JSON text without building the rest of it.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

/// Gives every value at a path to `take`, which answers whether to go on. A list on the way stands for
/// all its items, unless the path names one by number. Text that is not JSON has no values.
pub(crate) fn each(text: &str, path: &[String], take: &mut dyn FnMut(Value) -> bool) {
    let mut going = true;
    let seed = Step { path, take, going: &mut going };
    // Broken text gives what came before the break.
    let mut deserializer = serde_json::Deserializer::from_str(text);
    if let Err(error) = seed.deserialize(&mut deserializer) {
        tracing::trace!(%error, "a JSON path met text that is not JSON");
    }
}

/// The first value at a path.
pub(crate) fn first(text: &str, path: &[String]) -> Option<Value> {
    let mut found = None;
    each(text, path, &mut |value| {
        found = Some(value);
        false
    });
    found
}

struct Step<'s> {
    path: &'s [String],
    take: &'s mut dyn FnMut(Value) -> bool,
    going: &'s mut bool,
}

impl Step<'_> {
    fn give(&mut self, value: Value) {
        if *self.going {
            match value {
                Value::Null => {}
                Value::Array(items) => items.into_iter().for_each(|item| self.give(item)),
                other => *self.going = (self.take)(other),
            }
        }
    }
}

impl<'de> DeserializeSeed<'de> for Step<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(mut self, deserializer: D) -> Result<(), D::Error> {
        if !*self.going {
            return IgnoredAny.visit_ignored(deserializer);
        }
        if self.path.is_empty() {
            let value = serde::Deserialize::deserialize(deserializer)?;
            self.give(value);
            return Ok(());
        }
        deserializer.deserialize_any(self)
    }
}

/// Skips a value whatever it is.
trait VisitIgnored {
    fn visit_ignored<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error>;
}

impl VisitIgnored for IgnoredAny {
    fn visit_ignored<'de, D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_ignored_any(self).map(|_| ())
    }
}

impl<'de> Visitor<'de> for Step<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Some((name, rest)) = self.path.split_first() else { return Ok(()) };
        while let Some(key) = map.next_key::<std::borrow::Cow<'de, str>>()? {
            if key == name.as_str() {
                map.next_value_seed(Step {
                    path: rest,
                    take: &mut *self.take,
                    going: &mut *self.going,
                })?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let numbered = self.path.first().and_then(|name| name.parse::<usize>().ok());
        let mut place = 0;
        loop {
            let wanted = numbered.is_none_or(|number| number == place);
            let path = if numbered.is_some() { &self.path[1..] } else { self.path };
            let more = if wanted {
                let step = Step { path, take: &mut *self.take, going: &mut *self.going };
                items.next_element_seed(step)?.is_some()
            } else {
                items.next_element::<IgnoredAny>()?.is_some()
            };
            if !more {
                return Ok(());
            }
            place += 1;
        }
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str, path: &[&str]) -> Vec<String> {
        let path: Vec<String> = path.iter().map(|part| (*part).to_owned()).collect();
        let mut found = Vec::new();
        each(text, &path, &mut |value| {
            found.push(value.to_string());
            true
        });
        found
    }

    #[test]
    fn a_path_goes_through_objects_and_lists() {
        let text = r#"{"a":{"b":[{"c":1},{"c":[2,3]},{"d":4}],"x":null},"z":[[5]]}"#;
        assert_eq!(all(text, &["a", "b", "c"]), ["1", "2", "3"]);
        assert_eq!(all(text, &["a", "b", "1", "c"]), ["2", "3"]);
        assert_eq!(all(text, &["z"]), ["5"]);
        assert!(all(text, &["a", "x"]).is_empty());
        assert!(all(text, &["a", "b", "c", "d"]).is_empty());
        assert!(all("not json", &["a"]).is_empty());
    }
}
