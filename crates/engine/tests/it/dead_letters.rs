//! Dead letters that are replayed while the catalog or whoever asked goes away.

use std::time::Duration;

use catalog::{DeadLetterFilter, DeadLetterState, IntervalKind, PageCommit};
use futures::FutureExt as _;
use model::batch::DeadLetter;
use model::clock::Clock;
use model::ledger::Counts;
use query::store::EventStore;
use uuid::Uuid;

use crate::recovery::orphan;
use crate::world::World;

const POINT: &str = "catalog.replay.before_commit";

/// A letter whose record is good enough for today's mapping.
async fn letter(world: &World) -> Uuid {
    let batch = orphan(world, 1);
    let raw = batch.records[0].record.raw().clone();
    let commit = PageCommit {
        batch: Some(batch.id),
        connector: batch.connector,
        tenant: batch.tenant,
        source: batch.source.id.clone(),
        stream: batch.stream,
        cursor: None,
        interval: None,
        kind: IntervalKind::Import,
        pages: 1,
        polls: 1,
        finished: true,
        counts: Counts { served: 1, dead_lettered: 1, ..Counts::default() },
        dead_letters: vec![DeadLetter { raw, reason: "the transform failed".to_owned() }],
        commits: Vec::new(),
        at: world.clock.now(),
    };
    world.catalog.apply_page(commit).await.unwrap();
    let letters = world.app.dead_letters(&DeadLetterFilter::default(), None, 9).await.unwrap();
    letters.letters[0].id
}

async fn is_replayed_and_entered(world: &World, letter: Uuid) {
    let (letter, _) = world.catalog.dead_letter(letter).await.unwrap().unwrap();
    assert_eq!(letter.state, DeadLetterState::Replayed);
    let proof = world.app.verify().await.unwrap();
    assert!(proof.is_clean(), "{:?}", proof.disagreements);
    assert_eq!((proof.lake.rows, proof.ledger.stored), (1, 1));
}

#[tokio::test]
async fn a_replay_whose_row_is_stored_is_entered_as_soon_as_the_catalog_is_there_again() {
    let world = World::open().await;
    let letter = letter(&world).await;
    fail::cfg(POINT, "3*return->off").unwrap();
    let replayed = world.during(world.app.replay(&[letter], "mina")).await;
    fail::remove(POINT);
    assert_eq!(replayed.unwrap().stored, 1);
    is_replayed_and_entered(&world, letter).await;
}

#[tokio::test]
async fn a_replay_goes_on_when_whoever_asked_for_it_has_gone() {
    let world = World::open().await;
    let letter = letter(&world).await;
    fail::cfg(POINT, "return").unwrap();
    {
        let ids = [letter];
        let mut asking = std::pin::pin!(world.app.replay(&ids, "mina"));
        while world.store.stats(None).await.unwrap().is_empty() {
            assert!(asking.as_mut().now_or_never().is_none());
            tokio::task::yield_now().await;
        }
    }
    fail::remove(POINT);
    world.pass(Duration::from_secs(10)).await;
    is_replayed_and_entered(&world, letter).await;
}
