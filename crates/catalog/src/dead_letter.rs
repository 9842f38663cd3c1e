//! Dead letters: bytes that could not become events, kept whole with the reason until someone
//! replays or discards them.

use std::fmt;
use std::str::FromStr;

use bytes::Bytes;
use model::batch::DeadLetter;
use model::ids::{ConnectorId, StreamId, TenantId};
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use sqlx::QueryBuilder;
use uuid::Uuid;

use crate::columns::{Columns, stored_count};
use crate::database::{Connection, Database, Row};
use crate::error::{Result, WhileDoing};
use crate::ledger::{Entry, UnknownWord};
use crate::open::Catalog;

/// What became of a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeadLetterState {
    /// Nobody has decided yet.
    Waiting,
    /// It came in again and was accounted for.
    Replayed,
    /// Someone decided that it is worth nothing. The bytes stay.
    Discarded,
}

impl DeadLetterState {
    /// The word that is stored and printed.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Replayed => "replayed",
            Self::Discarded => "discarded",
        }
    }
}

impl fmt::Display for DeadLetterState {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.as_str())
    }
}

impl FromStr for DeadLetterState {
    type Err = UnknownWord;
    fn from_str(text: &str) -> std::result::Result<Self, UnknownWord> {
        match text {
            "waiting" => Ok(Self::Waiting),
            "replayed" => Ok(Self::Replayed),
            "discarded" => Ok(Self::Discarded),
            _ => Err(UnknownWord("dead letter state")),
        }
    }
}

/// A dead letter without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDeadLetter {
    /// Names it; ordered by the time of its making.
    pub id: Uuid,
    /// The owner.
    pub tenant: TenantId,
    /// The connector that collected it.
    pub connector: ConnectorId,
    /// Where it comes from.
    pub source: String,
    /// The stream that it came in.
    pub stream: StreamId,
    /// Why it cannot be used, for people.
    pub reason: String,
    /// How many bytes it has.
    pub raw_size: u64,
    /// When it was set aside.
    pub at: Timestamp,
    /// What became of it.
    pub state: DeadLetterState,
    /// When it was replayed or discarded.
    pub settled_at: Option<Timestamp>,
}

/// Chooses dead letters; what is `None` is not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeadLetterFilter {
    /// Of this tenant.
    pub tenant: Option<TenantId>,
    /// Of this connector.
    pub connector: Option<ConnectorId>,
    /// Of this source.
    pub source: Option<String>,
    /// Of this stream.
    pub stream: Option<StreamId>,
    /// In this state.
    pub state: Option<DeadLetterState>,
}

/// Some dead letters and where the list goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeadLetterPage {
    /// The newest first.
    pub letters: Vec<StoredDeadLetter>,
    /// To be passed as `before` for the next page; `None` at the end.
    pub next: Option<Uuid>,
}

impl Catalog {
    /// Dead letters, the newest first, at most `limit`, from the one before `before` on.
    ///
    /// # Errors
    /// The database fails.
    pub async fn dead_letters(
        &self,
        filter: &DeadLetterFilter,
        before: Option<Uuid>,
        limit: u32,
    ) -> Result<DeadLetterPage> {
        let limit = limit.max(1);
        let mut query = QueryBuilder::<Database>::new(
            "SELECT id, tenant, connector_id, source, stream, reason, raw_size, at, state, \
             settled_at FROM dead_letters WHERE 1 = 1",
        );
        filter.narrow(&mut query);
        if let Some(before) = before {
            query.push(" AND id < ").push_bind(before.to_string());
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(i64::from(limit) + 1);
        let rows = query
            .build()
            .fetch_all(self.pools.reader())
            .await
            .while_doing("list the dead letters")?;
        let mut letters = rows.iter().map(letter_of).collect::<Result<Vec<_>>>()?;
        let more = letters.len() > usize::try_from(limit).unwrap_or(usize::MAX);
        letters.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = letters.last().filter(|_| more).map(|letter| letter.id);
        Ok(DeadLetterPage { letters, next })
    }

    /// A dead letter with its bytes.
    ///
    /// # Errors
    /// The database fails.
    pub async fn dead_letter(&self, id: Uuid) -> Result<Option<(StoredDeadLetter, Bytes)>> {
        let row = sqlx::query("SELECT * FROM dead_letters WHERE id = $1")
            .bind(id.to_string())
            .fetch_optional(self.pools.reader())
            .await
            .while_doing("read a dead letter")?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some((letter_of(&row)?, row.bytes("raw")?.into())))
    }

    /// Marks waiting letters as replayed by other means, such as an import of mended files, and
    /// answers how many there were. In the ledger they stay dead-lettered; a replay that is to be
    /// counted goes through [`Catalog::replay_result`].
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn mark_replayed(&self, ids: &[Uuid], at: Timestamp) -> Result<u64> {
        self.settle(ids, DeadLetterState::Replayed, at).await
    }

    /// Discards waiting letters and answers how many there were. Their bytes stay, and in the
    /// ledger they stay dead-lettered.
    ///
    /// # Errors
    /// Nothing was written.
    pub async fn discard(&self, ids: &[Uuid], at: Timestamp) -> Result<u64> {
        self.settle(ids, DeadLetterState::Discarded, at).await
    }

    async fn settle(&self, ids: &[Uuid], state: DeadLetterState, at: Timestamp) -> Result<u64> {
        const ACTION: &str = "settle dead letters";
        let mut transaction = self.pools.begin(ACTION).await?;
        let mut settled = 0;
        for id in ids {
            settled += u64::from(settle_one(&mut transaction, *id, state, at).await?);
        }
        transaction.commit().await.while_doing(ACTION)?;
        Ok(settled)
    }
}

impl DeadLetterFilter {
    /// Appends the conditions to a statement that ends in a WHERE clause.
    fn narrow(&self, query: &mut QueryBuilder<Database>) {
        if let Some(tenant) = &self.tenant {
            query.push(" AND tenant = ").push_bind(tenant.to_string());
        }
        if let Some(connector) = self.connector {
            query.push(" AND connector_id = ").push_bind(connector.to_string());
        }
        if let Some(source) = &self.source {
            query.push(" AND source = ").push_bind(source.clone());
        }
        if let Some(stream) = &self.stream {
            query.push(" AND stream = ").push_bind(stream.to_string());
        }
        if let Some(state) = self.state {
            query.push(" AND state = ").push_bind(state.as_str());
        }
    }
}

/// Moves a waiting letter on; answers whether it was waiting.
pub(crate) async fn settle_one(
    connection: &mut Connection,
    id: Uuid,
    state: DeadLetterState,
    at: Timestamp,
) -> Result<bool> {
    let settled = sqlx::query(
        "UPDATE dead_letters SET state = $2, settled_at = $3 WHERE id = $1 AND state = $4",
    )
    .bind(id.to_string())
    .bind(state.as_str())
    .bind(at.as_micros())
    .bind(DeadLetterState::Waiting.as_str())
    .execute(connection)
    .await
    .while_doing("settle a dead letter")?;
    Ok(settled.rows_affected() == 1)
}

/// Stores the letters of a page under the ledger row that counts them.
pub(crate) async fn insert_dead_letters(
    connection: &mut Connection,
    ledger_id: &str,
    entry: &Entry<'_>,
    letters: &[DeadLetter],
) -> Result<()> {
    for letter in letters {
        sqlx::query(
            "INSERT INTO dead_letters (id, tenant, connector_id, source, stream, ledger_id, raw,
                 raw_size, reason, at, state)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(Uuid::now_v7().to_string())
        .bind(entry.tenant.as_str())
        .bind(entry.connector)
        .bind(entry.source)
        .bind(entry.stream.as_str())
        .bind(ledger_id)
        .bind(letter.raw.as_ref())
        .bind(stored_count(letter.raw.len() as u64))
        .bind(&letter.reason)
        .bind(entry.at.as_micros())
        .bind(DeadLetterState::Waiting.as_str())
        .execute(&mut *connection)
        .await
        .while_doing("store a dead letter")?;
    }
    Ok(())
}

fn letter_of(row: &Row) -> Result<StoredDeadLetter> {
    Ok(StoredDeadLetter {
        id: row.parsed("id")?,
        tenant: row.parsed("tenant")?,
        connector: row.parsed("connector_id")?,
        source: row.text("source")?,
        stream: row.parsed("stream")?,
        reason: row.text("reason")?,
        raw_size: row.count("raw_size")?,
        at: row.time("at")?,
        state: row.parsed("state")?,
        settled_at: row.time_maybe("settled_at")?,
    })
}
