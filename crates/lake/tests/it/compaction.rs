//! Merging small files changes no row, no answer and nothing for those who read commits.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use lake::{Disk, Lake, LakeOptions, LocalDisk};
use model::ids::TenantId;
use model::ocsf::Class;
use model::time::Day;
use query::store::maintenance::{Effort, Expiry, MaintenancePlan};
use query::store::{EventStore as _, NewRow, Row};
use serde_json::{Value, json};

use crate::queries::{ask, sql};
use crate::support::*;

const CLASS: Class = Class::EmailActivity;

/// Mails of different shapes over two days, and one other event.
fn round(number: u64) -> Vec<Value> {
    let second = (number as i64 * 37) % 50;
    let id = number * 10;
    vec![
        mail(id, second),
        mail_with(id + 1, 100 - second, json!({"email": {"to": ["a@b.example"], "size": number}})),
        mail_with(
            id + 2,
            90_000 + second,
            json!({
                "email": {"files": [{"name": "a", "hashes": [{"algorithm_id": 3, "value": "AA"}]}]},
                "actor": {"user": {"name": "mina"}}, "severity_id": 4, "unmapped": {"k": [number]},
            }),
        ),
        mail_with(id + 3, second, json!({"src_endpoint": {"ip": "10.1.2.3"}, "is_alert": true})),
        of_class(Class::BaseEvent, id + 4, second, json!({"message": "m"})),
    ]
}

async fn shore(rounds: u64) -> Shore {
    let shore = Shore::new().await;
    for number in 0..rounds {
        let stranger = batch_of("stranger", "other.events", &round(number)[..2]);
        shore.store(vec![batch(&round(number)), stranger]).await;
    }
    shore
}

async fn files(shore: &Shore) -> u64 {
    shore.lake.stats(None).await.unwrap().iter().map(|table| table.files).sum()
}

/// Whole events and what queries over each kind of column answer.
async fn answers(shore: &Shore) -> Vec<Vec<Row>> {
    let mut answers = vec![ask(shore, "").await];
    for text in [
        "FROM email WHERE subject = 'mail 10'",
        "FROM email | aggregate count, sum(message_size), cardinality(subject)",
        "| aggregate count by sensor_type | sort sensor_type",
    ] {
        answers.push(ask(shore, text).await);
    }
    for text in [
        "SELECT * FROM email_activity ORDER BY time, uid",
        "SELECT count(*) AS n, min(time) AS a, max(time) AS z FROM events",
        "SELECT uid FROM email_activity WHERE actor.user.name = 'mina' ORDER BY uid",
        "SELECT day, count(*) AS n FROM email_activity GROUP BY day ORDER BY day",
        "SELECT source, severity_id, unmapped FROM events WHERE severity_id = 4 ORDER BY uid",
    ] {
        answers.push(sql(shore, text).await);
    }
    answers
}

async fn all_commits(shore: &Shore) -> BTreeMap<Option<u64>, Vec<NewRow>> {
    let newest = shore.lake.stats(None).await.unwrap()[0].version;
    let mut commits = BTreeMap::new();
    for after in [None].into_iter().chain((0..=newest).map(Some)) {
        commits.insert(after, shore.lake.commits(CLASS, after).await.unwrap());
    }
    commits
}

#[tokio::test]
async fn answers_and_commits_are_the_same_before_and_after() {
    let shore = shore(12).await;
    let (before, commits) = (answers(&shore).await, all_commits(&shore).await);
    let stats = shore.lake.stats(None).await.unwrap();
    let many = files(&shore).await;
    let report = shore.maintain(merging(at(0))).await;
    assert_eq!(report.tables.iter().map(|table| table.merged).sum::<u64>(), many);
    // Two tenants and two days of mail, one of which is only ours; one day of other events.
    assert_eq!(report.tables.iter().map(|table| table.merged_into).sum::<u64>(), 4);
    assert_eq!(files(&shore).await, 4);
    assert_eq!(answers(&shore).await, before);
    for (after, rows) in &commits {
        assert_eq!(shore.lake.commits(CLASS, *after).await.unwrap(), *rows, "after {after:?}");
    }
    let since = shore.lake.stats(None).await.unwrap();
    for (one, other) in stats.iter().zip(&since) {
        assert_eq!(
            (one.rows, &one.sources, one.earliest, one.latest),
            (other.rows, &other.sources, other.earliest, other.latest)
        );
    }
    assert_eq!(shore.findings().await, Vec::<String>::new());
    let shore = shore.reopened().await;
    assert_eq!(answers(&shore).await, before);
    assert_eq!(shore.counts(batch(&round(3))).await, [0, 5, 0, 0]);
    assert_eq!(rows_for_others(&shore.table(CLASS)).await, 72);
    assert!(shore.maintain(merging(at(0))).await.tables.is_empty(), "there is nothing left to do");
}

#[tokio::test]
async fn a_query_that_began_before_a_merge_and_a_clean_up_reads_to_its_end() {
    use futures::TryStreamExt as _;
    let shore = Shore::new().await;
    for number in 0..4 {
        let mails: Vec<Value> = (0..600).map(|n| mail(number * 1000 + n, n as i64)).collect();
        shore.store(vec![batch(&mails)]).await;
    }
    let statement = query::store::Statement::Sql("SELECT * FROM email_activity".to_owned());
    let mut rows = shore.lake.query(&TenantId::default(), statement).await.unwrap();
    let first = rows.pages.try_next().await.unwrap().unwrap().len();
    shore.applied_all(2).await;
    shore.maintain(merging(at(2))).await;
    shore.backdate();
    let report = shore.maintain(everything(at(2))).await;
    assert!(report.tables[0].log_entries > 0);
    let rest: Vec<Vec<Row>> = rows.pages.try_collect().await.unwrap();
    assert_eq!(first + rest.iter().map(Vec::len).sum::<usize>(), 2400);
    // Nobody reads the old files any more.
    let report = shore.maintain(everything(at(2))).await;
    let parts = files_below(&shore.table(CLASS)).into_iter();
    let parts = parts.filter(|path| path.to_string_lossy().contains("part-"));
    assert_eq!(parts.count(), 1, "{report:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn every_row_is_there_once_while_appends_queries_and_merges_go_on() {
    let shore = Arc::new(Shore::new().await);
    let done = Arc::new(AtomicBool::new(false));
    let writers = (0..3_u64).map(|writer| {
        let shore = Arc::clone(&shore);
        tokio::spawn(async move {
            for number in 0..25 {
                let number = writer * 100 + number;
                assert_eq!(shore.counts(batch(&round(number))).await, [5, 0, 0, 0]);
            }
        })
    });
    let merger = {
        let (shore, done) = (Arc::clone(&shore), Arc::clone(&done));
        tokio::spawn(async move {
            let mut merged = 0;
            while !done.load(Ordering::Relaxed) {
                let report = shore.maintain(merging(at(0))).await;
                merged += report.tables.iter().map(|table| table.merged).sum::<u64>();
            }
            merged
        })
    };
    let reader = {
        let (shore, done) = (Arc::clone(&shore), Arc::clone(&done));
        tokio::spawn(async move {
            let mut seen = 0;
            while !done.load(Ordering::Relaxed) {
                let rows = sql(&shore, "SELECT uid FROM events").await;
                let uids: BTreeSet<String> =
                    rows.iter().map(|row| row["uid"].to_string()).collect();
                assert_eq!(uids.len(), rows.len(), "a row was seen twice");
                assert!(rows.len() >= seen, "{} rows after {seen}", rows.len());
                seen = rows.len();
            }
            seen
        })
    };
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    done.store(true, Ordering::Relaxed);
    let (merged, seen) = (merger.await.unwrap(), reader.await.unwrap());
    assert!(merged > 0 && seen > 0, "{merged} merged, {seen} seen");
    assert_eq!(shore.rows().await, 3 * 25 * 5);
    assert_eq!(shore.findings().await, Vec::<String>::new());
    let new = shore.lake.commits(CLASS, None).await.unwrap();
    assert_eq!(new.iter().map(|row| row.uid).collect::<BTreeSet<_>>().len(), 300);
    assert_eq!(new.len(), 300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_lake_may_merge_what_another_appends_to() {
    let shore = Shore::new().await;
    let other = open(&shore.directory).await;
    for number in 0..15 {
        let plan = merging(at(0));
        let (merged, stored) = tokio::join!(
            other.maintain(&plan),
            shore.lake.append(vec![batch(&round(number)), batch(&round(number / 2))])
        );
        assert_eq!(merged.unwrap().failures, []);
        let stored: u64 = stored.unwrap().iter().map(|receipt| receipt.stored).sum();
        assert_eq!(stored, 5, "round {number}");
    }
    assert_eq!(shore.rows().await, 75);
    assert_eq!(shore.findings().await, Vec::<String>::new());
}

/// A merge that takes the place of an append brings no rows, so the append takes the next place with
/// the file that it has written.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_append_passes_over_a_merge_without_writing_its_rows_again() {
    let shore = Shore::new().await;
    let other = open(&shore.directory).await;
    for id in 0..2 {
        shore.store(vec![batch(&[mail(id, id as i64)])]).await;
    }
    let plan = merging(at(0));
    let merge = async { other.maintain(&plan).await.unwrap() };
    // A second file would fail to be written.
    let place = shore.directory.path().file_name().unwrap().to_str().unwrap().to_owned();
    fail::cfg("lake.file_written", &format!("1*off->return({place})")).unwrap();
    let stored = append_held(&shore, batch(&[mail(9, 9), mail(1, 1)]), merge).await;
    fail::remove("lake.file_written");
    let receipt = &stored.unwrap()[0];
    assert_eq!(counts(receipt), [1, 1, 0, 0]);
    assert_eq!(receipt.commits[0].version, 4, "version 3 is the merge");
    assert_eq!(shore.rows().await, 3);
    assert_eq!(shore.findings().await, Vec::<String>::new());
}

/// A disk on which a test can hold whoever writes or removes a data file.
#[derive(Debug)]
struct Stopping;

impl Stopping {
    fn pass(step: &str, path: &Path) {
        let name = path.to_string_lossy();
        if name.ends_with(".parquet") || (name.contains(".parquet#") && step == "disk.create") {
            model::failpoint::hit(step, &name);
        }
    }
}

impl Disk for Stopping {
    fn create(&self, path: &Path, content: &[Bytes]) -> io::Result<()> {
        Self::pass("disk.create", path);
        LocalDisk.create(path, content)
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        LocalDisk.sync(path)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        LocalDisk.link(from, to)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        LocalDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Self::pass("disk.remove", path);
        LocalDisk.remove(path)
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        LocalDisk.create_directory(path)
    }
}

/// Two maintainers merge the same files. The first has found them unmerged, and then takes in the
/// second's merge before it commits.
#[tokio::test]
async fn a_merge_that_is_overtaken_after_it_looked_stores_no_row_twice() {
    let shore = Shore::new().await;
    for id in 0..2 {
        shore.store(vec![batch(&[mail(id, 0), mail(10 + id, 90_000)])]).await;
    }
    let options = LakeOptions { disk: Arc::new(Stopping), ..LakeOptions::new(shore.root()) };
    let slow = Lake::open(options).await.unwrap();
    let mark = |name: &str| shore.directory.path().join(name);
    let hold = |step: &str| {
        fail::cfg(step, &format!("1*return(hold:{})", mark(step).display())).unwrap();
    };
    let held = async |step: &str| {
        while !mark(step).exists() {
            tokio::task::yield_now().await;
        }
    };
    let go_on = |step: &str| std::fs::remove_file(mark(step)).unwrap();

    hold("disk.create");
    hold("disk.remove");
    let merging_slowly = {
        let slow = slow.clone();
        tokio::spawn(async move { slow.maintain(&merging(at(0))).await })
    };
    held("disk.create").await;
    // One of its merges is void: it will remove that file between its look and its commit.
    let before = Day::parse("2026-03-03").unwrap();
    let expiry = Expiry { tenant: TenantId::default(), class: CLASS, before };
    shore.maintain(MaintenancePlan { expire: vec![expiry], ..MaintenancePlan::new(at(0)) }).await;
    go_on("disk.create");
    held("disk.remove").await;
    shore.maintain(merging(at(0))).await;
    slow.stats(None).await.unwrap();
    go_on("disk.remove");
    let report = merging_slowly.await.unwrap().unwrap();
    assert_eq!(report.failures, []);
    assert_eq!(shore.rows().await, 2);
    assert_eq!(shore.findings().await, Vec::<String>::new());
}

/// The uids that a writer knows are those of its own appends and of files that it has read; rows that
/// another lake has appended and merged at once must not slip past it.
#[tokio::test]
async fn rows_that_came_and_were_moved_behind_a_writers_back_are_still_known() {
    let shore = Shore::new().await;
    let other = open(&shore.directory).await;
    shore.store(vec![batch(&[mail(1, 0)])]).await;
    other.append(vec![batch(&[mail(2, 1)])]).await.unwrap();
    other.maintain(&merging(at(0))).await.unwrap();
    assert_eq!(shore.counts(batch(&[mail(1, 0), mail(2, 1), mail(3, 2)])).await, [1, 2, 0, 0]);
    assert_eq!(shore.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn merged_files_stay_below_the_size_that_was_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("lake");
    let usual = LakeOptions { linger: Duration::ZERO, ..LakeOptions::new(&root) };
    let lake = Lake::open(LakeOptions { file_bytes: 64 << 10, ..usual }).await.unwrap();
    for number in 0..12_u64 {
        // Text that does not compress well.
        let mails: Vec<Value> = (0..60)
            .map(|n| {
                let id = number * 100 + n;
                let noise: String = (0..8)
                    .map(|part| {
                        format!("{:x}", (id * 8 + part).wrapping_mul(0x9e37_79b9_7f4a_7c15))
                    })
                    .collect();
                mail_with(id, id as i64, json!({"email": {"subject": noise}}))
            })
            .collect();
        lake.append(vec![batch(&mails)]).await.unwrap();
    }
    let plan = merging(at(0));
    let report = lake.maintain(&plan).await.unwrap();
    assert!(report.tables[0].merged_into > 1, "{report:?}");
    let parts: Vec<u64> = files_below(&root.join("events"))
        .iter()
        .filter(|path| path.to_string_lossy().contains("part-"))
        .map(|path| path.metadata().unwrap().len())
        .collect();
    assert!(parts.iter().all(|size| *size <= 80 << 10), "{parts:?}");
    let found = lake.verify().await.unwrap();
    assert_eq!((found.rows, found.findings), (720, vec![]));
}

#[tokio::test]
async fn the_background_task_leaves_a_busy_day_alone_until_it_is_worth_it() {
    let shore = shore(3).await;
    let due = |now| MaintenancePlan { merge: Effort::WhenDue, ..MaintenancePlan::new(now) };
    let before = files(&shore).await;
    assert!(shore.maintain(due(at(0))).await.tables.is_empty());
    assert_eq!(files(&shore).await, before);
    // The rows came in five seconds after noon.
    let report = shore.maintain(due(at(1))).await;
    assert_eq!(report.tables.iter().map(|table| table.merged).sum::<u64>(), before);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_stops_no_other_merge() {
    let shore = shore(3).await;
    let day = shore.table(CLASS).join("tenant_uid=default/day=2026-03-03");
    std::fs::remove_file(day.join(&names(&day)[0])).unwrap();
    let report = shore.lake.maintain(&merging(at(0))).await.unwrap();
    assert_eq!(report.failures.len(), 1);
    assert!(report.failures[0].problem.contains("day=2026-03-03"), "{:?}", report.failures);
    assert_eq!(report.tables.iter().map(|table| table.merged_into).sum::<u64>(), 3);
}
