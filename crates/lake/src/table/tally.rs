//! What the receipts and the removals in a table's log add up to: the half of the proof that outlives
//! the log entries themselves.

use std::collections::BTreeMap;

use model::batch::CommitReceipt;
use model::ids::InstallId;
use query::store::Received;
use serde::{Deserialize, Serialize};

use super::entry::Entry;

/// The sums up to a version.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// Rows received, by install and stream; each stream once, in order.
    received: BTreeMap<InstallId, Vec<Received>>,
    /// Rows that have expired.
    expired: u64,
}

impl Tally {
    /// Adds what a version did.
    pub(crate) fn add(&mut self, entry: &Entry) {
        for receipt in &entry.receipts {
            self.add_receipt(receipt);
        }
        self.expired += entry.expired_rows();
    }

    fn add_receipt(&mut self, receipt: &CommitReceipt) {
        let streams = self.received.entry(receipt.install).or_default();
        let key = |sum: &Received| {
            (&sum.tenant, sum.connector, &sum.source, &sum.stream).cmp(&(
                &receipt.tenant,
                receipt.connector,
                &receipt.source,
                &receipt.stream,
            ))
        };
        match streams.binary_search_by(key) {
            Ok(place) => streams[place].rows += receipt.rows,
            Err(place) => streams.insert(
                place,
                Received {
                    tenant: receipt.tenant.clone(),
                    connector: receipt.connector,
                    source: receipt.source.clone(),
                    stream: receipt.stream.clone(),
                    rows: receipt.rows,
                },
            ),
        }
    }

    /// The sums of an install, each stream once.
    pub(crate) fn of(&self, install: InstallId) -> &[Received] {
        self.received.get(&install).map_or(&[], Vec::as_slice)
    }

    /// Every install that has receipts, with its sums.
    pub(crate) fn installs(&self) -> impl Iterator<Item = (InstallId, &[Received])> {
        self.received.iter().map(|(install, streams)| (*install, streams.as_slice()))
    }

    /// Rows that have expired.
    pub(crate) fn expired(&self) -> u64 {
        self.expired
    }

    /// Rows that the table must hold.
    pub(crate) fn rows(&self) -> u64 {
        let received: u64 = self.received.values().flatten().map(|sum| sum.rows).sum();
        received.saturating_sub(self.expired)
    }
}

#[cfg(test)]
mod tests {
    use model::ids::{BatchId, ConnectorId, StreamId, TenantId};
    use uuid::Uuid;

    use super::*;

    fn receipt(stream: &str, rows: u64) -> CommitReceipt {
        CommitReceipt {
            install: InstallId(Uuid::from_u128(1)),
            batch: BatchId::generate(),
            tenant: TenantId::default(),
            connector: ConnectorId(Uuid::from_u128(2)),
            source: "a.b".to_owned(),
            stream: StreamId::new(stream).unwrap(),
            interval: None,
            rows,
        }
    }

    #[test]
    fn receipts_of_a_stream_are_one_sum_and_expired_rows_are_taken_off() {
        let mut tally = Tally::default();
        let receipts = vec![receipt("b", 2), receipt("a", 1), receipt("b", 3)];
        tally.add(&Entry { receipts, ..Entry::default() });
        let sums: Vec<_> = tally
            .of(InstallId(Uuid::from_u128(1)))
            .iter()
            .map(|sum| (sum.stream.as_str(), sum.rows))
            .collect();
        assert_eq!(sums, [("a", 1), ("b", 5)]);
        let gone = crate::table::entry::ExpiredRows {
            tenant: TenantId::default(),
            day: model::time::Day(3),
            files: 1,
            rows: 4,
        };
        tally.add(&Entry { expired: vec![gone], ..Entry::default() });
        assert_eq!((tally.rows(), tally.expired()), (2, 4));
        assert!(tally.of(InstallId(Uuid::from_u128(9))).is_empty());
    }
}
