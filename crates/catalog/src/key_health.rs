//! How each vendor key fared, so that a key that worked before and no longer does is told apart from
//! one that never did.

use model::time::Timestamp;

use crate::columns::Columns;
use crate::error::{Result, WhileDoing};
use crate::open::{Catalog, KeyId};

/// How a request with a key went, as far as the key is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyOutcome {
    /// The vendor accepted the key.
    Ok,
    /// It did not, or could not say: the fault.
    Fault(String),
}

/// What is known about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHealth {
    /// The key.
    pub key: KeyId,
    /// What people call it: `api_keys[0]`.
    pub label: String,
    /// When it was first used.
    pub first_used: Timestamp,
    /// When the vendor last accepted it.
    pub last_ok: Option<Timestamp>,
    /// The last fault.
    pub last_fault: Option<String>,
    /// When that was.
    pub last_fault_at: Option<Timestamp>,
}

impl Catalog {
    /// Notes how a request with a key went. An older outcome does not replace a newer one.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn key_used(
        &self,
        key: &KeyId,
        label: &str,
        outcome: &KeyOutcome,
        at: Timestamp,
    ) -> Result<()> {
        const ACTION: &str = "note the use of a key";
        let (ok_at, fault) = match outcome {
            KeyOutcome::Ok => (Some(at.as_micros()), None),
            KeyOutcome::Fault(fault) => (None, Some(fault)),
        };
        let mut transaction = self.pools.begin(ACTION).await?;
        sqlx::query(
            "INSERT INTO key_health (key_id, label, first_used, last_ok, last_fault, last_fault_at)
             VALUES ($1, $2, $3, $4, $5, $6)
             ON CONFLICT (key_id) DO UPDATE SET label = excluded.label,
                 first_used = CASE WHEN excluded.first_used < key_health.first_used
                     THEN excluded.first_used ELSE key_health.first_used END,
                 last_ok = CASE WHEN excluded.last_ok > COALESCE(key_health.last_ok, 0)
                     THEN excluded.last_ok ELSE key_health.last_ok END,
                 last_fault = CASE WHEN excluded.last_fault_at
                     >= COALESCE(key_health.last_fault_at, 0)
                     THEN excluded.last_fault ELSE key_health.last_fault END,
                 last_fault_at = CASE WHEN excluded.last_fault_at
                     >= COALESCE(key_health.last_fault_at, 0)
                     THEN excluded.last_fault_at ELSE key_health.last_fault_at END",
        )
        .bind(key.as_str())
        .bind(label)
        .bind(at.as_micros())
        .bind(ok_at)
        .bind(fault)
        .bind(fault.map(|_| at.as_micros()))
        .execute(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)
    }

    /// What is known about a key; `None` when it was never used.
    ///
    /// # Errors
    /// The database fails.
    pub async fn key_health(&self, key: &KeyId) -> Result<Option<KeyHealth>> {
        let row = sqlx::query("SELECT * FROM key_health WHERE key_id = $1")
            .bind(key.as_str())
            .fetch_optional(self.pools.reader())
            .await
            .while_doing("read how a key fared")?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(KeyHealth {
            key: key.clone(),
            label: row.text("label")?,
            first_used: row.time("first_used")?,
            last_ok: row.time_maybe("last_ok")?,
            last_fault: row.text_maybe("last_fault")?,
            last_fault_at: row.time_maybe("last_fault_at")?,
        }))
    }
}
