//! A record: what the vendor served, byte for byte.

use bytes::Bytes;

/// The raw bytes of one record, a reference-counted slice of the page or object that held it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    raw: Bytes,
}

impl Record {
    /// Wraps the bytes of one record; nothing is copied.
    pub fn new(raw: Bytes) -> Self {
        Self { raw }
    }

    /// The bytes as they were served.
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }
}

impl From<Vec<u8>> for Record {
    fn from(raw: Vec<u8>) -> Self {
        Self::new(raw.into())
    }
}
