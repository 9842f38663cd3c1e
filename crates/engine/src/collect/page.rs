//! One page of one stream: fetched, identified, appended, then entered. In this order (I1).

use std::sync::Arc;
use std::time::Duration;

use catalog::{IntervalKind, PageCommit};
use model::batch::{Batch, CommitReceipt, DeadLetter, IdentifiedRecord, Receipt, TableCommit};
use model::ids::BatchId;
use model::ledger::Counts;
use model::time::Interval;
use model::vendor::{Ask, FetchError, Key, Page, Stream};
use query::store::StoreError;

use super::Services;
use super::coverage::{Coverage, Kind};
use super::target::{Feed, Target};
use crate::budget::Sender;

/// A page to be read: whose, with which key, and the cursor that it moves.
pub struct Job {
    /// The connector.
    pub target: Arc<Target>,
    /// The stream.
    pub stream: Stream,
    /// Its cursor, given back with the outcome.
    pub coverage: Coverage,
    /// The open interval that the page belongs to.
    pub interval: Interval,
    /// Why that interval is open.
    pub kind: Kind,
    /// The key.
    pub key: Key,
    /// What is asked for.
    pub ask: Ask,
    /// The right to send.
    pub sender: Sender,
}

/// What became of a page.
pub struct Outcome {
    /// The stream's cursor: moved when the page was entered, else as it was.
    pub coverage: Coverage,
    /// The open interval that it was about.
    pub interval: Interval,
    /// The counts entered, or why there are none.
    pub result: Result<Counts, PageError>,
}

/// Why a page was not entered.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The vendor did not give it.
    #[error(transparent)]
    Fetch(#[from] FetchError),
    /// The lake did not take it; it will be asked for again.
    #[error("failed to store a page")]
    Store(#[source] StoreError),
}

/// Pages after which an interval that was cut for about four is taken for a circle of links, and
/// asked for again in halves. A real crowd of records only costs repeats.
const CIRCLE: u64 = 100;
/// How long to wait between attempts to enter a page whose rows are durable already.
const ENTER_RETRY: Duration = Duration::from_secs(2);

/// Reads one page to its end: rows durable, then cursor and ledger.
pub async fn read(job: Job, services: Services) -> Outcome {
    let Job { target, stream, mut coverage, interval, kind, key, ask, sender } = job;
    let Some(feed) = target.content_types.get(&stream.content_type) else {
        // Streams come from the checked content types, so their feed exists.
        return Outcome { coverage, interval, result: Ok(Counts::default()) };
    };
    let page = match target.connection.fetch(&key, &ask, &sender).await {
        Ok(page) => page,
        Err(error) => return Outcome { coverage, interval, result: Err(error.into()) },
    };
    let served = page.served();
    let next = page.next.clone();
    let (batch, dead_letters) = identify(page, &target, feed, &stream, interval, &services);
    let id = batch.id;
    let receipt = match append(batch, &services).await {
        Ok(receipt) => receipt,
        Err(error) => {
            return Outcome { coverage, interval, result: Err(PageError::Store(error)) };
        }
    };
    let counts = Counts::of_page(served, dead_letters.len() as u64, receipt.as_ref());
    coverage.page(interval.start, served, next.clone());
    if next.is_some() && coverage.pages(interval.start) >= CIRCLE {
        tracing::warn!(stream = %stream.id, %interval, "paging does not end: asking again in halves");
        coverage.restart(interval.start, true);
    }
    let mut commit = PageCommit {
        batch: (served > 0).then_some(id),
        connector: target.id,
        tenant: target.tenant.clone(),
        source: feed.source.id.clone(),
        stream: stream.id,
        cursor: serde_json::to_value(&coverage).ok(),
        interval: Some(interval),
        kind: ledger_kind(kind),
        pages: 1,
        polls: u64::from(next.is_none()),
        finished: next.is_none(),
        counts,
        dead_letters,
        commits: Vec::new(),
        at: services.clock.now(),
    };
    if let Some(receipt) = receipt {
        commit.dead_letters.extend(receipt.dead_letters);
        commit.commits = receipt.commits;
    }
    enter(commit, &services).await;
    Outcome { coverage, interval, result: Ok(counts) }
}

/// Gives each record its identity; what cannot have one becomes a dead letter.
fn identify(
    page: Page,
    target: &Target,
    feed: &Feed,
    stream: &Stream,
    interval: Interval,
    services: &Services,
) -> (Batch, Vec<DeadLetter>) {
    let mut dead_letters = page.unusable;
    let mut records = Vec::with_capacity(page.records.len());
    for record in page.records {
        match feed.mapping.identify(record.raw()) {
            Ok(identity) => {
                let source = &feed.source;
                records.push(IdentifiedRecord::new(record, &identity, &target.tenant, source));
            }
            Err(unusable) => {
                dead_letters
                    .push(DeadLetter { raw: record.raw().clone(), reason: unusable.to_string() });
            }
        }
    }
    let batch = Batch {
        id: BatchId::generate(),
        install: services.install,
        tenant: target.tenant.clone(),
        connector: target.id,
        connector_name: target.name.to_string(),
        source: feed.source.clone(),
        stream: stream.id.clone(),
        interval: Some(interval),
        ingest_time: services.clock.now(),
        records,
        mapping: feed.mapping.clone(),
    };
    (batch, dead_letters)
}

/// Appends a batch that holds records; answers `None` for an empty one.
pub(crate) async fn append(
    batch: Batch,
    services: &Services,
) -> Result<Option<Receipt>, StoreError> {
    if batch.records.is_empty() {
        return Ok(None);
    }
    let id = batch.id;
    match services.store.append(vec![batch]).await {
        Ok(mut receipts) => Ok(receipts.pop()),
        Err(error) => {
            if let StoreError::Unfinished { committed, .. } = &error {
                enter_unfinished(committed, services).await;
            }
            services.failed.add(id);
            Err(error)
        }
    }
}

/// Enters the rows of a failed append that are durable all the same: when its records come again
/// they are duplicates, and the ledger must know where the first ones went (I3).
async fn enter_unfinished(committed: &[(CommitReceipt, TableCommit)], services: &Services) {
    let enter = || services.catalog.recover(committed.to_vec(), services.clock.now());
    while let Err(error) = enter().await {
        tracing::error!(%error, "failed to enter the rows of an unfinished append");
        services.clock.sleep_until(services.clock.now() + ENTER_RETRY).await;
    }
}

/// Enters a page whose rows are durable. The rows cannot be taken back, so this does not give up:
/// if the process dies first, their receipts in the lake are entered at the next start.
pub(crate) async fn enter(commit: PageCommit, services: &Services) {
    while let Err(error) = services.catalog.apply_page(commit.clone()).await {
        tracing::error!(stream = %commit.stream, %error, "failed to enter a page in the catalog");
        services.clock.sleep_until(services.clock.now() + ENTER_RETRY).await;
    }
}

fn ledger_kind(kind: Kind) -> IntervalKind {
    match kind {
        Kind::Live => IntervalKind::Live,
        Kind::Gap => IntervalKind::Gap,
        Kind::Backfill => IntervalKind::Backfill,
    }
}
