//! Credentials on their way into the seal and back: JSON that exists in memory only.

use std::collections::BTreeMap;

use model::connector::{Credential, OneOrMany};
use model::secret::Secret;
use serde_json::Value;

use crate::error::{CatalogError, Result};

/// The credential as JSON text, to be sealed at once.
pub(crate) fn to_json(credential: &Credential) -> Secret {
    let fields: BTreeMap<&str, Value> =
        credential.0.iter().map(|(name, secrets)| (name.as_str(), value_of(secrets))).collect();
    let text = serde_json::to_string(&fields).expect("a map of texts is always JSON");
    Secret::new(text)
}

fn value_of(secrets: &OneOrMany) -> Value {
    match secrets {
        OneOrMany::One(secret) => Value::from(secret.expose()),
        OneOrMany::Many(secrets) => secrets.iter().map(Secret::expose).collect(),
    }
}

/// Reads opened JSON. The parser's own words are not kept: they may quote the text.
pub(crate) fn from_json(text: &[u8]) -> Result<Credential> {
    serde_json::from_slice(text).map_err(|_| CatalogError::Corrupt {
        what: "a credential opens but cannot be read".to_owned(),
        source: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_and_many_secrets_survive_the_way_through_json() {
        let text = r#"{"api_keys":["k\"1","鍵2"],"none":[],"token":"t"}"#;
        let credential: Credential = serde_json::from_str(text).unwrap();
        assert_eq!(to_json(&credential).expose(), text);
        assert_eq!(to_json(&from_json(text.as_bytes()).unwrap()).expose(), text);
        let error = from_json(b"{\"token\":{\"hunter2\":1}}").unwrap_err();
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
