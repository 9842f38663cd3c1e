//! What a stack may send in a minute of the clock, charged before anything of it is stored, so that a restart
//! inside a minute cannot overrun.

use model::ids::ConnectorId;
use model::time::Timestamp;

use crate::columns::{Columns, stored_count};
use crate::error::{Result, WhileDoing};
use crate::open::Catalog;

/// The most of a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Requests.
    pub requests: u64,
    /// Bytes of their bodies, unpacked.
    pub bytes: u64,
}

impl Catalog {
    /// Charges one request of so many bytes to the minute that begins at `minute`. Answers whether it may be
    /// carried out; one that may not is not charged.
    ///
    /// # Errors
    /// The charge may not have been written: do not carry it out.
    pub async fn charge(
        &self,
        stack: ConnectorId,
        minute: Timestamp,
        bytes: u64,
        most: Allowance,
    ) -> Result<bool> {
        const ACTION: &str = "charge a stack";
        let mut transaction = self.pools.begin(ACTION).await?;
        let row = sqlx::query(
            "SELECT requests, bytes FROM stack_usage WHERE stack_id = $1 AND minute = $2",
        )
        .bind(stack.to_string())
        .bind(minute.as_micros())
        .fetch_optional(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        if let Some(row) = row
            && (row.count("requests")? >= most.requests || row.count("bytes")? + bytes > most.bytes)
        {
            return Ok(false);
        }
        sqlx::query("DELETE FROM stack_usage WHERE stack_id = $1 AND minute < $2")
            .bind(stack.to_string())
            .bind(minute.as_micros())
            .execute(&mut *transaction)
            .await
            .while_doing(ACTION)?;
        sqlx::query(
            "INSERT INTO stack_usage (stack_id, minute, requests, bytes) VALUES ($1, $2, 1, $3)
             ON CONFLICT (stack_id, minute) DO UPDATE SET requests = stack_usage.requests + 1,
                 bytes = stack_usage.bytes + excluded.bytes",
        )
        .bind(stack.to_string())
        .bind(minute.as_micros())
        .bind(stored_count(bytes))
        .execute(&mut *transaction)
        .await
        .while_doing(ACTION)?;
        transaction.commit().await.while_doing(ACTION)?;
        Ok(true)
    }
}
