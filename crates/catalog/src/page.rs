//! The one transaction after an append: cursor, ledger, dead letters and the mark that the batch is
//! applied, all or nothing.
//!
//! Only after it has committed may anything act as if the page were done.

use model::batch::{DeadLetter, TableCommit};
use model::ids::{BatchId, ConnectorId, StreamId, TenantId};
use model::ledger::Counts;
use model::time::{Interval, Timestamp};
use serde_json::Value;

use crate::applied;
use crate::connector::connector_exists;
use crate::cursor::put_cursor;
use crate::database::Connection;
use crate::dead_letter::insert_dead_letters;
use crate::error::{Result, WhileDoing};
use crate::failpoint;
use crate::ledger::{Entry, IntervalKind, enter};
use crate::open::Catalog;

/// What one page changes.
#[derive(Debug, Clone)]
pub struct PageCommit {
    /// The batch that carried the records. `None` only when the page had nothing to count: a page
    /// without a batch cannot be told from its own repetition.
    pub batch: Option<BatchId>,
    /// The connector, or the fixed id of bulk imports.
    pub connector: ConnectorId,
    /// The owner.
    pub tenant: TenantId,
    /// Where the records come from.
    pub source: String,
    /// The stream.
    pub stream: StreamId,
    /// Where the stream goes on; `None` for imports, which have nowhere to go on.
    pub cursor: Option<Value>,
    /// The interval that the page belongs to; `None` stands for the instant `at`.
    pub interval: Option<Interval>,
    /// Why the interval was asked for.
    pub kind: IntervalKind,
    /// Pages: 1, or more when several are reported as one.
    pub pages: u64,
    /// 1 when this page completes a poll.
    pub polls: u64,
    /// Whether this page completes its interval.
    pub finished: bool,
    /// What became of the page's records.
    pub counts: Counts,
    /// Records set aside.
    pub dead_letters: Vec<DeadLetter>,
    /// The lake's commits that hold rows of the batch.
    pub commits: Vec<TableCommit>,
    /// When.
    pub at: Timestamp,
}

/// Whether a write took effect now or had before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Applied {
    /// It took effect now.
    Now,
    /// The same batch was applied before: nothing was changed.
    AlreadyApplied,
}

impl Catalog {
    /// Applies a page. A batch that is applied already changes nothing, so a caller that does not
    /// know whether an attempt succeeded tries again. When the connector was deleted meanwhile, its
    /// cursor is dropped and the page is counted all the same.
    ///
    /// # Errors
    /// Nothing was written, or (after a failure while committing) it is unknown: try again.
    pub async fn apply_page(&self, page: PageCommit) -> Result<Applied> {
        let applied = self.apply_many(vec![page]).await?;
        Ok(applied.first().copied().unwrap_or(Applied::AlreadyApplied))
    }

    /// Applies several pages in order in one transaction, which costs one sync of the disk.
    ///
    /// # Errors
    /// As [`Catalog::apply_page`], for all of them together.
    pub async fn apply_many(&self, pages: Vec<PageCommit>) -> Result<Vec<Applied>> {
        const ACTION: &str = "apply pages";
        let mut transaction = self.pools.begin(ACTION).await?;
        let mut answers = Vec::with_capacity(pages.len());
        for page in &pages {
            answers.push(apply(&mut transaction, page).await?);
        }
        failpoint::hit("catalog.apply_page.before_commit", self.place())?;
        transaction.commit().await.while_doing(ACTION)?;
        failpoint::hit("catalog.apply_page.after_commit", self.place())?;
        Ok(answers)
    }
}

/// Applies a page inside a transaction.
pub(crate) async fn apply(connection: &mut Connection, page: &PageCommit) -> Result<Applied> {
    if let Some(batch) = page.batch {
        if applied::is_applied(connection, batch).await? {
            return Ok(Applied::AlreadyApplied);
        }
        applied::remember(connection, batch, &page.commits, page.at).await?;
    }
    let connector = page.connector.to_string();
    if let Some(cursor) = &page.cursor {
        if connector_exists(connection, &connector).await? {
            put_cursor(connection, &connector, &page.stream, cursor, page.at).await?;
        } else {
            tracing::debug!(connector.id = %connector, "dropped the cursor of a deleted connector");
        }
    }
    let entry = Entry {
        connector: &connector,
        tenant: &page.tenant,
        source: &page.source,
        stream: &page.stream,
        interval: page.interval.unwrap_or(Interval { start: page.at, end: page.at }),
        kind: page.kind,
        finished: page.finished,
        pages: page.pages,
        polls: page.polls,
        counts: page.counts,
        at: page.at,
    };
    let row = enter(connection, &entry).await?;
    insert_dead_letters(connection, &row, &entry, &page.dead_letters).await?;
    Ok(Applied::Now)
}
