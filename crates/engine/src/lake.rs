//! The lake as its keeper sees it: size, and proof that it holds what the ledger says.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use catalog::LedgerFilter;
use model::ids::{ConnectorId, TenantId};
use model::ledger::Counts;
use query::store::{TableStats, Verification};
use serde::Serialize;

use crate::app::App;
use crate::error::EngineError;

/// How often, and how far apart, the ledger is read again for pages that are just being entered.
const ENTERING_ATTEMPTS: u32 = 20;
const ENTERING_PAUSE: Duration = Duration::from_millis(250);

/// What verifying found, in the lake and against the ledger.
#[derive(Debug, Clone, Serialize)]
pub struct Proof {
    /// What re-reading the lake found.
    pub lake: Verification,
    /// The ledger's totals over everything that this install collected.
    pub ledger: Counts,
    /// Rows that this install's receipts in the lake add up to.
    pub receipts: u64,
    /// What does not agree between lake and ledger; empty when all holds.
    pub disagreements: Vec<String>,
}

impl Proof {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.lake.findings.is_empty() && self.disagreements.is_empty()
    }
}

impl App {
    /// Size and counts of every table, of one tenant or all.
    ///
    /// # Errors
    /// The lake cannot be read.
    pub async fn lake_stats(
        &self,
        tenant: Option<&TenantId>,
    ) -> Result<Vec<TableStats>, EngineError> {
        Ok(self.services.store.stats(tenant).await?)
    }

    /// Reads the whole lake again, and compares it with the ledger stream by stream.
    ///
    /// # Errors
    /// The lake's log or the catalog cannot be read.
    pub async fn verify(&self) -> Result<Proof, EngineError> {
        // Pages that are entered while the lake is read must lie between the two ledgers.
        let before = self.stored_by_stream().await?;
        let lake = self.services.store.verify().await?;
        let install = self.services.install.to_string();
        let receipts = lake.receipts.get(&install).cloned().unwrap_or_default();
        let after = self.ledger_catching_up_with(&receipts).await?;
        let balance = self.services.catalog.ledger_balance(&LedgerFilter::default()).await?;
        let mut disagreements: Vec<String> = balance
            .unbalanced
            .iter()
            .map(|row| {
                format!(
                    "ledger of {} {}: {} does not balance",
                    row.stream, row.interval, row.counts
                )
            })
            .collect();
        disagreements.extend(compare(&before, &receipts, &after));
        let receipts = receipts.values().sum();
        Ok(Proof { lake, ledger: balance.counts, receipts, disagreements })
    }

    /// The ledger's totals, of one tenant or all.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn ledger(
        &self,
        tenant: Option<&TenantId>,
        connector: Option<ConnectorId>,
    ) -> Result<Counts, EngineError> {
        let filter = LedgerFilter { tenant: tenant.cloned(), connector, ..LedgerFilter::default() };
        Ok(self.services.catalog.ledger_totals(&filter).await?)
    }

    /// The ledger after a verification; waits a moment for pages whose rows are in the lake and
    /// that are just being entered.
    async fn ledger_catching_up_with(
        &self,
        receipts: &BTreeMap<String, u64>,
    ) -> Result<BTreeMap<String, u64>, EngineError> {
        let mut stored = self.stored_by_stream().await?;
        for _ in 0..ENTERING_ATTEMPTS {
            let behind = receipts.iter().any(|(stream, held)| stored.get(stream) < Some(held));
            if !behind {
                break;
            }
            self.services.clock.sleep_until(self.services.clock.now() + ENTERING_PAUSE).await;
            stored = self.stored_by_stream().await?;
        }
        Ok(stored)
    }

    /// Rows stored by `connector id/stream`, as the ledger says.
    async fn stored_by_stream(&self) -> Result<BTreeMap<String, u64>, EngineError> {
        let mut stored = BTreeMap::new();
        for connector in self.services.catalog.ledger_connectors().await? {
            for stream in self.services.catalog.ledger_streams(connector).await? {
                *stored.entry(format!("{connector}/{}", stream.stream)).or_default() +=
                    stream.counts.stored;
            }
        }
        Ok(stored)
    }
}

/// Streams whose rows in the lake lie outside what the ledger said before and after reading it.
fn compare(
    before: &BTreeMap<String, u64>,
    receipts: &BTreeMap<String, u64>,
    after: &BTreeMap<String, u64>,
) -> Vec<String> {
    let streams: BTreeSet<&String> = before.keys().chain(receipts.keys()).collect();
    let count =
        |counts: &BTreeMap<String, u64>, stream: &String| counts.get(stream).copied().unwrap_or(0);
    let outside = streams.into_iter().filter_map(|stream| {
        let held = count(receipts, stream);
        let (least, most) = (count(before, stream), count(after, stream));
        (held < least || held > most).then(|| {
            format!("{stream}: the ledger says {most} stored, the lake has receipts for {held}")
        })
    });
    outside.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts<const N: usize>(counts: [(&str, u64); N]) -> BTreeMap<String, u64> {
        counts.into_iter().map(|(stream, rows)| (stream.to_owned(), rows)).collect()
    }

    #[test]
    fn rows_that_are_missing_on_either_side_are_named() {
        let ledger = counts([("c/a", 5), ("c/b", 2), ("c/ok", 1)]);
        let lake = counts([("c/a", 4), ("c/b", 3), ("c/new", 1), ("c/ok", 1)]);
        let found = compare(&ledger, &lake, &ledger);
        let named: Vec<&str> = found.iter().map(|line| &line[..line.find(':').unwrap()]).collect();
        assert_eq!(named, ["c/a", "c/b", "c/new"]);
    }

    #[test]
    fn rows_entered_while_the_lake_was_read_are_no_disagreement() {
        let found = compare(&counts([("c/a", 5)]), &counts([("c/a", 7)]), &counts([("c/a", 9)]));
        assert_eq!(found, Vec::<String>::new());
    }
}
