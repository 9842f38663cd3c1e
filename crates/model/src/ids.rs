//! Identifiers as types: each has one fallible constructor, so that a value that exists is valid.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_segmentation::UnicodeSegmentation;
use uuid::Uuid;

/// A text that cannot be an identifier of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` is not a valid {kind}: {rule}")]
pub struct InvalidId {
    kind: &'static str,
    value: String,
    rule: &'static str,
}

/// Writes the conversions that every text identifier shares: parsing, printing, serde.
macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $kind:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Checks the text.
            ///
            /// # Errors
            /// The text breaks the rule that the error states.
            pub fn new(text: impl AsRef<str>) -> Result<Self, InvalidId> {
                let text: String = text.as_ref().trim().nfc().collect();
                let valid: fn(&str) -> bool = $valid;
                if valid(&text) {
                    Ok(Self(text))
                } else {
                    Err(InvalidId { kind: $kind, value: text, rule: $rule })
                }
            }

            /// The text as it is stored and printed.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str(&self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

text_id!(
    /// The owner of records, connectors and alerts; a wall in the lake and in every query.
    TenantId,
    "tenant",
    "1 to 64 of a-z, 0-9, `-`, `_`, starting with a letter or digit",
    |text| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
            && text.as_bytes()[0].is_ascii_alphanumeric()
    }
);

impl Default for TenantId {
    /// The tenant that every command assumes: `default`.
    fn default() -> Self {
        Self("default".to_owned())
    }
}

text_id!(
    /// A connector's name as people write it: any Unicode text in normal form C, unique per tenant.
    ConnectorName,
    "connector name",
    "1 to 100 characters, no control characters",
    |text| {
        (1..=100).contains(&text.graphemes(true).count()) && !text.chars().any(char::is_control)
    }
);

text_id!(
    /// The smallest unit with a cursor, unique inside its connector: `sharepoint/dlp`.
    StreamId,
    "stream",
    "1 to 200 printable characters",
    |text| (1..=200).contains(&text.len()) && !text.chars().any(char::is_control)
);

/// Writes the conversions that every generated identifier shares.
macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new identifier, unique everywhere and ordered by the time of its making.
            pub fn generate() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, uuid::Error> {
                text.parse().map(Self)
            }
        }
    };
}

uuid_id!(
    /// A connector, whatever it is called.
    ConnectorId
);
uuid_id!(
    /// One data directory: lakes may be shared by several, and each counts its own ledger.
    InstallId
);
uuid_id!(
    /// One execution of an action.
    RunId
);
uuid_id!(
    /// A responder, whatever it is called.
    ResponderId
);
uuid_id!(
    /// One attempt to append the records of one page or object.
    BatchId
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_japanese_connector_name_is_kept_in_normal_form_c() {
        let decomposed = "ハ\u{309a}ートナー CAS";
        assert_eq!(ConnectorName::new(decomposed).unwrap().as_str(), "パートナー CAS");
    }

    #[test]
    fn a_name_of_101_grapheme_clusters_is_refused_with_the_rule() {
        let error = ConnectorName::new("経".repeat(101)).unwrap_err();
        assert!(error.to_string().contains("1 to 100 characters"), "{error}");
        assert!(ConnectorName::new("経".repeat(100)).is_ok());
    }

    #[test]
    fn a_tenant_is_a_path_segment_and_nothing_more() {
        for bad in ["", "A", "a/b", "../x", "_x", "a b", "a=b"] {
            assert!(TenantId::new(bad).is_err(), "{bad}");
        }
        assert!(TenantId::new("acme-01_jp").is_ok());
    }
}
