//! Plans of the hunting languages, executed.

use std::sync::Arc;

use futures::TryStreamExt as _;
use model::ids::TenantId;
use model::ocsf::Class;
use model::source::Sources;
use model::time::Timestamp;
use query::language::Context;
use query::plan::Query;
use query::store::{EventStore as _, Row, Statement};
use query::{lucene, taegis};
use serde_json::{Value, json};

use crate::support::*;

fn sources() -> Sources {
    Sources::new([
        source("test.events", &Class::ALL),
        Arc::new(model::source::Source {
            sensor_type: "Other Sensor".to_owned(),
            ..(*source("other.events", &Class::ALL)).clone()
        }),
    ])
}

/// Runs a plan for a tenant.
async fn rows_of(shore: &Shore, tenant: &str, query: Query) -> Vec<Row> {
    let tenant = TenantId::new(tenant).unwrap();
    let answer = shore.lake.query(&tenant, Statement::Query(query)).await.unwrap();
    let pages: Vec<Vec<Row>> = answer.pages.try_collect().await.unwrap();
    assert!(pages.iter().all(|page| !page.is_empty() && page.len() <= 1000));
    pages.into_iter().flatten().collect()
}

/// Runs a query of the Taegis-style language for a tenant, at NOON + 1 day.
pub(crate) async fn ask_as(shore: &Shore, tenant: &str, text: &str) -> Vec<Row> {
    let now = Timestamp::from_millis(NOON + 86_400_000);
    let parsed = taegis::parse(text, &Context { sources: &sources(), now });
    let parsed = parsed.unwrap_or_else(|error| panic!("{}", error.render(text)));
    rows_of(shore, tenant, parsed.query).await
}

pub(crate) async fn ask(shore: &Shore, text: &str) -> Vec<Row> {
    ask_as(shore, "default", text).await
}

/// Runs a query of the Lucene-style language, at NOON + 1 day.
pub(crate) async fn ask_lucene(shore: &Shore, text: &str) -> Vec<Row> {
    let now = Timestamp::from_millis(NOON + 86_400_000);
    let parsed = lucene::parse(text, &Context { sources: &sources(), now });
    let parsed = parsed.unwrap_or_else(|error| panic!("{}", error.render(text)));
    rows_of(shore, "default", parsed.query).await
}

/// The ids of the records that a query finds.
async fn ids(shore: &Shore, text: &str) -> Vec<u64> {
    ids_of(&ask(shore, text).await)
}

/// The ids of records.
pub(crate) fn ids_of(rows: &[Row]) -> Vec<u64> {
    let id = |row: &Row| {
        let raw: Value = serde_json::from_str(row["raw_data"].as_str().unwrap()).unwrap();
        raw["id"].as_u64().unwrap()
    };
    rows.iter().map(id).collect()
}

fn letters() -> Vec<Value> {
    vec![
        mail_with(
            1,
            10,
            json!({
                "email": {
                    "subject": "Invoice 7", "from": "billing@supplier.example", "size": 100,
                    "to": ["cfo@corp.example", "ceo@corp.example"],
                    "files": [{"name": "a.pdf", "hashes": [{"algorithm_id": 3, "value": "AABB"}]}],
                },
                "severity_id": 4, "is_alert": true,
                "src_endpoint": {"ip": "10.1.2.3"},
                "actor": {"user": {"name": "Mina"}},
                "unmapped": {"odd": {"x": 1}},
            }),
        ),
        mail_with(
            2,
            20,
            json!({"email": {"subject": "経理からのお知らせ", "size": 300}, "severity_id": 1}),
        ),
        mail_with(
            3,
            -90_000,
            json!({
                "email": {"subject": "remittance", "to": ["ops@corp.example"], "size": 50},
                "src_endpoint": {"ip": "192.0.2.9"},
            }),
        ),
        of_class(
            Class::FileHosting,
            4,
            30,
            json!({"file": {"name": "plan.docx"}, "actor": {"user": {"name": "mina"}}, "severity_id": 4}),
        ),
        of_class(Class::BaseEvent, 5, 5, json!({"message": "nothing else"})),
    ]
}

async fn shore() -> Shore {
    let shore = Shore::new().await;
    let mut other = batch_of("default", "other.events", &[mail(6, 40)]);
    other.connector_name = "Other".to_owned();
    shore
        .store(vec![batch(&letters()), other, batch_of("stranger", "test.events", &letters())])
        .await;
    shore
}

#[tokio::test]
async fn whole_events_come_newest_first_with_our_columns_beside() {
    let shore = shore().await;
    assert_eq!(ids(&shore, "").await, [6, 4, 2, 1, 5, 3]);
    let rows = ask(&shore, "FROM email WHERE subject = 'invoice 7'").await;
    let row = Value::Object(rows[0].clone());
    assert_eq!(row["time"], NOON + 10_000);
    assert_eq!(row["ingest_time"], NOON + 5_000);
    assert_eq!(row["day"], "2026-03-02");
    assert_eq!((&row["tenant_uid"], &row["source"]), (&json!("default"), &json!("test.events")));
    assert_eq!(row["connector_name"], "経理 mail");
    assert_eq!(row["uid"].as_str().unwrap().len(), 32);
    assert_eq!(row["class_uid"], 4009);
    assert_eq!(row["email"]["to"], json!(["cfo@corp.example", "ceo@corp.example"]));
    assert_eq!(
        row["email"]["files"][0]["hashes"],
        json!([{"algorithm_id": 3, "algorithm": "SHA-256", "value": "AABB"}])
    );
    assert_eq!(row["unmapped"], json!({"odd": {"x": 1}}));
    assert!(row.get("dst_endpoint").is_none() && row["email"].get("cc").is_none());
    let raw: Value = serde_json::from_str(row["raw_data"].as_str().unwrap()).unwrap();
    assert_eq!(raw, letters()[0]);
}

#[tokio::test]
async fn filters_mean_what_the_plan_says() {
    let shore = shore().await;
    let cases: &[(&str, &[u64])] = &[
        ("FROM email WHERE subject CONTAINS 'INVOICE'", &[1]),
        ("FROM email WHERE subject CONTAINS '経理'", &[2]),
        ("FROM email WHERE subject !CONTAINS 'invoice'", &[6, 2, 3]),
        ("FROM email WHERE to_email_address = 'CEO@corp.example'", &[1]),
        ("FROM email WHERE to_email_address != 'ceo@corp.example'", &[6, 2, 3]),
        ("FROM email WHERE to_email_address IS NULL", &[6, 2]),
        ("FROM email WHERE to_email_address IS NOT NULL", &[1, 3]),
        ("FROM email WHERE to_email_address IN ('ops@corp.example', 'x')", &[3]),
        ("FROM email WHERE @hash = 'aabb'", &[1]),
        ("FROM email WHERE @ip MATCHES '10.0.0.0/8'", &[1]),
        ("FROM email WHERE @ip !MATCHES '10.*'", &[6, 2, 3]),
        ("FROM email WHERE subject MATCHES_REGEX '^(invoice|remit)'", &[1, 3]),
        ("FROM email WHERE subject MATCHES 'inv*?'", &[1]),
        ("FROM email WHERE message_size >= 100", &[2, 1]),
        ("FROM email WHERE message_size < 100 OR message_size > 200", &[2, 3]),
        ("FROM email WHERE message_size != 100", &[6, 2, 3]),
        ("FROM email WHERE is_alert = true", &[1]),
        ("FROM email WHERE severity_id IN (1, 4)", &[2, 1]),
        ("FROM email WHERE time >= 1772438420000", &[6, 2]),
        ("FROM email WHERE original_data CONTAINS '\"size\":300'", &[2]),
        ("FROM email WHERE sensor_type = 'other sensor'", &[6]),
        ("FROM email WHERE sensor_type != 'other sensor'", &[2, 1, 3]),
        ("FROM email WHERE ingest.integration_id = 'other'", &[6]),
        ("FROM email WHERE test.event.email.size = 300", &[2]),
        ("FROM email WHERE test.event.email.to = 'cfo@corp.example'", &[1]),
        ("FROM email WHERE test.event.email.to.1 = 'ceo@corp.example'", &[1]),
        ("FROM email WHERE test.event.email.size > 60", &[2, 1]),
        ("FROM email WHERE test.event.nothing IS NULL", &[6, 2, 1, 3]),
        ("FROM email WHERE tenantid = 'stranger'", &[]),
        ("FROM email WHERE day = '2026-03-01'", &[3]),
        ("FROM email_activity, file_hosting WHERE actor.user.name = 'MINA'", &[4, 1]),
        ("WHERE severity_id = 4", &[4, 1]),
        ("FROM email EARLIEST='2026-03-02T08:00:10Z' LATEST='2026-03-02T08:00:20Z'", &[2, 1]),
        ("FROM email EARLIEST=-25h", &[6, 2, 1]),
        ("FROM email WHERE unmapped IS NOT NULL", &[1]),
        ("FROM process WHERE process_name = 'x'", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(ids(&shore, text).await, *expected, "{text}");
    }
}

#[tokio::test]
async fn lucene_queries_mean_what_the_plan_says() {
    let shore = shore().await;
    let cases: &[(&str, &[u64])] = &[
        ("", &[6, 4, 2, 1, 5, 3]),
        ("*:*", &[6, 4, 2, 1, 5, 3]),
        ("INVOICE", &[1]),
        ("\"cfo@corp.example\"", &[1]),
        ("rem*tance", &[3]),
        ("/remit|invoice/", &[1, 3]),
        ("-invoice AND msg_class: test_events", &[4, 2, 5, 3]),
        ("msg_class: test_events AND subject:*", &[2, 1, 3]),
        ("subject:\"invoice 7\"", &[1]),
        ("subject:invoice", &[]),
        ("subject:invoice*", &[1]),
        ("subject:/(invoice|remit).*/", &[1, 3]),
        ("subject:/remit/", &[]),
        ("to_email_address:CEO@corp.example", &[1]),
        ("_exists_:to_email_address", &[1, 3]),
        ("@hash:aabb", &[1]),
        ("@ip:10.0.0.0/8", &[1]),
        ("source_address:[10.1.2.0 TO 10.1.2.3]", &[1]),
        ("source_address:[10.1.2.0 TO 10.1.2.3}", &[]),
        ("source_address:>=192.0.2.0", &[3]),
        ("message_size:[50 TO 100]", &[1, 3]),
        ("message_size:{50 TO 100]", &[1]),
        ("message_size:>100 OR message_size:50", &[2, 3]),
        ("message_size: IN [50 300]", &[2, 3]),
        ("severity_id:(informational OR high)", &[4, 2, 1]),
        ("is_alert:true", &[1]),
        ("sensor_type:\"other sensor\"", &[6]),
        ("tenantid:stranger", &[]),
        ("test.event.email.size:300", &[2]),
        ("test.event.email.size:[60 TO 400}", &[2, 1]),
        ("test.event.email.to:cfo@corp.example", &[1]),
        ("source:test.events AND event.email.size:300", &[2]),
        ("time:[2026-03-02T08:00:10Z TO 2026-03-02T08:00:20Z]", &[2, 1]),
        ("time:2026-03-01", &[3]),
        ("time:>=now-25h AND subject:*", &[6, 2, 1]),
        ("time:2026-03-01 OR severity_id:high", &[4, 1, 3]),
        ("-time:2026-03-02", &[3]),
        ("write_time:[2026-03-02T08:00 TO 2026-03-02T08:01} AND subject:rem*", &[3]),
    ];
    for (text, expected) in cases {
        assert_eq!(ids_of(&ask_lucene(&shore, text).await), *expected, "{text}");
    }
}

#[tokio::test]
async fn stages_sort_cut_and_choose() {
    let shore = shore().await;
    assert_eq!(ids(&shore, "FROM email | head 2").await, [6, 2]);
    assert_eq!(ids(&shore, "FROM email | tail 2").await, [1, 3]);
    assert_eq!(ids(&shore, "FROM email | sort message_size").await, [3, 1, 2, 6]);
    assert_eq!(ids(&shore, "FROM email | sort -message_size | head 1").await, [2]);
    assert_eq!(ids(&shore, "| head 4 | sort time").await, [1, 2, 4, 6]);
    assert_eq!(ids(&shore, "| head 4 | sort time | tail 1").await, [6]);
    assert_eq!(ids(&shore, "| sort severity_id desc, time | head 3").await, [1, 4, 2]);
    let rows = ask(&shore, "FROM email | fields time, subject, to_email_address, sensor_type, test.id | head 4 | sort subject").await;
    assert_eq!(rows[0]["subject"], "Invoice 7");
    assert_eq!(rows[0]["to_email_address"], json!(["cfo@corp.example", "ceo@corp.example"]));
    assert_eq!((&rows[0]["time"], &rows[0]["test.id"]), (&json!(NOON + 10_000), &json!(1)));
    assert_eq!(rows[0]["sensor_type"], "Test");
    assert!(rows[1].get("to_email_address").is_none());
}

#[tokio::test]
async fn aggregates_count_by_falling_count() {
    let shore = shore().await;
    let text = "| aggregate count, max(time) by severity_id";
    let rows: Vec<Value> = ask(&shore, text).await.into_iter().map(Value::Object).collect();
    assert_eq!(
        rows,
        [
            json!({"severity_id": 0, "count": 3, "max(time)": NOON + 40_000}),
            json!({"severity_id": 4, "count": 2, "max(time)": NOON + 30_000}),
            json!({"severity_id": 1, "count": 1, "max(time)": NOON + 20_000}),
        ]
    );
    let text = "FROM email | aggregate count, sum(message_size), avg(message_size), min(message_size), cardinality(subject)";
    let rows = ask(&shore, text).await;
    assert_eq!(
        Value::Object(rows[0].clone()),
        json!({"count": 4, "sum(message_size)": 450, "avg(message_size)": 150.0, "min(message_size)": 50, "cardinality(subject)": 4})
    );
    let rows = ask(&shore, "| aggregate count by sensor_type | sort sensor_type | tail 1").await;
    assert_eq!(Value::Object(rows[0].clone()), json!({"sensor_type": "Test", "count": 5}));
    let rows = ask(&shore, "FROM email | aggregate count by test.event.email.size | head 9").await;
    assert_eq!(rows.len(), 4);
    let rows = ask(&shore, "FROM email WHERE subject = 'nobody' | aggregate count").await;
    assert_eq!(Value::Object(rows[0].clone()), json!({"count": 0}));
}

#[tokio::test]
async fn rows_come_in_pages_without_a_cap() {
    let shore = Shore::new().await;
    let records: Vec<_> = (0..12_345).map(|id| mail(id, (id % 50_000) as i64)).collect();
    shore.store(vec![batch(&records)]).await;
    let found = ids(&shore, "").await;
    let expected: Vec<u64> = (0..12_345).rev().collect();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_query_for_one_day_opens_no_file_of_another() {
    let shore = shore().await;
    let other = "lake/events/email_activity/tenant_uid=default/day=2026-03-01";
    std::fs::remove_dir_all(shore.directory.path().join(other)).unwrap();
    let found =
        ids(&shore, "FROM email EARLIEST='2026-03-02T00:00:00Z' LATEST='2026-03-02T23:00:00Z'")
            .await;
    assert_eq!(found, [6, 2, 1]);
    let rows =
        sql(&shore, "SELECT uid FROM email_activity WHERE day = '2026-03-02' AND severity_id >= 0")
            .await;
    assert_eq!(rows.len(), 3);
}

/// Runs SQL for the tenant `default`.
pub(crate) async fn sql(shore: &Shore, text: &str) -> Vec<Row> {
    let answer = shore.lake.query(&TenantId::default(), Statement::Sql(text.to_owned())).await;
    let answer = answer.unwrap_or_else(|error| panic!("{text}: {error}"));
    let pages: Vec<Vec<Row>> = answer.pages.try_collect().await.unwrap();
    pages.into_iter().flatten().collect()
}
