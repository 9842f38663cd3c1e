//! `latest`: of the versions of a finding only the newest is there, whatever else is asked.

use std::sync::Arc;

use model::batch::{Batch, IdentifiedRecord};
use model::identity::Identity;
use model::ids::{BatchId, ConnectorId, InstallId, StreamId, TenantId};
use model::mapping::{EventSink, Mapping, Unusable, Verdict};
use model::ocsf::{Class, Event};
use model::record::Record;
use model::time::Timestamp;
use query::plan::Query;
use query::store::EventStore as _;
use query::store::memory::MemoryStore;
use serde_json::{Value, json};

use crate::memory::{now, rows};
use crate::{parse, parse_lucene, sources};

/// Records are `{"id":…,"ms":…,"class":…,"event":{…}}`.
struct Versions;

impl Mapping for Versions {
    fn identify(&self, raw: &[u8]) -> Result<Identity, Unusable> {
        let value: Value = serde_json::from_slice(raw).map_err(|e| Unusable(e.to_string()))?;
        let time = value["ms"].as_i64().map(Timestamp::from_millis);
        Ok(Identity { key: value["id"].to_string().into_bytes(), time })
    }

    fn normalise(&self, raw: &[u8], sink: &mut dyn EventSink) -> Verdict {
        let value: Value = serde_json::from_slice(raw).unwrap_or_default();
        let class = value["class"].as_str().and_then(Class::from_name).unwrap();
        sink.push(&Event::from_value(class, value["event"].clone()));
        Verdict::Kept
    }
}

/// A version: number of the record, finding, when it was modified.
fn version(id: u32, finding: &str, modified: Option<i64>) -> Value {
    let finding = json!({ "uid": finding, "modified_time": modified, "title": "t" });
    json!({
        "id": id, "ms": 1_790_000_000_000_i64 + i64::from(id), "class": "data_security_finding",
        "event": { "finding_info": finding },
    })
}

fn batch(tenant: &str, source: &str, ingested: i64, records: &[Value]) -> Batch {
    let tenant = TenantId::new(tenant).unwrap();
    let source = Arc::clone(sources().get(source).unwrap());
    let identified = records.iter().map(|record| {
        let raw = record.to_string().into_bytes();
        let identity = Versions.identify(&raw).unwrap();
        IdentifiedRecord::new(Record::from(raw), &identity, &tenant, &source)
    });
    Batch {
        id: BatchId::generate(),
        install: InstallId::generate(),
        records: identified.collect(),
        tenant,
        connector: ConnectorId::generate(),
        connector_name: "findings".to_owned(),
        source,
        stream: StreamId::new("findings").unwrap(),
        interval: None,
        ingest_time: Timestamp::from_millis(ingested),
        mapping: Arc::new(Versions),
    }
}

fn store() -> MemoryStore {
    let store = MemoryStore::new();
    let cas = "trend_micro_cas.security_events";
    let mail = json!({
        "id": 9, "ms": 1_790_000_000_009_i64, "class": "email_activity", "event": {},
    });
    let first = [
        version(1, "a", Some(100)),
        version(2, "a", Some(300)),
        version(3, "b", Some(100)),
        version(4, "c", None),
        mail,
    ];
    // Modified earlier, though it came later; modified at the same time, and came later; has a time.
    let later = [version(5, "a", Some(200)), version(6, "b", Some(100)), version(7, "c", Some(1))];
    now(store.append(vec![
        batch("default", cas, 1000, &first),
        batch("default", cas, 2000, &later),
        batch("default", "mimecast.siem", 3000, &[version(8, "a", Some(50))]),
        batch("other", cas, 3000, &[version(1, "a", Some(900))]),
    ]))
    .unwrap();
    store
}

fn ids(store: &MemoryStore, query: Query) -> Vec<u64> {
    let id = |row: &query::store::Row| {
        let raw: Value = serde_json::from_str(row["raw_data"].as_str().unwrap()).unwrap();
        raw["id"].as_u64().unwrap()
    };
    rows(store, "default", query).iter().map(id).collect()
}

fn ask(store: &MemoryStore, taegis: &str, lucene: &str) -> Vec<u64> {
    let found = ids(store, parse(taegis).unwrap().query);
    assert_eq!(ids(store, parse_lucene(lucene).unwrap().query), found, "{taegis}   {lucene}");
    found
}

#[test]
fn the_newest_version_of_each_finding_of_each_source_is_left() {
    let store = store();
    assert_eq!(ask(&store, "", ""), [9, 8, 7, 6, 5, 4, 3, 2, 1]);
    assert_eq!(ask(&store, "LATEST=false", "latest:false"), [9, 8, 7, 6, 5, 4, 3, 2, 1]);
    // Mail has no versions; `mimecast` has its own finding `a`; `other` is another tenant.
    assert_eq!(ask(&store, "LATEST=true", "latest:true"), [9, 8, 7, 6, 2]);
}

#[test]
fn an_older_version_does_not_stand_in_for_a_newer_one_outside_the_range() {
    let store = store();
    let until = |id: u32| Timestamp::from_millis(1_790_000_000_000 + i64::from(id));
    let (taegis, lucene) =
        (format!("LATEST=true LATEST='{}'", until(6)), format!("latest=true time:<{}", until(6)));
    let mut query = parse(&taegis).unwrap().query;
    assert_eq!(ids(&store, query.clone()), [2]);
    assert_eq!(ids(&store, parse_lucene(&lucene).unwrap().query), [2]);
    query.latest = false;
    assert_eq!(ids(&store, query), [5, 4, 3, 2, 1]);
}

#[test]
fn versions_are_told_apart_before_rows_are_chosen_and_counted() {
    let store = store();
    assert_eq!(ids(&store, parse("FROM email LATEST=true").unwrap().query), [9]);
    assert_eq!(ids(&store, parse("FROM detection LATEST=true | head 3").unwrap().query), [8, 7, 6]);
}

#[test]
fn rows_of_equal_versions_leave_one_of_them() {
    let store = MemoryStore::new();
    let twice = [version(1, "a", Some(5)), version(2, "a", Some(5)), version(3, "a", Some(5))];
    let cas = "trend_micro_cas.security_events";
    now(store.append(vec![batch("default", cas, 1, &twice)])).unwrap();
    assert_eq!(ask(&store, "LATEST=true", "latest:true").len(), 1);
}

#[test]
fn where_nothing_is_a_finding_the_setting_gets_a_warning() {
    let parsed = parse("FROM email LATEST=true").unwrap();
    assert!(parsed.warnings[0].contains("LATEST=true changes nothing"), "{:?}", parsed.warnings);
    assert!(parse("FROM detection LATEST=true").unwrap().warnings.is_empty());
    assert!(parse_lucene("latest:true").unwrap().warnings.is_empty());
}
