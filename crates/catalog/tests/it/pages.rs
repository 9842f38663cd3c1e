//! Invariants I1 and I3: the one transaction after an append.

use catalog::{Applied, DeadLetterFilter, IntervalKind, IntervalState, LedgerFilter, PageCommit};
use model::ids::{BatchId, ConnectorId, TenantId};
use model::ledger::Counts;

use crate::support::{Scene, at, commit, letter, minutes, page, stream};

async fn assert_nothing_of(scene: &Scene, page: &PageCommit) {
    let catalog = &scene.catalog;
    assert_eq!(scene.totals().await, Counts::default());
    assert!(catalog.cursors(page.connector).await.unwrap().is_empty());
    assert!(catalog.ledger_streams(page.connector).await.unwrap().is_empty());
    assert!(catalog.is_applied(&[page.batch.unwrap()]).await.unwrap().is_empty());
    let letters = catalog.dead_letters(&DeadLetterFilter::default(), None, 9).await.unwrap();
    assert!(letters.letters.is_empty());
}

#[tokio::test]
async fn a_page_moves_cursor_ledger_dead_letters_and_batch_together() {
    let scene = Scene::new().await;
    let catalog = &scene.catalog;
    let connector = scene.connector("CAS").await;
    let mut page = page(connector.id);
    page.counts = Counts { served: 6, stored: 1, duplicate: 2, filtered: 1, dead_lettered: 2 };
    page.dead_letters = vec![letter(b"\xff\x00"), letter(b"")];
    assert_eq!(catalog.apply_page(page.clone()).await.unwrap(), Applied::Now);
    assert_eq!(scene.totals().await, page.counts);
    assert_eq!(catalog.cursors(connector.id).await.unwrap().len(), 1);
    assert_eq!(catalog.is_applied(&[page.batch.unwrap()]).await.unwrap().len(), 1);
    let rows = catalog.ledger_intervals(connector.id, &page.stream, 9).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].interval, rows[0].counts), (page.interval.unwrap(), page.counts));
    assert_eq!((rows[0].kind, rows[0].state), (IntervalKind::Live, IntervalState::Done));
    assert_eq!((rows[0].pages, rows[0].polls, rows[0].first_at), (1, 1, at(300)));
    let balance = catalog.ledger_balance(&LedgerFilter::default()).await.unwrap();
    assert!(balance.is_balanced());
}

#[tokio::test]
async fn a_failing_statement_leaves_nothing() {
    let scene = Scene::new().await;
    let connector = scene.connector("CAS").await;
    let mut page = page(connector.id);
    page.dead_letters = vec![letter(b"x")];
    // The ledger's row refers to its tenant: by then the batch and the cursor have been written.
    page.tenant = TenantId::new("nobody").unwrap();
    scene.catalog.apply_page(page.clone()).await.unwrap_err();
    assert_nothing_of(&scene, &page).await;
}

#[tokio::test]
async fn one_failing_page_of_several_leaves_nothing_of_any() {
    let scene = Scene::new().await;
    let connector = scene.connector("CAS").await;
    let good = page(connector.id);
    let mut bad = page(connector.id);
    bad.tenant = TenantId::new("nobody").unwrap();
    bad.stream = stream("exchange/dlp");
    scene.catalog.apply_many(vec![good.clone(), bad]).await.unwrap_err();
    assert_nothing_of(&scene, &good).await;
    assert_eq!(scene.catalog.apply_many(Vec::new()).await.unwrap(), []);
}

#[tokio::test]
async fn the_same_batch_twice_changes_nothing_the_second_time() {
    let mut scene = Scene::new().await;
    let connector = scene.connector("CAS").await;
    let page = page(connector.id);
    let mut again = page.clone();
    again.cursor = Some(serde_json::json!({"next": "b"}));
    again.dead_letters = vec![letter(b"x")];
    let answers = scene.catalog.apply_many(vec![page.clone(), again.clone()]).await.unwrap();
    assert_eq!(answers, [Applied::Now, Applied::AlreadyApplied]);
    scene.reopen().await;
    assert_eq!(scene.catalog.apply_page(again).await.unwrap(), Applied::AlreadyApplied);
    assert_eq!(scene.totals().await, page.counts);
    let cursors = scene.catalog.cursors(connector.id).await.unwrap();
    assert_eq!(cursors[&page.stream], serde_json::json!({"next": "a"}));
}

#[tokio::test]
async fn a_batch_without_rows_is_remembered_too() {
    let scene = Scene::new().await;
    let connector = scene.connector("CAS").await;
    let mut page = page(connector.id);
    page.commits = Vec::new();
    page.counts = Counts { served: 1, duplicate: 1, ..Counts::default() };
    assert_eq!(scene.catalog.apply_page(page.clone()).await.unwrap(), Applied::Now);
    assert_eq!(scene.catalog.apply_page(page).await.unwrap(), Applied::AlreadyApplied);
}

#[tokio::test]
async fn an_empty_page_needs_no_batch() {
    let scene = Scene::new().await;
    let connector = scene.connector("CAS").await;
    let mut page = page(connector.id);
    page.batch = None;
    page.commits = Vec::new();
    page.counts = Counts::default();
    assert_eq!(scene.catalog.apply_page(page.clone()).await.unwrap(), Applied::Now);
    let rows = scene.catalog.ledger_intervals(connector.id, &page.stream, 9).await.unwrap();
    assert_eq!((rows[0].pages, rows[0].counts), (1, Counts::default()));
}

#[tokio::test]
async fn a_page_of_a_connector_deleted_meanwhile_is_still_counted() {
    let scene = Scene::new().await;
    let page = page(ConnectorId::generate());
    assert_eq!(scene.catalog.apply_page(page.clone()).await.unwrap(), Applied::Now);
    assert!(scene.catalog.cursors(page.connector).await.unwrap().is_empty());
    assert_eq!(scene.totals().await.stored, 1);
}

#[tokio::test]
async fn an_import_is_one_instant_per_run_and_covers_no_time() {
    let scene = Scene::new().await;
    let mut page = page(ConnectorId::generate());
    page.kind = IntervalKind::Import;
    page.interval = None;
    page.cursor = None;
    page.finished = false;
    scene.catalog.apply_page(page.clone()).await.unwrap();
    page.batch = Some(BatchId::generate());
    page.commits = vec![commit(2, 1)];
    scene.catalog.apply_page(page.clone()).await.unwrap();
    let rows = scene.catalog.ledger_intervals(page.connector, &page.stream, 9).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].interval.start, rows[0].interval.end), (page.at, page.at));
    assert_eq!((rows[0].state, rows[0].counts.stored), (IntervalState::Done, 2));
    let streams = scene.catalog.ledger_streams(page.connector).await.unwrap();
    assert_eq!((streams[0].first, streams[0].last), (None, None));
}

#[tokio::test]
async fn imports_of_two_tenants_at_one_instant_stay_apart() {
    let scene = Scene::new().await;
    let acme = TenantId::new("acme").unwrap();
    scene.catalog.ensure_tenant(&acme, at(0)).await.unwrap();
    let connector = ConnectorId::generate();
    let import = |tenant: &TenantId, source: &str| PageCommit {
        tenant: tenant.clone(),
        source: source.to_owned(),
        kind: IntervalKind::Import,
        interval: None,
        cursor: None,
        ..page(connector)
    };
    let default = TenantId::default();
    let pages = vec![
        import(&default, "mimecast.siem"),
        import(&acme, "mimecast.siem"),
        import(&acme, "mimecast.ttp_url"),
    ];
    scene.catalog.apply_many(pages).await.unwrap();
    for (tenant, stored) in [(default, 1), (acme, 2)] {
        let filter = LedgerFilter { tenant: Some(tenant), ..LedgerFilter::default() };
        assert_eq!(scene.catalog.ledger_totals(&filter).await.unwrap().stored, stored);
    }
}

#[tokio::test]
async fn an_attempt_dropped_at_any_point_is_there_as_a_whole_or_not_at_all() {
    let scene = Scene::new().await;
    let connector = scene.connector("CAS").await;
    let mut dropped = 0;
    for patience in (0..3000).step_by(60) {
        let page = page(connector.id);
        let before = scene.totals().await.stored;
        let outcome = tokio::select! {
            biased;
            answer = scene.catalog.apply_page(page.clone()) => Some(answer.unwrap()),
            () = yield_times(patience) => None,
        };
        dropped += u64::from(outcome.is_none());
        let applied = scene.catalog.is_applied(&[page.batch.unwrap()]).await.unwrap().len() as u64;
        assert!(outcome.is_none() || applied == 1);
        scene.catalog.apply_page(page).await.unwrap();
        assert_eq!(scene.totals().await.stored, before + 1);
    }
    assert!(dropped > 0);
}

async fn yield_times(times: u32) {
    for _ in 0..times {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_large_dead_letter_is_kept_whole() {
    let scene = Scene::new().await;
    let connector = scene.connector("CAS").await;
    let mut page = page(connector.id);
    let raw: Vec<u8> = (0..8_000_000_u32).flat_map(u32::to_le_bytes).collect();
    page.counts = Counts { served: 2, stored: 1, dead_lettered: 1, ..Counts::default() };
    page.dead_letters = vec![letter(&raw)];
    scene.catalog.apply_page(page).await.unwrap();
    let listed = scene.catalog.dead_letters(&DeadLetterFilter::default(), None, 1).await.unwrap();
    assert_eq!(listed.letters[0].raw_size, 32_000_000);
    let (_, kept) = scene.catalog.dead_letter(listed.letters[0].id).await.unwrap().unwrap();
    assert!(kept == raw);
}

#[tokio::test]
async fn pages_of_one_interval_add_up_in_one_row() {
    let scene = Scene::new().await;
    let connector = scene.connector("CAS").await;
    let mut pages = Vec::new();
    for number in 0..3 {
        let mut page = page(connector.id);
        page.finished = number == 2;
        page.polls = u64::from(page.finished);
        page.at = at(300 + number);
        pages.push(page);
    }
    scene.catalog.apply_many(pages[..2].to_vec()).await.unwrap();
    let open = scene.catalog.ledger_streams(connector.id).await.unwrap();
    assert_eq!(open[0].open, [minutes(0, 5)]);
    scene.catalog.apply_page(pages[2].clone()).await.unwrap();
    let done = scene.catalog.ledger_streams(connector.id).await.unwrap();
    assert!(done[0].open.is_empty());
    assert_eq!((done[0].pages, done[0].polls, done[0].counts.stored), (3, 1, 3));
    assert_eq!((done[0].first, done[0].last), (Some(at(0)), Some(at(300))));
    assert_eq!((done[0].last_at, done[0].source.as_str()), (at(302), crate::support::SOURCE));
}
