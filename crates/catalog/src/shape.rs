//! What the records of each stream look like. What a shape says is the engine's own matter.

use std::collections::BTreeMap;

use model::ids::{ConnectorId, StreamId};
use model::time::Timestamp;
use serde_json::Value;

use crate::columns::Columns;
use crate::connector::connector_exists;
use crate::error::{Result, WhileDoing};
use crate::open::Catalog;

impl Catalog {
    /// The shapes of a connector's streams.
    ///
    /// # Errors
    /// The database fails.
    pub async fn shapes(&self, connector: ConnectorId) -> Result<BTreeMap<StreamId, Value>> {
        let rows = sqlx::query("SELECT stream, shape_json FROM shapes WHERE connector_id = $1")
            .bind(connector.to_string())
            .fetch_all(self.pools.reader())
            .await
            .while_doing("read the shapes of records")?;
        rows.iter().map(|row| Ok((row.parsed("stream")?, row.json("shape_json")?))).collect()
    }

    /// Replaces the shape of a stream. One of a deleted connector is passed over.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn put_shape(
        &self,
        connector: ConnectorId,
        stream: &StreamId,
        shape: &Value,
        at: Timestamp,
    ) -> Result<()> {
        const ACTION: &str = "store the shape of records";
        let mut transaction = self.pools.begin(ACTION).await?;
        let id = connector.to_string();
        if connector_exists(&mut transaction, &id).await? {
            sqlx::query(
                "INSERT INTO shapes (connector_id, stream, shape_json, updated_at)
                 VALUES ($1, $2, $3, $4)
                 ON CONFLICT (connector_id, stream) DO UPDATE
                     SET shape_json = excluded.shape_json, updated_at = excluded.updated_at",
            )
            .bind(id)
            .bind(stream.as_str())
            .bind(shape.to_string())
            .bind(at.as_micros())
            .execute(&mut *transaction)
            .await
            .while_doing(ACTION)?;
        }
        transaction.commit().await.while_doing(ACTION)
    }
}
