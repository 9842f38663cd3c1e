//! The store in memory keeps the promises that the floors above rely on.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use model::batch::{Batch, IdentifiedRecord};
use model::identity::Identity;
use model::ids::{BatchId, ConnectorId, InstallId, StreamId, TenantId};
use model::mapping::{EventSink, Mapping, Unusable, Verdict};
use model::ocsf::objects::Email;
use model::ocsf::{BaseEvent, Class, EmailActivity, Event};
use model::record::Record;
use model::time::Timestamp;
use query::plan::{Filter, Query, Stage, TimeRange};
use query::store::memory::MemoryStore;
use query::store::{EventStore, Row, Statement, StoreError};
use serde_json::{Value, json};

use crate::sources;

/// Records are `{"id":…,"ms":…,"what":"mail"|"other"|"drop"|"fail"}`.
struct Letters;

impl Mapping for Letters {
    fn identify(&self, raw: &[u8]) -> Result<Identity, Unusable> {
        let value: Value = serde_json::from_slice(raw).map_err(|e| Unusable(e.to_string()))?;
        let time = value["ms"].as_i64().map(Timestamp::from_millis);
        Ok(Identity { key: value["id"].to_string().into_bytes(), time })
    }

    fn normalise(&self, raw: &[u8], sink: &mut dyn EventSink) -> Verdict {
        let value: Value = serde_json::from_slice(raw).unwrap_or_default();
        match value["what"].as_str() {
            Some("drop") => return Verdict::Filtered,
            Some("fail") => return Verdict::Refused("no".to_owned()),
            Some("mail") => {
                let subject = Some(Cow::Owned(value["id"].to_string()));
                let email = Some(Box::new(Email { subject, ..Email::default() }));
                sink.push(&Event::from(EmailActivity { email, ..EmailActivity::default() }));
            }
            _ => sink.push(&Event::from(BaseEvent { time: Some(1), ..BaseEvent::default() })),
        }
        Verdict::Kept
    }
}

/// Runs a future that never waits.
pub(crate) fn now<F: Future>(future: F) -> F::Output {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the memory store never waits"),
    }
}

fn batch(tenant: &str, install: InstallId, records: &[Value]) -> Batch {
    let tenant = TenantId::new(tenant).unwrap();
    let source = Arc::clone(sources().get("mimecast.siem").unwrap());
    let identified = records.iter().map(|record| {
        let raw = record.to_string().into_bytes();
        let identity = Letters.identify(&raw).unwrap();
        IdentifiedRecord::new(Record::from(raw), &identity, &tenant, &source)
    });
    Batch {
        id: BatchId::generate(),
        install,
        records: identified.collect(),
        tenant,
        connector: ConnectorId::generate(),
        connector_name: "mail".to_owned(),
        source,
        stream: StreamId::new("letters").unwrap(),
        interval: None,
        ingest_time: Timestamp::from_millis(1_790_000_000_000),
        mapping: Arc::new(Letters),
    }
}

fn letter(id: u32, what: &str) -> Value {
    json!({"id": id, "ms": 1_780_000_000_000_i64 + i64::from(id) * 1000, "what": what})
}

fn everything() -> Query {
    Query {
        classes: vec![],
        latest: false,
        filter: Filter::All,
        range: TimeRange::default(),
        stages: vec![],
    }
}

pub(crate) fn rows(store: &MemoryStore, tenant: &str, query: Query) -> Vec<Row> {
    let tenant = TenantId::new(tenant).unwrap();
    let mut answer = now(store.query(&tenant, Statement::Query(query))).unwrap();
    let mut rows = Vec::new();
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(page)) = answer.pages.as_mut().poll_next(&mut context) {
        rows.extend(page.unwrap());
    }
    rows
}

#[test]
fn each_record_is_stored_once_and_every_other_is_accounted_for() {
    let store = MemoryStore::new();
    let install = InstallId::generate();
    let records = [
        letter(1, "mail"),
        letter(2, "other"),
        letter(1, "mail"),
        letter(3, "drop"),
        letter(4, "fail"),
    ];
    let receipts = now(store.append(vec![
        batch("default", install, &records),
        batch("default", install, &records[..1]),
        batch("other", install, &records[..1]),
    ]))
    .unwrap();
    let counts: Vec<_> = receipts
        .iter()
        .map(|r| (r.stored, r.duplicate, r.filtered, r.dead_letters.len(), r.commits.len()))
        .collect();
    assert_eq!(counts, [(2, 1, 1, 1, 2), (0, 1, 0, 0, 0), (1, 0, 0, 0, 1)]);

    let again = now(store.append(vec![batch("default", install, &records[..2])])).unwrap();
    assert_eq!((again[0].stored, again[0].duplicate), (0, 2));

    let verification = now(store.verify()).unwrap();
    assert_eq!((verification.rows, verification.findings.len()), (3, 0));
    let installs: u64 = verification.receipts.values().flat_map(BTreeMap::values).sum();
    assert_eq!(installs, 3);
}

#[test]
fn commits_and_receipts_are_read_after_a_version() {
    let store = MemoryStore::new();
    let install = InstallId::generate();
    for id in 1..=3 {
        now(store.append(vec![batch("default", install, &[letter(id, "mail")])])).unwrap();
    }
    let versions = |after| {
        let rows = now(store.commits(Class::EmailActivity, after)).unwrap();
        rows.iter().map(|row| row.version).collect::<Vec<_>>()
    };
    assert_eq!(versions(None), [1, 2, 3]);
    assert_eq!(versions(Some(2)), [3]);
    let row = &now(store.commits(Class::EmailActivity, Some(2))).unwrap()[0];
    assert_eq!(row.raw, letter(3, "mail").to_string().into_bytes());

    let after = BTreeMap::from([(Class::EmailActivity, 1)]);
    let receipts = now(store.receipts(install, &after)).unwrap();
    assert_eq!(receipts.iter().map(|(_, commit)| commit.version).collect::<Vec<_>>(), [2, 3]);
    assert!(now(store.receipts(InstallId::generate(), &after)).unwrap().is_empty());
}

#[test]
fn rows_come_newest_first_inside_one_tenant_with_our_columns() {
    let store = MemoryStore::new();
    let install = InstallId::generate();
    let mine = [letter(1, "mail"), letter(2, "other"), letter(3, "mail")];
    let theirs = [letter(9, "mail")];
    now(store.append(vec![batch("default", install, &mine), batch("other", install, &theirs)]))
        .unwrap();

    let all = rows(&store, "default", everything());
    let times: Vec<_> = all.iter().map(|row| row["time"].as_i64().unwrap() % 1_000_000).collect();
    assert_eq!(times, [3000, 2000, 1000]);
    assert_eq!(all[0]["tenant_uid"], "default");
    assert_eq!(all[0]["source"], "mimecast.siem");
    assert_eq!(all[0]["raw_data"], letter(3, "mail").to_string());
    assert_eq!(all[0]["email"]["subject"], "3");

    let earliest = Some(Timestamp::from_millis(1_780_000_002_000));
    let latest = Some(Timestamp::from_millis(1_780_000_003_000));
    let range = TimeRange { earliest, latest };
    assert_eq!(rows(&store, "default", Query { range, ..everything() }).len(), 1);
    let classes = vec![Class::EmailActivity];
    assert_eq!(rows(&store, "default", Query { classes, ..everything() }).len(), 2);
    let stages = vec![Stage::Head(1)];
    assert_eq!(rows(&store, "default", Query { stages, ..everything() }).len(), 1);

    let stats = now(store.stats(Some(&TenantId::default()))).unwrap();
    let counts: Vec<_> = stats.iter().map(|stats| (stats.class, stats.rows)).collect();
    assert_eq!(counts, [(Class::EmailActivity, 2), (Class::BaseEvent, 1)]);
}

#[test]
fn filters_other_stages_and_sql_are_refused() {
    let store = MemoryStore::new();
    let ask = |statement| match now(store.query(&TenantId::default(), statement)) {
        Err(StoreError::Refused { message, .. }) => message,
        _ => panic!("not refused"),
    };
    let filtered = Query { filter: Filter::None, ..everything() };
    assert!(ask(Statement::Query(filtered)).contains("does not evaluate filters"));
    let staged = Query { stages: vec![Stage::Tail(1)], ..everything() };
    assert!(ask(Statement::Query(staged)).contains("no stage but head"));
    assert!(ask(Statement::Sql("select 1".to_owned())).contains("SQL"));
}
