//! The body of a push: unpacked up to a cap and cut into records as an import does it.

use ::connectors::client::{gunzip, is_gzip};
use ::connectors::formats::Records;
use bytes::Bytes;
use model::batch::{DeadLetter, IdentifiedRecord};
use model::ids::TenantId;

use super::refusal::Refusal;
use crate::import::Reading;

/// Most bytes of a body on the wire.
pub const PACKED_CAP: usize = 2 << 20;
/// Most bytes of a body when it is unpacked.
pub(super) const CAP: usize = 16 << 20;
/// Most records of a body.
const RECORDS: usize = 10_000;

/// How a body may be packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
}

impl Packing {
    /// Reads `Content-Encoding`.
    pub(super) fn of(encoding: &str) -> Result<Self, Refusal> {
        match encoding.trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Plain),
            "gzip" | "x-gzip" => Ok(Self::Gzip),
            other => Err(Refusal::Encoding(other.chars().take(40).collect())),
        }
    }
}

/// The bytes that were packed. Gzip that does not call itself so is told by its first bytes.
pub(super) fn unpack(packing: Packing, body: Bytes) -> Result<Bytes, Refusal> {
    if packing == Packing::Plain && !is_gzip(&body) {
        return Ok(body);
    }
    let unpacked = gunzip(&body, CAP);
    if unpacked.is_longer {
        return Err(Refusal::TooLarge(format!(
            "the body is larger than {CAP} bytes when unpacked"
        )));
    }
    match unpacked.problem {
        Some(problem) => Err(Refusal::Broken(problem)),
        // Whoever packs twice would be unpacked without a cap further below.
        None if is_gzip(&unpacked.bytes) => Err(Refusal::Broken("it is packed twice".to_owned())),
        None => Ok(unpacked.bytes.into()),
    }
}

/// What was cut out of a body.
#[derive(Default)]
pub(super) struct Cut {
    pub(super) records: Vec<IdentifiedRecord>,
    pub(super) dead_letters: Vec<DeadLetter>,
}

impl Cut {
    pub(super) fn served(&self) -> u64 {
        (self.records.len() + self.dead_letters.len()) as u64
    }
}

/// Cuts a body into identified records and dead letters. What is no log file at all is passed over.
pub(super) fn cut(body: Bytes, reading: &Reading, tenant: &TenantId) -> Result<Cut, Refusal> {
    let unreadable = |error: std::io::Error| Refusal::Broken(error.to_string());
    let input = std::io::Cursor::new(body);
    let items = Records::new(input, reading.envelope).map_err(unreadable)?;
    let mut cut = Cut::default();
    for item in items.passing_over(reading.is_foreign) {
        if cut.records.len() + cut.dead_letters.len() == RECORDS {
            return Err(Refusal::TooLarge(format!("the body has more than {RECORDS} records")));
        }
        let identified = item.and_then(|record| match reading.mapping.identify(record.raw()) {
            Ok(identity) => Ok(IdentifiedRecord::new(record, &identity, tenant, &reading.source)),
            Err(unusable) => {
                Err(DeadLetter { raw: record.raw().clone(), reason: unusable.to_string() })
            }
        });
        match identified {
            Ok(record) => cut.records.push(record),
            Err(letter) => cut.dead_letters.push(letter),
        }
    }
    Ok(cut)
}
