//! Writing the ledger: a page is added to the row of its interval, and finished polls of one hour
//! grow together, so that a year of polls every five minutes stays small.

use model::ids::{StreamId, TenantId};
use model::ledger::Counts;
use model::time::{Interval, Timestamp};
use uuid::Uuid;

use super::{IntervalKind, IntervalState, interval_of};
use crate::columns::{Columns, stored_count};
use crate::database::{Connection, Row};
use crate::error::{CatalogError, Result, WhileDoing};

const MICROS_PER_HOUR: i64 = 3_600_000_000;

/// What is added to one row.
pub(crate) struct Entry<'a> {
    pub(crate) connector: &'a str,
    pub(crate) tenant: &'a TenantId,
    pub(crate) source: &'a str,
    pub(crate) stream: &'a StreamId,
    pub(crate) interval: Interval,
    pub(crate) kind: IntervalKind,
    pub(crate) finished: bool,
    pub(crate) pages: u64,
    pub(crate) polls: u64,
    pub(crate) counts: Counts,
    pub(crate) at: Timestamp,
}

impl Entry<'_> {
    /// Imports, replays and recoveries are done as they come; a span of time is done when its last
    /// page is in.
    fn state(&self) -> IntervalState {
        if self.finished || !self.kind.covers() { IntervalState::Done } else { IntervalState::Open }
    }
}

/// What is known of a stored row when deciding about it.
struct Found {
    id: String,
    interval: Interval,
    kind: IntervalKind,
    state: IntervalState,
}

impl Found {
    fn of(row: &Row) -> Result<Self> {
        Ok(Self {
            id: row.text("id")?,
            interval: interval_of(row)?,
            kind: row.parsed("kind")?,
            state: row.parsed("state")?,
        })
    }
}

/// Adds an entry to the row of its interval and answers the row's id.
pub(crate) async fn enter(connection: &mut Connection, entry: &Entry<'_>) -> Result<String> {
    let row = match find(connection, entry).await? {
        Some(found) => add(connection, entry, found).await?,
        None => insert(connection, entry).await?,
    };
    if row.state == IntervalState::Done && row.kind == IntervalKind::Live {
        return merge_neighbours(connection, entry, row).await;
    }
    Ok(row.id)
}

/// The row of the entry's interval: the same start, owner and source (all imports share one
/// connector id), and the same kind where kinds do not mix.
async fn find(connection: &mut Connection, entry: &Entry<'_>) -> Result<Option<Found>> {
    let rows = sqlx::query(
        "SELECT id, start_time, end_time, kind, state FROM ledger
         WHERE connector_id = $1 AND stream = $2 AND start_time = $3 AND tenant = $4
             AND source = $5",
    )
    .bind(entry.connector)
    .bind(entry.stream.as_str())
    .bind(entry.interval.start.as_micros())
    .bind(entry.tenant.as_str())
    .bind(entry.source)
    .fetch_all(connection)
    .await
    .while_doing("find a ledger row")?;
    for row in &rows {
        let found = Found::of(row)?;
        if found.kind == entry.kind || (found.kind.covers() && entry.kind.covers()) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

async fn insert(connection: &mut Connection, entry: &Entry<'_>) -> Result<Found> {
    let start = entry.interval.start;
    let row = Found {
        id: Uuid::now_v7().to_string(),
        interval: Interval { start, end: entry.interval.end.max(start) },
        kind: entry.kind,
        state: entry.state(),
    };
    sqlx::query(
        "INSERT INTO ledger (id, connector_id, tenant, source, stream, start_time, end_time, kind,
             state, pages, polls, served, stored, duplicate, filtered, dead_lettered, first_at,
             last_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17)",
    )
    .bind(&row.id)
    .bind(entry.connector)
    .bind(entry.tenant.as_str())
    .bind(entry.source)
    .bind(entry.stream.as_str())
    .bind(start.as_micros())
    .bind(row.interval.end.as_micros())
    .bind(row.kind.as_str())
    .bind(row.state.as_str())
    .bind(stored_count(entry.pages))
    .bind(stored_count(entry.polls))
    .bind(stored_count(entry.counts.served))
    .bind(stored_count(entry.counts.stored))
    .bind(stored_count(entry.counts.duplicate))
    .bind(stored_count(entry.counts.filtered))
    .bind(stored_count(entry.counts.dead_lettered))
    .bind(entry.at.as_micros())
    .execute(connection)
    .await
    .while_doing("enter a ledger row")?;
    Ok(row)
}

async fn add(connection: &mut Connection, entry: &Entry<'_>, mut row: Found) -> Result<Found> {
    // An open interval may still be cut, and a done one opens again when it is asked to reach
    // further. Asking again for a part of what is done takes nothing away.
    if row.state == IntervalState::Open || entry.interval.end > row.interval.end {
        row.interval.end = entry.interval.end.max(row.interval.start);
        row.kind = entry.kind;
        row.state = entry.state();
    }
    sqlx::query(
        "UPDATE ledger SET end_time = $2, kind = $3, state = $4, pages = pages + $5,
             polls = polls + $6, served = served + $7, stored = stored + $8,
             duplicate = duplicate + $9, filtered = filtered + $10,
             dead_lettered = dead_lettered + $11,
             first_at = CASE WHEN $12 < first_at THEN $12 ELSE first_at END,
             last_at = CASE WHEN $12 > last_at THEN $12 ELSE last_at END
         WHERE id = $1",
    )
    .bind(&row.id)
    .bind(row.interval.end.as_micros())
    .bind(row.kind.as_str())
    .bind(row.state.as_str())
    .bind(stored_count(entry.pages))
    .bind(stored_count(entry.polls))
    .bind(stored_count(entry.counts.served))
    .bind(stored_count(entry.counts.stored))
    .bind(stored_count(entry.counts.duplicate))
    .bind(stored_count(entry.counts.filtered))
    .bind(stored_count(entry.counts.dead_lettered))
    .bind(entry.at.as_micros())
    .execute(connection)
    .await
    .while_doing("add to a ledger row")?;
    Ok(row)
}

/// Joins a finished poll with the finished polls that adjoin it in the same UTC hour. Answers the
/// id of the row that is left.
async fn merge_neighbours(
    connection: &mut Connection,
    entry: &Entry<'_>,
    row: Found,
) -> Result<String> {
    let mut kept = row;
    if let Some(earlier) = neighbour(connection, entry, &kept, Side::Before).await? {
        absorb(connection, &earlier, &kept).await?;
        let end = kept.interval.end;
        kept = earlier;
        kept.interval.end = end;
    }
    if let Some(later) = neighbour(connection, entry, &kept, Side::After).await? {
        absorb(connection, &kept, &later).await?;
    }
    Ok(kept.id)
}

#[derive(Clone, Copy)]
enum Side {
    Before,
    After,
}

/// The finished poll that ends where this row starts, or starts where it ends, if both start in the
/// same UTC hour.
async fn neighbour(
    connection: &mut Connection,
    entry: &Entry<'_>,
    row: &Found,
    side: Side,
) -> Result<Option<Found>> {
    let (sql, touch) = match side {
        Side::Before => (
            "SELECT id, start_time, end_time, kind, state FROM ledger
             WHERE connector_id = $1 AND stream = $2 AND end_time = $3 AND start_time < $3
                 AND kind = 'live' AND state = 'done' AND tenant = $4 AND source = $5 AND id <> $6
             ORDER BY start_time DESC LIMIT 1",
            row.interval.start,
        ),
        Side::After => (
            "SELECT id, start_time, end_time, kind, state FROM ledger
             WHERE connector_id = $1 AND stream = $2 AND start_time = $3
                 AND kind = 'live' AND state = 'done' AND tenant = $4 AND source = $5 AND id <> $6
             LIMIT 1",
            row.interval.end,
        ),
    };
    let found = sqlx::query(sql)
        .bind(entry.connector)
        .bind(entry.stream.as_str())
        .bind(touch.as_micros())
        .bind(entry.tenant.as_str())
        .bind(entry.source)
        .bind(&row.id)
        .fetch_optional(connection)
        .await
        .while_doing("find a neighbour in the ledger")?;
    let found = found.as_ref().map(Found::of).transpose()?;
    Ok(found.filter(|other| hour_of(other.interval.start) == hour_of(row.interval.start)))
}

fn hour_of(time: Timestamp) -> i64 {
    time.as_micros().div_euclid(MICROS_PER_HOUR)
}

/// Adds one row to another and removes it; its dead letters follow.
async fn absorb(connection: &mut Connection, kept: &Found, absorbed: &Found) -> Result<()> {
    const ACTION: &str = "merge ledger rows";
    let row = sqlx::query("SELECT * FROM ledger WHERE id = $1")
        .bind(&absorbed.id)
        .fetch_one(&mut *connection)
        .await
        .while_doing(ACTION)?;
    sqlx::query("UPDATE dead_letters SET ledger_id = $1 WHERE ledger_id = $2")
        .bind(&kept.id)
        .bind(&absorbed.id)
        .execute(&mut *connection)
        .await
        .while_doing(ACTION)?;
    sqlx::query("DELETE FROM ledger WHERE id = $1")
        .bind(&absorbed.id)
        .execute(&mut *connection)
        .await
        .while_doing(ACTION)?;
    let mut update = sqlx::query(
        "UPDATE ledger SET
             end_time = CASE WHEN $2 > end_time THEN $2 ELSE end_time END,
             first_at = CASE WHEN $3 < first_at THEN $3 ELSE first_at END,
             last_at = CASE WHEN $4 > last_at THEN $4 ELSE last_at END,
             pages = pages + $5, polls = polls + $6, served = served + $7, stored = stored + $8,
             duplicate = duplicate + $9, filtered = filtered + $10,
             dead_lettered = dead_lettered + $11
         WHERE id = $1",
    )
    .bind(&kept.id);
    for column in [
        "end_time",
        "first_at",
        "last_at",
        "pages",
        "polls",
        "served",
        "stored",
        "duplicate",
        "filtered",
        "dead_lettered",
    ] {
        update = update.bind(row.number(column)?);
    }
    update.execute(connection).await.while_doing(ACTION)?;
    Ok(())
}

/// Moves one record of a row from dead-lettered to what its replay made of it, so that the row
/// stays balanced.
pub(crate) async fn move_dead_letter(
    connection: &mut Connection,
    ledger_id: &str,
    to: Counts,
    at: Timestamp,
) -> Result<()> {
    let moved = sqlx::query(
        "UPDATE ledger SET dead_lettered = dead_lettered - 1, stored = stored + $2,
             duplicate = duplicate + $3, filtered = filtered + $4,
             last_at = CASE WHEN $5 > last_at THEN $5 ELSE last_at END
         WHERE id = $1 AND dead_lettered > 0",
    )
    .bind(ledger_id)
    .bind(stored_count(to.stored))
    .bind(stored_count(to.duplicate))
    .bind(stored_count(to.filtered))
    .bind(at.as_micros())
    .execute(connection)
    .await
    .while_doing("count a replayed dead letter")?;
    if moved.rows_affected() == 1 {
        return Ok(());
    }
    let what = "a dead letter is not counted in the ledger".to_owned();
    Err(CatalogError::Corrupt { what, source: None })
}
