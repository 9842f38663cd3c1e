//! From raw bytes to OCSF: pure functions that each source provides and the lake calls.

use crate::identity::Identity;
use crate::ocsf::Event;

/// How the records of one source are identified and normalised. Pure: no clock, no state, no I/O.
pub trait Mapping: Send + Sync {
    /// Who the record is.
    ///
    /// # Errors
    /// The bytes cannot be a record of this source; they belong in the dead letters.
    fn identify(&self, raw: &[u8]) -> Result<Identity, Unusable>;

    /// Gives the record's event to the sink: exactly one, or none when it is filtered or refused.
    /// Never fails on odd data: what cannot be mapped stays in `unmapped`.
    fn normalise(&self, raw: &[u8], sink: &mut dyn EventSink) -> Verdict;
}

/// Takes normalised events, which borrow from the record's bytes.
pub trait EventSink {
    /// Takes one event.
    fn push(&mut self, event: &Event<'_>);
}

/// What normalisation decided about a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Its event was given to the sink.
    Kept,
    /// The connector's transform dropped it on purpose.
    Filtered,
    /// The connector's transform failed on it, for this reason.
    Refused(String),
}

/// Why bytes cannot be a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unusable(pub String);
