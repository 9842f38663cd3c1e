//! SQL: as people write it, inside the wall, and nothing but reading.

use model::hint::Hint as _;
use model::ids::TenantId;
use model::ocsf::Class;
use query::store::{EventStore as _, Statement, StoreError};
use serde_json::{Value, json};

use crate::queries::sql;
use crate::support::*;

async fn shore() -> Shore {
    let shore = Shore::new().await;
    let event = json!({
        "email": {"subject": "hi", "from": "a@b.example", "to": ["x@y.example"]},
        "actor": {"user": {"name": "mina"}}, "severity_id": 3, "unmapped": {"k": [1]},
    });
    let records = [
        mail_with(1, 0, event),
        mail_with(2, 60, json!({"email": {"subject": "yo", "from": "c@d.example"}})),
        of_class(Class::BaseEvent, 3, 5, json!({"message": "m"})),
    ];
    let foreign = [mail_with(9, 0, json!({"email": {"subject": "secret"}}))];
    shore.store(vec![batch(&records), batch_of("stranger", "test.events", &foreign)]).await;
    shore
}

fn objects(rows: Vec<query::store::Row>) -> Vec<Value> {
    rows.into_iter().map(Value::Object).collect()
}

#[tokio::test]
async fn nested_columns_are_sql_as_written() {
    let shore = shore().await;
    let rows = sql(&shore, "SELECT email.from, actor.user.name AS who, time FROM email_activity WHERE email.subject = 'hi'").await;
    let row = Value::Object(rows[0].clone());
    assert_eq!(row["time"], NOON);
    assert_eq!(row["who"], "mina");
    assert!(rows[0].values().any(|value| value == "a@b.example"), "{row}");
    let rows = sql(&shore, "SELECT count(*) AS n, max(time) AS last FROM email_activity WHERE time >= '2026-03-02T08:00:00Z'").await;
    assert_eq!(objects(rows), [json!({"n": 2, "last": NOON + 60_000})]);
    let rows = sql(&shore, "SELECT * FROM email_activity ORDER BY time LIMIT 1").await;
    assert_eq!(rows[0]["unmapped"], json!({"k": [1]}));
    assert_eq!(rows[0]["email"]["to"], json!(["x@y.example"]));
    assert_eq!(rows[0]["day"], "2026-03-02");
    let rows = sql(&shore, "SELECT raw_text(raw_data, 'event', 'email', 'to', 0) AS first FROM email_activity ORDER BY time").await;
    assert_eq!(objects(rows), [json!({"first": "x@y.example"}), json!({})]);
    let rows = sql(&shore, "SELECT e.uid FROM email_activity e JOIN events v ON e.uid = v.uid WHERE e.severity_id = 3;").await;
    assert_eq!(rows.len(), 1);
    let rows = sql(
        &shore,
        "WITH a AS (SELECT email.subject s FROM email_activity) SELECT s FROM a ORDER BY s",
    )
    .await;
    assert_eq!(objects(rows), [json!({"s": "hi"}), json!({"s": "yo"})]);
}

#[tokio::test]
async fn the_view_of_all_classes_shows_the_common_columns() {
    let shore = shore().await;
    let rows =
        sql(&shore, "SELECT class_uid, source, metadata.version AS v FROM events ORDER BY time")
            .await;
    assert_eq!(
        objects(rows),
        [
            json!({"class_uid": 4009, "source": "test.events", "v": "1.8.0"}),
            json!({"class_uid": 0, "source": "test.events", "v": "1.8.0"}),
            json!({"class_uid": 4009, "source": "test.events", "v": "1.8.0"}),
        ]
    );
    let rows = sql(&shore, "SELECT * FROM events WHERE day = '2026-03-02' AND class_uid = 0").await;
    assert_eq!(rows[0]["connector_name"], "経理 mail");
}

#[tokio::test]
async fn hostile_sql_sees_one_tenant_only() {
    let shore = shore().await;
    let attempts = [
        "SELECT count(*) AS n FROM email_activity WHERE tenant_uid = 'stranger' OR 1=1",
        "SELECT count(*) AS n FROM events WHERE NOT (tenant_uid = 'default') OR tenant_uid IS NULL OR true",
        "SELECT count(*) AS n FROM (SELECT * FROM email_activity UNION ALL SELECT * FROM email_activity WHERE tenant_uid <> 'default') t",
        "SELECT count(*) AS n FROM email_activity a LEFT JOIN email_activity b ON a.tenant_uid <> b.tenant_uid",
        "SELECT count(distinct tenant_uid) AS n FROM events",
        "SELECT sum(CASE WHEN raw_data LIKE '%secret%' THEN 1 ELSE 0 END) AS n FROM events",
        "SELECT count(*) AS n FROM datafusion.public.email_activity WHERE email.subject = 'secret'",
    ];
    let expected = [2, 3, 2, 2, 1, 0, 0];
    for (text, expected) in attempts.iter().zip(expected) {
        assert_eq!(objects(sql(&shore, text).await), [json!({"n": expected})], "{text}");
    }
    let rows =
        sql(&shore, "SELECT tenant_uid FROM email_activity WHERE tenant_uid = 'stranger'").await;
    assert!(rows.is_empty());
}

#[tokio::test]
async fn a_file_under_the_wrong_tenant_shows_no_rows() {
    let shore = shore().await;
    let events = shore.directory.path().join("lake/events/email_activity");
    let part = |tenant: &str| {
        let folder = events.join(format!("tenant_uid={tenant}/day=2026-03-02"));
        let mut files = std::fs::read_dir(folder).unwrap();
        files.next().unwrap().unwrap().path()
    };
    let own = std::fs::metadata(part("default")).unwrap().len();
    std::fs::copy(part("stranger"), part("default")).unwrap();
    let foreign = std::fs::metadata(part("default")).unwrap().len();
    // The log tells the size; keep it, so that the reader finds the footer.
    let mut log = events.join("_delta_log/00000000000000000001.json");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(
        &mut log,
        text.replace(&format!("\"size\":{own}"), &format!("\"size\":{foreign}")),
    )
    .unwrap();
    let shore = shore.reopened().await;
    assert!(sql(&shore, "SELECT * FROM email_activity").await.is_empty());
    assert!(
        shore
            .findings()
            .await
            .iter()
            .any(|finding| finding.contains("belongs to tenant `stranger`"))
    );
}

#[tokio::test]
async fn everything_but_one_select_is_refused_with_a_hint() {
    let shore = shore().await;
    let attempts = [
        "DROP TABLE email_activity",
        "DELETE FROM email_activity",
        "UPDATE email_activity SET source = 'x'",
        "INSERT INTO email_activity SELECT * FROM email_activity",
        "CREATE TABLE x AS SELECT * FROM email_activity",
        "CREATE VIEW x AS SELECT * FROM email_activity",
        "CREATE EXTERNAL TABLE x STORED AS PARQUET LOCATION '/'",
        "COPY email_activity TO '/tmp/x.parquet'",
        "COPY (SELECT 1) TO '/tmp/x.parquet'",
        "SET datafusion.catalog.information_schema = true",
        "SHOW TABLES",
        "EXPLAIN ANALYZE SELECT * FROM email_activity",
        "SELECT 1; DROP TABLE email_activity",
        "SELECT 1; SELECT 2",
        "SELECT * INTO x FROM email_activity",
        "PREPARE p AS SELECT 1",
        "TRUNCATE TABLE email_activity",
        "BEGIN",
        "",
        "nonsense",
    ];
    for text in attempts {
        let error = refusal(&shore, text).await;
        assert!(error.hint().is_some(), "{text}: {error}");
    }
    for text in [
        "SELECT * FROM information_schema.tables",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM `/tmp/x.parquet`",
        "SELECT * FROM read_parquet('/x')",
    ] {
        refusal(&shore, text).await;
    }
    assert_eq!(sql(&shore, "SELECT * FROM email_activity").await.len(), 2);
}

#[tokio::test]
async fn unknown_names_are_answered_with_near_ones() {
    let shore = shore().await;
    let error = refusal(&shore, "SELECT sevrity_id FROM email_activity").await;
    assert_eq!(error.to_string(), "cannot run this query: there is no column `sevrity_id`");
    assert_eq!(error.hint().unwrap(), "did you mean `severity_id`?");
    let error = refusal(&shore, "SELECT * FROM email").await;
    assert_eq!(error.to_string(), "cannot run this query: there is no table `email`");
    assert!(error.hint().unwrap().contains("`email_activity`"), "{:?}", error.hint());
}

async fn refusal(shore: &Shore, text: &str) -> StoreError {
    match shore.lake.query(&TenantId::default(), Statement::Sql(text.to_owned())).await {
        Ok(_) => panic!("{text} was run"),
        Err(error @ StoreError::Refused { .. }) => error,
        Err(error) => panic!("{text} failed: {error:?}"),
    }
}
