//! Bulk import: records from files take the same road as collected ones, under a stream of their own.
//!
//! A thread reads, cuts and identifies; while a chunk is appended, it makes the next one ready.

use std::io::Read;
use std::sync::Arc;

use ::connectors::formats::Records;
use catalog::{IntervalKind, PageCommit};
use model::batch::{Batch, DeadLetter, IdentifiedRecord};
use model::ids::{BatchId, ConnectorId, StreamId, TenantId};
use model::ledger::Counts;
use model::mapping::{EventSink, Mapping, Verdict};
use model::ocsf::Event;
use model::record::Record;
use model::source::Source;
use model::vendor::IsForeign;
use serde_json::Value;
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::app::App;
use crate::collect::page;
use crate::error::EngineError;

/// The connector id that imported rows carry.
pub const IMPORT: ConnectorId = ConnectorId(Uuid::nil());
/// The connector name that imported rows carry.
pub const IMPORT_NAME: &str = "import";
/// Records and bytes that are appended at once.
const CHUNK_RECORDS: usize = 5_000;
const CHUNK_BYTES: usize = 16 << 20;
/// Chunks that are ready while another is appended.
const CHUNKS_AHEAD: usize = 1;

/// A source with what reads its records.
#[derive(Clone)]
pub struct Reading {
    pub(crate) source: Arc<Source>,
    pub(crate) mapping: Arc<dyn Mapping>,
    pub(crate) envelope: Option<&'static str>,
    pub(crate) is_foreign: Option<IsForeign>,
}

/// One record's event, or the record and the reason why it has none.
pub type Normalised = Result<Value, DeadLetter>;

/// Where an import stands; given to a progress bar after each chunk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Records so far.
    pub counts: Counts,
    /// Bytes of records so far.
    pub bytes: u64,
    /// How often another writer of the lake committed first, and records were looked up again.
    pub conflicts: u64,
    /// Documents that are no records and hold none, and were passed over.
    pub passed_over: u64,
}

impl App {
    /// Finds what reads a source's records.
    ///
    /// # Errors
    /// The source is unknown; the hint lists the known ones.
    pub fn reading(&self, source: &str) -> Result<Reading, EngineError> {
        let unknown = || {
            let known: Vec<&str> = self.sources.iter().map(|source| source.id.as_str()).collect();
            EngineError::Invalid {
                problem: format!("the source `{source}` is unknown"),
                hint: format!("write one of: {}", known.join(", ")),
            }
        };
        let found = self.sources.get(source).cloned().ok_or_else(unknown)?;
        let (integration, content_type) = source.split_once('.').ok_or_else(unknown)?;
        let integration = self.registry.get(integration).ok_or_else(unknown)?;
        Ok(Reading {
            source: found,
            mapping: integration.mapping(content_type).ok_or_else(unknown)?,
            envelope: integration.envelope_field(content_type),
            is_foreign: integration.foreign(content_type),
        })
    }

    /// Imports everything that a reader gives. `name` is the file's name, for the ledger. At any time
    /// memory holds three chunks at most, each of 5,000 records or 16 MB.
    ///
    /// # Errors
    /// The lake or the catalog fails; what was appended before stays, and importing the same file
    /// again stores only the rest.
    pub async fn import(
        &self,
        reading: &Reading,
        tenant: &TenantId,
        name: &str,
        input: impl Read + Send + 'static,
        mut progress: impl FnMut(Progress),
    ) -> Result<Progress, EngineError> {
        self.services.catalog.ensure_tenant(tenant, self.services.clock.now()).await?;
        let stream = stream_of(name);
        let mut total = Progress::default();
        let (chunks, mut ready) = mpsc::channel(CHUNKS_AHEAD);
        let reader = tokio::task::spawn_blocking({
            let (reading, tenant, name) = (reading.clone(), tenant.clone(), name.to_owned());
            move || read_chunks(input, &reading, &tenant, &name, &chunks)
        });
        while let Some(chunk) = ready.recv().await {
            self.append_chunk(chunk, reading, tenant, &stream, &mut total).await?;
            progress(total);
        }
        total.passed_over = reader.await.map_err(EngineError::Reader)??;
        progress(total);
        Ok(total)
    }

    async fn append_chunk(
        &self,
        chunk: Chunk,
        reading: &Reading,
        tenant: &TenantId,
        stream: &StreamId,
        total: &mut Progress,
    ) -> Result<(), EngineError> {
        let served = chunk.served();
        let now = self.services.clock.now();
        let batch = Batch {
            id: BatchId::generate(),
            install: self.services.install,
            tenant: tenant.clone(),
            connector: IMPORT,
            connector_name: IMPORT_NAME.to_owned(),
            source: reading.source.clone(),
            stream: stream.clone(),
            interval: None,
            ingest_time: now,
            records: chunk.records,
            mapping: reading.mapping.clone(),
        };
        let id = batch.id;
        let watch = self.services.failed.watch(id);
        let receipt = page::append(batch, &self.services).await?;
        let unusable = chunk.dead_letters.len() as u64;
        let counts = Counts::of_page(served, unusable, receipt.as_ref());
        let mut dead_letters = chunk.dead_letters;
        let mut commits = Vec::new();
        if let Some(receipt) = receipt {
            dead_letters.extend(receipt.dead_letters);
            commits = receipt.commits;
            total.conflicts += u64::from(receipt.conflicts);
        }
        let commit = PageCommit {
            batch: Some(id),
            connector: IMPORT,
            tenant: tenant.clone(),
            source: reading.source.id.clone(),
            stream: stream.clone(),
            cursor: None,
            interval: None,
            kind: IntervalKind::Import,
            pages: 1,
            polls: 1,
            finished: true,
            counts,
            dead_letters,
            commits,
            at: now,
        };
        page::enter(commit, &self.services).await;
        watch.entered();
        total.counts += counts;
        total.bytes += chunk.bytes as u64;
        Ok(())
    }
}

/// Reads a file to its end, or as far as somebody wants its chunks. Answers how many documents were
/// passed over.
fn read_chunks(
    input: impl Read + Send,
    reading: &Reading,
    tenant: &TenantId,
    name: &str,
    chunks: &mpsc::Sender<Chunk>,
) -> Result<u64, EngineError> {
    let mut chunk = Chunk::default();
    let mut records = open(input, reading, name)?;
    for item in records.by_ref() {
        chunk.take(item, reading, tenant);
        if chunk.is_full() && chunks.blocking_send(std::mem::take(&mut chunk)).is_err() {
            return Ok(records.passed_over());
        }
    }
    if chunk.served() > 0 && chunks.blocking_send(chunk).is_err() {
        tracing::debug!(name, "nobody waits for the last chunk of a file");
    }
    Ok(records.passed_over())
}

/// Records read from a file and not yet appended.
#[derive(Default)]
struct Chunk {
    records: Vec<IdentifiedRecord>,
    dead_letters: Vec<DeadLetter>,
    bytes: usize,
}

impl Chunk {
    fn take(&mut self, item: Result<Record, DeadLetter>, reading: &Reading, tenant: &TenantId) {
        let record = match item {
            Ok(record) => record,
            Err(dead) => return self.dead_letters.push(dead),
        };
        self.bytes += record.raw().len();
        match reading.mapping.identify(record.raw()) {
            Ok(identity) => {
                let source = &reading.source;
                self.records.push(IdentifiedRecord::new(record, &identity, tenant, source));
            }
            Err(unusable) => self
                .dead_letters
                .push(DeadLetter { raw: record.raw().clone(), reason: unusable.to_string() }),
        }
    }

    fn is_full(&self) -> bool {
        self.served() >= CHUNK_RECORDS as u64 || self.bytes >= CHUNK_BYTES
    }

    fn served(&self) -> u64 {
        (self.records.len() + self.dead_letters.len()) as u64
    }
}

/// The stream of an imported file: its name, without what an identifier cannot hold.
fn stream_of(name: &str) -> StreamId {
    let printable: String = name.chars().filter(|c| !c.is_control()).collect();
    let mut start = printable.len().saturating_sub(180);
    while !printable.is_char_boundary(start) {
        start += 1;
    }
    let fallback =
        || StreamId::new(IMPORT_NAME).unwrap_or_else(|_| unreachable!("`import` is valid"));
    StreamId::new(&printable[start..]).unwrap_or_else(|_| fallback())
}

impl Reading {
    /// Normalises everything that a reader gives without storing it: one pure OCSF event per
    /// record, `raw_data` included, or the reason why there is none.
    ///
    /// # Errors
    /// Not even the start of the input can be read.
    pub fn normalise<'a>(
        &'a self,
        name: &str,
        input: impl Read + Send + 'a,
    ) -> Result<Normalising<'a>, EngineError> {
        Ok(Normalising { records: open(input, self, name)?, reading: self })
    }

    fn event(&self, record: &Record) -> Result<Value, DeadLetter> {
        let dead = |reason: String| DeadLetter { raw: record.raw().clone(), reason };
        let identity =
            self.mapping.identify(record.raw()).map_err(|error| dead(error.to_string()))?;
        let mut sink = OneEvent::default();
        match self.mapping.normalise(record.raw(), &mut sink) {
            Verdict::Refused(reason) => return Err(dead(reason)),
            Verdict::Filtered => return Err(dead("dropped by the transform".to_owned())),
            Verdict::Kept => {}
        }
        let mut event = sink.0.ok_or_else(|| dead("the mapping gave no event".to_owned()))?;
        if let Value::Object(fields) = &mut event {
            let time =
                identity.time.and_then(model::time::Timestamp::plausible).unwrap_or_default();
            fields.insert("time".to_owned(), time.as_millis().into());
            let raw = String::from_utf8_lossy(record.raw()).into_owned();
            fields.insert("raw_data".to_owned(), raw.into());
        }
        Ok(event)
    }
}

/// The events of a file, one by one.
pub struct Normalising<'a> {
    records: Records<'a>,
    reading: &'a Reading,
}

impl Normalising<'_> {
    /// Documents that are no records and hold none, and were passed over so far.
    pub fn passed_over(&self) -> u64 {
        self.records.passed_over()
    }
}

impl Iterator for Normalising<'_> {
    type Item = Normalised;

    fn next(&mut self) -> Option<Normalised> {
        let item = self.records.next()?;
        Some(item.and_then(|record| self.reading.event(&record)))
    }
}

fn open<'a>(
    input: impl Read + Send + 'a,
    reading: &Reading,
    name: &str,
) -> Result<Records<'a>, EngineError> {
    Records::new(input, reading.envelope)
        .map(|records| records.passing_over(reading.is_foreign))
        .map_err(|source| EngineError::Read { path: name.to_owned(), source })
}

#[derive(Default)]
struct OneEvent(Option<Value>);

impl EventSink for OneEvent {
    fn push(&mut self, event: &Event<'_>) {
        self.0 = Some(event.to_value());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_of_a_long_path_is_its_end_and_never_splits_a_character() {
        let stream = stream_of(&format!("/{}/保存.json", "経".repeat(100)));
        assert!(stream.as_str().ends_with("保存.json"));
        assert!(stream.as_str().len() <= 180);
        assert_eq!(stream_of("\u{7}").as_str(), IMPORT_NAME);
    }
}
