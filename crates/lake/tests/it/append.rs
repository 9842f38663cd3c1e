//! What is appended is stored once, counted exactly and kept byte for byte.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::future::join_all;
use model::ids::InstallId;
use model::ocsf::Class;
use query::store::EventStore as _;
use serde_json::json;

use crate::support::*;

#[tokio::test]
async fn appending_again_stores_nothing_new_even_after_a_restart() {
    let shore = Shore::new().await;
    let records: Vec<_> = (0..50).map(|id| mail(id, id as i64 * 3600)).collect();
    assert_eq!(shore.counts(batch(&records)).await, [50, 0, 0, 0]);
    assert_eq!(shore.counts(batch(&records)).await, [0, 50, 0, 0]);
    let shore = shore.reopened().await;
    assert_eq!(shore.counts(batch(&records)).await, [0, 50, 0, 0]);
    let mut more = records.clone();
    more.push(mail(50, 7));
    assert_eq!(shore.counts(batch(&more)).await, [1, 50, 0, 0]);
    assert_eq!(shore.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn every_record_of_a_group_has_one_fate() {
    let shore = Shore::new().await;
    let with = |id: u64, verdict: &str| {
        let mut record = mail(id, 0);
        record["verdict"] = json!(verdict);
        record
    };
    let first = batch(&[
        mail(1, 0),
        mail(1, 0),
        with(2, "drop"),
        with(3, "fail"),
        with(4, "panic"),
        mail(5, 86_400),
    ]);
    let second = batch(&[mail(1, 0), mail(6, 0)]);
    let receipts = shore.store(vec![first, second]).await;
    assert_eq!(counts(&receipts[0]), [2, 1, 1, 2]);
    assert_eq!(counts(&receipts[1]), [1, 1, 0, 0]);
    let reasons: Vec<_> = receipts[0].dead_letters.iter().map(|l| l.reason.as_str()).collect();
    assert_eq!(reasons, ["the transform failed", "the mapping panicked on this record"]);
    assert_eq!(receipts[0].commits.len(), 1);
    assert_eq!(receipts[0].commits[0].rows, 2);
    assert_eq!(receipts[0].commits[0].version, receipts[1].commits[0].version);
}

#[tokio::test]
async fn a_record_that_one_connector_drops_may_be_kept_for_another() {
    let shore = Shore::new().await;
    let mut dropped = mail(1, 0);
    dropped["verdict"] = json!("drop");
    let receipts = shore.store(vec![batch(&[dropped]), batch(&[mail(1, 0)])]).await;
    assert_eq!(counts(&receipts[0]), [0, 0, 1, 0]);
    assert_eq!(counts(&receipts[1]), [1, 0, 0, 0]);
}

#[tokio::test]
async fn a_record_that_changes_its_class_is_still_the_same_record() {
    let shore = Shore::new().await;
    let of = |class| of_class(class, 1, 0, json!({"message": "x"}));
    assert_eq!(shore.counts(batch(&[of(Class::EmailActivity)])).await, [1, 0, 0, 0]);
    assert_eq!(shore.counts(batch(&[of(Class::BaseEvent)])).await, [0, 1, 0, 0]);
    let shore = shore.reopened().await;
    assert_eq!(shore.counts(batch(&[of(Class::FileHosting)])).await, [0, 1, 0, 0]);
}

#[tokio::test]
async fn records_without_a_time_lie_under_1970_and_are_found_there() {
    let shore = Shore::new().await;
    let mut timeless = mail(1, 0);
    timeless["ms"] = json!(null);
    assert_eq!(shore.counts(batch(&[timeless.clone()])).await, [1, 0, 0, 0]);
    let shore = shore.reopened().await;
    assert_eq!(shore.counts(batch(&[timeless])).await, [0, 1, 0, 0]);
    let folder = "lake/events/email_activity/tenant_uid=default/day=1970-01-01";
    assert!(shore.directory.path().join(folder).is_dir());
    assert_eq!(shore.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn tenants_do_not_share_records() {
    let shore = Shore::new().await;
    let of = |tenant| batch_of(tenant, "test.events", &[mail(1, 0)]);
    let receipts = shore.store(vec![of("one"), of("two"), of("one")]).await;
    let all: Vec<_> = receipts.iter().map(counts).collect();
    assert_eq!(all, [[1, 0, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0]]);
}

#[tokio::test]
async fn a_large_day_is_stored_in_parts_and_a_uid_in_it_still_once() {
    let shore = Shore::new().await;
    let day: Vec<_> = (0..40_000).map(|id| mail(id, id as i64)).collect();
    assert_eq!(shore.counts(batch(&day)).await, [40_000, 0, 0, 0]);
    assert_eq!(shore.counts(batch(&day)).await, [0, 40_000, 0, 0]);
    let next_day = 86_400;
    let mut another: Vec<_> =
        (0..40_000).map(|id| mail(50_000 + id, next_day + id as i64)).collect();
    another.push(mail(50_000, next_day + 39_000));
    assert_eq!(shore.counts(batch(&another)).await, [40_000, 1, 0, 0]);
    assert_eq!(shore.rows().await, 80_000);
    assert_eq!(shore.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn concurrent_appends_share_one_version() {
    let shore = Shore::new().await;
    let tasks = (0..40).map(|n| {
        let lake = shore.lake.clone();
        async move { lake.append(vec![batch(&[mail(n, n as i64), mail(1000, 1)])]).await.unwrap() }
    });
    let receipts: Vec<_> = join_all(tasks).await.into_iter().flatten().collect();
    assert_eq!(receipts.iter().map(|r| r.stored).sum::<u64>(), 41);
    assert_eq!(receipts.iter().map(|r| r.duplicate).sum::<u64>(), 39);
    let stats = shore.lake.stats(None).await.unwrap();
    assert_eq!((stats.len(), stats[0].rows), (1, 41));
    assert!(stats[0].version <= 3, "version {}", stats[0].version);
}

#[tokio::test]
async fn new_rows_are_read_by_version_with_the_bytes_as_served() {
    let shore = Shore::new().await;
    let odd =
        Bytes::from_static("{ \"id\" : 1,\"ms\":1772438400000, \"x\":\"\\u7d4c 経\"}  ".as_bytes());
    let mut served = batch(&[mail(1, 0)]);
    served.records[0].record = model::record::Record::new(odd.clone());
    let first = shore.store(vec![served]).await;
    shore.store(vec![batch(&[mail(2, 5), mail(3, 1)])]).await;
    let rows = shore.lake.commits(Class::EmailActivity, None).await.unwrap();
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[0].raw, odd);
    assert_eq!((rows[0].tenant.as_str(), rows[0].source.as_str()), ("default", "test.events"));
    let version = first[0].commits[0].version;
    let after = shore.lake.commits(Class::EmailActivity, Some(version)).await.unwrap();
    let millis: Vec<_> = after.iter().map(|row| row.time.as_millis() - NOON).collect();
    assert_eq!(millis, [1000, 5000]);
    let newest = after[0].version;
    assert!(shore.lake.commits(Class::EmailActivity, Some(newest)).await.unwrap().is_empty());
    assert!(shore.lake.commits(Class::BaseEvent, None).await.unwrap().is_empty());
}

#[tokio::test]
async fn receipts_are_read_back_by_install_and_version() {
    let shore = Shore::new().await;
    let mixed =
        batch(&[mail(1, 0), mail(2, 0), of_class(Class::BaseEvent, 3, 0, json!({"message": "m"}))]);
    let (id, install) = (mixed.id, mixed.install);
    let receipts = shore.store(vec![mixed]).await;
    assert_eq!(receipts[0].commits.len(), 2);
    let shore = shore.reopened().await;
    let read = shore.lake.receipts(install, &BTreeMap::new()).await.unwrap();
    let mut commits: Vec<_> = read.iter().map(|(_, commit)| *commit).collect();
    commits.sort_by_key(|commit| commit.class);
    assert_eq!(commits, receipts[0].commits);
    assert!(
        read.iter()
            .all(|(receipt, _)| receipt.batch == id && receipt.stream.as_str() == "mail/all")
    );
    let seen: BTreeMap<_, _> =
        commits.iter().map(|commit| (commit.class, commit.version)).collect();
    assert!(shore.lake.receipts(install, &seen).await.unwrap().is_empty());
    assert!(shore.lake.receipts(InstallId::generate(), &BTreeMap::new()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_batch_without_new_rows_makes_no_commit() {
    let shore = Shore::new().await;
    shore.store(vec![batch(&[mail(1, 0)])]).await;
    let before = shore.lake.stats(None).await.unwrap();
    let receipts = shore.store(vec![batch(&[mail(1, 0)]), batch(&[])]).await;
    assert!(receipts.iter().all(|receipt| receipt.commits.is_empty()));
    assert_eq!(shore.lake.stats(None).await.unwrap(), before);
}

#[tokio::test]
async fn two_lakes_on_one_directory_store_each_record_once() {
    let shore = Shore::new().await;
    let other = open(&shore.directory).await;
    for round in 0..5_u64 {
        let records: Vec<_> = (0..20).map(|n| mail(round * 10 + n, n as i64)).collect();
        let (one, two) = tokio::join!(
            shore.lake.append(vec![batch(&records)]),
            other.append(vec![batch(&records)])
        );
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_eq!(one[0].stored + one[0].duplicate, 20);
        assert_eq!(two[0].stored + two[0].duplicate, 20);
    }
    let stats = other.stats(None).await.unwrap();
    assert_eq!(stats[0].rows, shore.lake.stats(None).await.unwrap()[0].rows);
    assert_eq!(shore.findings().await, Vec::<String>::new());
}

#[tokio::test]
async fn statistics_count_by_tenant_and_source() {
    let shore = Shore::new().await;
    shore
        .store(vec![
            batch_of("one", "a.x", &[mail(1, 0), mail(2, 60)]),
            batch_of("one", "b.x", &[mail(3, 0)]),
            batch_of("two", "a.x", &[mail(4, 86_400)]),
        ])
        .await;
    let tenant = model::ids::TenantId::new("one").unwrap();
    let stats = shore.lake.stats(Some(&tenant)).await.unwrap();
    assert_eq!((stats[0].rows, stats[0].files), (3, 1));
    assert_eq!(stats[0].sources, BTreeMap::from([("a.x".to_owned(), 2), ("b.x".to_owned(), 1)]));
    assert_eq!(stats[0].earliest.unwrap().as_millis(), NOON);
    assert_eq!(stats[0].latest.unwrap().as_millis(), NOON + 60_000);
    assert!(stats[0].size_bytes > 0);
}
