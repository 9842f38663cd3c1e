//! Power cuts: a disk that forgets what was not synced keeps every acknowledged row (I1).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lake::{Disk, Lake, LakeOptions};
use model::ocsf::Class;
use query::store::EventStore as _;
use serde_json::json;

use crate::flicker::{Flickering, Sync, open_on};
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

/// Whether a row that an append acknowledged is there after a power cut, on a disk that may pretend
/// one of its syncs. The lake may also refuse to open, which counts as a loss.
async fn keeps_what_it_acknowledged(disk: Flickering) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("lake");
    let disk = Arc::new(disk);
    let lake = open_on(&disk, &root).await;
    lake.append(vec![batch(&records(1))]).await.unwrap();
    disk.cut();
    drop(lake);
    is_whole(&disk, &root).await
}

/// Whether a lake opens and holds five sound rows.
async fn is_whole(disk: &Arc<Flickering>, root: &Path) -> bool {
    let disk: Arc<dyn Disk> = disk.clone();
    let options = LakeOptions { linger: Duration::ZERO, disk, ..LakeOptions::new(root) };
    let Ok(lake) = Lake::open(options).await else { return false };
    lake.verify().await.is_ok_and(|found| found.rows == 5 && found.findings.is_empty())
}

/// The test above can fail: without any one of the syncs of a write, a power cut loses rows.
#[tokio::test]
async fn every_sync_of_a_write_is_needed() {
    assert!(keeps_what_it_acknowledged(Flickering::default()).await);
    for sync in [Sync::Content, Sync::DataName, Sync::LogName, Sync::DirectoryName] {
        assert!(!keeps_what_it_acknowledged(Flickering::without(sync)).await, "{sync:?}");
    }
}

/// What another process put into the log without syncing is synced before it is built upon: the
/// entry's name and its content. A disk that only pretends that sync loses the row.
async fn keeps_what_it_found(disk: Flickering) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("lake");
    let disk = Arc::new(disk);
    let lake = open_on(&disk, &root).await;
    lake.append(vec![batch(&records(1))]).await.unwrap();
    // The process dies between naming the log entry and syncing it and its directory.
    let entry = root.join("events/email_activity/_delta_log/00000000000000000001.json");
    disk.unsync(&entry);
    drop(lake);
    let lake = open_on(&disk, &root).await;
    let again = lake.append(vec![batch(&records(1))]).await.unwrap();
    assert_eq!(counts(&again[0]), [0, 5, 0, 0]);
    disk.cut();
    is_whole(&disk, &root).await
}

#[tokio::test]
async fn rows_found_in_the_log_are_durable_before_they_count_as_duplicates() {
    assert!(keeps_what_it_found(Flickering::default()).await);
    assert!(!keeps_what_it_found(Flickering::without(Sync::FoundEntry)).await);
    assert!(!keeps_what_it_found(Flickering::without(Sync::LogName)).await);
}
