//! Power cuts: a disk that forgets what was not synced keeps every acknowledged row (I1).

use std::sync::Arc;

use model::ocsf::Class;
use query::store::EventStore as _;
use serde_json::json;

use crate::flicker::{Flickering, open_on};
use crate::support::*;

fn records(round: u64) -> Vec<serde_json::Value> {
    let mails = (0..4).map(|n| mail(round * 10 + n, (n as i64) * 40_000));
    let other = of_class(Class::BaseEvent, round * 10 + 9, 0, json!({"message": "m"}));
    mails.chain([other]).collect()
}

/// A power cut after any number of disk operations loses no acknowledged row, and sending everything
/// again stores each record once.
#[tokio::test]
async fn a_power_cut_at_any_step_loses_nothing_that_was_acknowledged() {
    let mut steps = 0;
    loop {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("deep/er/lake");
        let disk = Arc::new(Flickering::default());
        let lake = open_on(&disk, &root).await;
        lake.append(vec![batch(&records(1))]).await.unwrap();
        disk.cut_after(Some(steps));
        let second = lake.append(vec![batch(&records(2))]).await;
        let acknowledged = if second.is_ok() { 10 } else { 5 };
        disk.cut();
        drop(lake);

        let lake = open_on(&disk, &root).await;
        let rows: u64 = lake.stats(None).await.unwrap().iter().map(|table| table.rows).sum();
        assert!(rows >= acknowledged, "{rows} rows after a cut at step {steps}");
        let again = lake.append(vec![batch(&records(1)), batch(&records(2))]).await.unwrap();
        assert_eq!(counts(&again[0]), [0, 5, 0, 0], "step {steps}");
        assert_eq!(again[1].stored + again[1].duplicate, 5);
        assert_eq!(again[1].stored, 10 - rows, "step {steps}");
        let found = lake.verify().await.unwrap();
        assert_eq!((found.rows, found.findings), (10, vec![]), "step {steps}");
        if second.is_ok() {
            break;
        }
        steps += 1;
    }
    assert!(steps > 20, "only {steps} steps");
}

/// What another process put into the log without syncing is synced before it is built upon.
#[tokio::test]
async fn rows_found_in_the_log_are_durable_before_they_count_as_duplicates() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("lake");
    let disk = Arc::new(Flickering::default());
    let lake = open_on(&disk, &root).await;
    lake.append(vec![batch(&records(1))]).await.unwrap();
    // The process dies between naming the log entry and syncing its directory.
    let entry = root.join("events/email_activity/_delta_log/00000000000000000001.json");
    disk.unsync(&entry);
    drop(lake);
    let lake = open_on(&disk, &root).await;
    let again = lake.append(vec![batch(&records(1))]).await.unwrap();
    assert_eq!(counts(&again[0]), [0, 5, 0, 0]);
    disk.cut();
    let lake = open_on(&disk, &root).await;
    let rows: u64 = lake.stats(None).await.unwrap().iter().map(|table| table.rows).sum();
    assert_eq!(rows, 5);
}
