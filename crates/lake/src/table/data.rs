//! Reading data files with the plain Parquet reader: a few columns, and only row groups of interest.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, RecordBatch, StringArray, TimestampMicrosecondArray};
use arrow::datatypes::TimestampMicrosecondType;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::{FutureExt as _, TryStreamExt as _};
use model::identity::Uid;
use model::ids::TenantId;
use model::ocsf::Class;
use model::time::{Day, Timestamp};
use object_store::path::Path;
use object_store::{ObjectStore as _, ObjectStoreExt as _};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ArrowReaderOptions;
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::statistics::Statistics;
use uuid::Uuid;

use super::file::DataFile;
use super::log::table_path;
use crate::columns::schema::{TIME, UID};
use crate::durable::Durable;
use crate::error::LakeError;

/// Where a file of a class lies on the store.
pub(crate) fn data_path(class: Class, file: &str) -> Path {
    file.split('/').fold(table_path(class), |path, part| path.join(part))
}

/// A path for a new file, from the table's directory.
pub(crate) fn new_path(tenant: &TenantId, day: Day) -> String {
    format!("tenant_uid={tenant}/day={day}/part-{}.parquet", Uuid::now_v7())
}

/// Reads columns of a file, all row groups, in the order of the rows.
pub(crate) async fn read_columns(
    store: &Durable,
    class: Class,
    file: &DataFile,
    columns: &[&str],
) -> Result<Vec<RecordBatch>, LakeError> {
    read(store, class, file, columns, None).await
}

/// Reads the times and uids of a file's rows between two times; some rows outside may come along.
pub(crate) async fn read_keys(
    store: &Durable,
    class: Class,
    file: &DataFile,
    times: RangeInclusive<Timestamp>,
) -> Result<Vec<(Timestamp, Uid)>, LakeError> {
    let batches = read(store, class, file, &[TIME, UID], Some(times)).await?;
    let mut keys = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    for batch in &batches {
        let times = times_of(batch, TIME).ok_or_else(|| broken(class, file, "no column `time`"))?;
        let uids = texts_of(batch, UID).ok_or_else(|| broken(class, file, "no column `uid`"))?;
        for row in 0..batch.num_rows() {
            let uid =
                uids.value(row).parse().map_err(|_| broken(class, file, "a uid is not hex"))?;
            keys.push((Timestamp::from_micros(times.value(row)), uid));
        }
    }
    Ok(keys)
}

/// A text column of a batch, by name.
pub(crate) fn texts_of<'b>(batch: &'b RecordBatch, name: &str) -> Option<&'b StringArray> {
    batch.column_by_name(name)?.as_string_opt::<i32>()
}

/// A time column of a batch, by name.
pub(crate) fn times_of<'b>(
    batch: &'b RecordBatch,
    name: &str,
) -> Option<&'b TimestampMicrosecondArray> {
    let column = batch.column_by_name(name)?;
    let times = column.as_primitive_opt::<TimestampMicrosecondType>()?;
    (times.null_count() == 0).then_some(times)
}

async fn read(
    store: &Durable,
    class: Class,
    file: &DataFile,
    columns: &[&str],
    times: Option<RangeInclusive<Timestamp>>,
) -> Result<Vec<RecordBatch>, LakeError> {
    let path = data_path(class, &file.path);
    let failed =
        |source: ParquetError| LakeError::Read { path: path.to_string(), source: Box::new(source) };
    let reader = StoredFile::new(store.clone(), path.clone(), file.size_bytes);
    let builder = ParquetRecordBatchStreamBuilder::new(reader).await.map_err(failed)?;
    let schema = builder.parquet_schema();
    let roots = schema.root_schema().get_fields().iter().enumerate();
    let wanted: Vec<usize> = roots
        .filter(|(_, field)| columns.contains(&field.name()))
        .map(|(place, _)| place)
        .collect();
    let mask = ProjectionMask::roots(schema, wanted);
    let groups = row_groups(builder.metadata(), times);
    let stream = builder
        .with_projection(mask)
        .with_row_groups(groups)
        .with_batch_size(8192)
        .build()
        .map_err(failed)?;
    stream.try_collect().await.map_err(failed)
}

/// Row groups that may hold rows between the times.
fn row_groups(metadata: &ParquetMetaData, times: Option<RangeInclusive<Timestamp>>) -> Vec<usize> {
    let all = 0..metadata.num_row_groups();
    let Some(times) = times else { return all.collect() };
    all.filter(|group| {
        let columns = metadata.row_group(*group).columns();
        let time = columns.iter().find(|column| column.column_path().string() == TIME);
        let Some(Statistics::Int64(bounds)) = time.and_then(|column| column.statistics()) else {
            return true;
        };
        let (low, high) = (times.start().as_micros(), times.end().as_micros());
        bounds.min_opt().is_none_or(|min| *min <= high)
            && bounds.max_opt().is_none_or(|max| *max >= low)
    })
    .collect()
}

/// Files up to this size are read at once: one trip to the disk instead of one per column.
const WHOLE_BYTES: u64 = 1 << 20;
/// Read with the footer of larger files; as a rule that is all of it.
const FOOTER_BYTES: usize = 64 * 1024;

/// A data file on the store, for Parquet readers.
pub(crate) struct StoredFile {
    store: Durable,
    path: Path,
    size_bytes: u64,
    /// All of it, when it is small and was touched.
    whole: Option<Bytes>,
}

impl StoredFile {
    /// A file of which nothing is read yet.
    pub(crate) fn new(store: Durable, path: Path, size_bytes: u64) -> Self {
        Self { store, path, size_bytes, whole: None }
    }

    async fn range(&mut self, range: Range<u64>) -> Result<Bytes, ParquetError> {
        let failed = |error| ParquetError::External(Box::new(error));
        if self.size_bytes > WHOLE_BYTES {
            return self.store.get_range(&self.path, range).await.map_err(failed);
        }
        let whole = match &self.whole {
            Some(whole) => whole,
            None => {
                let all = 0..self.size_bytes;
                self.whole.insert(self.store.get_range(&self.path, all).await.map_err(failed)?)
            }
        };
        let (start, end) = (usize::try_from(range.start)?, usize::try_from(range.end)?);
        if end > whole.len() || start > end {
            return Err(ParquetError::EOF(format!("`{}` ends before byte {end}", self.path)));
        }
        Ok(whole.slice(start..end))
    }
}

/// A file whose footer cannot be read: queries see many files, so the error says which.
#[derive(Debug, thiserror::Error)]
#[error("the file `{path}` is broken")]
struct Unreadable {
    path: Path,
    #[source]
    source: ParquetError,
}

impl AsyncFileReader for StoredFile {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, Result<Bytes, ParquetError>> {
        self.range(range).boxed()
    }

    fn get_byte_ranges(
        &mut self,
        ranges: Vec<Range<u64>>,
    ) -> BoxFuture<'_, Result<Vec<Bytes>, ParquetError>> {
        async move {
            if self.size_bytes > WHOLE_BYTES {
                let read = self.store.get_ranges(&self.path, &ranges).await;
                return read.map_err(|error| ParquetError::External(Box::new(error)));
            }
            let mut parts = Vec::with_capacity(ranges.len());
            for range in ranges {
                parts.push(self.range(range).await?);
            }
            Ok(parts)
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, Result<Arc<ParquetMetaData>, ParquetError>> {
        async move {
            let size = self.size_bytes;
            let mut reader = ParquetMetaDataReader::new().with_prefetch_hint(Some(FOOTER_BYTES));
            if let Some(options) = options {
                reader = reader
                    .with_column_index_policy(options.column_index_policy())
                    .with_offset_index_policy(options.offset_index_policy());
            }
            let path = self.path.clone();
            let read = reader.load_and_finish(self, size).await;
            read.map(Arc::new)
                .map_err(|source| ParquetError::External(Box::new(Unreadable { path, source })))
        }
        .boxed()
    }
}

fn broken(class: Class, file: &DataFile, problem: &'static str) -> LakeError {
    LakeError::Read { path: data_path(class, &file.path).to_string(), source: problem.into() }
}
