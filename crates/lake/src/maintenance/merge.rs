//! Merges sorted files into one. Memory is bounded by the inputs' size on disk, which is that of one
//! file, and by a fixed number of rows on their way; never by the size of a day.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::pin::Pin;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{Fields, Schema, SchemaRef};
use arrow::error::ArrowError;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use model::ocsf::Class;
use parquet::arrow::ArrowWriter;
use parquet::arrow::async_reader::ParquetRecordBatchStreamBuilder;
use parquet::errors::ParquetError;

use crate::columns::schema::{TIME, table_schema};
use crate::columns::{file, shape};
use crate::durable::Durable;
use crate::error::LakeError;
use crate::table::data::{StoredFile, data_path, times_of};
use crate::table::file::DataFile;

/// Rows that are decoded at a time, over all inputs.
const ROWS_IN_FLIGHT: usize = 32_768;
/// Rows that are written at a time.
const ROWS_PER_WRITE: usize = 4_096;

/// The rows of files of one tenant and day, in order of time, as the content of one file.
pub(crate) async fn merge(
    store: &Durable,
    class: Class,
    inputs: &[Arc<DataFile>],
) -> Result<Bytes, LakeError> {
    let mut merging = Merging::open(store, class, inputs).await?;
    let mut content = Vec::new();
    let failed = |source| LakeError::Encode { class, source };
    let expected: u64 = inputs.iter().map(|file| file.rows).sum();
    let options = file::options(&merging.schema, usize::try_from(expected).unwrap_or(usize::MAX))
        .map_err(failed)?;
    let schema = Arc::clone(&merging.schema);
    let mut writer =
        ArrowWriter::try_new_with_options(&mut content, schema, options).map_err(failed)?;
    let mut rows = 0;
    while let Some(batch) = merging.next().await? {
        rows += batch.num_rows() as u64;
        writer.write(&batch).map_err(failed)?;
    }
    writer.close().map_err(failed)?;
    if rows != expected {
        let problem = format!("they hold {rows} rows, and the log says {expected}");
        return Err(LakeError::Merge { class, problem });
    }
    Ok(content.into())
}

/// What the log says of the merged file, but for its path, its size and its version.
pub(crate) fn describe(inputs: &[Arc<DataFile>], like: &DataFile) -> DataFile {
    let mut sources: BTreeMap<String, u64> = BTreeMap::new();
    for (source, rows) in inputs.iter().flat_map(|file| &file.sources) {
        *sources.entry(source.clone()).or_default() += rows;
    }
    // A file whose sources nobody told may hold any.
    if inputs.iter().any(|file| file.sources.is_empty()) {
        sources.clear();
    }
    inputs.iter().fold(
        DataFile { sources, rows: 0, origin: 0, data_change: false, ..like.clone() },
        |all, file| DataFile {
            rows: all.rows + file.rows,
            origin: all.origin.max(file.origin),
            added: all.added.max(file.added),
            earliest: all.earliest.min(file.earliest),
            latest: all.latest.max(file.latest),
            ..all
        },
    )
}

type Batches = Pin<Box<dyn Stream<Item = Result<RecordBatch, ParquetError>> + Send>>;

/// One input: its rows are taken batch by batch.
struct Lane {
    path: String,
    batches: Batches,
    head: Option<Head>,
}

/// The batch that a lane stands in.
struct Head {
    /// The columns in the common shape.
    batch: RecordBatch,
    times: Vec<i64>,
    row: usize,
    /// Where the batch stands among those that the next write takes rows from.
    slot: usize,
}

struct Merging {
    class: Class,
    schema: SchemaRef,
    lanes: Vec<Lane>,
    /// The lanes that have rows, by the time of the next one.
    due: BinaryHeap<Reverse<(i64, usize)>>,
    /// Batches that the next write takes rows from.
    held: Vec<RecordBatch>,
    /// Those rows in order: batch and row.
    picked: Vec<(usize, usize)>,
}

impl Merging {
    async fn open(
        store: &Durable,
        class: Class,
        inputs: &[Arc<DataFile>],
    ) -> Result<Self, LakeError> {
        let mut builders = Vec::with_capacity(inputs.len());
        for input in inputs {
            let path = data_path(class, &input.path);
            let reader = StoredFile::new(store.clone(), path.clone(), input.size_bytes);
            let builder = ParquetRecordBatchStreamBuilder::new(reader).await;
            builders.push((path.to_string(), builder.map_err(|error| unreadable(&path, error))?));
        }
        let present: Vec<&Fields> =
            builders.iter().map(|(_, builder)| builder.schema().fields()).collect();
        let fields = shape::used(table_schema(class).fields(), &present)
            .map_err(|problem| LakeError::Merge { class, problem })?;
        let batch_rows = (ROWS_IN_FLIGHT / inputs.len().max(1)).clamp(128, 8192);
        let mut lanes = Vec::with_capacity(builders.len());
        for (path, builder) in builders {
            let stream = builder.with_batch_size(batch_rows).build();
            let stream = stream.map_err(|error| unreadable(&path, error))?;
            lanes.push(Lane { path, batches: stream.boxed(), head: None });
        }
        let mut merging = Self {
            class,
            schema: Arc::new(Schema::new(fields)),
            lanes,
            due: BinaryHeap::new(),
            held: Vec::new(),
            picked: Vec::new(),
        };
        for lane in 0..merging.lanes.len() {
            merging.read(lane).await?;
        }
        Ok(merging)
    }

    /// The next rows in order; `None` at the end.
    async fn next(&mut self) -> Result<Option<RecordBatch>, LakeError> {
        while self.picked.len() < ROWS_PER_WRITE {
            let Some(Reverse((_, place))) = self.due.pop() else { break };
            let Some(head) = &mut self.lanes[place].head else { continue };
            self.picked.push((head.slot, head.row));
            head.row += 1;
            match head.times.get(head.row) {
                Some(time) => self.due.push(Reverse((*time, place))),
                None => self.read(place).await?,
            }
        }
        if self.picked.is_empty() {
            return Ok(None);
        }
        let held: Vec<&RecordBatch> = self.held.iter().collect();
        let rows = interleave_record_batch(&held, &self.picked).map_err(|e| self.misshapen(e))?;
        self.picked.clear();
        self.held.clear();
        for head in self.lanes.iter_mut().filter_map(|lane| lane.head.as_mut()) {
            head.slot = self.held.len();
            self.held.push(head.batch.clone());
        }
        Ok(Some(rows))
    }

    /// Moves a lane to its next batch.
    async fn read(&mut self, place: usize) -> Result<(), LakeError> {
        let lane = &mut self.lanes[place];
        lane.head = None;
        while let Some(batch) = lane.batches.next().await {
            let batch = batch.map_err(|error| unreadable(&lane.path, error))?;
            if batch.num_rows() == 0 {
                continue;
            }
            let times = times_of(&batch, TIME).map(|times| times.values().to_vec());
            let times = times.ok_or_else(|| LakeError::Read {
                path: lane.path.clone(),
                source: "the column `time` is missing or has nulls".into(),
            })?;
            let batch = shape::conform(&batch, &self.schema)
                .map_err(|source| LakeError::Columns { class: self.class, source })?;
            self.due.push(Reverse((times[0], place)));
            self.held.push(batch.clone());
            lane.head = Some(Head { batch, times, row: 0, slot: self.held.len() - 1 });
            break;
        }
        Ok(())
    }

    fn misshapen(&self, source: ArrowError) -> LakeError {
        LakeError::Columns { class: self.class, source }
    }
}

fn unreadable(path: &impl ToString, source: ParquetError) -> LakeError {
    LakeError::Read { path: path.to_string(), source: Box::new(source) }
}
