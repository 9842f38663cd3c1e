//! One page of one stream: fetched, identified, appended, then entered, and last acknowledged to a vendor
//! that waits to hear so. In this order (I1).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use catalog::{IntervalKind, PageCommit};
use model::batch::{Batch, CommitReceipt, DeadLetter, IdentifiedRecord, Receipt, TableCommit};
use model::failpoint;
use model::ids::BatchId;
use model::ledger::Counts;
use model::time::{Interval, Timestamp};
use model::vendor::{Ask, FetchError, Key, Page, Stream};
use query::store::StoreError;
use serde_json::Value;

use super::Services;
use super::coverage::Kind;
use super::cursor::Cursor;
use super::drift::{self, Shape};
use super::target::{Feed, Target};
use super::token::PageNote;
use crate::budget::Sender;

/// A page to be read: whose, with which key, and the cursor that it moves.
pub struct Job {
    /// The connector.
    pub target: Arc<Target>,
    /// The stream.
    pub stream: Stream,
    /// Its cursor, given back with the outcome.
    pub coverage: Cursor,
    /// What the stream's records look like.
    pub shape: Arc<Mutex<Shape>>,
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
    pub coverage: Cursor,
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

/// How long to wait between attempts to enter a page whose rows are durable already.
pub(crate) const ENTER_RETRY: Duration = Duration::from_secs(2);

/// Reads one page to its end: rows durable, then cursor and ledger.
pub async fn read(job: Job, services: Services) -> Outcome {
    let Job { target, stream, mut coverage, shape, interval, kind, key, ask, sender } = job;
    let Some(feed) = target.content_types.get(&stream.content_type) else {
        // Streams come from the checked content types, so their feed exists.
        return Outcome { coverage, interval, result: Ok(Counts::default()) };
    };
    let page = match target.connection.fetch(&key, &ask, &sender).await {
        Ok(page) => page,
        Err(error) => return Outcome { coverage, interval, result: Err(error.into()) },
    };
    let served = page.served();
    let (next, is_caught_up) = (page.next.clone(), page.is_caught_up);
    let (batch, dead_letters) = identify(page, &target, feed, &stream, interval, &services);
    let id = batch.id;
    let times = batch.records.iter().map(|record| record.time);
    let oldest = times.filter(|time| *time != Timestamp::EPOCH).min();
    let shape = observe(&shape, &batch, services.clock.now());
    let watch = services.failed.watch(id);
    let receipt = match append(batch, &services).await {
        Ok(receipt) => receipt,
        Err(error) => {
            return Outcome { coverage, interval, result: Err(PageError::Store(error)) };
        }
    };
    let counts = Counts::of_page(served, dead_letters.len() as u64, receipt.as_ref());
    let note = PageNote { served, next, is_caught_up, oldest, at: services.clock.now() };
    let finished = coverage.page(interval, note, &feed.facts);
    let mut commit = PageCommit {
        batch: (served > 0).then_some(id),
        connector: target.id,
        tenant: target.tenant.clone(),
        source: feed.source.id.clone(),
        stream: stream.id.clone(),
        cursor: serde_json::to_value(&coverage).ok(),
        interval: Some(interval),
        kind: ledger_kind(kind),
        pages: 1,
        polls: u64::from(finished),
        finished,
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
    watch.entered();
    failpoint::hit("engine.before_acknowledge", target.name.as_str());
    target.connection.acknowledge(&stream).await;
    if let Some(shape) = shape {
        note_shape(&target, &stream, &shape, &services).await;
    }
    Outcome { coverage, interval, result: Ok(counts) }
}

/// Looks at the records of a page; answers the stream's shape when it should be stored.
fn observe(shape: &Mutex<Shape>, batch: &Batch, now: Timestamp) -> Option<Value> {
    let mut shape = drift::lock(shape);
    for record in &batch.records {
        shape.observe(record.record.raw(), now);
    }
    shape.take_changed().then(|| serde_json::to_value(&*shape).ok()).flatten()
}

/// Stores a stream's shape. It is a help for people: without it, it is learned again.
async fn note_shape(target: &Target, stream: &Stream, shape: &Value, services: &Services) {
    let now = services.clock.now();
    if let Err(error) = services.catalog.put_shape(target.id, &stream.id, shape, now).await {
        tracing::warn!(stream = %stream.id, %error, "failed to store the shape of records");
    }
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
            // First, because entering may be cut off.
            services.failed.add(id);
            if let StoreError::Unfinished { committed, .. } = &error {
                enter_unfinished(committed, services).await;
            }
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
