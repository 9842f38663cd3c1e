//! At start, before any source is polled: receipts in the lake that the catalog does not know are
//! entered, so that rows in the lake always equal what the ledger says was stored (I3).

use catalog::Catalog;
use model::time::Timestamp;
use query::store::EventStore;

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
    let receipts = store.receipts(catalog.install(), &watermark).await?;
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
