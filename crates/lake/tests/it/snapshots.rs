//! A lake opens from what maintenance noted, and from the log where that cannot be read.

use std::collections::BTreeMap;
use std::time::Duration;

use lake::{Lake, LakeOptions};
use model::ids::InstallId;
use model::ocsf::Class;
use query::store::maintenance::{Effort, MaintenancePlan};
use query::store::{EventStore as _, StoreError};
use serde_json::{Value, json};

use crate::support::*;

const CLASS: Class = Class::EmailActivity;

/// Ten mails a round, over two days.
fn round(number: u64) -> Vec<Value> {
    (0..10).map(|n| mail(number * 10 + n, (n as i64) * 10_000)).collect()
}

/// A lake with rounds that were appended one by one.
async fn shore(rounds: std::ops::Range<u64>) -> Shore {
    let shore = Shore::new().await;
    add(&shore, rounds).await;
    shore
}

async fn add(shore: &Shore, rounds: std::ops::Range<u64>) {
    for number in rounds {
        assert_eq!(shore.counts(batch(&round(number))).await, [10, 0, 0, 0]);
    }
}

/// Nothing is lost: all rounds are there once, and the books balance.
async fn assert_whole(shore: &Shore, rounds: u64) {
    assert_eq!(shore.rows().await, rounds * 10);
    for number in 0..rounds {
        assert_eq!(shore.counts(batch(&round(number))).await, [0, 10, 0, 0], "round {number}");
    }
    let found = shore.lake.verify().await.unwrap();
    assert_eq!((found.rows, found.findings), (rounds * 10, vec![]));
    let install = &found.receipts["00000000-0000-0000-0000-000000000001"];
    assert_eq!(install["00000000-0000-0000-0000-000000000002/mail/all"], rounds * 10);
}

fn snapshots(shore: &Shore) -> Vec<String> {
    names(&shore.table(CLASS).join("_tarn"))
}

fn spoil(shore: &Shore, name: &str) {
    let path = shore.table(CLASS).join("_tarn").join(name);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

/// Appends, notes, and removes the log entries before the snapshot, so that it is needed.
async fn shore_without_its_beginning() -> Shore {
    let shore = shore(0..4).await;
    shore.applied_all(2).await;
    shore.backdate();
    shore.maintain(MaintenancePlan { merge: Effort::Skip, ..everything(at(2)) }).await;
    add(&shore, 4..6).await;
    assert_eq!(shore.entries(CLASS), [4, 5, 6]);
    shore
}

async fn refusal(shore: Shore) -> String {
    let Shore { directory, lake } = shore;
    drop(lake);
    let options = LakeOptions::new(directory.path().join("lake"));
    match Lake::open(options).await.unwrap_err() {
        StoreError::Failed { source, .. } => {
            let cause = source.source().map(ToString::to_string).unwrap_or_default();
            format!("{source}: {cause}")
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn opening_needs_no_log_entry_before_the_snapshot() {
    let shore = shore_without_its_beginning().await;
    let before = shore.lake.stats(None).await.unwrap();
    let shore = shore.reopened().await;
    assert_eq!(shore.lake.stats(None).await.unwrap(), before);
    assert_whole(&shore, 6).await;
    assert_eq!(rows_for_others(&shore.table(CLASS)).await, 60);
}

#[tokio::test]
async fn a_broken_snapshot_is_passed_over_for_its_copy_an_older_one_and_the_log() {
    let shore = shore(0..3).await;
    shore.maintain(noting(at(0))).await;
    add(&shore, 3..5).await;
    shore.maintain(noting(at(0))).await;
    add(&shore, 5..6).await;
    let names = snapshots(&shore);
    assert_eq!(names.len(), 4, "{names:?}");
    let mut shore = shore;
    for name in names.iter().rev() {
        spoil(&shore, name);
        shore = shore.reopened().await;
        assert_eq!(shore.rows().await, 60, "{name}");
    }
    let findings = shore.findings().await;
    assert_eq!(findings.len(), 4, "{findings:?}");
    assert!(findings.iter().all(|finding| finding.contains("its checksum is wrong")));
    // The next run writes good ones again.
    add(&shore, 6..7).await;
    shore.maintain(noting(at(0))).await;
    let shore = shore.reopened().await;
    assert_eq!(shore.rows().await, 70);
}

#[tokio::test]
async fn without_a_snapshot_and_the_beginning_of_the_log_the_error_names_both() {
    let shore = shore_without_its_beginning().await;
    let names = snapshots(&shore);
    spoil(&shore, &names[0]);
    let shore = shore.reopened().await;
    assert_eq!(shore.rows().await, 60);
    spoil(&shore, &names[1]);
    let problem = refusal(shore).await;
    assert!(problem.contains("the log of `email_activity` begins at version 4"), "{problem}");
    assert!(problem.contains("_tarn/snapshot-00000000000000000004"), "{problem}");

    let shore = shore_without_its_beginning().await;
    std::fs::remove_dir_all(shore.table(CLASS).join("_tarn")).unwrap();
    let problem = refusal(shore).await;
    assert!(problem.contains("no snapshot before it can be read"), "{problem}");
}

#[tokio::test]
async fn a_snapshot_that_says_other_than_the_log_is_found() {
    let shore = shore(0..2).await;
    shore.maintain(noting(at(0))).await;
    let other = Shore::new().await;
    other.store(vec![batch(&round(7)), batch(&round(8))]).await;
    other.store(vec![batch(&[mail(99, 5)])]).await;
    other.maintain(noting(at(0))).await;
    for name in snapshots(&other) {
        let from = other.table(CLASS).join("_tarn").join(&name);
        std::fs::copy(from, shore.table(CLASS).join("_tarn").join(name)).unwrap();
    }
    let findings = shore.findings().await;
    assert_eq!(findings, ["email_activity snapshot 2: does not say what the log says"]);
}

#[tokio::test]
async fn the_writer_notes_the_state_after_a_hundred_versions_by_itself() {
    let shore = Shore::new().await;
    for id in 0..101 {
        shore.store(vec![batch(&[mail(id, id as i64)])]).await;
    }
    // It is written beside the appends; who ends the process waits for it.
    shore.lake.rest().await;
    let noted = snapshots(&shore);
    assert!(noted[0].starts_with("snapshot-0000000000000000010"), "{noted:?}");
    let checkpoint = names(&shore.table(CLASS).join("_delta_log"));
    assert!(checkpoint.iter().any(|name| name.ends_with(".checkpoint.parquet")), "{checkpoint:?}");
    let shore = shore.reopened().await;
    assert_eq!(shore.rows().await, 101);
    assert_eq!(rows_for_others(&shore.table(CLASS)).await, 101);
}

#[tokio::test]
async fn snapshots_are_written_when_due_and_not_more_often() {
    let shore = shore(0..3).await;
    let due = |now| MaintenancePlan { snapshot: Effort::WhenDue, ..MaintenancePlan::new(now) };
    shore.backdate();
    let noon = shore.maintain(due(at(0))).await;
    assert!(noon.tables.is_empty(), "three versions are not worth it: {noon:?}");
    let rested = shore.maintain(due(at(1))).await;
    assert_eq!(rested.tables[0].snapshot, Some(3));
    assert!(shore.maintain(due(at(9))).await.tables.is_empty(), "nothing new came");
    for id in 0..20 {
        shore.store(vec![batch(&[mail(1000 + id, id as i64)])]).await;
    }
    shore.backdate();
    assert_eq!(shore.maintain(due(at(0))).await.tables[0].snapshot, Some(23));
}

#[tokio::test]
async fn a_lake_that_was_passed_by_clean_up_catches_up() {
    let shore = shore(0..2).await;
    // Both know versions 0 to 2.
    let (reader, writer) = (open(&shore.directory).await, open(&shore.directory).await);
    add(&shore, 2..6).await;
    shore.applied_all(2).await;
    shore.backdate();
    shore.maintain(everything(at(2))).await;
    assert!(shore.entries(CLASS)[0] > 3);
    let stats = reader.stats(None).await.unwrap();
    assert_eq!(stats, shore.lake.stats(None).await.unwrap());
    let late = writer.append(vec![batch(&round(5)), batch(&round(6))]).await.unwrap();
    assert_eq!((counts(&late[0]), counts(&late[1])), ([0, 10, 0, 0], [10, 0, 0, 0]));
    assert_whole(&shore, 7).await;
}

#[tokio::test]
async fn what_clean_up_removed_is_refused_and_not_passed_over_in_silence() {
    let shore = shore_without_its_beginning().await;
    let oldest = shore.lake.commits(CLASS, None).await.unwrap_err();
    assert!(matches!(oldest, StoreError::Forgotten { class: CLASS, oldest: 4 }), "{oldest}");
    let behind = shore.lake.commits(CLASS, Some(2)).await.unwrap_err();
    assert!(matches!(behind, StoreError::Forgotten { .. }), "{behind}");
    let rows = shore.lake.commits(CLASS, Some(3)).await.unwrap();
    assert_eq!(rows.len(), 30);

    let install = InstallId(uuid::Uuid::from_u128(1));
    let from_start = shore.lake.receipts(install, &BTreeMap::new()).await.unwrap_err();
    assert!(matches!(from_start, StoreError::Forgotten { .. }), "{from_start}");
    let known = BTreeMap::from([(CLASS, 4)]);
    assert_eq!(shore.lake.receipts(install, &known).await.unwrap().len(), 2);
    // An install that never stored anything has missed nothing.
    let stranger = shore.lake.receipts(InstallId::generate(), &BTreeMap::new()).await.unwrap();
    assert!(stranger.is_empty());
    let sums = shore.lake.received(install).await.unwrap();
    assert_eq!((sums.len(), sums[0].rows, sums[0].stream.as_str()), (1, 60, "mail/all"));
}

#[tokio::test]
async fn other_readers_open_a_checkpoint_and_time_stands_still_for_them_too() {
    let shore = shore(0..3).await;
    let event = json!({"email": {"subject": "hi"}, "actor": {"user": {"name": "mina"}}});
    shore.store(vec![batch(&[mail_with(900, 5, event)])]).await;
    shore.maintain(noting(at(0) + Duration::from_secs(60))).await;
    let log = shore.table(CLASS).join("_delta_log");
    assert!(log.join("_last_checkpoint").is_file());
    let kept: Vec<u64> = shore.entries(CLASS);
    assert_eq!(kept, [0, 1, 2, 3, 4], "a checkpoint removes nothing");
    assert_eq!(rows_for_others(&shore.table(CLASS)).await, 31);
    // From the checkpoint alone.
    for version in 0..4 {
        std::fs::remove_file(log.join(format!("{version:020}.json"))).unwrap();
    }
    assert_eq!(rows_for_others(&shore.table(CLASS)).await, 31);
}
