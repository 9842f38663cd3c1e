//! Dead letters and their replay.

use catalog::{
    Applied, DeadLetterFilter, DeadLetterState, ErrorKind, LedgerFilter, PageCommit, ReplayOutcome,
    StoredDeadLetter,
};
use model::ids::{BatchId, ConnectorId};
use model::ledger::Counts;
use uuid::Uuid;

use crate::support::{Scene, at, commit, letter, minutes, page, stream};

/// A page with some dead letters beside one stored record.
fn with_letters(connector: ConnectorId, count: u8) -> PageCommit {
    let dead_lettered = u64::from(count);
    PageCommit {
        counts: Counts { served: 1 + dead_lettered, stored: 1, dead_lettered, ..Counts::default() },
        dead_letters: (0..count).map(|number| letter(&[number])).collect(),
        ..page(connector)
    }
}

async fn waiting(scene: &Scene) -> Vec<StoredDeadLetter> {
    let filter =
        DeadLetterFilter { state: Some(DeadLetterState::Waiting), ..DeadLetterFilter::default() };
    scene.catalog.dead_letters(&filter, None, 100).await.unwrap().letters
}

#[tokio::test]
async fn letters_are_paged_newest_first_and_filtered() {
    let scene = Scene::new().await;
    let catalog = &scene.catalog;
    let connector = scene.connector("CAS").await.id;
    catalog.apply_page(with_letters(connector, 5)).await.unwrap();
    let mut seen = Vec::new();
    let mut before = None;
    loop {
        let listed = catalog.dead_letters(&DeadLetterFilter::default(), before, 2).await.unwrap();
        seen.extend(listed.letters);
        before = listed.next;
        if before.is_none() {
            break;
        }
    }
    assert_eq!(seen.len(), 5);
    assert!(seen.windows(2).all(|pair| pair[0].id > pair[1].id));
    let (newest, raw) = catalog.dead_letter(seen[0].id).await.unwrap().unwrap();
    assert_eq!((newest.reason.as_str(), raw.as_ref()), ("no identity", [4].as_slice()));
    assert_eq!((newest.connector, newest.at, newest.raw_size), (connector, at(300), 1));
    let elsewhere = [
        DeadLetterFilter { connector: Some(ConnectorId::generate()), ..Default::default() },
        DeadLetterFilter { stream: Some(stream("nowhere")), ..Default::default() },
        DeadLetterFilter { source: Some("mimecast.siem".to_owned()), ..Default::default() },
        DeadLetterFilter { state: Some(DeadLetterState::Discarded), ..Default::default() },
    ];
    for filter in elsewhere {
        let listed = catalog.dead_letters(&filter, None, 9).await.unwrap();
        assert!(listed.letters.is_empty(), "{filter:?}");
    }
    assert!(catalog.dead_letter(Uuid::nil()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_replay_moves_the_count_in_the_row_that_held_it() {
    let scene = Scene::new().await;
    let catalog = &scene.catalog;
    let connector = scene.connector("CAS").await.id;
    catalog.apply_page(with_letters(connector, 4)).await.unwrap();
    // The row is absorbed by an earlier one meanwhile; the letters follow it.
    let earlier = PageCommit { interval: Some(minutes(-60, -55)), ..page(connector) };
    let adjoining = PageCommit { interval: Some(minutes(5, 10)), ..page(connector) };
    catalog.apply_many(vec![earlier, adjoining]).await.unwrap();
    let letters = waiting(&scene).await;
    let outcomes = [ReplayOutcome::Stored, ReplayOutcome::Duplicate, ReplayOutcome::Filtered];
    for (found, outcome) in letters.iter().zip(outcomes) {
        let batch = BatchId::generate();
        for expected in [Applied::Now, Applied::AlreadyApplied] {
            let commits = [commit(9, 1)];
            let answer =
                catalog.replay_result(found.id, outcome, batch, &commits, at(999)).await.unwrap();
            assert_eq!(answer, expected);
        }
        assert_eq!(catalog.is_applied(&[batch]).await.unwrap().len(), 1);
    }
    let expected = Counts { served: 7, stored: 4, duplicate: 1, filtered: 1, dead_lettered: 1 };
    assert_eq!(scene.totals().await, expected);
    let balance = catalog.ledger_balance(&LedgerFilter::default()).await.unwrap();
    assert!(balance.is_balanced());
    assert_eq!(waiting(&scene).await.len(), 1);
    let (replayed, _) = catalog.dead_letter(letters[0].id).await.unwrap().unwrap();
    assert_eq!(replayed.state, DeadLetterState::Replayed);
    assert_eq!(replayed.settled_at, Some(at(999)));
}

#[tokio::test]
async fn a_letter_is_settled_once() {
    let scene = Scene::new().await;
    let catalog = &scene.catalog;
    let connector = scene.connector("CAS").await.id;
    catalog.apply_page(with_letters(connector, 3)).await.unwrap();
    let before = scene.totals().await;
    let ids: Vec<Uuid> = waiting(&scene).await.iter().map(|found| found.id).collect();
    assert_eq!(catalog.discard(&ids[..2], at(1)).await.unwrap(), 2);
    assert_eq!(catalog.discard(&ids[..2], at(2)).await.unwrap(), 0);
    assert_eq!(catalog.mark_replayed(&ids, at(3)).await.unwrap(), 1);
    let batch = BatchId::generate();
    let error =
        catalog.replay_result(ids[0], ReplayOutcome::Stored, batch, &[], at(4)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.to_string(), format!("dead letter `{}` is discarded already", ids[0]));
    assert!(catalog.is_applied(&[batch]).await.unwrap().is_empty());
    let error = catalog
        .replay_result(Uuid::nil(), ReplayOutcome::Stored, batch, &[], at(4))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert_eq!(scene.totals().await, before, "settling without a result moves no counts");
}
