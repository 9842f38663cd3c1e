//! Secrets at rest: XChaCha20-Poly1305 with a random nonce, bound to the place where they lie.
//!
//! A sealed value opens only for the table, owner and field that it was sealed for, so that nobody
//! who can write to the database can make one connector use another's credential.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::error::{CatalogError, Result};
use crate::master_key::MasterKey;

const VERSION: u8 = 1;
const NONCE_LENGTH: usize = 24;
const PURPOSE: &[u8] = b"tarn catalog: secrets at rest, version 1";

/// The place that a sealed value belongs to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// The table.
    pub(crate) table: &'a str,
    /// The row's identifier.
    pub(crate) owner: &'a str,
    /// The column.
    pub(crate) field: &'a str,
}

impl Place<'_> {
    /// The place as bytes in which no two places are alike: each part behind its length.
    fn bound(&self) -> Vec<u8> {
        let mut bound = vec![VERSION];
        for part in [self.table, self.owner, self.field] {
            bound.extend_from_slice(&(part.len() as u64).to_be_bytes());
            bound.extend_from_slice(part.as_bytes());
        }
        bound
    }

    fn damaged(&self, why: &'static str) -> CatalogError {
        let what =
            format!("the {} of `{}` in {} does not open", self.field, self.owner, self.table);
        CatalogError::corrupt(what, why)
    }
}

/// Seals and opens under one master key.
#[derive(Clone)]
pub(crate) struct SealingKey(XChaCha20Poly1305);

impl SealingKey {
    /// Derives the key of this purpose, so that the master key can serve others beside it.
    pub(crate) fn derive(master: &MasterKey) -> Self {
        Self(XChaCha20Poly1305::new(&hmac_sha256(master.bytes(), &[PURPOSE]).into()))
    }

    /// Seals a value for a place. The answer is text: version, nonce and ciphertext in base64.
    pub(crate) fn seal(&self, place: Place<'_>, plain: &[u8]) -> String {
        let nonce: [u8; NONCE_LENGTH] = rand::random();
        let payload = Payload { msg: plain, aad: &place.bound() };
        let sealed = self
            .0
            .encrypt(&XNonce::from(nonce), payload)
            .expect("sealing fails only for values of more than 256 GB");
        STANDARD_NO_PAD.encode([&[VERSION], &nonce[..], &sealed].concat())
    }

    /// Opens a value that was sealed for this place.
    ///
    /// # Errors
    /// It was sealed for another place or under another key, or was changed since.
    pub(crate) fn open(&self, place: Place<'_>, sealed: &str) -> Result<Vec<u8>> {
        let bytes = STANDARD_NO_PAD.decode(sealed).map_err(|_| place.damaged("not base64"))?;
        let Some((&VERSION, rest)) = bytes.split_first() else {
            return Err(place.damaged("unknown version"));
        };
        let Some((nonce, ciphertext)) = rest.split_first_chunk::<NONCE_LENGTH>() else {
            return Err(place.damaged("cut short"));
        };
        let payload = Payload { msg: ciphertext, aad: &place.bound() };
        self.0
            .decrypt(&XNonce::from(*nonce), payload)
            .map_err(|_| place.damaged("sealed for another place or under another key"))
    }
}

/// HMAC-SHA256 over the parts, one after the other.
pub(crate) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use model::secret::Secret;

    use super::*;

    const PLACE: Place<'static> = Place { table: "connectors", owner: "c1", field: "credential" };

    fn sealing_key(byte: &str) -> SealingKey {
        SealingKey::derive(&MasterKey::from_text(&Secret::new(byte.repeat(32))).unwrap())
    }

    #[test]
    fn a_value_opens_only_where_it_was_sealed_for() {
        let key = sealing_key("ab");
        let sealed = key.seal(PLACE, b"hunter2");
        assert_eq!(key.open(PLACE, &sealed).unwrap(), b"hunter2");
        let elsewhere = [
            Place { table: "tokens", ..PLACE },
            Place { owner: "c2", ..PLACE },
            Place { field: "document", ..PLACE },
            Place { table: "connectorsc", owner: "1", field: "credential" },
        ];
        for place in elsewhere {
            assert!(key.open(place, &sealed).is_err(), "{place:?}");
        }
        assert!(sealing_key("cd").open(PLACE, &sealed).is_err());
    }

    #[test]
    fn a_changed_or_cut_value_does_not_open() {
        let key = sealing_key("ab");
        let sealed = key.seal(PLACE, b"hunter2");
        assert_ne!(sealed, key.seal(PLACE, b"hunter2"), "the nonce is random");
        let mut changed = sealed.clone().into_bytes();
        changed[40] = if changed[40] == b'A' { b'B' } else { b'A' };
        for bad in [String::from_utf8(changed).unwrap(), sealed[..20].to_owned(), String::new()] {
            let error = key.open(PLACE, &bad).unwrap_err();
            assert!(error.to_string().contains("credential of `c1`"), "{error}");
        }
    }
}
