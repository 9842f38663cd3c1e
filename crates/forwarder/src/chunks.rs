//! Records in portions that the server takes: bounded in number and bytes, in their order, each record's bytes as they
//! were. The same records give the same portions, whoever reads them and however often.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use model::record::Record;
use sha2::{Digest as _, Sha256};

/// Most records of a portion.
pub const MOST_RECORDS: usize = 1_000;
/// Most bytes of a portion with everything around the records. One record that is larger goes alone.
pub const MOST_BYTES: usize = 1 << 20;

/// What stands around the records, and between two of them.
const HEAD: &[u8] = b"{\"Records\":[";
const TAIL: &[u8] = b"]}";
const BETWEEN: &[u8] = b",";

/// Gathers records.
#[derive(Debug, Default)]
pub struct Chunks {
    records: Vec<Record>,
    bytes: usize,
    number: u32,
}

/// A portion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// Its place in the object; of halves, with their own places behind it: `4`, `4.0`, `4.0.1`.
    pub name: String,
    /// The records, at least one.
    pub records: Vec<Record>,
}

impl Chunks {
    /// Adds a record; answers the portion before it when that is full.
    pub fn push(&mut self, record: Record) -> Option<Chunk> {
        let more = BETWEEN.len() + record.raw().len();
        let around = HEAD.len() + TAIL.len();
        let is_full = self.records.len() >= MOST_RECORDS || around + self.bytes + more > MOST_BYTES;
        let full = if is_full { self.finish() } else { None };
        self.bytes += more;
        self.records.push(record);
        full
    }

    /// What is left.
    pub fn finish(&mut self) -> Option<Chunk> {
        if self.records.is_empty() {
            return None;
        }
        let name = self.number.to_string();
        self.number += 1;
        self.bytes = 0;
        Some(Chunk { name, records: std::mem::take(&mut self.records) })
    }
}

impl Chunk {
    /// The portion as JSON, as the server reads it.
    pub fn body(&self) -> Vec<u8> {
        let bytes: usize = self.records.iter().map(|record| record.raw().len() + 1).sum();
        let mut body = Vec::with_capacity(HEAD.len() + bytes + TAIL.len());
        body.extend_from_slice(HEAD);
        for (place, record) in self.records.iter().enumerate() {
            if place > 0 {
                body.extend_from_slice(BETWEEN);
            }
            body.extend_from_slice(record.raw());
        }
        body.extend_from_slice(TAIL);
        body
    }

    /// Two halves; `None` for a single record.
    pub fn halves(mut self) -> Option<[Self; 2]> {
        let middle = self.records.len() / 2;
        if middle == 0 {
            return None;
        }
        let records = self.records.split_off(middle);
        let second = Self { name: format!("{}.1", self.name), records };
        self.name.push_str(".0");
        Some([self, second])
    }
}

/// By which the server knows bytes again: they themselves are a part of it, so that no version of the client can give
/// the key of one portion to another.
pub fn idempotency_key(object: &str, tag: &str, name: &str, body: &[u8]) -> String {
    let mut hash = Sha256::new();
    for part in [object.as_bytes(), tag.as_bytes(), name.as_bytes(), body] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize())
}

/// Packs bytes.
pub fn gzip(body: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    let packed = encoder.write_all(body).and_then(|()| encoder.finish());
    packed.expect("memory takes every byte").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(bytes: usize) -> Record {
        Record::from(format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - 8)).into_bytes())
    }

    fn cut(records: impl IntoIterator<Item = Record>) -> Vec<Chunk> {
        let mut chunks = Chunks::default();
        let mut all: Vec<Chunk> =
            records.into_iter().filter_map(|record| chunks.push(record)).collect();
        all.extend(chunks.finish());
        all
    }

    #[test]
    fn a_portion_is_full_by_number_or_by_bytes_and_a_giant_goes_alone() {
        let sizes = |chunks: Vec<Chunk>| -> Vec<usize> {
            chunks.iter().map(|chunk| chunk.records.len()).collect()
        };
        assert_eq!(sizes(cut((0..2_001).map(|_| record(10)))), [1_000, 1_000, 1]);
        let big = MOST_BYTES / 2;
        assert_eq!(sizes(cut([record(big), record(big), record(10)])), [1, 2]);
        let giant = record(MOST_BYTES + 1);
        assert_eq!(sizes(cut([record(10), giant, record(10)])), [1, 1, 1]);
        assert!(cut([]).is_empty());
    }

    #[test]
    fn halves_have_all_records_and_names_of_their_own() {
        let [chunk] = &cut((9..12).map(record))[..] else { panic!() };
        let [first, second] = chunk.clone().halves().unwrap();
        assert_eq!((first.name.as_str(), second.name.as_str()), ("0.0", "0.1"));
        assert_eq!([first.records, second.records.clone()].concat(), chunk.records);
        let [_, last] = second.halves().unwrap();
        assert_eq!(last.name, "0.1.1");
        assert_eq!(last.halves(), None);
    }

    #[test]
    fn a_key_differs_with_each_of_its_parts() {
        let keys = [
            idempotency_key("s3://b/k", "t", "0", b"x"),
            idempotency_key("s3://b/kt", "", "0", b"x"),
            idempotency_key("s3://b/k", "t", "1", b"x"),
            idempotency_key("s3://b/k", "t", "0", b"y"),
        ];
        let different: std::collections::BTreeSet<_> = keys.iter().collect();
        assert_eq!(different.len(), keys.len());
        assert_eq!(keys[0], idempotency_key("s3://b/k", "t", "0", b"x"));
    }
}
