//! A record's fields, each as a slice of the record: one pass, nothing copied, no type demanded.
//!
//! Mappings take what they can use. What nobody took is what `unmapped` is made of.

use std::borrow::Cow;

use super::text;

/// An object's members in the order of the record.
#[derive(Debug, Default)]
pub(super) struct Fields<'a> {
    members: Vec<Field<'a>>,
}

/// One member: its name and its JSON text.
#[derive(Debug)]
pub(super) struct Field<'a> {
    pub(super) name: Cow<'a, str>,
    pub(super) json: &'a str,
    taken: bool,
}

impl<'a> Fields<'a> {
    /// Reads the members of an object; values are checked for form only. What follows the object is
    /// not looked at.
    pub(super) fn read(json: &'a str) -> Result<Self, sonic_rs::Error> {
        let mut members = Vec::with_capacity(24);
        for member in sonic_rs::to_object_iter(json) {
            let (name, value) = member?;
            match value.as_raw_cow() {
                Cow::Borrowed(json) => members.push(Field { name, json, taken: false }),
                // Cannot happen: values of borrowed JSON are slices of it.
                Cow::Owned(_) => debug_assert!(false, "a value was copied"),
            }
        }
        Ok(Self { members })
    }

    /// Takes a field as text: a text, a number, a truth value, or a list with one of them.
    /// Blank and null fields give nothing; other shapes give nothing and stay.
    pub(super) fn text(&mut self, name: &str) -> Option<Cow<'a, str>> {
        let field = self.find(name)?;
        let text = text::scalar(field.json)?;
        if text.trim().is_empty() {
            return None;
        }
        field.taken = true;
        Some(text)
    }

    /// Takes a field as texts: a text, or a list of texts without its blanks.
    pub(super) fn texts(&mut self, name: &str) -> Vec<Cow<'a, str>> {
        let Some(field) = self.find(name) else { return Vec::new() };
        let Some(texts) = text::list(field.json) else { return Vec::new() };
        field.taken = true;
        texts.into_iter().filter(|text| !text.trim().is_empty()).collect()
    }

    /// The text of a field, which stays untaken.
    pub(super) fn peek(&self, name: &str) -> Option<Cow<'a, str>> {
        let field = self.members.iter().find(|field| field.name == name)?;
        text::scalar(field.json).filter(|text| !text.trim().is_empty())
    }

    /// The JSON of a field that says something, which stays untaken.
    pub(super) fn json(&self, name: &str) -> Option<&'a str> {
        let field = self.members.iter().find(|field| field.name == name)?;
        (!text::says_nothing(field.json)).then_some(field.json)
    }

    /// Takes a field: its value stands in the event already.
    pub(super) fn take(&mut self, name: &str) {
        if let Some(field) = self.find(name) {
            field.taken = true;
        }
    }

    /// Gives a field back: the event shows its value in another form only.
    pub(super) fn keep(&mut self, name: &str) {
        if let Some(field) = self.members.iter_mut().find(|field| field.name == name) {
            field.taken = false;
        }
    }

    /// What nobody took and says something.
    pub(super) fn rest(&self) -> impl Iterator<Item = &Field<'a>> {
        self.members.iter().filter(|field| !field.taken && !text::says_nothing(field.json))
    }

    fn find(&mut self, name: &str) -> Option<&mut Field<'a>> {
        self.members.iter_mut().find(|field| !field.taken && field.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_any_type_are_taken_as_text_or_stay() {
        let json = r#"{"s":"a\u00e9","n":1.50,"b":true,"one":["x"],"two":["x","y"],"o":{},"e":"","z":null," ":" "}"#;
        let mut fields = Fields::read(json).unwrap();
        assert_eq!(fields.text("s").unwrap(), "aé");
        assert_eq!(fields.text("n").unwrap(), "1.50");
        assert_eq!(fields.text("b").unwrap(), "true");
        assert_eq!(fields.text("one").unwrap(), "x");
        for name in ["two", "o", "e", "z", "s", "absent"] {
            assert_eq!(fields.text(name), None, "{name}");
        }
        let rest: Vec<_> = fields.rest().map(|field| field.name.as_ref()).collect();
        assert_eq!(rest, ["two", " "]);
    }

    #[test]
    fn text_without_escapes_borrows_from_the_record() {
        let mut fields = Fields::read(r#"{"a":"語","b":["x","y"]}"#).unwrap();
        assert!(matches!(fields.text("a"), Some(Cow::Borrowed("語"))));
        assert_eq!(fields.texts("b"), ["x", "y"]);
        assert!(fields.rest().next().is_none());
    }

    #[test]
    fn a_name_that_stands_twice_loses_neither_value() {
        let mut fields = Fields::read(r#"{"a":"1","a":"2"}"#).unwrap();
        assert_eq!(fields.text("a").unwrap(), "1");
        assert_eq!(fields.rest().map(|field| field.json).collect::<Vec<_>>(), ["\"2\""]);
    }

    #[test]
    fn only_objects_have_fields() {
        for json in ["", "[]", "7", "{", r#"{"a":}"#, r#"{"a":1"#] {
            assert!(Fields::read(json).is_err(), "{json}");
        }
    }
}
