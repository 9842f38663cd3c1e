//! At start, before any source is polled: receipts in the lake that the catalog does not know are
//! entered, so that rows in the lake always equal what the ledger says was stored (I3).

use catalog::{Catalog, LedgerFilter};
use model::batch::{CommitReceipt, TableCommit};
use model::ids::BatchId;
use model::time::Timestamp;
use query::store::{EventStore, StoreError};

use crate::error::EngineError;

/// Enters what an earlier process of this install committed to the lake and did not live to enter.
///
/// # Errors
/// The lake's log or the catalog cannot be read or written.
pub async fn enter_receipts(
    catalog: &Catalog,
    store: &dyn EventStore,
    now: Timestamp,
) -> Result<(), EngineError> {
    let mut watermark = catalog.applied_versions().await?;
    let receipts = match store.receipts(catalog.install(), &watermark).await {
        Err(StoreError::Forgotten { .. }) => missing(catalog, store).await?,
        receipts => receipts?,
    };
    // The newest version of each table now: everything up to it is entered after the next line.
    for stats in store.stats(None).await? {
        watermark.insert(stats.class, stats.version);
    }
    let recovered = catalog.recover(receipts, now).await?;
    if recovered.attempts > 0 {
        tracing::warn!(
            attempts = recovered.attempts,
            rows = recovered.rows,
            "entered pages that were stored just before the last stop"
        );
    }
    catalog.set_applied_versions(&watermark).await?;
    Ok(())
}

/// What the ledger lacks, stream by stream, when the receipts themselves were cleaned up: another
/// install that shares the lake does not wait for ever for one that is away.
async fn missing(
    catalog: &Catalog,
    store: &dyn EventStore,
) -> Result<Vec<(CommitReceipt, TableCommit)>, EngineError> {
    let tables = store.stats(None).await?;
    let known = catalog.applied_versions().await?;
    // Any table will do that the watermark has not reached: it tells that the receipt is not entered.
    let ahead = tables.iter().find(|table| known.get(&table.class) < Some(&table.version));
    let Some(table) = ahead else { return Ok(Vec::new()) };
    let mut receipts = Vec::new();
    for sum in store.received(catalog.install()).await? {
        let filter = LedgerFilter {
            connector: Some(sum.connector),
            tenant: Some(sum.tenant.clone()),
            source: Some(sum.source.clone()),
            stream: Some(sum.stream.clone()),
        };
        let rows = sum.rows.saturating_sub(catalog.ledger_totals(&filter).await?.stored);
        if rows == 0 {
            continue;
        }
        let receipt = CommitReceipt {
            install: catalog.install(),
            batch: BatchId::generate(),
            tenant: sum.tenant,
            connector: sum.connector,
            source: sum.source,
            stream: sum.stream,
            interval: None,
            rows,
        };
        receipts.push((receipt, TableCommit { class: table.class, version: table.version, rows }));
    }
    Ok(receipts)
}
