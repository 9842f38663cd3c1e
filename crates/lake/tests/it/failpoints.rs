//! Appends that fail between their steps. Each failpoint is armed for the test's own lake only.

use std::collections::BTreeMap;

use model::ocsf::Class;
use query::store::EventStore as _;
use serde_json::json;

use crate::support::*;

fn records() -> Vec<serde_json::Value> {
    vec![
        mail(1, 0),
        mail(2, 90_000),
        of_class(Class::FileHosting, 3, 0, json!({"message": "m"})),
        of_class(Class::BaseEvent, 4, 0, json!({"message": "m"})),
    ]
}

/// Fails an append at a failpoint that is armed for one lake; answers how many rows got through.
async fn fail_once(name: &str) -> u64 {
    let shore = Shore::new().await;
    let place = shore.directory.path().file_name().unwrap().to_str().unwrap().to_owned();
    fail::cfg(name, &format!("return({place})")).unwrap();
    let failed = batch(&records());
    let install = failed.install;
    let answer = shore.lake.append(vec![failed]).await;
    fail::remove(name);
    assert!(answer.is_err(), "{name}");

    let stored = |stats: Vec<query::store::TableStats>| stats.iter().map(|s| s.rows).sum::<u64>();
    let before = stored(shore.lake.stats(None).await.unwrap());
    let again = shore.store(vec![batch(&records())]).await;
    assert_eq!(counts(&again[0]), [4 - before, before, 0, 0], "{name}");
    let shore = shore.reopened().await;
    assert_eq!(shore.counts(batch(&records())).await, [0, 4, 0, 0], "{name}");
    assert_eq!(shore.findings().await, Vec::<String>::new(), "{name}");
    let receipts = shore.lake.receipts(install, &BTreeMap::new()).await.unwrap();
    assert_eq!(receipts.iter().map(|(receipt, _)| receipt.rows).sum::<u64>(), 4, "{name}");
    before
}

#[tokio::test]
async fn a_failed_append_acknowledges_nothing_and_is_safe_to_send_again() {
    assert_eq!(fail_once("lake.file_written").await, 0);
    assert_eq!(fail_once("lake.before_commit").await, 0);
    // The first table's commit is durable; the others never came.
    assert_eq!(fail_once("lake.after_commit").await, 2);
}
