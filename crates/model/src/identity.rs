//! Who a record is: the same record has the same identity wherever and whenever it is served.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::ids::TenantId;
use crate::time::Timestamp;

/// What makes a record itself, and when it happened. A pure function of the record's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The vendor's own reliable id, or the canonical payload where there is none.
    pub key: Vec<u8>,
    /// The record's event time; `None` when it is missing or unreadable.
    pub time: Option<Timestamp>,
}

/// A row's primary key in the lake: 128 bits of BLAKE3 over tenant, source and identity.
/// Connector and stream never enter, so the same record through two roads is one row.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uid([u8; 16]);

impl Uid {
    /// The uid of an identity. Parts are length-prefixed, so no two different triples run together.
    pub fn of(tenant: &TenantId, source: &str, key: &[u8]) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in [tenant.as_str().as_bytes(), source.as_bytes(), key] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self(bytes)
    }

    /// The 16 bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// From the 16 bytes of a stored row.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Uid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Uid {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Uid({self})")
    }
}

impl FromStr for Uid {
    type Err = hex::FromHexError;
    fn from_str(text: &str) -> Result<Self, hex::FromHexError> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes)?;
        Ok(Self(bytes))
    }
}

impl Serialize for Uid {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Uid {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Deepest nesting that the canonical form follows; deeper values enter as their source text.
const MAX_DEPTH: usize = 64;

/// The canonical form of a JSON payload: keys sorted, white space gone, numbers as source text,
/// strings re-escaped in one way, and the top-level fields named in `volatile` left out.
///
/// # Errors
/// The bytes are not JSON.
pub fn canonical_payload(raw: &[u8], volatile: &[&str]) -> Result<Vec<u8>, serde_json::Error> {
    let value: &RawValue = serde_json::from_slice(raw)?;
    let mut out = Vec::with_capacity(raw.len());
    write_canonical(value.get(), volatile, MAX_DEPTH, &mut out)?;
    Ok(out)
}

fn write_canonical(
    text: &str,
    volatile: &[&str],
    depth: usize,
    out: &mut Vec<u8>,
) -> Result<(), serde_json::Error> {
    match text.as_bytes().first() {
        Some(b'{') if depth > 0 => {
            let fields: BTreeMap<String, &RawValue> = serde_json::from_str(text)?;
            out.push(b'{');
            for (name, value) in
                fields.iter().filter(|(name, _)| !volatile.contains(&name.as_str()))
            {
                serde_json::to_writer(&mut *out, name)?;
                out.push(b':');
                write_canonical(value.get(), &[], depth - 1, out)?;
                out.push(b',');
            }
            out.push(b'}');
        }
        Some(b'[') if depth > 0 => {
            let items: Vec<&RawValue> = serde_json::from_str(text)?;
            out.push(b'[');
            for item in items {
                write_canonical(item.get(), &[], depth - 1, out)?;
                out.push(b',');
            }
            out.push(b']');
        }
        Some(b'"') => {
            let string: String = serde_json::from_str(text)?;
            serde_json::to_writer(out, &string)?;
        }
        _ => out.extend_from_slice(text.as_bytes()),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn key_order_space_and_escapes_do_not_matter_but_number_text_does() {
        let one = canonical_payload(br#"{"b": 1.0, "a": ["\u0041"]}"#, &[]).unwrap();
        let two = canonical_payload(br#"{"a":["A"],"b":1.0}"#, &[]).unwrap();
        let three = canonical_payload(br#"{"a":["A"],"b":1}"#, &[]).unwrap();
        assert_eq!(one, two);
        assert_ne!(one, three);
    }

    #[test]
    fn volatile_fields_are_left_out_at_the_top_only() {
        let one = canonical_payload(br#"{"t":1,"m":{"t":1}}"#, &["t"]).unwrap();
        let two = canonical_payload(br#"{"t":2,"m":{"t":1}}"#, &["t"]).unwrap();
        let three = canonical_payload(br#"{"t":1,"m":{"t":2}}"#, &["t"]).unwrap();
        assert_eq!(one, two);
        assert_ne!(one, three);
    }

    #[test]
    fn parts_of_a_uid_do_not_run_together() {
        let tenant = TenantId::default();
        assert_ne!(Uid::of(&tenant, "ab", b"c"), Uid::of(&tenant, "a", b"bc"));
        assert_ne!(Uid::of(&TenantId::new("t2").unwrap(), "a", b"b"), Uid::of(&tenant, "a", b"b"));
    }

    proptest! {
        #[test]
        fn any_bytes_either_canonicalise_or_fail_and_canonical_text_is_stable(raw in ".*") {
            if let Ok(once) = canonical_payload(raw.as_bytes(), &[]) {
                prop_assert!(!once.is_empty());
            }
        }
    }
}
