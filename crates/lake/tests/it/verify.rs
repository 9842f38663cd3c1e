//! `verify` finds each kind of damage, and any Delta reader can read what the lake writes.

use std::path::PathBuf;

use deltalake::DeltaTableBuilder;
use deltalake::datafusion::prelude::SessionContext;
use query::store::EventStore as _;
use serde_json::json;
use url::Url;

use crate::support::*;

async fn shore() -> Shore {
    let shore = Shore::new().await;
    let event = json!({"email": {"subject": "hi"}, "actor": {"user": {"name": "mina"}}});
    shore.store(vec![batch(&[mail_with(1, 0, event), mail(2, 5), mail(3, 100_000)])]).await;
    shore.store(vec![batch(&[mail(4, 7)])]).await;
    shore
}

fn events(shore: &Shore) -> PathBuf {
    shore.directory.path().join("lake/events/email_activity")
}

fn parts(shore: &Shore, day: &str) -> Vec<PathBuf> {
    let folder = events(shore).join(format!("tenant_uid=default/day={day}"));
    let mut parts: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    parts.sort();
    parts
}

/// Rewrites a log entry and opens the lake again.
async fn with_entry(shore: Shore, version: u64, edit: impl Fn(String) -> String) -> Shore {
    let path = events(&shore).join(format!("_delta_log/{version:020}.json"));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, edit(text)).unwrap();
    shore.reopened().await
}

#[tokio::test]
async fn a_sound_lake_has_no_findings_and_its_receipts_add_up() {
    let shore = shore().await;
    let found = shore.lake.verify().await.unwrap();
    assert_eq!((found.rows, found.files, found.findings.len()), (4, 3, 0));
    let install = &found.receipts["00000000-0000-0000-0000-000000000001"];
    assert_eq!(install["00000000-0000-0000-0000-000000000002/mail/all"], 4);
}

#[tokio::test]
async fn a_missing_and_a_cut_file_are_found() {
    let shore = shore().await;
    std::fs::remove_file(&parts(&shore, "2026-03-03")[0]).unwrap();
    let cut = &parts(&shore, "2026-03-02")[0];
    let bytes = std::fs::read(cut).unwrap();
    std::fs::write(cut, &bytes[..bytes.len() / 2]).unwrap();
    let findings = shore.findings().await;
    assert_eq!(findings.iter().filter(|f| f.contains("cannot be read")).count(), 2, "{findings:?}");
    assert!(findings.iter().any(|f| f.contains("version 1: holds 0 rows, its receipts say 3")));
}

#[tokio::test]
async fn a_row_that_is_stored_twice_is_found() {
    let shore = shore().await;
    // The same file once more, under another name.
    let twin = parts(&shore, "2026-03-03")[0].with_file_name("part-twin.parquet");
    std::fs::copy(&parts(&shore, "2026-03-03")[0], &twin).unwrap();
    let shore = with_entry(shore, 1, |text| {
        let line = text.lines().find(|line| line.contains("day=2026-03-03")).unwrap().to_owned();
        let start = line.find("part-").unwrap();
        let end = line.find(".parquet").unwrap();
        format!("{text}{}\n", line.replace(&line[start..end], "part-twin"))
    })
    .await;
    let findings = shore.findings().await;
    assert!(findings.iter().any(|f| f.contains("is stored twice")), "{findings:?}");
    assert!(
        findings.iter().any(|f| f.contains("holds 4 rows, its receipts say 3")),
        "{findings:?}"
    );
}

#[tokio::test]
async fn a_row_under_the_wrong_day_is_found() {
    let shore = shore().await;
    let shore = with_entry(shore, 1, |text| {
        text.replace("\"day\":\"2026-03-03\"", "\"day\":\"2026-03-04\"")
    })
    .await;
    let findings = shore.findings().await;
    assert!(findings.iter().any(|f| f.contains("lies under day 2026-03-04")), "{findings:?}");
}

#[tokio::test]
async fn a_receipt_that_says_other_than_the_rows_is_found() {
    let shore = shore().await;
    let shore = with_entry(shore, 2, |text| text.replace("\"rows\":1", "\"rows\":2")).await;
    let findings = shore.findings().await;
    assert_eq!(findings, ["email_activity version 2: holds 1 rows, its receipts say 2"]);
}

#[tokio::test]
async fn raw_data_that_is_not_json_is_found() {
    let shore = Shore::new().await;
    let mut broken = batch(&[mail(1, 0)]);
    broken.records[0].record = model::record::Record::from(b"{\"cut\":".to_vec());
    shore.store(vec![broken]).await;
    let findings = shore.findings().await;
    assert!(findings.iter().any(|f| f.contains("raw_data is not JSON")), "{findings:?}");
}

#[tokio::test]
async fn any_delta_reader_can_read_the_tables() {
    let shore = shore().await;
    let url = Url::from_directory_path(events(&shore)).unwrap();
    let table = DeltaTableBuilder::from_url(url).unwrap().load().await.unwrap();
    assert_eq!(table.version(), Some(2));
    let context = SessionContext::new();
    context.register_table("t", table.table_provider().await.unwrap()).unwrap();
    let count = |text: &'static str| {
        let context = context.clone();
        async move {
            let batches = context.sql(text).await.unwrap().collect().await.unwrap();
            batches.iter().map(|batch| batch.num_rows()).sum::<usize>()
        }
    };
    assert_eq!(count("SELECT * FROM t").await, 4);
    assert_eq!(
        count("SELECT uid FROM t WHERE day = '2026-03-03' AND tenant_uid = 'default'").await,
        1
    );
    assert_eq!(count("SELECT uid FROM t WHERE email['subject'] = 'hi'").await, 1);
    assert_eq!(count("SELECT uid FROM t WHERE actor['user']['name'] = 'mina'").await, 1);
    assert_eq!(count("SELECT uid FROM t WHERE device['hostname'] IS NULL").await, 4);
    assert_eq!(
        count("SELECT uid FROM t WHERE \"time\" < timestamp '2026-03-02T08:00:06Z'").await,
        2
    );
}
