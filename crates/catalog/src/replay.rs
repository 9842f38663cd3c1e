//! A dead letter that came in again: the ledger row that counted it as dead-lettered counts it as
//! what it became, so that each record is accounted for once and every row stays balanced.

use model::batch::TableCommit;
use model::ids::BatchId;
use model::ledger::Counts;
use model::time::Timestamp;
use uuid::Uuid;

use crate::applied;
use crate::columns::Columns;
use crate::dead_letter::{DeadLetterState, settle_one};
use crate::error::{CatalogError, Result, WhileDoing};
use crate::failpoint;
use crate::ledger::move_dead_letter;
use crate::open::Catalog;
use crate::page::Applied;

/// What a replayed dead letter became.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReplayOutcome {
    /// A row in the lake.
    Stored,
    /// A record that the lake already held.
    Duplicate,
    /// A record that the transform dropped.
    Filtered,
}

impl ReplayOutcome {
    fn counts(self) -> Counts {
        let mut counts = Counts::default();
        match self {
            Self::Stored => counts.stored = 1,
            Self::Duplicate => counts.duplicate = 1,
            Self::Filtered => counts.filtered = 1,
        }
        counts
    }
}

impl Catalog {
    /// Records that a waiting letter came in again with a batch of its own. When the replay failed
    /// again there is nothing to record: the letter goes on waiting.
    ///
    /// # Errors
    /// The letter does not exist or is no longer waiting, or the database fails; then nothing was
    /// written.
    pub async fn replay_result(
        &self,
        id: Uuid,
        outcome: ReplayOutcome,
        batch: BatchId,
        commits: &[TableCommit],
        at: Timestamp,
    ) -> Result<Applied> {
        const ACTION: &str = "record a replay";
        let mut transaction = self.pools.begin(ACTION).await?;
        if applied::is_applied(&mut transaction, batch).await? {
            return Ok(Applied::AlreadyApplied);
        }
        let row = sqlx::query("SELECT ledger_id, state FROM dead_letters WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(&mut *transaction)
            .await
            .while_doing(ACTION)?;
        let row = row.ok_or_else(|| CatalogError::not_found("dead letter", id))?;
        if !settle_one(&mut transaction, id, DeadLetterState::Replayed, at).await? {
            let problem = format!("is {} already", row.parsed::<DeadLetterState>("state")?);
            return Err(CatalogError::conflict("dead letter", id, &problem));
        }
        let ledger_id = row.text("ledger_id")?;
        move_dead_letter(&mut transaction, &ledger_id, outcome.counts(), at).await?;
        applied::remember(&mut transaction, batch, commits, at).await?;
        failpoint::hit("catalog.replay.before_commit", self.place())?;
        transaction.commit().await.while_doing(ACTION)?;
        Ok(Applied::Now)
    }
}
