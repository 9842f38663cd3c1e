//! From the new records of a tenant and day to encoded Parquet files, one per class. No I/O.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use bytes::Bytes;
use model::batch::Batch;
use model::identity::Uid;
use model::ids::TenantId;
use model::mapping::{EventSink, Verdict};
use model::ocsf::{Class, Event};
use model::time::{Day, Timestamp};
use parquet::arrow::ArrowWriter;
use parquet::errors::ParquetError;

use super::fate::{Fate, Portion, Slot};
use crate::columns::file;
use crate::columns::rows::Rows;
use crate::error::LakeError;

/// A file that is ready to be written.
pub(crate) struct Built {
    pub(crate) class: Class,
    pub(crate) tenant: TenantId,
    pub(crate) day: Day,
    pub(crate) content: Bytes,
    /// The rows in order.
    pub(crate) rows: Vec<BuiltRow>,
    /// Rows per source.
    pub(crate) sources: BTreeMap<String, u64>,
}

/// A row of a file: which record it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BuiltRow {
    pub(crate) slot: Slot,
    pub(crate) time: Timestamp,
    pub(crate) uid: Uid,
}

/// What building a portion gave.
#[derive(Default)]
pub(crate) struct Outcome {
    /// Records that are decided without a row.
    pub(crate) decided: Vec<(Slot, Fate)>,
    /// Files with the rows of all others.
    pub(crate) files: Vec<Built>,
}

/// Normalises the records of a portion into rows and encodes them.
pub(crate) fn build(batches: &[Batch], portion: &Portion) -> Result<Outcome, LakeError> {
    let mut outcome = Outcome::default();
    let mut open: HashMap<Class, Open> = HashMap::new();
    let mut kept: HashSet<Uid> = HashSet::with_capacity(portion.slots.len());
    for slot in &portion.slots {
        let batch = &batches[slot.batch as usize];
        let record = &batch.records[slot.record as usize];
        if kept.contains(&record.uid) {
            outcome.decided.push((*slot, Fate::Duplicate));
            continue;
        }
        match put(batch, *slot, &mut open) {
            Ok(()) => {
                kept.insert(record.uid);
            }
            Err(fate) => outcome.decided.push((*slot, fate)),
        }
    }
    let mut open: Vec<(Class, Open)> = open.into_iter().collect();
    open.sort_unstable_by_key(|(class, _)| *class);
    for (class, open) in open {
        if !open.placed.is_empty() {
            outcome.files.push(open.close(class, portion, batches)?);
        }
    }
    Ok(outcome)
}

/// A file under construction.
struct Open {
    rows: Rows,
    placed: Vec<BuiltRow>,
}

impl Open {
    fn close(self, class: Class, portion: &Portion, batches: &[Batch]) -> Result<Built, LakeError> {
        let mut sources: BTreeMap<String, u64> = BTreeMap::new();
        for row in &self.placed {
            let source = &batches[row.slot.batch as usize].source.id;
            match sources.get_mut(source) {
                Some(count) => *count += 1,
                None => {
                    sources.insert(source.clone(), 1);
                }
            }
        }
        let columns = self.rows.finish()?;
        let content = encode(&columns).map_err(|source| LakeError::Encode { class, source })?;
        let (tenant, day) = (portion.tenant.clone(), portion.day);
        Ok(Built { class, tenant, day, content, rows: self.placed, sources })
    }
}

/// Puts the event of a record into the file of its class, or says why there is none.
fn put(batch: &Batch, slot: Slot, open: &mut HashMap<Class, Open>) -> Result<(), Fate> {
    let record = &batch.records[slot.record as usize];
    let raw = std::str::from_utf8(record.record.raw())
        .map_err(|error| Fate::Dead(format!("the record is not UTF-8 text: {error}")))?;
    let mut sink = Sink { classes: &batch.source.classes, open, taken: None, strange: None };
    let verdict =
        catch_unwind(AssertUnwindSafe(|| batch.mapping.normalise(record.record.raw(), &mut sink)));
    let Sink { taken, strange, .. } = sink;
    if let Some(class) = taken {
        if let Some(file) = open.get_mut(&class) {
            file.rows.complete(batch, record, raw);
            file.placed.push(BuiltRow { slot, time: record.time, uid: record.uid });
        }
        return Ok(());
    }
    Err(match (verdict, strange) {
        (Ok(Verdict::Filtered), _) => Fate::Filtered,
        (Ok(Verdict::Refused(reason)), _) => Fate::Dead(reason),
        (Ok(Verdict::Kept), Some(class)) => Fate::Dead(format!(
            "the mapping of `{}` gave a `{class}`, which is not declared",
            batch.source.id
        )),
        (Ok(Verdict::Kept), None) => Fate::Dead("the mapping gave no event".to_owned()),
        (Err(_), _) => Fate::Dead("the mapping panicked on this record".to_owned()),
    })
}

/// Takes the event of one record.
struct Sink<'g> {
    classes: &'g [Class],
    open: &'g mut HashMap<Class, Open>,
    taken: Option<Class>,
    strange: Option<Class>,
}

impl EventSink for Sink<'_> {
    fn push(&mut self, event: &Event<'_>) {
        let class = event.class();
        if self.taken.is_some() {
            tracing::error!(%class, "a mapping gave a second event for one record; it is dropped");
            return;
        }
        if !self.classes.contains(&class) {
            self.strange = Some(class);
            return;
        }
        let file = self
            .open
            .entry(class)
            .or_insert_with(|| Open { rows: Rows::new(class), placed: Vec::new() });
        file.rows.put_event(event);
        self.taken = Some(class);
    }
}

fn encode(columns: &arrow::array::RecordBatch) -> Result<Bytes, ParquetError> {
    let mut content = Vec::new();
    let options = file::options(columns.schema_ref(), columns.num_rows())?;
    let mut writer = ArrowWriter::try_new_with_options(&mut content, columns.schema(), options)?;
    writer.write(columns)?;
    writer.close()?;
    Ok(content.into())
}
