//! A source whose records say themselves what they become, and a lake on a temporary directory.

use std::sync::Arc;
use std::time::Duration;

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
