//! Reading the ledger: totals, balance, and the holes in what was asked for.

use std::collections::BTreeMap;

use model::ids::{ConnectorId, StreamId, TenantId};
use model::ledger::Counts;
use model::time::{Interval, Timestamp};
use sqlx::QueryBuilder;

use super::{LedgerRow, counts_of, interval_of, row_of};
use crate::columns::Columns;
use crate::database::Database;
use crate::error::{Result, WhileDoing};
use crate::open::Catalog;

const SUMS: &str = "CAST(COALESCE(SUM(served), 0) AS BIGINT) AS served, \
     CAST(COALESCE(SUM(stored), 0) AS BIGINT) AS stored, \
     CAST(COALESCE(SUM(duplicate), 0) AS BIGINT) AS duplicate, \
     CAST(COALESCE(SUM(filtered), 0) AS BIGINT) AS filtered, \
     CAST(COALESCE(SUM(dead_lettered), 0) AS BIGINT) AS dead_lettered";

/// Chooses rows of the ledger; what is `None` is not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LedgerFilter {
    /// Of this connector.
    pub connector: Option<ConnectorId>,
    /// Of this tenant.
    pub tenant: Option<TenantId>,
    /// Of this source.
    pub source: Option<String>,
    /// Of this stream.
    pub stream: Option<StreamId>,
}

impl LedgerFilter {
    /// Appends the conditions to a statement that ends in a WHERE clause.
    fn narrow(&self, query: &mut QueryBuilder<Database>) {
        if let Some(connector) = self.connector {
            query.push(" AND connector_id = ").push_bind(connector.to_string());
        }
        if let Some(tenant) = &self.tenant {
            query.push(" AND tenant = ").push_bind(tenant.to_string());
        }
        if let Some(source) = &self.source {
            query.push(" AND source = ").push_bind(source.clone());
        }
        if let Some(stream) = &self.stream {
            query.push(" AND stream = ").push_bind(stream.to_string());
        }
    }
}

/// One stream's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamLedger {
    /// The stream.
    pub stream: StreamId,
    /// Where its records come from.
    pub source: String,
    /// The sum over all rows.
    pub counts: Counts,
    /// Pages that came in.
    pub pages: u64,
    /// Polls that were completed.
    pub polls: u64,
    /// The earliest instant that was asked for.
    pub first: Option<Timestamp>,
    /// The end of the latest interval that was asked for.
    pub last: Option<Timestamp>,
    /// Intervals that are not walked to their end, the earliest first.
    pub open: Vec<Interval>,
    /// Spans between `first` and `last` that no interval covers, the earliest first.
    pub holes: Vec<Interval>,
    /// When a page was last applied.
    pub last_at: Timestamp,
}

/// The answer to "is anything lost?".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LedgerBalance {
    /// The sum over all rows that the filter chose.
    pub counts: Counts,
    /// Rows in which records are unaccounted for, at most 1,000.
    pub unbalanced: Vec<LedgerRow>,
}

impl LedgerBalance {
    /// Whether every row accounts for every record.
    pub fn is_balanced(&self) -> bool {
        self.unbalanced.is_empty() && self.counts.imbalance() == 0
    }
}

impl Catalog {
    /// The sum over the rows that a filter chooses.
    ///
    /// # Errors
    /// The database fails.
    pub async fn ledger_totals(&self, filter: &LedgerFilter) -> Result<Counts> {
        let mut query = QueryBuilder::new("SELECT ");
        query.push(SUMS).push(" FROM ledger WHERE 1 = 1");
        filter.narrow(&mut query);
        let row =
            query.build().fetch_one(self.pools.reader()).await.while_doing("sum up the ledger")?;
        counts_of(&row)
    }

    /// Every connector that the ledger has rows of, deleted ones and the bulk import included.
    ///
    /// # Errors
    /// The database fails.
    pub async fn ledger_connectors(&self) -> Result<Vec<ConnectorId>> {
        let rows = sqlx::query("SELECT DISTINCT connector_id FROM ledger ORDER BY connector_id")
            .fetch_all(self.pools.reader())
            .await
            .while_doing("list the ledger's connectors")?;
        rows.iter().map(|row| row.parsed("connector_id")).collect()
    }

    /// The account of each stream of a connector, by stream.
    ///
    /// # Errors
    /// The database fails.
    pub async fn ledger_streams(&self, connector: ConnectorId) -> Result<Vec<StreamLedger>> {
        let mut streams = self.stream_sums(connector).await?;
        for (stream, interval) in self.open_intervals(connector).await? {
            if let Some(ledger) = streams.get_mut(&stream) {
                ledger.open.push(interval);
            }
        }
        for (stream, hole) in self.holes(connector).await? {
            if let Some(ledger) = streams.get_mut(&stream) {
                ledger.holes.push(hole);
            }
        }
        Ok(streams.into_values().collect())
    }

    /// The rows of a stream, the latest start first.
    ///
    /// # Errors
    /// The database fails.
    pub async fn ledger_intervals(
        &self,
        connector: ConnectorId,
        stream: &StreamId,
        limit: u32,
    ) -> Result<Vec<LedgerRow>> {
        let rows = sqlx::query(
            "SELECT * FROM ledger WHERE connector_id = $1 AND stream = $2
             ORDER BY start_time DESC, end_time DESC, kind LIMIT $3",
        )
        .bind(connector.to_string())
        .bind(stream.as_str())
        .bind(i64::from(limit))
        .fetch_all(self.pools.reader())
        .await
        .while_doing("list ledger rows")?;
        rows.iter().map(row_of).collect()
    }

    /// The sum over the rows that a filter chooses, and those among them that do not balance.
    ///
    /// # Errors
    /// The database fails.
    pub async fn ledger_balance(&self, filter: &LedgerFilter) -> Result<LedgerBalance> {
        let counts = self.ledger_totals(filter).await?;
        let mut query = QueryBuilder::new(
            "SELECT * FROM ledger \
             WHERE served <> stored + duplicate + filtered + dead_lettered",
        );
        filter.narrow(&mut query);
        query.push(" ORDER BY connector_id, stream, start_time, kind LIMIT 1000");
        let rows = query
            .build()
            .fetch_all(self.pools.reader())
            .await
            .while_doing("look for ledger rows that do not balance")?;
        let unbalanced = rows.iter().map(row_of).collect::<Result<_>>()?;
        Ok(LedgerBalance { counts, unbalanced })
    }

    async fn stream_sums(
        &self,
        connector: ConnectorId,
    ) -> Result<BTreeMap<StreamId, StreamLedger>> {
        let mut query = QueryBuilder::<Database>::new("SELECT stream, MAX(source) AS source, ");
        query.push(SUMS).push(
            ", CAST(SUM(pages) AS BIGINT) AS pages, CAST(SUM(polls) AS BIGINT) AS polls, \
             MIN(CASE WHEN kind IN ('live', 'gap', 'backfill') THEN start_time END) AS first_start, \
             MAX(CASE WHEN kind IN ('live', 'gap', 'backfill') THEN end_time END) AS last_end, \
             MAX(last_at) AS last_at FROM ledger WHERE connector_id = ",
        );
        query.push_bind(connector.to_string()).push(" GROUP BY stream");
        let rows = query
            .build()
            .fetch_all(self.pools.reader())
            .await
            .while_doing("sum up the ledger by stream")?;
        let mut streams = BTreeMap::new();
        for row in &rows {
            let ledger = StreamLedger {
                stream: row.parsed("stream")?,
                source: row.text("source")?,
                counts: counts_of(row)?,
                pages: row.count("pages")?,
                polls: row.count("polls")?,
                first: row.time_maybe("first_start")?,
                last: row.time_maybe("last_end")?,
                open: Vec::new(),
                holes: Vec::new(),
                last_at: row.time("last_at")?,
            };
            streams.insert(ledger.stream.clone(), ledger);
        }
        Ok(streams)
    }

    async fn open_intervals(&self, connector: ConnectorId) -> Result<Vec<(StreamId, Interval)>> {
        let rows = sqlx::query(
            "SELECT stream, start_time, end_time FROM ledger
             WHERE connector_id = $1 AND state = 'open' ORDER BY stream, start_time",
        )
        .bind(connector.to_string())
        .fetch_all(self.pools.reader())
        .await
        .while_doing("list open intervals")?;
        rows.iter().map(|row| Ok((row.parsed("stream")?, interval_of(row)?))).collect()
    }

    /// A hole begins where everything that starts earlier has ended, and ends at the next start.
    async fn holes(&self, connector: ConnectorId) -> Result<Vec<(StreamId, Interval)>> {
        let rows = sqlx::query(
            "SELECT stream, covered_to AS start_time, start_time AS end_time FROM (
                 SELECT stream, start_time, MAX(end_time) OVER (
                     PARTITION BY stream ORDER BY start_time, end_time
                     ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS covered_to
                 FROM ledger
                 WHERE connector_id = $1 AND kind IN ('live', 'gap', 'backfill')
             ) AS spans
             WHERE spans.start_time > spans.covered_to ORDER BY 1, 2",
        )
        .bind(connector.to_string())
        .fetch_all(self.pools.reader())
        .await
        .while_doing("look for holes in the ledger")?;
        rows.iter().map(|row| Ok((row.parsed("stream")?, interval_of(row)?))).collect()
    }
}
