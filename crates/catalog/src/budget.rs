//! Requests reserved before they are sent, so that a restart inside a vendor's window cannot
//! overrun the quota.

use std::collections::BTreeMap;

use model::time::Timestamp;
use uuid::Uuid;

use crate::columns::Columns;
use crate::database::Connection;
use crate::error::{Result, WhileDoing};
use crate::failpoint;
use crate::open::{Catalog, KeyId};

/// One request that is about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// The key that it is charged to.
    pub key: KeyId,
    /// The endpoint class that the quota counts.
    pub endpoint: String,
    /// When it is sent.
    pub at: Timestamp,
    /// Reservations of the same key and endpoint before this instant no longer matter.
    pub forget_before: Timestamp,
}

impl Catalog {
    /// Reserves one request durably; it may be sent when this has returned. Forgets old ones.
    ///
    /// # Errors
    /// The reservation may not have been written: do not send.
    pub async fn reserve(
        &self,
        key: &KeyId,
        endpoint: &str,
        at: Timestamp,
        forget_before: Timestamp,
    ) -> Result<()> {
        let endpoint = endpoint.to_owned();
        self.reserve_many(&[Reservation { key: key.clone(), endpoint, at, forget_before }]).await
    }

    /// Reserves several requests, all or none, with one sync of the disk.
    ///
    /// # Errors
    /// As [`Catalog::reserve`], for all of them.
    pub async fn reserve_many(&self, reservations: &[Reservation]) -> Result<()> {
        const ACTION: &str = "reserve requests";
        let mut transaction = self.pools.begin(ACTION).await?;
        let mut forget = BTreeMap::new();
        for reservation in reservations {
            insert(&mut transaction, reservation).await?;
            let before = forget
                .entry((&reservation.key, &reservation.endpoint))
                .or_insert(reservation.forget_before);
            *before = reservation.forget_before.min(*before);
        }
        for ((key, endpoint), before) in forget {
            forget_old(&mut transaction, key, endpoint, before).await?;
        }
        failpoint::hit("catalog.reserve.before_commit", self.place())?;
        transaction.commit().await.while_doing(ACTION)?;
        failpoint::hit("catalog.reserve.after_commit", self.place())
    }

    /// When requests were reserved at or after `since`, the oldest first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn reservations(
        &self,
        key: &KeyId,
        endpoint: &str,
        since: Timestamp,
    ) -> Result<Vec<Timestamp>> {
        let rows = sqlx::query(
            "SELECT at FROM reservations WHERE key_id = $1 AND endpoint = $2 AND at >= $3
             ORDER BY at",
        )
        .bind(key.as_str())
        .bind(endpoint)
        .bind(since.as_micros())
        .fetch_all(self.pools.reader())
        .await
        .while_doing("read the reserved requests")?;
        rows.iter().map(|row| row.time("at")).collect()
    }
}

async fn insert(connection: &mut Connection, reservation: &Reservation) -> Result<()> {
    sqlx::query("INSERT INTO reservations (id, key_id, endpoint, at) VALUES ($1, $2, $3, $4)")
        .bind(Uuid::now_v7().to_string())
        .bind(reservation.key.as_str())
        .bind(&reservation.endpoint)
        .bind(reservation.at.as_micros())
        .execute(connection)
        .await
        .while_doing("reserve a request")?;
    Ok(())
}

async fn forget_old(
    connection: &mut Connection,
    key: &KeyId,
    endpoint: &str,
    before: Timestamp,
) -> Result<()> {
    sqlx::query("DELETE FROM reservations WHERE key_id = $1 AND endpoint = $2 AND at < $3")
        .bind(key.as_str())
        .bind(endpoint)
        .bind(before.as_micros())
        .execute(connection)
        .await
        .while_doing("forget old reservations")?;
    Ok(())
}
