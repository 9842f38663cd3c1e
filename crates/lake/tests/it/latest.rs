//! `latest`: of the versions of a finding only the newest is there, in every language.

use model::ocsf::Class;
use model::time::Timestamp;
use query::store::Row;
use serde_json::{Value, json};

use crate::queries::{ask, ask_as, ask_lucene, ids_of, sql};
use crate::support::*;

/// A version of a finding: number of the record, seconds after noon, when it was modified.
fn version(id: u64, seconds: i64, finding: &str, modified: Option<i64>) -> Value {
    let finding = json!({"uid": finding, "modified_time": modified, "title": "t"});
    let event = json!({"finding_info": finding, "severity_id": 4});
    of_class(Class::DataSecurityFinding, id, seconds, event)
}

async fn shore() -> Shore {
    let shore = Shore::new().await;
    let first = [
        version(1, 1, "a", Some(NOON)),
        version(2, 2, "a", Some(NOON + 3000)),
        version(3, 3, "b", Some(NOON)),
        version(4, 4, "c", None),
        version(11, -90_000, "d", Some(NOON)),
        mail(9, 9),
    ];
    // Modified earlier, though it came later; modified at the same time, and came later; has a time.
    let later = [
        version(5, 5, "a", Some(NOON + 2000)),
        version(6, 6, "b", Some(NOON)),
        version(7, 7, "c", Some(1)),
    ];
    let mut later = batch(&later);
    later.ingest_time = Timestamp::from_millis(NOON + 9_000);
    shore.store(vec![batch(&first)]).await;
    shore
        .store(vec![
            later,
            batch_of("default", "other.events", &[version(8, 8, "a", Some(NOON))]),
            batch_of("stranger", "test.events", &[version(10, 10, "a", Some(NOON + 9000))]),
        ])
        .await;
    shore
}

/// The ids of the records of an answer that shows nothing else.
fn numbers(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn the_newest_version_of_each_finding_of_each_source_is_left() {
    let shore = shore().await;
    let newest = [9, 8, 7, 6, 2, 11];
    assert_eq!(ids_of(&ask(&shore, "LATEST=true").await), newest);
    assert_eq!(ids_of(&ask_lucene(&shore, "latest:true").await), newest);
    assert_eq!(ids_of(&ask(&shore, "FROM detection LATEST=true").await), newest[1..]);
    assert_eq!(ids_of(&ask(&shore, "FROM email LATEST=true").await), [9]);
    assert_eq!(ids_of(&ask_as(&shore, "stranger", "LATEST=true").await), [10]);
    assert_eq!(ask(&shore, "LATEST=false").await.len(), 10);
}

#[tokio::test]
async fn versions_are_told_apart_before_anything_else_is_asked() {
    let shore = shore().await;
    let range = "EARLIEST='2026-03-02T08:00:01Z' LATEST='2026-03-02T08:00:05Z'";
    let found = ask(&shore, &format!("FROM detection {range}")).await;
    assert_eq!(ids_of(&found), [5, 4, 3, 2, 1]);
    let found = ask(&shore, &format!("FROM detection LATEST=true {range}")).await;
    assert_eq!(ids_of(&found), [2]);
    let found = ask(&shore, "FROM detection WHERE raw_data CONTAINS '\"id\":1,' LATEST=true").await;
    assert!(found.is_empty());
    let found = ask(&shore, "FROM detection LATEST=true | sort time | head 2").await;
    assert_eq!(ids_of(&found), [11, 2]);
    let found = ask(&shore, "FROM detection LATEST=true | aggregate count by source").await;
    let found: Vec<Value> = found.into_iter().map(Value::Object).collect();
    assert_eq!(
        found,
        [
            json!({"source": "test.events", "count": 4}),
            json!({"source": "other.events", "count": 1}),
        ]
    );
}

#[tokio::test]
async fn sql_has_the_newest_versions_in_a_schema_of_its_own() {
    let shore = shore().await;
    let text = "SELECT raw_text(raw_data, 'id') AS id FROM latest.data_security_finding ORDER BY uid, time";
    let mut found = numbers(&sql(&shore, text).await);
    found.sort();
    assert_eq!(found, ["11", "2", "6", "7", "8"]);
    let count = |rows: Vec<Row>| rows[0]["n"].clone();
    let text = "SELECT count(*) AS n FROM latest.events";
    assert_eq!(count(sql(&shore, text).await), 6);
    let text =
        "SELECT count(*) AS n FROM LATEST.data_security_finding WHERE finding_info.uid = 'a'";
    assert_eq!(count(sql(&shore, text).await), 2);
    let text = "SELECT count(*) AS n FROM data_security_finding";
    assert_eq!(count(sql(&shore, text).await), 9);
    let text = "SELECT (SELECT count(*) FROM data_security_finding) \
                - (SELECT count(*) FROM latest.data_security_finding) AS n";
    assert_eq!(count(sql(&shore, text).await), 4);
    let text = "SELECT count(*) AS n FROM latest.events WHERE tenant_uid = 'stranger' OR true";
    assert_eq!(count(sql(&shore, text).await), 6);
}
