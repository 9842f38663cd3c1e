//! How the ledger's rows grow together, and what it answers.

use catalog::{IntervalKind, IntervalState, LedgerFilter, LedgerRow, PageCommit};
use model::ids::{ConnectorId, TenantId};
use model::ledger::Counts;
use model::time::Interval;

use crate::support::{Scene, at, letter, minutes, page, stream};

fn poll(connector: ConnectorId, start: i64, end: i64) -> PageCommit {
    PageCommit { interval: Some(minutes(start, end)), ..page(connector) }
}

async fn rows(scene: &Scene, connector: ConnectorId) -> Vec<LedgerRow> {
    let stream = stream("sharepoint/dlp");
    let mut rows = scene.catalog.ledger_intervals(connector, &stream, 1000).await.unwrap();
    rows.reverse();
    rows
}

fn intervals(rows: &[LedgerRow]) -> Vec<Interval> {
    rows.iter().map(|row| row.interval).collect()
}

#[tokio::test]
async fn finished_polls_of_one_utc_hour_become_one_row() {
    let scene = Scene::new().await;
    let connector = scene.connector("CAS").await.id;
    let polls = (0..24).map(|number| poll(connector, number * 5, number * 5 + 5)).collect();
    scene.catalog.apply_many(polls).await.unwrap();
    let rows = rows(&scene, connector).await;
    assert_eq!(intervals(&rows), [minutes(0, 60), minutes(60, 120)]);
    for row in &rows {
        assert_eq!((row.polls, row.pages, row.counts.stored), (12, 12, 12));
        assert_eq!(row.state, IntervalState::Done);
    }
}

#[tokio::test]
async fn polls_that_finish_out_of_order_still_grow_together() {
    let scene = Scene::new().await;
    let connector = scene.connector("CAS").await.id;
    let order = [(10, 15), (0, 5), (15, 20), (5, 10)];
    let polls = order.map(|(start, end)| poll(connector, start, end)).to_vec();
    scene.catalog.apply_many(polls).await.unwrap();
    let rows = rows(&scene, connector).await;
    assert_eq!(intervals(&rows), [minutes(0, 20)]);
    assert_eq!(rows[0].counts.stored, 4);
}

#[tokio::test]
async fn open_intervals_gaps_and_other_streams_do_not_merge() {
    let scene = Scene::new().await;
    let connector = scene.connector("CAS").await.id;
    let open = PageCommit { finished: false, ..poll(connector, 5, 10) };
    let gap = PageCommit { kind: IntervalKind::Gap, ..poll(connector, 10, 15) };
    let other = PageCommit { stream: stream("exchange/dlp"), ..poll(connector, 5, 10) };
    let pages = vec![poll(connector, 0, 5), open, gap, other, poll(connector, 20, 25)];
    scene.catalog.apply_many(pages).await.unwrap();
    let rows = rows(&scene, connector).await;
    let expected = [minutes(0, 5), minutes(5, 10), minutes(10, 15), minutes(20, 25)];
    assert_eq!(intervals(&rows), expected);
    let streams = scene.catalog.ledger_streams(connector).await.unwrap();
    assert_eq!(streams.len(), 2);
    assert_eq!(streams[1].open, [minutes(5, 10)]);
    assert_eq!(streams[1].holes, [minutes(15, 20)]);
    assert_eq!((streams[1].first, streams[1].last), (Some(at(0)), Some(at(1500))));
}

#[tokio::test]
async fn a_poll_that_goes_on_as_a_gap_stays_one_row() {
    let scene = Scene::new().await;
    let connector = scene.connector("CAS").await.id;
    let begun = PageCommit { finished: false, ..poll(connector, 0, 5) };
    let ended = PageCommit { kind: IntervalKind::Gap, ..poll(connector, 0, 5) };
    scene.catalog.apply_many(vec![begun, ended]).await.unwrap();
    let rows = rows(&scene, connector).await;
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].kind, rows[0].state), (IntervalKind::Gap, IntervalState::Done));
    assert_eq!(rows[0].counts.stored, 2);
}

#[tokio::test]
async fn an_open_interval_is_cut_and_the_rest_shows_until_it_is_asked_for() {
    let scene = Scene::new().await;
    let connector = scene.connector("CAS").await.id;
    let wide = PageCommit { finished: false, ..poll(connector, 0, 60) };
    let later = poll(connector, 60, 65);
    scene.catalog.apply_many(vec![wide, later, poll(connector, 0, 30)]).await.unwrap();
    let streams = scene.catalog.ledger_streams(connector).await.unwrap();
    assert_eq!(streams[0].holes, [minutes(30, 60)]);
    scene.catalog.apply_page(poll(connector, 30, 60)).await.unwrap();
    let streams = scene.catalog.ledger_streams(connector).await.unwrap();
    assert!(streams[0].holes.is_empty() && streams[0].open.is_empty());
}

#[tokio::test]
async fn asking_again_for_what_is_done_adds_to_it_and_opens_nothing() {
    let scene = Scene::new().await;
    let connector = scene.connector("CAS").await.id;
    let part = PageCommit { finished: false, ..poll(connector, 0, 3) };
    scene.catalog.apply_many(vec![poll(connector, 0, 5), part]).await.unwrap();
    let rows = rows(&scene, connector).await;
    assert_eq!(intervals(&rows), [minutes(0, 5)]);
    assert_eq!((rows[0].state, rows[0].counts.stored), (IntervalState::Done, 2));
    let further = PageCommit { finished: false, ..poll(connector, 0, 9) };
    scene.catalog.apply_page(further).await.unwrap();
    let streams = scene.catalog.ledger_streams(connector).await.unwrap();
    assert_eq!(streams[0].open, [minutes(0, 9)]);
}

#[tokio::test]
async fn totals_follow_every_filter_and_an_imbalance_is_named() {
    let scene = Scene::new().await;
    let catalog = &scene.catalog;
    let acme = TenantId::new("acme").unwrap();
    catalog.ensure_tenant(&acme, at(0)).await.unwrap();
    let first = ConnectorId::generate();
    let second = ConnectorId::generate();
    let foreign = PageCommit { tenant: acme.clone(), ..page(second) };
    let mut lost = PageCommit { stream: stream("exchange/dlp"), ..page(second) };
    lost.source = "mimecast.siem".to_owned();
    lost.counts = Counts { served: 5, stored: 4, ..Counts::default() };
    catalog.apply_many(vec![page(first), foreign, lost]).await.unwrap();
    let filters = [
        (LedgerFilter::default(), 6),
        (LedgerFilter { connector: Some(first), ..LedgerFilter::default() }, 1),
        (LedgerFilter { tenant: Some(acme), ..LedgerFilter::default() }, 1),
        (LedgerFilter { source: Some("mimecast.siem".into()), ..LedgerFilter::default() }, 4),
        (LedgerFilter { stream: Some(stream("nowhere")), ..LedgerFilter::default() }, 0),
    ];
    for (filter, stored) in filters {
        assert_eq!(catalog.ledger_totals(&filter).await.unwrap().stored, stored, "{filter:?}");
    }
    let balance = catalog.ledger_balance(&LedgerFilter::default()).await.unwrap();
    assert!(!balance.is_balanced());
    assert_eq!(balance.counts.imbalance(), 1);
    assert_eq!(balance.unbalanced.len(), 1);
    assert_eq!(balance.unbalanced[0].stream, stream("exchange/dlp"));
    let only_first = LedgerFilter { connector: Some(first), ..LedgerFilter::default() };
    assert!(catalog.ledger_balance(&only_first).await.unwrap().is_balanced());
}

#[tokio::test]
async fn dead_letters_follow_their_row_when_it_is_absorbed() {
    let scene = Scene::new().await;
    let connector = scene.connector("CAS").await.id;
    let mut with_letter = poll(connector, 5, 10);
    with_letter.counts = Counts { served: 2, stored: 1, dead_lettered: 1, ..Counts::default() };
    with_letter.dead_letters = vec![letter(b"x")];
    let pages = vec![with_letter, poll(connector, 10, 15), poll(connector, 0, 5)];
    scene.catalog.apply_many(pages).await.unwrap();
    let rows = rows(&scene, connector).await;
    assert_eq!(intervals(&rows), [minutes(0, 15)]);
    assert_eq!(rows[0].counts.dead_lettered, 1);
}
