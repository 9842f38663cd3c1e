//! One entry of a Delta log as we write and read it.

use std::collections::BTreeMap;
use std::sync::Arc;

use deltalake::kernel::engine::arrow_conversion::TryFromArrow as _;
use deltalake::kernel::{StructType, new_metadata};
use model::batch::CommitReceipt;
use model::ids::TenantId;
use model::ocsf::Class;
use model::time::{Day, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::state::DataFile;
use crate::columns::schema::{CONNECTOR_UID, DAY, INGEST_TIME, SOURCE, TENANT, TIME, table_schema};
use crate::error::LakeError;

/// What one version did to a table.
#[derive(Debug, Default)]
pub(crate) struct Entry {
    /// Files that came, in order.
    pub(crate) added: Vec<Arc<DataFile>>,
    /// Paths of files that went.
    pub(crate) removed: Vec<String>,
    /// Receipts of the batches whose rows came.
    pub(crate) receipts: Vec<CommitReceipt>,
    /// The group that was committed, when the lake wrote the entry.
    pub(crate) group: Option<Uuid>,
}

/// The first entry of a table: which features readers need, and the fixed schema.
pub(crate) fn creation(class: Class, now: Timestamp) -> Result<Vec<u8>, LakeError> {
    let describe =
        |source: Box<dyn std::error::Error + Send + Sync>| LakeError::Describe { class, source };
    let schema = StructType::try_from_arrow(table_schema(class).as_ref())
        .map_err(|error| describe(Box::new(error)))?;
    let statistics = [TIME, INGEST_TIME, SOURCE, CONNECTOR_UID].join(",");
    let configuration = [
        ("delta.enableExpiredLogCleanup", "false"),
        ("delta.dataSkippingStatsColumns", statistics.as_str()),
    ];
    let metadata = new_metadata(&schema, [TENANT, DAY], configuration)
        .map_err(|error| describe(Box::new(error)))?;
    let mut metadata = serde_json::to_value(metadata).map_err(|error| describe(Box::new(error)))?;
    metadata["name"] = json!(class.name());
    metadata["createdTime"] = json!(now.as_millis());
    let lines = [
        json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}),
        json!({"metaData": metadata}),
        json!({"commitInfo": {
            "timestamp": now.as_millis(), "operation": "CREATE TABLE", "engineInfo": ENGINE,
        }}),
    ];
    Ok(joined(&lines))
}

/// An entry that adds the files of a group.
pub(crate) fn append(
    group: Uuid,
    now: Timestamp,
    files: &[Arc<DataFile>],
    receipts: &[CommitReceipt],
) -> Vec<u8> {
    let mut lines = vec![json!({"commitInfo": {
        "timestamp": now.as_millis(),
        "operation": "WRITE",
        "operationParameters": {"mode": "Append", "partitionBy": format!("[\"{TENANT}\",\"{DAY}\"]")},
        "isBlindAppend": true,
        "engineInfo": ENGINE,
        GROUP_KEY: group,
        RECEIPTS_KEY: receipts,
    }})];
    lines.extend(files.iter().map(|file| add_line(file, now)));
    joined(&lines)
}

const ENGINE: &str = concat!("tarn/", env!("CARGO_PKG_VERSION"));
const GROUP_KEY: &str = "tarn.group";
const RECEIPTS_KEY: &str = "tarn.receipts";
const SOURCES_TAG: &str = "tarn.sources";

fn add_line(file: &DataFile, now: Timestamp) -> Value {
    let sources = file.sources.keys();
    let stats = json!({
        "numRecords": file.rows,
        "tightBounds": true,
        "minValues": {TIME: micros_text(file.earliest), SOURCE: sources.clone().min()},
        "maxValues": {TIME: micros_text(file.latest), SOURCE: sources.max()},
        "nullCount": {TIME: 0, SOURCE: 0},
    });
    let tag = serde_json::to_string(&file.sources).unwrap_or_default();
    json!({"add": {
        "path": file.path,
        "partitionValues": {TENANT: file.tenant, DAY: file.day.to_string()},
        "size": file.size_bytes,
        "modificationTime": now.as_millis(),
        "dataChange": true,
        "stats": stats.to_string(),
        "tags": {SOURCES_TAG: tag},
    }})
}

fn micros_text(time: Timestamp) -> String {
    time.to_chrono().format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

fn joined(lines: &[Value]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines {
        bytes.extend_from_slice(line.to_string().as_bytes());
        bytes.push(b'\n');
    }
    bytes
}

#[derive(Deserialize)]
struct Line {
    add: Option<AddLine>,
    remove: Option<RemoveLine>,
    #[serde(rename = "commitInfo")]
    commit_info: Option<InfoLine>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AddLine {
    path: String,
    partition_values: BTreeMap<String, Option<String>>,
    size: u64,
    data_change: bool,
    stats: Option<String>,
    tags: Option<BTreeMap<String, Option<String>>>,
}

#[derive(Deserialize)]
struct RemoveLine {
    path: String,
}

#[derive(Deserialize)]
struct InfoLine {
    #[serde(rename = "tarn.group")]
    group: Option<Uuid>,
    #[serde(rename = "tarn.receipts", default)]
    receipts: Vec<CommitReceipt>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct StatsLine {
    num_records: u64,
    #[serde(default)]
    min_values: Bounds,
    #[serde(default)]
    max_values: Bounds,
}

#[derive(Deserialize, Default)]
struct Bounds {
    time: Option<Timestamp>,
}

/// Reads the entry of a version.
pub(crate) fn read(version: u64, bytes: &[u8]) -> Result<Entry, serde_json::Error> {
    let mut entry = Entry::default();
    for line in serde_json::Deserializer::from_slice(bytes).into_iter::<Line>() {
        let line = line?;
        if let Some(add) = line.add {
            entry.added.push(Arc::new(data_file(version, add)?));
        }
        if let Some(remove) = line.remove {
            entry.removed.push(remove.path);
        }
        if let Some(info) = line.commit_info {
            entry.group = info.group;
            entry.receipts = info.receipts;
        }
    }
    Ok(entry)
}

fn data_file(version: u64, add: AddLine) -> Result<DataFile, serde_json::Error> {
    use serde::de::Error as _;
    let value = |name: &str| add.partition_values.get(name).and_then(Option::as_deref);
    let tenant = value(TENANT).and_then(|text| TenantId::new(text).ok());
    let tenant = tenant.ok_or_else(|| serde_json::Error::custom("a file without a tenant"))?;
    let day = value(DAY).and_then(Day::parse);
    let day = day.ok_or_else(|| serde_json::Error::custom("a file without a day"))?;
    let stats: Option<StatsLine> = add.stats.as_deref().map(serde_json::from_str).transpose()?;
    let (low, high) = (day.start(), Day(day.0 + 1).start());
    let bounds = stats.as_ref().map(|stats| (stats.min_values.time, stats.max_values.time));
    let (earliest, latest) = bounds.unwrap_or((None, None));
    let tag = add.tags.as_ref().and_then(|tags| tags.get(SOURCES_TAG)).and_then(Option::as_deref);
    Ok(DataFile {
        path: add.path,
        tenant,
        day,
        version,
        size_bytes: add.size,
        rows: stats.map_or(0, |stats| stats.num_records),
        earliest: earliest.unwrap_or(low),
        latest: latest.unwrap_or(high),
        sources: tag.map(serde_json::from_str).transpose()?.unwrap_or_default(),
        data_change: add.data_change,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_reads_back_as_it_was_written() {
        let day = Day::parse("2026-03-02").unwrap();
        let file = DataFile {
            path: "tenant_uid=default/day=2026-03-02/part-1.parquet".to_owned(),
            tenant: TenantId::default(),
            day,
            version: 7,
            size_bytes: 10,
            rows: 2,
            earliest: day.start(),
            latest: Timestamp::from_micros(day.start().as_micros() + 1),
            sources: BTreeMap::from([("a.b".to_owned(), 2)]),
            data_change: true,
        };
        let group = Uuid::now_v7();
        let bytes = append(group, day.start(), &[Arc::new(file.clone())], &[]);
        let entry = read(7, &bytes).unwrap();
        assert_eq!(entry.group, Some(group));
        assert_eq!(*entry.added[0], file);
    }
}
