//! The bare floor under appending: a plain program that reads the same records, fills the same columns
//! and writes the same Parquet files, synced. It looks nothing up, keeps no log, acknowledges nobody.
//!
//! Written for records of the corpus, and on purpose by hand: what the product is measured against
//! must not share the product's costs. `figures::append` checks that both write the same rows.

mod column;
mod mapping;
mod record;
mod table;
pub(crate) mod trail;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};
use arrow::array::{AsArray as _, RecordBatch};
use bytes::Bytes;
use model::identity::Uid;
use model::ids::TenantId;
use model::ocsf::Class;
use model::time::{Day, Timestamp};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use column::Column as _;
use record::Record;
use table::{Row, RowColumns};

/// What stands on every row and in no record.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// The owner.
    pub(crate) tenant: TenantId,
    /// The source of the records.
    pub(crate) source: String,
    /// The connector's id as text.
    pub(crate) connector_uid: String,
    /// The connector's name.
    pub(crate) connector_name: String,
    /// When the records came in.
    pub(crate) ingest_time: Timestamp,
}

/// A directory of Parquet files, one folder per class, tenant and day.
pub(crate) struct Floor {
    root: PathBuf,
    origin: Origin,
    files: u64,
}

impl Floor {
    /// Will write under `root`.
    pub(crate) fn new(root: PathBuf, origin: Origin) -> Self {
        Self { root, origin, files: 0 }
    }

    /// Writes records: one file per class and day, sorted by time. When it returns they are on the disk.
    pub(crate) fn write(&mut self, records: &[Bytes]) -> Result<()> {
        let mut order = Vec::with_capacity(records.len());
        let mut read = Vec::with_capacity(records.len());
        for (place, raw) in records.iter().enumerate() {
            let record: Record<'_> = sonic_rs::from_slice(raw)
                .with_context(|| format!("failed to read {}", String::from_utf8_lossy(raw)))?;
            let time = micros(record.message.detection_time.as_str())
                .ok_or_else(|| anyhow!("a record of the corpus without a time"))?;
            order.push((mapping::class(&record), time, place));
            read.push(record);
        }
        order.sort_unstable();
        let mut open: BTreeMap<(Class, Day), RowColumns> = BTreeMap::new();
        for (class, time, place) in order {
            let record = &read[place];
            let key = record.log_item_id.as_str().as_bytes();
            let uid = Uid::of(&self.origin.tenant, &self.origin.source, key).to_string();
            let own = Row {
                tenant: Some(self.origin.tenant.as_str()),
                time: Some(time),
                uid: Some(&uid),
                source: Some(&self.origin.source),
                connector_uid: Some(&self.origin.connector_uid),
                connector_name: Some(&self.origin.connector_name),
                ingest_time: Some(self.origin.ingest_time.as_micros()),
                raw_data: Some(std::str::from_utf8(&records[place])?),
                ..Row::default()
            };
            let day = Timestamp::from_micros(time).day();
            mapping::put(class, record, own, open.entry((class, day)).or_default());
        }
        for ((class, day), mut columns) in open {
            let rows = columns.finish().ok_or_else(|| anyhow!("a file without a row"))?;
            self.place(class, day, &RecordBatch::from(rows.as_struct()))?;
        }
        Ok(())
    }

    fn place(&mut self, class: Class, day: Day, rows: &RecordBatch) -> Result<()> {
        let tenant = format!("tenant_uid={}", self.origin.tenant);
        let folder = self.root.join(class.name()).join(tenant).join(format!("day={day}"));
        std::fs::create_dir_all(&folder)?;
        let path = folder.join(format!("part-{:06}.parquet", self.files));
        self.files += 1;
        store(&path, &encoded(rows)?)
            .with_context(|| format!("failed to write `{}`", path.display()))
    }
}

/// Writes a file; it and its name are on the disk afterwards.
fn store(path: &Path, content: &[u8]) -> std::io::Result<()> {
    let mut file = File::options().write(true).create_new(true).open(path)?;
    file.write_all(content)?;
    file.sync_all()?;
    match path.parent() {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

/// The settings of the lake's own files.
fn encoded(rows: &RecordBatch) -> Result<Vec<u8>> {
    let mut properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_column_statistics_enabled(ColumnPath::from("time"), EnabledStatistics::Page);
    for unique in ["uid", "raw_data", "unmapped", "metadata.uid", "api.request.uid"] {
        let column = ColumnPath::new(unique.split('.').map(str::to_owned).collect());
        properties = properties
            .set_column_dictionary_enabled(column.clone(), false)
            .set_column_statistics_enabled(column, EnabledStatistics::None);
    }
    let column_idx = i32::try_from(rows.schema().index_of("time")?)?;
    let sorted = SortingColumn { column_idx, descending: false, nulls_first: false };
    let properties = properties.set_sorting_columns(Some(vec![sorted])).build();
    let options =
        ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
    let mut content = Vec::new();
    let mut writer = ArrowWriter::try_new_with_options(&mut content, rows.schema(), options)?;
    writer.write(rows)?;
    writer.close()?;
    Ok(content)
}

/// Microseconds of RFC 3339 text.
fn micros(text: &str) -> Option<i64> {
    Some(Timestamp::parse(text).ok()?.as_micros())
}
