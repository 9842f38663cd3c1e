//! The fields of an object, each as a slice of the record: one pass, nothing copied, no type demanded.
//!
//! Names that the mapping knows lie in slots and are found without comparing texts; all others are kept in their
//! order. Mappings take what they can use. What nobody took is what `unmapped` is made of.

use std::borrow::Cow;
use std::marker::PhantomData;

use super::text;

/// Most names that one kind of object knows.
const SLOTS: usize = 40;

/// The names that a kind of object knows.
pub(super) trait Known: Copy + 'static {
    /// All of them, by index.
    const NAMES: &'static [&'static str];

    /// The one of this name.
    fn of(name: &str) -> Option<Self>;

    /// Its place among [`Self::NAMES`].
    fn index(self) -> usize;
}

/// Declares a kind of object with the names that it knows.
macro_rules! known {
    ($(#[$doc:meta])* $kind:ident { $($field:ident = $name:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum $kind { $($field),* }

        impl $crate::aws_cloudtrail::fields::Known for $kind {
            const NAMES: &'static [&'static str] = &[$($name),*];

            fn of(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$field),)*
                    _ => None,
                }
            }

            fn index(self) -> usize {
                self as usize
            }
        }
    };
}
pub(super) use known;

/// An object's members.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a, K> {
    /// JSON text by index; empty where the field is absent or taken.
    slots: [&'a str; SLOTS],
    /// Members of other names, and repetitions of known ones.
    others: Vec<(Cow<'a, str>, &'a str)>,
    kind: PhantomData<K>,
}

impl<K: Known> Default for Fields<'_, K> {
    fn default() -> Self {
        Self { slots: [""; SLOTS], others: Vec::new(), kind: PhantomData }
    }
}

impl<'a, K: Known> Fields<'a, K> {
    const FITS: () = assert!(K::NAMES.len() <= SLOTS, "more names than slots");

    /// Reads the members of an object; values are checked for form only. What follows the object is
    /// not looked at.
    pub(super) fn read(json: &'a str) -> Result<Self, sonic_rs::Error> {
        let () = Self::FITS;
        let mut fields = Self::default();
        for member in sonic_rs::to_object_iter(json) {
            let (name, value) = member?;
            let Cow::Borrowed(json) = value.as_raw_cow() else {
                // Cannot happen: values of borrowed JSON are slices of it.
                debug_assert!(false, "a value was copied");
                continue;
            };
            match K::of(&name) {
                Some(known) if fields.slots[known.index()].is_empty() => {
                    fields.slots[known.index()] = json;
                }
                _ => fields.others.push((name, json)),
            }
        }
        Ok(fields)
    }

    /// The members of an object that may not be there.
    pub(super) fn optional(json: Option<&'a str>) -> Self {
        json.and_then(|json| Self::read(json).ok()).unwrap_or_default()
    }

    /// Takes a field as text: a text, a number or a truth value. Blank and null fields give nothing;
    /// lists and objects give nothing and stay.
    pub(super) fn text(&mut self, field: K) -> Option<Cow<'a, str>> {
        let text = self.peek(field)?;
        self.slots[field.index()] = "";
        Some(text)
    }

    /// The text of a field, which stays untaken.
    pub(super) fn peek(&self, field: K) -> Option<Cow<'a, str>> {
        text::scalar(self.slots[field.index()]).filter(|text| !text.trim_ascii().is_empty())
    }

    /// The JSON of a field that says something, which stays untaken.
    pub(super) fn json(&self, field: K) -> Option<&'a str> {
        let json = self.slots[field.index()];
        (!text::says_nothing(json)).then_some(json)
    }

    /// Takes the JSON of a field that says something and that every reader understands.
    pub(super) fn take_json(&mut self, field: K) -> Option<&'a str> {
        let json = self.json(field).filter(|json| text::is_sound(json))?;
        self.slots[field.index()] = "";
        Some(json)
    }

    /// Takes a field that is an object.
    pub(super) fn object<I: Known>(&mut self, field: K) -> Option<Fields<'a, I>> {
        let json = self.json(field).filter(|json| json.starts_with('{'))?;
        let inner = Fields::read(json).ok()?;
        self.slots[field.index()] = "";
        Some(inner)
    }

    /// Takes a field: its value stands in the event already.
    pub(super) fn take(&mut self, field: K) {
        self.slots[field.index()] = "";
    }

    /// Whether no name can stand twice among what nobody took.
    pub(super) fn has_known_names_only(&self) -> bool {
        self.others.is_empty()
    }

    /// What nobody took and says something: name and JSON.
    pub(super) fn rest(&self) -> impl Iterator<Item = (&str, &'a str)> {
        let known = K::NAMES.iter().copied().zip(self.slots);
        let others = self.others.iter().map(|(name, json)| (name.as_ref(), *json));
        known.chain(others).filter(|(_, json)| !text::says_nothing(json))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    known!(Sample { A = "a", B = "b", C = "c" });

    #[test]
    fn fields_of_any_type_are_taken_as_text_or_stay() {
        let mut fields: Fields<'_, Sample> =
            Fields::read(r#"{"z":[1],"a":"x\u00e9","b":1.50,"c":{"d":1},"y":"","x":null}"#)
                .unwrap();
        assert_eq!(fields.text(Sample::A).unwrap(), "xé");
        assert_eq!(fields.text(Sample::B).unwrap(), "1.50");
        assert_eq!(fields.text(Sample::C), None);
        assert_eq!(fields.text(Sample::A), None);
        assert_eq!(fields.rest().collect::<Vec<_>>(), [("c", r#"{"d":1}"#), ("z", "[1]")]);
    }

    #[test]
    fn text_without_escapes_borrows_from_the_record() {
        let mut fields: Fields<'_, Sample> = Fields::read(r#"{"a":"語"}"#).unwrap();
        assert!(matches!(fields.text(Sample::A), Some(Cow::Borrowed("語"))));
        assert!(fields.rest().next().is_none());
    }

    #[test]
    fn a_name_that_stands_twice_loses_neither_value() {
        let mut fields: Fields<'_, Sample> = Fields::read(r#"{"a":"1","a":"2"}"#).unwrap();
        assert_eq!(fields.text(Sample::A).unwrap(), "1");
        assert_eq!(fields.rest().collect::<Vec<_>>(), [("a", "\"2\"")]);
    }

    #[test]
    fn only_objects_have_fields() {
        for json in ["", "[]", "7", "{", r#"{"a":}"#, r#"{"a":1"#] {
            assert!(Fields::<Sample>::read(json).is_err(), "{json}");
        }
        let mut fields: Fields<'_, Sample> = Fields::read(r#"{"a":{"b":7},"b":[]}"#).unwrap();
        assert_eq!(fields.object::<Sample>(Sample::A).unwrap().text(Sample::B).unwrap(), "7");
        assert!(fields.object::<Sample>(Sample::B).is_none());
    }
}
