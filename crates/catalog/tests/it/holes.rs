//! Property: whatever order intervals come in, sums are kept and the holes are those of a model that
//! looks at every minute.

use std::collections::BTreeSet;

use catalog::{IntervalKind, PageCommit};
use model::ids::ConnectorId;
use model::ledger::Counts;
use model::time::Interval;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::support::{Scene, minutes, page};

const MINUTES: i64 = 240;

/// One page of some interval, in minutes.
#[derive(Debug, Clone)]
struct Ask {
    start: i64,
    end: i64,
    kind: IntervalKind,
    finished: bool,
    counts: Counts,
}

fn ask() -> impl Strategy<Value = Ask> {
    let kind = prop_oneof![
        4 => Just(IntervalKind::Live),
        1 => Just(IntervalKind::Gap),
        1 => Just(IntervalKind::Backfill),
        1 => Just(IntervalKind::Recovered),
    ];
    let counts = (0..9_u64, 0..9_u64, 0..3_u64, 0..3_u64);
    (0..MINUTES / 5, 1..6_i64, kind, prop::bool::weighted(0.8), counts).prop_map(
        |(slot, width, kind, finished, (stored, duplicate, filtered, dead_lettered))| Ask {
            start: slot * 5,
            end: slot * 5 + width * 5,
            kind,
            finished,
            counts: Counts {
                served: stored + duplicate + filtered + dead_lettered,
                stored,
                duplicate,
                filtered,
                dead_lettered,
            },
        },
    )
}

fn pages(asks: &[Ask], connector: ConnectorId) -> Vec<PageCommit> {
    let page_of = |ask: &Ask| PageCommit {
        interval: Some(minutes(ask.start, ask.end)),
        kind: ask.kind,
        finished: ask.finished,
        counts: ask.counts,
        polls: u64::from(ask.finished),
        ..page(connector)
    };
    asks.iter().map(page_of).collect()
}

/// The rows without any merging: (start, end, done) of everything that covers time.
fn model_rows(asks: &[Ask]) -> Vec<(i64, i64)> {
    asks.iter().filter(|ask| ask.kind.covers()).map(|ask| (ask.start, ask.end)).collect()
}

/// The holes between the first and the last covered minute, minute by minute.
fn brute_force_holes(rows: &[(i64, i64)]) -> Vec<Interval> {
    let covered: BTreeSet<i64> = rows.iter().flat_map(|(start, end)| *start..*end).collect();
    let (Some(first), Some(last)) = (covered.first(), covered.last()) else { return Vec::new() };
    let mut holes: Vec<(i64, i64)> = Vec::new();
    for minute in (*first..*last).filter(|minute| !covered.contains(minute)) {
        match holes.last_mut() {
            Some((_, end)) if *end == minute => *end = minute + 1,
            _ => holes.push((minute, minute + 1)),
        }
    }
    holes.into_iter().map(|(start, end)| minutes(start, end)).collect()
}

async fn check(scene: &Scene, asks: &[Ask]) {
    let connector = ConnectorId::generate();
    let mut sum = Counts::default();
    for ask in asks {
        sum += ask.counts;
    }
    for page in pages(asks, connector) {
        scene.catalog.apply_page(page).await.unwrap();
    }
    let streams = scene.catalog.ledger_streams(connector).await.unwrap();
    assert_eq!(streams[0].counts, sum);
    assert_eq!(streams[0].pages, asks.len() as u64);
    assert_eq!(streams[0].polls, asks.iter().filter(|ask| ask.finished).count() as u64);
    assert_eq!(streams[0].holes, brute_force_holes(&model_rows(asks)), "{asks:?}");
    let rows = scene.catalog.ledger_intervals(connector, &streams[0].stream, 1000).await.unwrap();
    assert!(rows.iter().all(|row| row.counts.imbalance() == 0));
    let mut starts: Vec<_> = rows.iter().map(|row| (row.interval.start, row.kind)).collect();
    starts.dedup();
    assert_eq!(starts.len(), rows.len());
}

/// An interval that is still open may be cut by a later page, which the model of plain minutes does
/// not know: each start is asked for with one width.
fn one_width_per_start(mut asks: Vec<Ask>) -> Vec<Ask> {
    let mut ends = std::collections::BTreeMap::new();
    for ask in asks.iter_mut().filter(|ask| ask.kind.covers()) {
        ask.end = *ends.entry(ask.start).or_insert(ask.end);
    }
    asks
}

#[test]
fn sums_are_kept_and_the_holes_are_those_of_the_model() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let scene = runtime.block_on(Scene::new());
    let mut runner = TestRunner::new(Config { cases: 60, ..Config::default() });
    let asks = prop::collection::vec(ask(), 1..40).prop_map(one_width_per_start);
    runner
        .run(&asks, |asks| {
            runtime.block_on(check(&scene, &asks));
            Ok(())
        })
        .unwrap();
}
