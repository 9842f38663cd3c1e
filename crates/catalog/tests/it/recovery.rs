//! Receipts that a crash left out of the ledger.

use std::collections::{BTreeMap, BTreeSet};

use catalog::{Applied, IntervalKind, PageCommit, Recovered};
use model::batch::TableCommit;
use model::ids::BatchId;
use model::ledger::Counts;
use model::ocsf::Class;

use crate::support::{Scene, at, commit, minutes, page, receipt};

#[tokio::test]
async fn receipts_not_applied_are_entered_once_as_served_and_stored() {
    let mut scene = Scene::new().await;
    let connector = scene.connector("CAS").await.id;
    let applied = page(connector);
    scene.catalog.apply_page(applied.clone()).await.unwrap();
    let lost = BatchId::generate();
    let receipts = vec![
        (receipt(connector, applied.batch.unwrap(), 1), commit(1, 1)),
        (receipt(connector, lost, 7), commit(2, 7)),
        (receipt(connector, lost, 3), TableCommit { class: Class::BaseEvent, version: 9, rows: 3 }),
    ];
    for expected in [Recovered { attempts: 2, rows: 10 }, Recovered::default()] {
        let recovered = scene.catalog.recover(receipts.clone(), at(900)).await.unwrap();
        assert_eq!(recovered, expected);
        scene.reopen().await;
    }
    let expected = Counts { served: 11, stored: 11, ..Counts::default() };
    assert_eq!(scene.totals().await, expected);
    let rows = scene.catalog.ledger_intervals(connector, &applied.stream, 9).await.unwrap();
    assert_eq!(rows.len(), 2);
    let recovered = rows.iter().find(|row| row.kind == IntervalKind::Recovered).unwrap();
    assert_eq!((recovered.interval, recovered.counts.stored), (minutes(0, 5), 10));
    let late = PageCommit { batch: Some(lost), ..applied };
    assert_eq!(scene.catalog.apply_page(late).await.unwrap(), Applied::AlreadyApplied);
}

#[tokio::test]
async fn recovered_rows_neither_merge_with_polls_nor_hide_what_is_open() {
    let scene = Scene::new().await;
    let connector = scene.connector("CAS").await.id;
    let lost = (receipt(connector, BatchId::generate(), 2), commit(1, 2));
    scene.catalog.recover(vec![lost], at(1)).await.unwrap();
    let streams = scene.catalog.ledger_streams(connector).await.unwrap();
    assert_eq!((streams[0].first, streams[0].counts.stored), (None, 2));
    let again = PageCommit { finished: false, ..page(connector) };
    scene.catalog.apply_page(again).await.unwrap();
    let streams = scene.catalog.ledger_streams(connector).await.unwrap();
    assert_eq!((streams[0].open.len(), streams[0].counts.stored), (1, 3));
}

#[tokio::test]
async fn a_failing_receipt_leaves_nothing_of_the_others() {
    let scene = Scene::new().await;
    let connector = scene.connector("CAS").await.id;
    let good = receipt(connector, BatchId::generate(), 2);
    let mut bad = receipt(connector, BatchId::generate(), 2);
    bad.tenant = model::ids::TenantId::new("nobody").unwrap();
    let receipts = vec![(good.clone(), commit(1, 2)), (bad, commit(2, 2))];
    scene.catalog.recover(receipts, at(1)).await.unwrap_err();
    assert_eq!(scene.totals().await, Counts::default());
    assert!(scene.catalog.is_applied(&[good.batch]).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_watermark_moves_forward_only_and_covers_what_it_forgets() {
    let scene = Scene::new().await;
    let catalog = &scene.catalog;
    let connector = scene.connector("CAS").await.id;
    assert!(catalog.applied_versions().await.unwrap().is_empty());
    let mut batches = Vec::new();
    for version in 1..=4 {
        // The third comes half an hour before the fourth, the others long before.
        let when = at([0, 60, 6 * 3600 - 1800, 6 * 3600][version as usize - 1]);
        let commits = vec![commit(version, 1)];
        let page = PageCommit { commits, at: when, ..page(connector) };
        batches.push(page.batch.unwrap());
        catalog.apply_page(page).await.unwrap();
    }
    for (moved, expected) in [(3, 3), (1, 3)] {
        let versions = BTreeMap::from([(Class::EmailActivity, moved)]);
        catalog.set_applied_versions(&versions).await.unwrap();
        let versions = catalog.applied_versions().await.unwrap();
        assert_eq!(versions, BTreeMap::from([(Class::EmailActivity, expected)]));
    }
    let remembered = catalog.is_applied(&batches).await.unwrap();
    assert_eq!(remembered, BTreeSet::from([batches[2], batches[3]]), "young ones are kept");
    let below = (receipt(connector, batches[0], 1), commit(1, 1));
    let recovered = catalog.recover(vec![below], at(1)).await.unwrap();
    assert_eq!(recovered, Recovered::default(), "at or below the watermark all is applied");
}

#[tokio::test]
async fn batches_without_rows_are_forgotten_only_when_they_are_old() {
    let scene = Scene::new().await;
    let connector = scene.connector("CAS").await.id;
    let rowless = |seconds| PageCommit { commits: Vec::new(), at: at(seconds), ..page(connector) };
    let (old, new) = (rowless(0), rowless(4000));
    scene.catalog.apply_many(vec![old.clone(), new.clone()]).await.unwrap();
    scene.catalog.set_applied_versions(&BTreeMap::new()).await.unwrap();
    let (old, new) = (old.batch.unwrap(), new.batch.unwrap());
    assert_eq!(scene.catalog.is_applied(&[old, new]).await.unwrap(), BTreeSet::from([new]));
}
