//! Keeps every secret of a responder out of what people read: its own, its token, and secret parameters.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::action::Text;
use model::secret::{MASK, Secret};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

use crate::action::masked;

/// What the name of a header that holds a secret contains.
const SECRET_HEADERS: [&str; 8] =
    ["authorization", "cookie", "api-key", "apikey", "api_key", "secret", "token", "password"];

/// The texts that must not be seen, the longest first.
#[derive(Clone, Default)]
pub(crate) struct Masks(Vec<String>);

impl Masks {
    /// Adds a secret, in every form in which it may be written.
    pub(crate) fn add(&mut self, secret: &Secret) {
        let text = secret.expose().trim();
        if text.is_empty() {
            return;
        }
        let json = Value::from(text).to_string();
        self.0.extend([
            text.to_owned(),
            json.trim_matches('"').to_owned(),
            utf8_percent_encode(text, NON_ALPHANUMERIC).to_string(),
            STANDARD.encode(text),
        ]);
        self.0.sort_by_key(|form| std::cmp::Reverse(form.len()));
        self.0.dedup();
    }

    /// The text without secrets.
    pub(crate) fn text(&self, text: &str) -> String {
        self.0.iter().fold(text.to_owned(), |text, secret| text.replace(secret, MASK))
    }

    /// The text of every language without secrets.
    pub(crate) fn words(&self, text: &Text) -> Text {
        Text::new(self.text(&text.en), self.text(&text.ja))
    }

    /// The value of a header without secrets; nothing of one that holds a secret by its name.
    pub(crate) fn header(&self, name: &str, value: &str) -> String {
        let name = name.to_ascii_lowercase();
        let is_secret = SECRET_HEADERS.iter().any(|word| name.contains(word));
        if is_secret { MASK.to_owned() } else { self.text(value) }
    }

    /// The JSON without secrets, and without the values of members that are secrets by their names.
    pub(crate) fn value(&self, value: &Value) -> Value {
        self.known(&masked(value, &Secret::new("")))
    }

    /// The JSON without the secrets that are known.
    fn known(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::from(self.text(text)),
            Value::Array(values) => values.iter().map(|value| self.known(value)).collect(),
            Value::Object(map) => {
                map.iter().map(|(key, value)| (self.text(key), self.known(value))).collect()
            }
            other => other.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_masked_in_every_form() {
        let mut masks = Masks::default();
        masks.add(&Secret::new("a/b\"c+d"));
        masks.add(&Secret::new(""));
        let shown = masks.value(&json!({ "k": ["x a/b\"c+d y"], "u": "a%2Fb%22c%2Bd", "b": STANDARD.encode("a/b\"c+d"), "password": "p" }));
        assert_eq!(
            shown,
            json!({ "k": [format!("x {MASK} y")], "u": MASK, "b": MASK, "password": MASK })
        );
    }
}
