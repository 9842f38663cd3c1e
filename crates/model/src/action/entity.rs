//! Entities: the typed things that alerts name and actions work on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What kind of thing an entity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    /// An absolute URL.
    Url,
    /// A domain name.
    Domain,
    /// An IPv4 or IPv6 address.
    Ip,
    /// A file's digest, SHA-1 or SHA-256, in hexadecimal.
    Hash,
    /// A mail address.
    EmailAddress,
    /// The subject of a message.
    EmailSubject,
    /// The id of a message, with its angle brackets.
    MessageId,
    /// The name of a file.
    FileName,
    /// A machine: its name, or the id that its agent has.
    Host,
    /// A user's account, which may be named by its mail address.
    User,
    /// An AWS principal's ARN.
    AwsPrincipal,
    /// A finding of the vendor's own, by the vendor's id.
    Alert,
}

impl EntityKind {
    const ALL: [(Self, &'static str); 12] = [
        (Self::Url, "url"),
        (Self::Domain, "domain"),
        (Self::Ip, "ip"),
        (Self::Hash, "hash"),
        (Self::EmailAddress, "email_address"),
        (Self::EmailSubject, "email_subject"),
        (Self::MessageId, "message_id"),
        (Self::FileName, "file_name"),
        (Self::Host, "host"),
        (Self::User, "user"),
        (Self::AwsPrincipal, "aws_principal"),
        (Self::Alert, "alert"),
    ];

    /// The kind as it is written: `email_address`.
    pub fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name)
    }
}

impl fmt::Display for EntityKind {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

/// A word that names no kind of entity.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of entity; known are {known}", known = names())]
pub struct UnknownKind(String);

fn names() -> String {
    EntityKind::ALL.map(|(_, name)| name).join(", ")
}

impl FromStr for EntityKind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        let found = Self::ALL.iter().find(|(_, name)| name.eq_ignore_ascii_case(text.trim()));
        found.map(|(kind, _)| *kind).ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

/// A typed thing, by its value as people know it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entity {
    /// What it is.
    #[serde(rename = "type")]
    pub kind: EntityKind,
    /// Which one.
    pub value: String,
}

impl Entity {
    /// Names a thing.
    pub fn new(kind: EntityKind, value: impl Into<String>) -> Self {
        Self { kind, value: value.into() }
    }

    /// Whether both name the same thing, however its letters are cased; ids of messages are told apart by case.
    pub fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind && self.compared() == other.compared()
    }

    /// The value in the form in which values of its kind are compared.
    pub fn compared(&self) -> String {
        match self.kind {
            EntityKind::MessageId => self.value.clone(),
            _ => self.value.to_lowercase(),
        }
    }
}

impl fmt::Display for Entity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.kind, self.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_and_prints_as_its_serialised_form() {
        for (kind, name) in EntityKind::ALL {
            assert_eq!(name.parse::<EntityKind>().unwrap(), kind);
            assert_eq!(serde_json::to_string(&kind).unwrap(), format!("\"{name}\""));
        }
        let error = "tree".parse::<EntityKind>().unwrap_err();
        assert!(error.to_string().contains("email_address"), "{error}");
    }
}
