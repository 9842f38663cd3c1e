//! A dead letter that is a whole document, such as a packed object that could not be read: its bytes, or the name by
//! which the vendor gives it again. A replay reads it as the connector would, and each of its records takes the same
//! road as any other.

use std::sync::Arc;

use ::connectors::client::is_gzip;
use ::connectors::formats::Records;
use bytes::Bytes;
use catalog::{IntervalKind, PageCommit, StoredDeadLetter};
use model::batch::{Batch, DeadLetter, IdentifiedRecord};
use model::ids::BatchId;
use model::ledger::Counts;
use model::mapping::Mapping;
use model::record::Record;
use model::source::Source;
use model::vendor::{IsForeign, Reopened};
use tokio::sync::mpsc;

use crate::app::App;
use crate::collect::page;
use crate::error::EngineError;

/// Records that are appended at once.
const CHUNK: usize = 5_000;

/// How a document is read and what its records are.
pub(crate) struct Reader {
    /// Where the records come from.
    pub(crate) source: Arc<Source>,
    /// The connector's name, for the rows.
    pub(crate) connector_name: String,
    /// Identity and events, the transform included.
    pub(crate) mapping: Arc<dyn Mapping>,
    /// The array in the vendor's documents.
    pub(crate) envelope: Option<&'static str>,
    /// Documents that hold no records.
    pub(crate) is_foreign: Option<IsForeign>,
}

/// What a document gave.
pub(crate) struct Outcome {
    /// Its records, in the ledger under the replay.
    pub(crate) counts: Counts,
    /// Why it is not done with, if it is not.
    pub(crate) problem: Option<String>,
}

impl App {
    /// Opens the document that a letter is or names; `None` when it is a single record.
    pub(crate) async fn document_of(
        &self,
        letter: &StoredDeadLetter,
        raw: &Bytes,
    ) -> Result<Option<Reopened>, String> {
        if is_gzip(raw) {
            return Ok(Some(Box::new(std::io::Cursor::new(raw.clone()))));
        }
        let stored = self.services.catalog.connector(letter.connector).await;
        let Ok(Some(stored)) = stored else { return elsewhere(raw) };
        let checked = self
            .document(&stored)
            .ok()
            .and_then(|document| self.checked(&document.plan, &document.credential).ok());
        let Some(checked) = checked else { return Ok(None) };
        checked.connection.reopen(raw).await.map_err(|error| error.to_string())
    }

    /// Reads a document to its end; its records are stored even when not all of it can be read.
    pub(crate) async fn replay_document(
        &self,
        letter: &StoredDeadLetter,
        reader: Reader,
        input: Reopened,
    ) -> Result<Outcome, EngineError> {
        let (envelope, is_foreign) = (reader.envelope, reader.is_foreign);
        let (sender, mut items) = mpsc::channel(1);
        let cut = tokio::task::spawn_blocking(move || cut(input, envelope, is_foreign, &sender));
        let mut outcome = Outcome { counts: Counts::default(), problem: None };
        while let Some(chunk) = items.recv().await {
            let mut records = Vec::with_capacity(chunk.len());
            for item in chunk {
                match identified(item, letter, &reader) {
                    Ok(record) => records.push(record),
                    Err(problem) => {
                        outcome.problem.get_or_insert(problem);
                    }
                }
            }
            self.append_replayed(letter, &reader, records, &mut outcome).await?;
        }
        if cut.await.is_err() {
            outcome.problem.get_or_insert("the thread that read it failed".to_owned());
        }
        if outcome.counts.served == 0 {
            outcome.problem.get_or_insert("it holds no record".to_owned());
        }
        Ok(outcome)
    }

    async fn append_replayed(
        &self,
        letter: &StoredDeadLetter,
        reader: &Reader,
        records: Vec<IdentifiedRecord>,
        outcome: &mut Outcome,
    ) -> Result<(), EngineError> {
        let served = records.len() as u64;
        let at = self.services.clock.now();
        let batch = Batch {
            id: BatchId::generate(),
            install: self.services.install,
            tenant: letter.tenant.clone(),
            connector: letter.connector,
            connector_name: reader.connector_name.clone(),
            source: reader.source.clone(),
            stream: letter.stream.clone(),
            interval: None,
            ingest_time: at,
            records,
            mapping: reader.mapping.clone(),
        };
        let id = batch.id;
        let Some(receipt) = page::append(batch, &self.services).await? else { return Ok(()) };
        let counts = Counts::of_page(served, 0, Some(&receipt));
        let commit = PageCommit {
            batch: Some(id),
            connector: letter.connector,
            tenant: letter.tenant.clone(),
            source: reader.source.id.clone(),
            stream: letter.stream.clone(),
            cursor: None,
            interval: None,
            kind: IntervalKind::Replay,
            pages: 1,
            polls: 0,
            finished: true,
            counts,
            dead_letters: receipt.dead_letters,
            commits: receipt.commits,
            at,
        };
        page::enter(commit, &self.services).await;
        outcome.counts += counts;
        Ok(())
    }
}

/// A letter of a stack may be the name of an object in an account that this machine cannot read from.
fn elsewhere(raw: &Bytes) -> Result<Option<Reopened>, String> {
    match std::str::from_utf8(raw) {
        Ok(name) if name.starts_with("s3://") => Err(format!(
            "its bytes were not sent, only its name: `tarn ingest --source {} {name}` reads it where that account \
             lets you, then discard the letter",
            crate::stacks::push::SOURCE
        )),
        _ => Ok(None),
    }
}

fn identified(
    item: Result<Record, DeadLetter>,
    letter: &StoredDeadLetter,
    reader: &Reader,
) -> Result<IdentifiedRecord, String> {
    let record = item.map_err(|unusable| unusable.reason)?;
    let identity = reader.mapping.identify(record.raw()).map_err(|error| error.to_string())?;
    Ok(IdentifiedRecord::new(record, &identity, &letter.tenant, &reader.source))
}

/// Cuts a document into chunks of items until its end, or until nobody wants more.
fn cut(
    input: Reopened,
    envelope: Option<&'static str>,
    is_foreign: Option<IsForeign>,
    chunks: &mpsc::Sender<Vec<Result<Record, DeadLetter>>>,
) {
    let records = match Records::new(input, envelope) {
        Ok(records) => records.passing_over(is_foreign),
        Err(error) => {
            let letter = DeadLetter { raw: Bytes::new(), reason: error.to_string() };
            // Whoever does not wait any more does not need to know.
            drop(chunks.blocking_send(vec![Err(letter)]));
            return;
        }
    };
    let mut chunk = Vec::new();
    for item in records {
        chunk.push(item);
        if chunk.len() >= CHUNK && chunks.blocking_send(std::mem::take(&mut chunk)).is_err() {
            return;
        }
    }
    drop(chunks.blocking_send(chunk));
}
