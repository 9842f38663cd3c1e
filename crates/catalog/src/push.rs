//! What stacks push: the page of an append together with the key by which the same push is known again, in
//! one transaction.

use model::ids::ConnectorId;
use model::ledger::Counts;
use model::time::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::columns::{Columns, stored_count};
use crate::database::Connection;
use crate::error::{Result, WhileDoing};
use crate::failpoint;
use crate::open::Catalog;
use crate::page::{Applied, PageCommit, apply};

/// By what a push is known when it comes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushKey {
    /// The stack that sends it.
    pub stack: ConnectorId,
    /// The key that its client gave it.
    pub key: String,
    digest: String,
}

impl PushKey {
    /// The key of a body.
    pub fn new(stack: ConnectorId, key: impl Into<String>, body: &[u8]) -> Self {
        Self { stack, key: key.into(), digest: hex::encode(Sha256::digest(body)) }
    }
}

/// What is known of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KnownPush {
    /// Nothing: this is the first time.
    Unknown,
    /// The same body came before, and this was answered.
    Answered(Counts),
    /// Another body came under this key.
    OtherBody,
}

impl Catalog {
    /// Whether a push came before.
    ///
    /// # Errors
    /// The database fails.
    pub async fn known_push(&self, push: &PushKey) -> Result<KnownPush> {
        let row = sqlx::query("SELECT * FROM pushes WHERE stack_id = $1 AND push_key = $2")
            .bind(push.stack.to_string())
            .bind(&push.key)
            .fetch_optional(self.pools.reader())
            .await
            .while_doing("look for a push")?;
        let Some(row) = row else { return Ok(KnownPush::Unknown) };
        if row.text("digest")? != push.digest {
            return Ok(KnownPush::OtherBody);
        }
        Ok(KnownPush::Answered(Counts {
            served: row.count("served")?,
            stored: row.count("stored")?,
            duplicate: row.count("duplicate")?,
            filtered: row.count("filtered")?,
            dead_lettered: row.count("dead_lettered")?,
        }))
    }

    /// Applies the page of a push as [`Catalog::apply_page`] does, and remembers the push with its counts.
    ///
    /// # Errors
    /// Nothing was written, or (after a failure while committing) it is unknown: try again.
    pub async fn apply_push(&self, page: PageCommit, push: &PushKey) -> Result<Applied> {
        const ACTION: &str = "apply a push";
        let mut transaction = self.pools.begin(ACTION).await?;
        let applied = apply(&mut transaction, &page).await?;
        if applied == Applied::Now {
            remember(&mut transaction, &page, push).await?;
            note_records(&mut transaction, &page, push.stack).await?;
        }
        failpoint::hit("catalog.apply_push.before_commit", self.place())?;
        transaction.commit().await.while_doing(ACTION)?;
        failpoint::hit("catalog.apply_push.after_commit", self.place())?;
        Ok(applied)
    }

    /// Forgets pushes that came before an instant; answers how many.
    ///
    /// # Errors
    /// Nothing was changed.
    pub async fn forget_pushes(&self, before: Timestamp) -> Result<u64> {
        const ACTION: &str = "forget old pushes";
        let mut transaction = self.pools.begin(ACTION).await?;
        let forgotten = sqlx::query("DELETE FROM pushes WHERE at < $1")
            .bind(before.as_micros())
            .execute(&mut *transaction)
            .await
            .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)?;
        Ok(forgotten.rows_affected())
    }
}

async fn remember(connection: &mut Connection, page: &PageCommit, push: &PushKey) -> Result<()> {
    sqlx::query(
        "INSERT INTO pushes (stack_id, push_key, digest, served, stored, duplicate, filtered,
             dead_lettered, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (stack_id, push_key) DO NOTHING",
    )
    .bind(push.stack.to_string())
    .bind(&push.key)
    .bind(&push.digest)
    .bind(stored_count(page.counts.served))
    .bind(stored_count(page.counts.stored))
    .bind(stored_count(page.counts.duplicate))
    .bind(stored_count(page.counts.filtered))
    .bind(stored_count(page.counts.dead_lettered))
    .bind(page.at.as_micros())
    .execute(connection)
    .await
    .while_doing("remember a push")?;
    Ok(())
}

/// An object counts as stored when the lake has records of it, also when it had them before.
async fn note_records(
    connection: &mut Connection,
    page: &PageCommit,
    stack: ConnectorId,
) -> Result<()> {
    let Counts { served, stored, duplicate, .. } = page.counts;
    sqlx::query(
        "UPDATE stacks SET
             first_object_at = CASE WHEN $2 > 0 THEN COALESCE(first_object_at, $4)
                 ELSE first_object_at END,
             last_record_at = CASE WHEN $3 > 0 THEN $4 ELSE last_record_at END
         WHERE id = $1",
    )
    .bind(stack.to_string())
    .bind(stored_count(stored + duplicate))
    .bind(stored_count(served))
    .bind(page.at.as_micros())
    .execute(connection)
    .await
    .while_doing("note a stack's records")?;
    Ok(())
}
