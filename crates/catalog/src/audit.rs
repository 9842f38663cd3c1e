//! The audit log: who changed what. Entries are only ever added.

use model::time::Timestamp;
use serde_json::Value;
use uuid::Uuid;

use crate::columns::Columns;
use crate::error::{Result, WhileDoing};
use crate::open::Catalog;

/// One thing that someone did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Names it; ordered by the time of its making.
    pub id: Uuid,
    /// Who: a token's name, `cli` …
    pub actor: String,
    /// What was done: `connector.verify_tls_off`.
    pub action: String,
    /// To what.
    pub object: String,
    /// The particulars; never a secret.
    pub detail: Value,
    /// When.
    pub at: Timestamp,
}

impl Catalog {
    /// Adds an entry. `detail` must not hold secrets.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn audit(
        &self,
        actor: &str,
        action: &str,
        object: &str,
        detail: &Value,
        at: Timestamp,
    ) -> Result<()> {
        const ACTION: &str = "write the audit log";
        let mut transaction = self.pools.begin(ACTION).await?;
        sqlx::query(
            "INSERT INTO audit_log (id, actor, action, object, detail, at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(Uuid::now_v7().to_string())
        .bind(actor)
        .bind(action)
        .bind(object)
        .bind(detail.to_string())
        .bind(at.as_micros())
        .execute(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)
    }

    /// The newest entries, the newest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn audit_entries(&self, limit: u32) -> Result<Vec<AuditEntry>> {
        let rows = sqlx::query("SELECT * FROM audit_log ORDER BY id DESC LIMIT $1")
            .bind(i64::from(limit))
            .fetch_all(self.pools.reader())
            .await
            .while_doing("read the audit log")?;
        rows.iter()
            .map(|row| {
                Ok(AuditEntry {
                    id: row.parsed("id")?,
                    actor: row.text("actor")?,
                    action: row.text("action")?,
                    object: row.text("object")?,
                    detail: row.json("detail")?,
                    at: row.time("at")?,
                })
            })
            .collect()
    }
}
