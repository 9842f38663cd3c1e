//! Where each stream of a connector stands, as the engine last said.

use std::collections::BTreeMap;

use model::ids::{ConnectorId, StreamId};
use model::time::Timestamp;

use crate::columns::Columns;
use crate::connector::connector_exists;
use crate::database::{Connection, Row};
use crate::error::{Result, WhileDoing};
use crate::open::Catalog;

/// Where one stream stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamStatus {
    /// The connector.
    pub connector: ConnectorId,
    /// The stream.
    pub stream: StreamId,
    /// The engine's word for it.
    pub state: String,
    /// The fault that holds it up.
    pub fault: Option<String>,
    /// The facts about the fault, for people.
    pub detail: Option<String>,
    /// Since when it is in this state.
    pub since: Timestamp,
    /// When a request last succeeded.
    pub last_ok: Option<Timestamp>,
    /// When it is asked next.
    pub next_at: Option<Timestamp>,
    /// When this was said.
    pub updated_at: Timestamp,
}

impl Catalog {
    /// Replaces the status of some streams. Those of deleted connectors are passed over.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn put_statuses(&self, statuses: &[StreamStatus]) -> Result<()> {
        const ACTION: &str = "store the status of streams";
        let mut transaction = self.pools.begin(ACTION).await?;
        let mut known: BTreeMap<ConnectorId, bool> = BTreeMap::new();
        for status in statuses {
            let exists = match known.get(&status.connector) {
                Some(exists) => *exists,
                None => connector_exists(&mut transaction, &status.connector.to_string()).await?,
            };
            known.insert(status.connector, exists);
            if exists {
                put(&mut transaction, status).await?;
            }
        }
        transaction.commit().await.while_doing(ACTION)
    }

    /// The status of a connector's streams, by stream.
    ///
    /// # Errors
    /// The database fails.
    pub async fn statuses(&self, connector: ConnectorId) -> Result<Vec<StreamStatus>> {
        let rows =
            sqlx::query("SELECT * FROM stream_status WHERE connector_id = $1 ORDER BY stream")
                .bind(connector.to_string())
                .fetch_all(self.pools.reader())
                .await
                .while_doing("read the status of streams")?;
        rows.iter().map(status_of).collect()
    }
}

async fn put(connection: &mut Connection, status: &StreamStatus) -> Result<()> {
    sqlx::query(
        "INSERT INTO stream_status (connector_id, stream, state, fault, detail, since, last_ok,
             next_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (connector_id, stream) DO UPDATE SET state = excluded.state,
             fault = excluded.fault, detail = excluded.detail, since = excluded.since,
             last_ok = excluded.last_ok, next_at = excluded.next_at,
             updated_at = excluded.updated_at",
    )
    .bind(status.connector.to_string())
    .bind(status.stream.as_str())
    .bind(&status.state)
    .bind(&status.fault)
    .bind(&status.detail)
    .bind(status.since.as_micros())
    .bind(status.last_ok.map(Timestamp::as_micros))
    .bind(status.next_at.map(Timestamp::as_micros))
    .bind(status.updated_at.as_micros())
    .execute(connection)
    .await
    .while_doing("store the status of a stream")?;
    Ok(())
}

fn status_of(row: &Row) -> Result<StreamStatus> {
    Ok(StreamStatus {
        connector: row.parsed("connector_id")?,
        stream: row.parsed("stream")?,
        state: row.text("state")?,
        fault: row.text_maybe("fault")?,
        detail: row.text_maybe("detail")?,
        since: row.time("since")?,
        last_ok: row.time_maybe("last_ok")?,
        next_at: row.time_maybe("next_at")?,
        updated_at: row.time("updated_at")?,
    })
}
