//! Cursors: where each stream goes on. What a cursor says is the engine's own matter.

use std::collections::BTreeMap;

use model::ids::{ConnectorId, StreamId};
use model::time::Timestamp;
use serde_json::Value;

use crate::columns::Columns;
use crate::connector::require_connector;
use crate::database::Connection;
use crate::error::{Result, WhileDoing};
use crate::failpoint;
use crate::open::Catalog;

impl Catalog {
    /// The cursors of a connector by stream.
    ///
    /// # Errors
    /// The database fails.
    pub async fn cursors(&self, connector: ConnectorId) -> Result<BTreeMap<StreamId, Value>> {
        let rows = sqlx::query("SELECT stream, cursor_json FROM cursors WHERE connector_id = $1")
            .bind(connector.to_string())
            .fetch_all(self.pools.reader())
            .await
            .while_doing("read the cursors")?;
        rows.iter().map(|row| Ok((row.parsed("stream")?, row.json("cursor_json")?))).collect()
    }

    /// Replaces the cursors of some streams when a plan changes without a page: a new backfill, for
    /// instance. After a page, [`Catalog::apply_page`] moves the cursor instead.
    ///
    /// # Errors
    /// There is no such connector, or the database fails.
    pub async fn put_cursors(
        &self,
        connector: ConnectorId,
        cursors: &BTreeMap<StreamId, Value>,
        at: Timestamp,
    ) -> Result<()> {
        const ACTION: &str = "store cursors";
        let mut transaction = self.pools.begin(ACTION).await?;
        require_connector(&mut transaction, connector).await?;
        for (stream, cursor) in cursors {
            put_cursor(&mut transaction, &connector.to_string(), stream, cursor, at).await?;
        }
        failpoint::hit("catalog.put_cursors.before_commit", self.place())?;
        transaction.commit().await.while_doing(ACTION)
    }
}

/// Stores one cursor of a connector that exists.
pub(crate) async fn put_cursor(
    connection: &mut Connection,
    connector: &str,
    stream: &StreamId,
    cursor: &Value,
    at: Timestamp,
) -> Result<()> {
    sqlx::query(
        "INSERT INTO cursors (connector_id, stream, cursor_json, updated_at)
         VALUES ($1, $2, $3, $4)
         ON CONFLICT (connector_id, stream) DO UPDATE
             SET cursor_json = excluded.cursor_json, updated_at = excluded.updated_at",
    )
    .bind(connector)
    .bind(stream.as_str())
    .bind(cursor.to_string())
    .bind(at.as_micros())
    .execute(connection)
    .await
    .while_doing("move a cursor")?;
    Ok(())
}
