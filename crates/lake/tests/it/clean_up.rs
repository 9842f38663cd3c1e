//! Clean-up removes what nobody needs, nothing else, and leaves a whole lake wherever it is cut off.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::batch::Batch;
use model::ids::InstallId;
use model::ocsf::Class;
use query::store::EventStore as _;
use query::store::maintenance::{Bookmark, Effort, MaintenancePlan, TableMaintenance};
use serde_json::{Value, json};

use crate::flicker::{Flickering, open_on};
use crate::support::*;

const CLASS: Class = Class::EmailActivity;

fn round(number: u64) -> Vec<Value> {
    let mails = (0..4).map(|n| mail(number * 10 + n, (n as i64) * 40_000));
    let other = of_class(Class::BaseEvent, number * 10 + 9, 0, json!({"message": "m"}));
    mails.chain([other]).collect()
}

/// A lake of so many rounds that were written at noon.
async fn shore(rounds: u64) -> Shore {
    let shore = Shore::new().await;
    for number in 0..rounds {
        shore.store(vec![batch(&round(number))]).await;
    }
    shore.backdate();
    shore
}

async fn assert_whole(shore: &Shore, rounds: u64, place: &str) {
    assert_eq!(shore.rows().await, rounds * 5, "{place}");
    for number in 0..rounds {
        assert_eq!(shore.counts(batch(&round(number))).await, [0, 5, 0, 0], "{place}");
    }
    assert_eq!(shore.findings().await, Vec::<String>::new(), "{place}");
}

fn table(report: &query::store::maintenance::MaintenanceReport) -> TableMaintenance {
    report.tables.iter().find(|table| table.class == CLASS).cloned().unwrap()
}

#[tokio::test]
async fn what_was_replaced_goes_and_the_lake_is_the_same() {
    let shore = shore(6).await;
    shore.applied_all(2).await;
    shore.maintain(merging(at(2))).await;
    let stats = shore.lake.stats(None).await.unwrap();
    shore.backdate();
    let report = shore.maintain(everything(at(2))).await;
    let mails = table(&report);
    // Twelve parts in two days became two; entries 0 to 6 are behind snapshot and checkpoint 7.
    assert_eq!((mails.log_entries, mails.files, mails.snapshot), (7, 12, Some(7)));
    assert!(mails.size_bytes > 0 && mails.waits_for.is_none());
    assert_eq!(shore.entries(CLASS), [7]);
    assert_eq!(shore.lake.stats(None).await.unwrap(), stats);
    assert_eq!(rows_for_others(&shore.table(CLASS)).await, 24);
    let shore = shore.reopened().await;
    assert_eq!(shore.lake.stats(None).await.unwrap(), stats);
    assert_whole(&shore, 6, "reopened").await;
    assert_eq!(rows_for_others(&shore.table(CLASS)).await, 24);
    shore.store(vec![batch(&round(7))]).await;
    assert_eq!(rows_for_others(&shore.table(CLASS)).await, 28);
}

#[tokio::test]
async fn a_dry_run_tells_what_would_go_and_changes_nothing() {
    let shore = shore(6).await;
    shore.applied_all(2).await;
    shore.maintain(merging(at(2))).await;
    shore.backdate();
    let before = files_below(&shore.root());
    let plan = MaintenancePlan { dry_run: true, merge: Effort::Skip, ..everything(at(2)) };
    let told = table(&shore.maintain(plan.clone()).await);
    assert_eq!(files_below(&shore.root()), before);
    let done = table(&shore.maintain(MaintenancePlan { dry_run: false, ..plan }).await);
    assert_eq!((told.log_entries, told.files), (done.log_entries, done.files));
    assert_eq!((told.size_bytes, told.snapshot), (done.size_bytes, None));
}

#[tokio::test]
async fn nothing_younger_than_an_hour_goes() {
    let shore = shore(6).await;
    shore.applied_all(1).await;
    shore.maintain(merging(at(0))).await;
    shore.backdate();
    let almost = at(1) - Duration::from_secs(1);
    let early = table(&shore.maintain(everything(almost)).await);
    assert_eq!((early.log_entries, early.files), (0, 0));
    let report = table(&shore.maintain(everything(at(1))).await);
    assert_eq!((report.log_entries, report.files), (7, 12));
}

#[tokio::test]
async fn without_a_snapshot_or_a_checkpoint_the_log_stays() {
    let shore = shore(6).await;
    shore.applied_all(2).await;
    let plan = MaintenancePlan { clean_up: Effort::Now, ..MaintenancePlan::new(at(2)) };
    assert!(shore.maintain(plan.clone()).await.tables.is_empty());
    shore.maintain(noting(at(2))).await;
    for name in names(&shore.table(CLASS).join("_delta_log")) {
        if name.contains("checkpoint.parquet") {
            std::fs::write(shore.table(CLASS).join("_delta_log").join(name), b"cut").unwrap();
        }
    }
    shore.maintain(plan).await;
    assert_eq!(shore.entries(CLASS), [0, 1, 2, 3, 4, 5, 6]);
}

#[tokio::test]
async fn a_bookmark_keeps_what_it_has_not_passed_for_seven_days() {
    let shore = shore(5).await;
    let other = InstallId::generate();
    let foreign = Batch { install: other, ..batch(&round(5)) };
    shore.store(vec![foreign]).await;
    shore.backdate();
    let stats = shore.lake.stats(None).await.unwrap();
    let applied: BTreeMap<Class, u64> = stats.iter().map(|t| (t.class, t.version)).collect();
    let slow = BTreeMap::from([("detect".to_owned(), BTreeMap::from([(CLASS, 3)]))]);
    let mark = Bookmark { readers: slow, ..bookmark(2, applied.clone()) };
    shore.lake.bookmark(&mark).await.unwrap();
    let report = table(&shore.maintain(everything(at(2))).await);
    assert_eq!(report.log_entries, 4);
    let waits_for = report.waits_for.unwrap();
    assert!(waits_for.contains("`detect`") && waits_for.contains("version 4"), "{waits_for}");
    let rows = shore.lake.commits(CLASS, Some(3)).await.unwrap();
    assert_eq!(rows.len(), 12, "the reader reads on where it stood");

    // The reader is through; the other install has not applied its receipts in version 6.
    let theirs = Bookmark { install: other, ..bookmark(2, BTreeMap::from([(CLASS, 5)])) };
    shore.lake.bookmark(&theirs).await.unwrap();
    shore.lake.bookmark(&bookmark(2, applied.clone())).await.unwrap();
    shore.backdate();
    let report = table(&shore.maintain(everything(at(2))).await);
    assert_eq!(report.log_entries, 2);
    let waits_for = report.waits_for.unwrap();
    assert!(waits_for.contains(&other.to_string()) && waits_for.contains("version 6"));
    let kept = shore.lake.receipts(other, &BTreeMap::from([(CLASS, 5)])).await.unwrap();
    assert_eq!(kept.iter().map(|(_, commit)| commit.rows).sum::<u64>(), 4 + 1);

    // Seven days later it is released; ours is fresh.
    let week = 7 * 24 + 2;
    shore.lake.bookmark(&bookmark(week, applied)).await.unwrap();
    shore.backdate();
    let report = table(&shore.maintain(everything(at(week))).await);
    assert_eq!((report.waits_for, shore.entries(CLASS).len()), (None, 1));
    assert_whole(&shore, 6, "released").await;
}

#[tokio::test]
async fn receipts_of_an_install_without_a_bookmark_stay_for_seven_days() {
    let shore = shore(3).await;
    let report = table(&shore.maintain(everything(at(7 * 24 - 1))).await);
    assert_eq!(report.log_entries, 1, "the first entry has no receipts");
    assert!(report.waits_for.unwrap().contains("00000000-0000-0000-0000-000000000001"));
    shore.backdate();
    let report = table(&shore.maintain(everything(at(7 * 24))).await);
    assert_eq!((report.log_entries, report.waits_for), (3, None));
}

#[tokio::test]
async fn a_bookmark_that_cannot_be_read_stops_clean_up() {
    let shore = shore(3).await;
    shore.applied_all(2).await;
    std::fs::write(shore.root().join("bookmarks/other.json"), b"{").unwrap();
    let report = shore.lake.maintain(&everything(at(2))).await.unwrap();
    assert!(report.failures[0].problem.contains("bookmarks/other.json"), "{:?}", report.failures);
    assert_eq!(shore.entries(CLASS).len(), 4 + 1, "a merge was added, nothing went");
}

#[tokio::test]
async fn orphans_go_when_they_are_old_and_what_is_not_ours_stays() {
    let shore = shore(2).await;
    shore.applied_all(2).await;
    let day = shore.table(CLASS).join("tenant_uid=default/day=2026-03-02");
    let hidden = shore.table(CLASS).join("_elsewhere");
    std::fs::create_dir(&hidden).unwrap();
    let orphans = [
        day.join("part-orphan.parquet"),
        day.join("part-cut.parquet#123"),
        shore.table(CLASS).join("_delta_log/00000000000000000009.json#77"),
        shore.root().join("bookmarks/x.json#5"),
    ];
    let strange = [day.join("README"), hidden.join("index.parquet")];
    for path in orphans.iter().chain(&strange) {
        std::fs::write(path, b"x").unwrap();
    }
    let plan = MaintenancePlan { clean_up: Effort::Now, ..MaintenancePlan::new(at(2)) };
    shore.maintain(plan.clone()).await;
    assert!(orphans.iter().all(|path| path.exists()), "they are new");
    shore.backdate();
    let report = table(&shore.maintain(plan).await);
    assert_eq!(report.files, 3);
    assert!(orphans.iter().all(|path| !path.exists()));
    assert!(strange.iter().all(|path| path.exists()));
    assert_whole(&shore, 2, "orphans").await;
}

/// The version that an append had in mind may be free again because clean-up has passed it. Nothing
/// may be committed there: nobody would ever read it, or learn that it is a duplicate.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_append_that_slept_through_a_clean_up_finds_its_place_again() {
    let shore = Shore::new().await;
    let other = open(&shore.directory).await;
    let mails = |number: u64| batch(&round(number)[..4]);
    shore.store(vec![mails(0)]).await;
    let pass_by = async {
        for number in 1..5 {
            other.append(vec![mails(number)]).await.unwrap();
        }
        let applied = BTreeMap::from([(CLASS, 5)]);
        other.bookmark(&bookmark(2, applied)).await.unwrap();
        backdate(&shore.root());
        other.maintain(&everything(at(2))).await.unwrap();
        assert_eq!(shore.entries(CLASS), [6]);
    };
    let late = Batch { records: [mails(9).records, mails(4).records].concat(), ..mails(9) };
    let receipts = append_held(&shore, late, pass_by).await.unwrap();
    assert_eq!(counts(&receipts[0]), [4, 4, 0, 0]);
    assert_eq!(shore.entries(CLASS), [6, 7]);
    let shore = shore.reopened().await;
    assert_eq!(shore.rows().await, 24);
    assert_eq!(shore.findings().await, Vec::<String>::new());
    assert_eq!(rows_for_others(&shore.table(CLASS)).await, 24);
}

/// Clean-up in another process takes a file that nobody names for left behind. Its writer must not
/// name it any more when it wakes up.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_append_whose_file_was_taken_while_it_slept_writes_it_again() {
    let shore = Shore::new().await;
    let other = open(&shore.directory).await;
    shore.store(vec![batch(&[mail(1, 0)])]).await;
    let take = async {
        backdate(&shore.root());
        let plan = MaintenancePlan { clean_up: Effort::Now, ..MaintenancePlan::new(at(2)) };
        let report = other.maintain(&plan).await.unwrap();
        assert_eq!(table(&report).files, 1);
    };
    let receipts = append_held(&shore, batch(&[mail(1, 0), mail(2, 5)]), take).await.unwrap();
    assert_eq!(counts(&receipts[0]), [1, 1, 0, 0]);
    assert_eq!(shore.rows().await, 2);
    assert_eq!(shore.findings().await, Vec::<String>::new());
}

/// Arms a failpoint so that the pass after `passes` others fails.
fn arm(shore: &Shore, name: &str, passes: usize) {
    let place = shore.directory.path().file_name().unwrap().to_str().unwrap();
    fail::cfg(name, &format!("{passes}*off->return({place})")).unwrap();
}

#[tokio::test]
async fn maintenance_that_stops_at_any_failpoint_leaves_a_whole_lake() {
    let points = [
        "lake.before_merge_commit",
        "lake.after_merge_commit",
        "lake.snapshot_written",
        "lake.before_removal",
    ];
    for point in points {
        let mut passes = 0;
        loop {
            let shore = shore(3).await;
            shore.applied_all(2).await;
            shore.maintain(merging(at(2))).await;
            shore.store(vec![batch(&round(3))]).await;
            shore.applied_all(2).await;
            shore.backdate();
            arm(&shore, point, passes);
            let report = shore.lake.maintain(&everything(at(2))).await.unwrap();
            fail::remove(point);
            let place = format!("{point} after {passes} passes");
            assert_whole(&shore, 4, &place).await;
            let shore = shore.reopened().await;
            assert_whole(&shore, 4, &place).await;
            shore.maintain(everything(at(2))).await;
            assert_whole(&shore, 4, &place).await;
            assert_eq!(rows_for_others(&shore.table(CLASS)).await, 16, "{place}");
            if report.failures.is_empty() {
                break;
            }
            passes += 1;
        }
        assert!(passes > 0, "{point} was never passed");
    }
}

/// A power cut after any number of disk operations of a maintenance run loses nothing: not a row, not
/// the proof of it, and not what makes the next append exact.
#[tokio::test]
async fn a_power_cut_at_any_step_of_maintenance_loses_nothing() {
    let mut steps = 0;
    loop {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("lake");
        let disk = Arc::new(Flickering::default());
        let lake = open_on(&disk, &root).await;
        let mails = |number: u64| batch(&round(number)[..4]);
        for number in 0..2 {
            lake.append(vec![mails(number)]).await.unwrap();
        }
        lake.maintain(&merging(at(2))).await.unwrap();
        lake.append(vec![mails(2)]).await.unwrap();
        let applied = BTreeMap::from([(CLASS, 4)]);
        lake.bookmark(&bookmark(2, applied)).await.unwrap();
        backdate(&root);
        disk.cut_after(Some(steps));
        let report = lake.maintain(&everything(at(2))).await.unwrap();
        disk.cut();
        drop(lake);

        let lake = open_on(&disk, &root).await;
        let place = format!("a cut at step {steps}");
        let again = lake.append((0..3).map(mails).collect()).await.unwrap();
        let duplicates: Vec<[u64; 4]> = again.iter().map(counts).collect();
        assert_eq!(duplicates, [[0, 4, 0, 0]; 3], "{place}");
        let found = lake.verify().await.unwrap();
        assert_eq!((found.rows, found.findings), (12, vec![]), "{place}");
        let new = batch(&[mail(99, 1)]);
        assert_eq!(lake.append(vec![new]).await.unwrap()[0].stored, 1, "{place}");
        let after = lake.maintain(&everything(at(2))).await.unwrap();
        assert_eq!(after.failures, [], "{place}");
        let found = lake.verify().await.unwrap();
        assert_eq!((found.rows, found.findings), (13, vec![]), "{place}");
        assert_eq!(rows_for_others(&root.join("events/email_activity")).await, 13, "{place}");
        if report.failures.is_empty() && report.tables[0].log_entries > 0 {
            break;
        }
        steps += 1;
    }
    assert!(steps > 30, "only {steps} steps");
}
