//! A source whose records say themselves what they become, and a lake on a temporary directory.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lake::{Lake, LakeOptions};
use model::batch::{Batch, IdentifiedRecord, Receipt};
use model::identity::Identity;
use model::ids::{BatchId, ConnectorId, InstallId, StreamId, TenantId};
use model::mapping::{EventSink, Mapping, Unusable, Verdict};
use model::ocsf::{Class, Event};
use model::record::Record;
use model::source::{MsgOrigin, Source};
use model::time::Timestamp;
use query::store::EventStore as _;
use query::store::maintenance::{Bookmark, Effort, MaintenancePlan, MaintenanceReport};
use serde_json::{Value, json};
use tempfile::TempDir;

/// 2026-03-02T08:00:00Z in milliseconds.
pub(crate) const NOON: i64 = 1_772_438_400_000;

/// Records are `{"id":…,"ms":…,"class":…,"event":{…}}`; `"verdict"` may be `drop`, `fail` or `panic`.
pub(crate) struct Told;

impl Mapping for Told {
    fn identify(&self, raw: &[u8]) -> Result<Identity, Unusable> {
        let value: Value = serde_json::from_slice(raw).map_err(|e| Unusable(e.to_string()))?;
        let time = value["ms"].as_i64().map(Timestamp::from_millis);
        Ok(Identity { key: value["id"].to_string().into_bytes(), time })
    }

    fn normalise(&self, raw: &[u8], sink: &mut dyn EventSink) -> Verdict {
        let value: Value = serde_json::from_slice(raw).unwrap_or_default();
        match value["verdict"].as_str() {
            Some("drop") => return Verdict::Filtered,
            Some("fail") => return Verdict::Refused("the transform failed".to_owned()),
            Some("panic") => panic!("a mapping with a defect"),
            _ => {}
        }
        let class = value["class"].as_str().and_then(Class::from_name);
        let class = class.unwrap_or(Class::EmailActivity);
        sink.push(&Event::from_value(class, value["event"].clone()).stamped());
        Verdict::Kept
    }
}

/// A lake on a directory that goes with the test.
pub(crate) struct Shore {
    pub(crate) directory: TempDir,
    pub(crate) lake: Lake,
}

impl Shore {
    pub(crate) async fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let lake = open(&directory).await;
        Self { directory, lake }
    }

    /// The same directory, opened again.
    pub(crate) async fn reopened(self) -> Self {
        drop(self.lake);
        let lake = open(&self.directory).await;
        Self { directory: self.directory, lake }
    }

    pub(crate) async fn store(&self, batches: Vec<Batch>) -> Vec<Receipt> {
        self.lake.append(batches).await.unwrap()
    }

    /// Appends and answers stored, duplicate, filtered, dead of the only batch.
    pub(crate) async fn counts(&self, batch: Batch) -> [u64; 4] {
        counts(&self.store(vec![batch]).await[0])
    }

    /// Runs a plan in which nothing may fail.
    pub(crate) async fn maintain(&self, plan: MaintenancePlan) -> MaintenanceReport {
        let report = self.lake.maintain(&plan).await.unwrap();
        assert_eq!(report.failures, [], "{plan:?}");
        report
    }

    /// Leaves word that the batches' install has applied everything, at some hour after noon.
    pub(crate) async fn applied_all(&self, hour: i64) {
        let stats = self.lake.stats(None).await.unwrap();
        let applied = stats.iter().map(|table| (table.class, table.version)).collect();
        self.lake.bookmark(&bookmark(hour, applied)).await.unwrap();
    }

    /// Makes every file of the lake look as if it had been written at noon.
    pub(crate) fn backdate(&self) {
        backdate(&self.root());
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.directory.path().join("lake")
    }

    /// The directory of a class's table.
    pub(crate) fn table(&self, class: Class) -> PathBuf {
        self.root().join("events").join(class.name())
    }

    /// The versions whose log entries are there.
    pub(crate) fn entries(&self, class: Class) -> Vec<u64> {
        let names = names(&self.table(class).join("_delta_log")).into_iter();
        names.filter_map(|name| name.strip_suffix(".json")?.parse().ok()).collect()
    }

    /// Rows of all tables, as a lake says that was opened just now.
    pub(crate) async fn reopened_rows(&self) -> u64 {
        let stats = open(&self.directory).await.stats(None).await.unwrap();
        stats.iter().map(|table| table.rows).sum()
    }

    /// Rows of all tables.
    pub(crate) async fn rows(&self) -> u64 {
        self.lake.stats(None).await.unwrap().iter().map(|table| table.rows).sum()
    }

    pub(crate) async fn findings(&self) -> Vec<String> {
        let found = self.lake.verify().await.unwrap().findings;
        found.into_iter().map(|f| format!("{} {}: {}", f.class, f.place, f.problem)).collect()
    }
}

pub(crate) fn counts(receipt: &Receipt) -> [u64; 4] {
    [receipt.stored, receipt.duplicate, receipt.filtered, receipt.dead_letters.len() as u64]
}

pub(crate) async fn open(directory: &TempDir) -> Lake {
    let options =
        LakeOptions { linger: Duration::ZERO, ..LakeOptions::new(directory.path().join("lake")) };
    Lake::open(options).await.unwrap()
}

pub(crate) fn source(id: &str, classes: &[Class]) -> Arc<Source> {
    Arc::new(Source {
        id: id.to_owned(),
        msg_class: id.replace('.', "_"),
        sensor_type: "Test".to_owned(),
        msg_origin: MsgOrigin {
            source: id.split('.').next().unwrap_or_default().to_owned(),
            vendor: "test".to_owned(),
            category: "email".to_owned(),
        },
        classes: classes.to_vec(),
    })
}

/// A batch for tenant `default`, source `test.events`.
pub(crate) fn batch(records: &[Value]) -> Batch {
    batch_of("default", "test.events", records)
}

pub(crate) fn batch_of(tenant: &str, source_id: &str, records: &[Value]) -> Batch {
    let tenant = TenantId::new(tenant).unwrap();
    let source = source(source_id, &Class::ALL);
    let identified = records.iter().map(|record| {
        let raw = record.to_string().into_bytes();
        let identity = Told.identify(&raw).unwrap();
        IdentifiedRecord::new(Record::from(raw), &identity, &tenant, &source)
    });
    Batch {
        id: BatchId::generate(),
        install: InstallId(uuid::Uuid::from_u128(1)),
        records: identified.collect(),
        tenant,
        connector: ConnectorId(uuid::Uuid::from_u128(2)),
        connector_name: "経理 mail".to_owned(),
        source,
        stream: StreamId::new("mail/all").unwrap(),
        interval: None,
        ingest_time: Timestamp::from_millis(NOON + 5_000),
        mapping: Arc::new(Told),
    }
}

/// A mail, `seconds` after noon.
pub(crate) fn mail(id: u64, seconds: i64) -> Value {
    mail_with(id, seconds, json!({"email": {"subject": format!("mail {id}")}}))
}

pub(crate) fn mail_with(id: u64, seconds: i64, event: Value) -> Value {
    json!({"id": id, "ms": NOON + seconds * 1000, "class": "email_activity", "event": event})
}

pub(crate) fn of_class(class: Class, id: u64, seconds: i64, event: Value) -> Value {
    json!({"id": id, "ms": NOON + seconds * 1000, "class": class.name(), "event": event})
}

/// Appends a batch that is held right before its first commit, until `meanwhile` is through.
pub(crate) async fn append_held<T>(
    shore: &Shore,
    batch: Batch,
    meanwhile: impl Future<Output = T>,
) -> Result<Vec<Receipt>, query::store::StoreError> {
    let mark = shore.directory.path().join("held");
    fail::cfg("lake.before_commit", &format!("1*return(hold:{})", mark.display())).unwrap();
    let lake = shore.lake.clone();
    let held = tokio::spawn(async move { lake.append(vec![batch]).await });
    while !mark.exists() {
        tokio::task::yield_now().await;
    }
    meanwhile.await;
    std::fs::remove_file(&mark).unwrap();
    let answer = held.await.unwrap();
    fail::remove("lake.before_commit");
    answer
}

/// So many hours after noon.
pub(crate) fn at(hours: i64) -> Timestamp {
    Timestamp::from_millis(NOON + hours * 3_600_000)
}

/// Everything that can be done without being told what has expired.
pub(crate) fn everything(now: Timestamp) -> MaintenancePlan {
    MaintenancePlan {
        merge: Effort::Now,
        snapshot: Effort::Now,
        clean_up: Effort::Now,
        ..MaintenancePlan::new(now)
    }
}

/// Merging alone.
pub(crate) fn merging(now: Timestamp) -> MaintenancePlan {
    MaintenancePlan { merge: Effort::Now, ..MaintenancePlan::new(now) }
}

/// Snapshots and checkpoints alone.
pub(crate) fn noting(now: Timestamp) -> MaintenancePlan {
    MaintenancePlan { snapshot: Effort::Now, ..MaintenancePlan::new(now) }
}

/// A bookmark of the install of these tests.
pub(crate) fn bookmark(hour: i64, applied: BTreeMap<Class, u64>) -> Bookmark {
    Bookmark {
        install: InstallId(uuid::Uuid::from_u128(1)),
        written_at: at(hour),
        applied,
        readers: BTreeMap::new(),
        holds: Vec::new(),
    }
}

/// The sorted names in a directory; none when it is not there.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Every file below a directory.
pub(crate) fn files_below(directory: &Path) -> Vec<PathBuf> {
    let paths = names(directory).into_iter().map(|name| directory.join(name));
    paths.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// Makes every file look as if it had been written at noon.
pub(crate) fn backdate(directory: &Path) {
    let noon = SystemTime::UNIX_EPOCH + Duration::from_millis(NOON.unsigned_abs());
    for path in files_below(directory) {
        let file = std::fs::File::options().write(true).open(path).unwrap();
        file.set_modified(noon).unwrap();
    }
}

/// Rows that `deltalake` counts in a table.
pub(crate) async fn rows_for_others(table: &Path) -> usize {
    let url = url::Url::from_directory_path(table).unwrap();
    let table = deltalake::DeltaTableBuilder::from_url(url).unwrap().load().await.unwrap();
    let context = deltalake::datafusion::prelude::SessionContext::new();
    context.register_table("t", table.table_provider().await.unwrap()).unwrap();
    let batches = context.sql("SELECT uid FROM t").await.unwrap().collect().await.unwrap();
    batches.iter().map(|batch| batch.num_rows()).sum()
}
