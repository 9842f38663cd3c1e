//! Mail addresses as the vendor writes them: one, several in one text, or a list.

use std::borrow::Cow;

use model::ocsf::format;

use super::fields::Fields;

/// Addresses that OCSF takes for some, and the other texts.
#[derive(Debug, Default)]
pub(super) struct Addresses<'a> {
    pub(super) plain: Vec<Cow<'a, str>>,
    pub(super) other: Vec<Cow<'a, str>>,
}

impl<'a> Addresses<'a> {
    /// Takes the first of the fields that says something. An address with a display name counts as
    /// both: the address, and the text as written.
    pub(super) fn take(fields: &mut Fields<'a>, names: &[&str]) -> Self {
        let texts = names.iter().map(|name| fields.texts(name)).find(|texts| !texts.is_empty());
        let mut found = Self::default();
        for text in texts.unwrap_or_default() {
            match split(&text) {
                Some(parts) => parts.into_iter().for_each(|part| found.add(part)),
                None => found.add(text),
            }
        }
        found
    }

    fn add(&mut self, text: Cow<'a, str>) {
        if format::is_email(&text) {
            self.plain.push(text);
            return;
        }
        let bracketed = text.rsplit_once('<').and_then(|(_, rest)| rest.split_once('>'));
        if let Some((address, _)) = bracketed.filter(|(address, _)| format::is_email(address)) {
            self.plain.push(Cow::Owned(address.to_owned()));
        }
        self.other.push(text);
    }
}

/// Several addresses in one text. A comma in a display name separates nothing: every part must look
/// like an address.
fn split<'a>(text: &str) -> Option<Vec<Cow<'a, str>>> {
    let parts: Vec<_> =
        text.split([',', ';']).map(str::trim).filter(|part| !part.is_empty()).collect();
    let is_list = parts.len() > 1 && parts.iter().all(|part| part.contains('@'));
    is_list.then(|| parts.into_iter().map(|part| Cow::Owned(part.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_in_every_form() {
        let take = |json| {
            let found = Addresses::take(&mut Fields::read(json).unwrap(), &["a", "b"]);
            (found.plain.join(" "), found.other.join(" "))
        };
        let one = |plain: &str, other: &str| (plain.to_owned(), other.to_owned());
        assert_eq!(take(r#"{"a":"x@y.example"}"#), one("x@y.example", ""));
        assert_eq!(
            take(r#"{"a":null,"b":["x@y.example","語@y.example"]}"#),
            one("x@y.example", "語@y.example")
        );
        assert_eq!(take(r#"{"b":"x@y.example, z@y.example"}"#), one("x@y.example z@y.example", ""));
        assert_eq!(
            take(r#"{"a":"Ann, CEO <x@y.example>"}"#),
            one("x@y.example", "Ann, CEO <x@y.example>")
        );
        assert_eq!(take(r#"{"a":"_archive@corp.example"}"#), one("_archive@corp.example", ""));
    }
}
