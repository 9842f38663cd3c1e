//! One entry of a Delta log as we write and read it.
//!
//! An entry that was emptied or cut off is no entry: taken for one, it would make orphans of the data
//! files that it no longer names. So ours say in their first line how many actions follow.

use std::collections::BTreeMap;
use std::sync::Arc;

use deltalake::kernel::engine::arrow_conversion::TryFromArrow as _;
use deltalake::kernel::{StructType, new_metadata};
use model::batch::CommitReceipt;
use model::ids::TenantId;
use model::ocsf::Class;
use model::time::{Day, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

use super::file::DataFile;
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
    /// Rows that went with their files, because they had expired.
    pub(crate) expired: Vec<ExpiredRows>,
    /// The group that was committed, when the lake wrote the entry.
    pub(crate) group: Option<Uuid>,
}

impl Entry {
    /// Whether no row came that was not there before: rows were only moved, or went.
    pub(crate) fn brings_nothing(&self) -> bool {
        self.added.iter().all(|file| !file.data_change)
    }

    /// Rows that expired.
    pub(crate) fn expired_rows(&self) -> u64 {
        self.expired.iter().map(|gone| gone.rows).sum()
    }
}

/// Rows of one tenant and day that expired: the proof of their removal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ExpiredRows {
    /// The owner.
    pub(crate) tenant: TenantId,
    /// The day.
    pub(crate) day: Day,
    /// Files that held them.
    pub(crate) files: u64,
    /// How many.
    pub(crate) rows: u64,
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
        ACTIONS_KEY: files.len(),
        RECEIPTS_KEY: receipts,
    }})];
    lines.extend(files.iter().map(|file| add_line(file)));
    joined(&lines)
}

/// An entry that puts merged files in the place of others, without changing a row.
pub(crate) fn merge(
    group: Uuid,
    now: Timestamp,
    merged: &[Arc<DataFile>],
    replaced: &[Arc<DataFile>],
) -> Vec<u8> {
    let mut lines = vec![json!({"commitInfo": {
        "timestamp": now.as_millis(),
        "operation": "OPTIMIZE",
        "operationParameters": {"predicate": "[]"},
        "isBlindAppend": false,
        "engineInfo": ENGINE,
        GROUP_KEY: group,
        ACTIONS_KEY: replaced.len() + merged.len(),
    }})];
    lines.extend(replaced.iter().map(|file| remove_line(file, now, false)));
    lines.extend(merged.iter().map(|file| add_line(file)));
    joined(&lines)
}

/// An entry that removes files whose rows have expired.
pub(crate) fn expire(
    group: Uuid,
    now: Timestamp,
    files: &[Arc<DataFile>],
    expired: &[ExpiredRows],
) -> Vec<u8> {
    let mut lines = vec![json!({"commitInfo": {
        "timestamp": now.as_millis(),
        "operation": "DELETE",
        "operationParameters": {"predicate": "[]"},
        "isBlindAppend": false,
        "engineInfo": ENGINE,
        GROUP_KEY: group,
        ACTIONS_KEY: files.len(),
        EXPIRED_KEY: expired,
    }})];
    lines.extend(files.iter().map(|file| remove_line(file, now, true)));
    joined(&lines)
}

const ENGINE: &str = concat!("tarn/", env!("CARGO_PKG_VERSION"));
const GROUP_KEY: &str = "tarn.group";
const ACTIONS_KEY: &str = "tarn.actions";
const RECEIPTS_KEY: &str = "tarn.receipts";
const EXPIRED_KEY: &str = "tarn.expired";
const SOURCES_TAG: &str = "tarn.sources";
const ORIGIN_TAG: &str = "tarn.origin";

fn add_line(file: &DataFile) -> Value {
    let sources = file.sources.keys();
    let stats = json!({
        "numRecords": file.rows,
        "tightBounds": true,
        "minValues": {TIME: micros_text(file.earliest), SOURCE: sources.clone().min()},
        "maxValues": {TIME: micros_text(file.latest), SOURCE: sources.max()},
        "nullCount": {TIME: 0, SOURCE: 0},
    });
    let mut tags = json!({SOURCES_TAG: serde_json::to_string(&file.sources).unwrap_or_default()});
    if !file.data_change {
        tags[ORIGIN_TAG] = file.origin.to_string().into();
    }
    json!({"add": {
        "path": file.path,
        "partitionValues": {TENANT: file.tenant, DAY: file.day.to_string()},
        "size": file.size_bytes,
        "modificationTime": file.added.as_millis(),
        "dataChange": file.data_change,
        "stats": stats.to_string(),
        "tags": tags,
    }})
}

fn remove_line(file: &DataFile, now: Timestamp, data_change: bool) -> Value {
    json!({"remove": {
        "path": file.path,
        "deletionTimestamp": now.as_millis(),
        "dataChange": data_change,
        "extendedFileMetadata": true,
        "partitionValues": {TENANT: file.tenant, DAY: file.day.to_string()},
        "size": file.size_bytes,
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
    #[serde(default)]
    modification_time: i64,
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
    /// Actions beside this one. Early entries of ours, and those of other writers, do not say.
    #[serde(rename = "tarn.actions")]
    actions: Option<usize>,
    #[serde(rename = "tarn.receipts", default)]
    receipts: Vec<CommitReceipt>,
    #[serde(rename = "tarn.expired", default)]
    expired: Vec<ExpiredRows>,
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

/// Reads the entry of a version. One that was emptied or cut off is an error.
pub(crate) fn read(version: u64, bytes: &[u8]) -> Result<Entry, serde_json::Error> {
    use serde::de::Error as _;
    let mut entry = Entry::default();
    let (mut actions, mut promised, mut is_described) = (0, None, false);
    for line in serde_json::Deserializer::from_slice(bytes).into_iter::<Line>() {
        let line = line?;
        if let Some(info) = line.commit_info {
            entry.group = info.group;
            entry.receipts = info.receipts;
            entry.expired = info.expired;
            promised = info.actions;
            is_described = true;
            continue;
        }
        actions += 1;
        if let Some(add) = line.add {
            entry.added.push(Arc::new(data_file(version, add)?));
        }
        if let Some(remove) = line.remove {
            entry.removed.push(remove.path);
        }
    }
    let is_cut = promised.map_or_else(|| lacks_files(&entry), |promised| actions < promised);
    match (is_described, is_cut) {
        (true, false) => Ok(entry),
        (true, true) => Err(serde_json::Error::custom("the file was cut off")),
        (false, _) if bytes.is_empty() => Err(serde_json::Error::custom("the file is empty")),
        (false, _) => Err(serde_json::Error::custom("it has no `commitInfo`: it was cut off")),
    }
}

/// Whether an entry of ours that does not say how many actions it has names fewer files than what it
/// says they did.
fn lacks_files(entry: &Entry) -> bool {
    if entry.group.is_none() {
        return false;
    }
    let new = entry.added.iter().filter(|file| file.data_change);
    let received: u64 = entry.receipts.iter().map(|receipt| receipt.rows).sum();
    let expired: u64 = entry.expired.iter().map(|gone| gone.files).sum();
    let is_merge = entry.receipts.is_empty() && entry.expired.is_empty();
    new.map(|file| file.rows).sum::<u64>() < received
        || (entry.removed.len() as u64) < expired
        || (is_merge && entry.added.is_empty())
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
    let tag = |name| add.tags.as_ref()?.get(name)?.as_deref();
    let sources = tag(SOURCES_TAG).map(serde_json::from_str).transpose()?.unwrap_or_default();
    // Moved rows whose origin nobody told may be as new as the version that moved them.
    let origin = tag(ORIGIN_TAG).and_then(|text| text.parse().ok()).unwrap_or(version);
    Ok(DataFile {
        tenant,
        day,
        version,
        origin,
        added: Timestamp::from_millis(add.modification_time),
        size_bytes: add.size,
        rows: stats.map_or(0, |stats| stats.num_records),
        earliest: earliest.unwrap_or(low),
        latest: latest.unwrap_or(high),
        sources,
        data_change: add.data_change,
        path: add.path,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(day: Day) -> DataFile {
        DataFile {
            path: format!("tenant_uid=default/day={day}/part-1.parquet"),
            tenant: TenantId::default(),
            day,
            version: 7,
            origin: 7,
            added: day.start(),
            size_bytes: 10,
            rows: 2,
            earliest: day.start(),
            latest: Timestamp::from_micros(day.start().as_micros() + 1),
            sources: BTreeMap::from([("a.b".to_owned(), 2)]),
            data_change: true,
        }
    }

    #[test]
    fn an_entry_reads_back_as_it_was_written() {
        let day = Day::parse("2026-03-02").unwrap();
        let group = Uuid::now_v7();
        let bytes = append(group, day.start(), &[Arc::new(file(day))], &[]);
        let entry = read(7, &bytes).unwrap();
        assert_eq!(entry.group, Some(group));
        assert_eq!(*entry.added[0], file(day));
        assert!(!entry.brings_nothing());
    }

    #[test]
    fn moved_and_expired_rows_read_back_as_they_were_written() {
        let day = Day::parse("2026-03-02").unwrap();
        let old = Arc::new(file(day));
        let merged = DataFile { data_change: false, version: 9, ..file(day) };
        let bytes = merge(
            Uuid::now_v7(),
            day.start(),
            &[Arc::new(merged.clone())],
            std::slice::from_ref(&old),
        );
        let entry = read(9, &bytes).unwrap();
        assert_eq!((&*entry.added[0], &entry.removed), (&merged, &vec![old.path.clone()]));
        assert!(entry.brings_nothing());
        let gone = ExpiredRows { tenant: TenantId::default(), day, files: 1, rows: 2 };
        let bytes = expire(
            Uuid::now_v7(),
            day.start(),
            std::slice::from_ref(&old),
            std::slice::from_ref(&gone),
        );
        let entry = read(10, &bytes).unwrap();
        assert_eq!((&entry.expired, &entry.removed), (&vec![gone], &vec![old.path.clone()]));
        assert!(entry.brings_nothing() && entry.added.is_empty());
    }

    /// Everything of an entry but its last line; without the count of actions, as early entries are.
    fn cut(entry: &[u8], is_early: bool) -> (Vec<u8>, Vec<u8>) {
        let text = String::from_utf8(entry.to_vec()).unwrap();
        let mut lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        if is_early {
            lines[0]["commitInfo"].as_object_mut().unwrap().remove(ACTIONS_KEY).unwrap();
        }
        (joined(&lines), joined(&lines[..lines.len() - 1]))
    }

    #[test]
    fn a_cut_entry_is_refused_also_when_it_does_not_say_how_long_it_was() {
        let day = Day::parse("2026-03-02").unwrap();
        let (now, group) = (day.start(), Uuid::now_v7());
        let files = [Arc::new(file(day)), Arc::new(file(day))];
        let receipt = CommitReceipt {
            install: model::ids::InstallId(group),
            batch: model::ids::BatchId::generate(),
            tenant: TenantId::default(),
            connector: model::ids::ConnectorId(group),
            source: "a.b".to_owned(),
            stream: model::ids::StreamId::new("s").unwrap(),
            interval: None,
            rows: 4,
        };
        let gone = ExpiredRows { tenant: TenantId::default(), day, files: 2, rows: 4 };
        let merged = Arc::new(DataFile { data_change: false, ..file(day) });
        let entries = [
            append(group, now, &files, &[receipt]),
            expire(group, now, &files, &[gone]),
            merge(group, now, &[merged], &files),
        ];
        for entry in entries {
            for is_early in [false, true] {
                let (whole, cut) = cut(&entry, is_early);
                assert!(read(1, &whole).is_ok());
                let problem = read(1, &cut).unwrap_err().to_string();
                assert_eq!(problem, "the file was cut off");
            }
        }
        assert_eq!(read(1, b"").unwrap_err().to_string(), "the file is empty");
    }
}
