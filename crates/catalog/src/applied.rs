//! Which receipts of the lake are in the ledger, and entering those that a crash left out.
//!
//! Applied batches are remembered one by one above a watermark per table; below it, all are applied.
//! Young ones are remembered below it too: a page whose transaction ended unclearly is tried again.

use std::collections::{BTreeMap, BTreeSet};

use model::batch::{CommitReceipt, TableCommit};
use model::ids::BatchId;
use model::ledger::Counts;
use model::ocsf::Class;
use model::time::{Interval, Timestamp};

use crate::columns::{Columns, stored_count};
use crate::database::Connection;
use crate::error::{CatalogError, Result, WhileDoing};
use crate::ledger::{Entry, IntervalKind, enter};
use crate::open::Catalog;

/// The class of a batch that left no rows in any table.
const NO_CLASS: &str = "";
/// How long any batch is remembered: far longer than any retry of its own transaction.
const REMEMBER_MICROS: i64 = 3_600_000_000;

/// What a recovery entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recovered {
    /// Receipts that were not applied before.
    pub attempts: u64,
    /// Rows in them.
    pub rows: u64,
}

impl Catalog {
    /// For each table, the version up to which every receipt is in the ledger.
    ///
    /// # Errors
    /// The database fails.
    pub async fn applied_versions(&self) -> Result<BTreeMap<Class, u64>> {
        let rows = sqlx::query("SELECT class, version FROM applied_versions")
            .fetch_all(self.pools.reader())
            .await
            .while_doing("read the applied versions")?;
        rows.iter().map(|row| Ok((class_of(&row.text("class")?)?, row.count("version")?))).collect()
    }

    /// Those of the batches that are applied and still remembered.
    ///
    /// # Errors
    /// The database fails.
    pub async fn is_applied(&self, batches: &[BatchId]) -> Result<BTreeSet<BatchId>> {
        let mut applied = BTreeSet::new();
        for batch in batches {
            let row = sqlx::query("SELECT class FROM applied_batches WHERE batch_id = $1 LIMIT 1")
                .bind(batch.to_string())
                .fetch_optional(self.pools.reader())
                .await
                .while_doing("look for applied batches")?;
            if row.is_some() {
                applied.insert(*batch);
            }
        }
        Ok(applied)
    }

    /// Enters receipts whose process died before it could apply them: served = stored = their rows.
    /// They get ledger rows of their own, for their interval is asked again from its start. What is
    /// applied already is left alone.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn recover(
        &self,
        receipts: Vec<(CommitReceipt, TableCommit)>,
        at: Timestamp,
    ) -> Result<Recovered> {
        const ACTION: &str = "recover attempts";
        let mut recovered = Recovered::default();
        let mut transaction = self.pools.begin(ACTION).await?;
        for (receipt, commit) in &receipts {
            if is_covered(&mut transaction, receipt.batch, commit).await? {
                continue;
            }
            remember(&mut transaction, receipt.batch, std::slice::from_ref(commit), at).await?;
            enter_recovered(&mut transaction, receipt, commit.rows, at).await?;
            recovered.attempts += 1;
            recovered.rows += commit.rows;
        }
        transaction.commit().await.while_doing(ACTION)?;
        Ok(recovered)
    }

    /// Moves the watermarks forward, never back, and forgets the batches at or below them that were
    /// applied more than an hour before the newest.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn set_applied_versions(&self, versions: &BTreeMap<Class, u64>) -> Result<()> {
        const ACTION: &str = "move the applied versions";
        let mut transaction = self.pools.begin(ACTION).await?;
        for (class, version) in versions {
            move_watermark(&mut transaction, *class, *version).await?;
        }
        forget_rowless(&mut transaction).await?;
        transaction.commit().await.while_doing(ACTION)
    }
}

/// Whether any receipt of the batch is in the ledger.
pub(crate) async fn is_applied(connection: &mut Connection, batch: BatchId) -> Result<bool> {
    let row = sqlx::query("SELECT class FROM applied_batches WHERE batch_id = $1 LIMIT 1")
        .bind(batch.to_string())
        .fetch_optional(connection)
        .await
        .while_doing("look for an applied batch")?;
    Ok(row.is_some())
}

/// Remembers that the batch is in the ledger, with the commits that hold its rows.
pub(crate) async fn remember(
    connection: &mut Connection,
    batch: BatchId,
    commits: &[TableCommit],
    at: Timestamp,
) -> Result<()> {
    if commits.is_empty() {
        return remember_class(connection, batch, NO_CLASS, 0, at).await;
    }
    for commit in commits {
        remember_class(connection, batch, commit.class.name(), commit.version, at).await?;
    }
    Ok(())
}

async fn remember_class(
    connection: &mut Connection,
    batch: BatchId,
    class: &str,
    version: u64,
    at: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO applied_batches (batch_id, class, version, applied_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (batch_id, class) DO UPDATE SET version = CASE
             WHEN excluded.version > applied_batches.version THEN excluded.version
             ELSE applied_batches.version END",
    )
    .bind(batch.to_string())
    .bind(class)
    .bind(stored_count(version))
    .bind(at.as_micros())
    .execute(connection)
    .await
    .while_doing("remember an applied batch")?;
    Ok(())
}

/// Whether this receipt lies below the watermark of its table, or is remembered by itself.
async fn is_covered(
    connection: &mut Connection,
    batch: BatchId,
    commit: &TableCommit,
) -> Result<bool> {
    let row = sqlx::query(
        "SELECT class FROM applied_batches WHERE batch_id = $1 AND class = $2
         UNION ALL
         SELECT class FROM applied_versions WHERE class = $2 AND version >= $3",
    )
    .bind(batch.to_string())
    .bind(commit.class.name())
    .bind(stored_count(commit.version))
    .fetch_optional(connection)
    .await
    .while_doing("look for an applied receipt")?;
    Ok(row.is_some())
}

async fn enter_recovered(
    connection: &mut Connection,
    receipt: &CommitReceipt,
    rows: u64,
    at: Timestamp,
) -> Result<()> {
    let connector = receipt.connector.to_string();
    let entry = Entry {
        connector: &connector,
        tenant: &receipt.tenant,
        source: &receipt.source,
        stream: &receipt.stream,
        interval: receipt.interval.unwrap_or(Interval { start: at, end: at }),
        kind: IntervalKind::Recovered,
        finished: true,
        pages: 0,
        polls: 0,
        counts: Counts { served: rows, stored: rows, ..Counts::default() },
        at,
    };
    enter(connection, &entry).await.map(drop)
}

async fn move_watermark(connection: &mut Connection, class: Class, version: u64) -> Result<()> {
    const ACTION: &str = "move an applied version";
    sqlx::query(
        "INSERT INTO applied_versions (class, version) VALUES ($1, $2)
         ON CONFLICT (class) DO UPDATE SET version = CASE
             WHEN excluded.version > applied_versions.version THEN excluded.version
             ELSE applied_versions.version END",
    )
    .bind(class.name())
    .bind(stored_count(version))
    .execute(&mut *connection)
    .await
    .while_doing(ACTION)?;
    sqlx::query(
        "DELETE FROM applied_batches WHERE class = $1 AND version <= $2
         AND applied_at < (SELECT MAX(applied_at) FROM applied_batches) - $3",
    )
    .bind(class.name())
    .bind(stored_count(version))
    .bind(REMEMBER_MICROS)
    .execute(connection)
    .await
    .while_doing(ACTION)?;
    Ok(())
}

/// Forgets batches without rows once they are far older than the newest.
async fn forget_rowless(connection: &mut Connection) -> Result<()> {
    sqlx::query(
        "DELETE FROM applied_batches WHERE class = $1
         AND applied_at < (SELECT MAX(applied_at) FROM applied_batches WHERE class = $1) - $2",
    )
    .bind(NO_CLASS)
    .bind(REMEMBER_MICROS)
    .execute(connection)
    .await
    .while_doing("forget batches without rows")?;
    Ok(())
}

fn class_of(name: &str) -> Result<Class> {
    Class::ALL.into_iter().find(|class| class.name() == name).ok_or_else(|| CatalogError::Corrupt {
        what: format!("`{name}` is not a table of this version of Tarn"),
        source: None,
    })
}
