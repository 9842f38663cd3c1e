//! Mimecast on virtual time: first run, resumption, tokens of both kinds that run out, a credential that is
//! replaced, a role that is missing, and the queries that the data must answer.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::connectors::document::ConnectorFile;
use model::clock::Clock;
use query::store::EventStore;
use simulators::{Refusal, Simulator, Volume};

use crate::matching;
use crate::world::{World, name, open_app, tenant};

const HOUR: Duration = Duration::from_secs(3600);
const TYPES: &str = "[receipt, delivery, url_protect]";
const STREAMS: [&str; 6] = [
    "siem/receipt",
    "siem/delivery",
    "siem/url_protect",
    "ttp_url",
    "ttp_attachment",
    "ttp_impersonation",
];

/// A connector document for three types of SIEM events and all TTP logs.
fn connector(url: &str, secret: &str, more: &str) -> String {
    format!(
        "connectors:\n  - name: Mimecast2.0Demo\n    integration: mimecast\n    \
         credential: {{ client_id: sim-client, client_secret: \"{secret}\" }}\n    \
         parameters: {{ base_url: \"{url}\", siem_types: {TYPES} }}\n    backfill: 24h\n{more}"
    )
}

async fn vendor(world: &World, faults: &[(&str, &str)]) -> (Simulator, String) {
    world.simulate("mimecast", Volume::PerHour(20.0), faults).await
}

async fn started(world: &World, url: &str, more: &str) {
    world.apply(&connector(url, "sim-secret", more)).await;
    world.app.start().await.unwrap();
}

fn digest(raw: &[u8]) -> String {
    use sha2::Digest;
    hex::encode(sha2::Sha256::digest(raw))
}

/// Asserts that what the vendor holds from 20 h before the test to an hour ago is stored, and that
/// the books balance without holes.
async fn assert_complete(world: &World, simulator: &Simulator) {
    let mut stored = BTreeSet::new();
    let mut rows = 0_u64;
    for class in model::ocsf::Class::ALL {
        for row in world.store.commits(class, None).await.unwrap() {
            rows += 1;
            stored.insert(digest(&row.raw));
        }
    }
    let until = world.clock.now() - HOUR;
    let since = model::time::Timestamp::parse("2026-03-09T04:00:00Z").unwrap();
    let old: BTreeSet<String> =
        simulator.held_until(Some(since.as_millis())).into_iter().flat_map(|s| s.ids).collect();
    let ids = simulator.held_until(Some(until.as_millis()));
    for (held, digests) in ids.iter().zip(simulator.held_with_sha256(Some(until.as_millis()))) {
        if !STREAMS.contains(&held.stream.as_str()) {
            continue;
        }
        let records = digests.1.iter().filter(|record| !old.contains(&record.id));
        let wanted: Vec<_> = records.collect();
        let lost = wanted.iter().filter(|record| !stored.contains(&record.sha256)).count();
        assert!(wanted.len() > 300, "{}: {}", held.stream, wanted.len());
        assert_eq!(lost, 0, "lost in {} of {}", held.stream, wanted.len());
    }
    let ledger = world.app.ledger(None, None).await.unwrap();
    assert_eq!(ledger.imbalance(), 0);
    assert_eq!(ledger.stored, rows);
    let status = world.app.status(&tenant(), &name("Mimecast2.0Demo")).await.unwrap();
    for stream in &status.streams {
        assert!(stream.holes.is_empty(), "{stream:#?}");
        assert!(stream.lost.is_empty(), "{stream:#?}");
    }
}

async fn state_of(world: &World, stream: &str) -> String {
    let status = world.app.status(&tenant(), &name("Mimecast2.0Demo")).await.unwrap();
    status.streams.into_iter().find(|s| s.stream == stream).unwrap().state
}

fn refused(simulator: &Simulator) -> usize {
    simulator.requests().iter().filter(|r| r.reason == Some(Refusal::Quota)).count()
}

#[tokio::test]
async fn the_first_run_reads_history_and_goes_on_with_the_token() {
    let world = World::open().await;
    let (simulator, url) = vendor(&world, &[]).await;
    started(&world, &url, "").await;
    world.pass(HOUR * 3).await;
    assert_complete(&world, &simulator).await;
    let dated = simulator.requests().into_iter().filter(|r| r.query.contains("dateRange")).count();
    assert_eq!(dated, 3, "each stream is asked by date once");
    assert_eq!(refused(&simulator), 0);
    let ledger = world.app.ledger(None, None).await.unwrap();
    let files: usize = simulator
        .requests()
        .iter()
        .filter(|r| r.path.starts_with("/sim-files/"))
        .map(|r| r.records)
        .sum();
    assert!(ledger.served >= files as u64);
}

#[tokio::test]
async fn the_stream_transport_is_complete_too() {
    let world = World::open().await;
    let (simulator, url) = vendor(&world, &[("held", "stream"), ("late", "20:20m")]).await;
    let file = connector(&url, "sim-secret", "")
        .replace("siem_types", "siem_transport: stream, siem_types")
        .replace("backfill: 24h", "backfill: 23h");
    world.apply(&file).await;
    world.app.start().await.unwrap();
    world.pass(HOUR * 3).await;
    assert_complete(&world, &simulator).await;
    assert_eq!(refused(&simulator), 0);
}

#[tokio::test]
async fn a_restart_resumes_at_the_token_and_stores_nothing_twice() {
    let world = World::open().await;
    let (simulator, url) = vendor(&world, &[]).await;
    started(&world, &url, "").await;
    // In the middle of the first walks.
    world.pass(Duration::from_secs(2)).await;
    world.app.stop_collecting().await;
    let app = open_app(&world.clock, &world.catalog, &world.store, Default::default()).await;
    app.start().await.unwrap();
    world.pass(HOUR * 2).await;
    app.stop_collecting().await;
    let before = world.app.ledger(None, None).await.unwrap();
    let app = open_app(&world.clock, &world.catalog, &world.store, Default::default()).await;
    app.start().await.unwrap();
    world.pass(HOUR).await;
    assert_complete(&world, &simulator).await;
    let after = world.app.ledger(None, None).await.unwrap();
    let batches = simulator.requests().into_iter().filter(|r| r.query.contains("dateRange"));
    assert_eq!(batches.count(), 3, "tokens outlive the process");
    assert!(after.stored > before.stored);
}

#[tokio::test]
async fn a_token_that_expires_in_the_middle_begins_again_near_where_it_was() {
    let world = World::open().await;
    let faults = [("page_token_life", "40m"), ("file_records", "5")];
    let (simulator, url) = vendor(&world, &faults).await;
    // A week of history, in small pages, with a quota that lets the token die on the way.
    let quota = "    quota: { requests: 6, per: 15m }\n    content_types: [siem]\n";
    let file = connector(&url, "sim-secret", quota)
        .replace(TYPES, "[receipt]")
        .replace("backfill: 24h", "backfill: 7d");
    world.apply(&file).await;
    world.app.start().await.unwrap();
    world.pass(Duration::from_secs(60)).await;
    simulator.set_fault("outage", "on").unwrap();
    world.pass(HOUR).await;
    simulator.set_fault("outage", "off").unwrap();
    world.pass(HOUR * 6).await;
    let dated: Vec<String> = simulator
        .requests()
        .into_iter()
        .filter(|r| r.status == 200 && r.query.contains("dateRangeStartsAt="))
        .map(|r| r.query.split("StartsAt=").nth(1).unwrap()[..10].to_owned())
        .collect();
    assert!(dated.len() >= 2, "{dated:?}");
    assert_eq!(dated[0], "2026-03-03");
    assert!(dated[1..].iter().all(|day| *day > dated[0]), "never from the beginning: {dated:?}");
    let ledger = world.app.ledger(None, None).await.unwrap();
    assert_eq!(ledger.imbalance(), 0);
    let held = simulator.held().into_iter().find(|s| s.stream == "siem/receipt").unwrap().ids;
    assert!(ledger.stored as usize >= held.len(), "{} of {}", ledger.stored, held.len());
}

#[tokio::test]
async fn idle_streams_whose_tokens_expire_go_on_by_date_without_loss() {
    let world = World::open().await;
    let (simulator, url) = vendor(&world, &[("page_token_life", "5m")]).await;
    started(&world, &url, "").await;
    world.pass(HOUR * 3).await;
    assert_complete(&world, &simulator).await;
    assert_eq!(refused(&simulator), 0);
}

#[tokio::test]
async fn a_credential_that_is_replaced_during_a_run_leaves_no_hole() {
    let world = World::open().await;
    let (simulator, url) = vendor(&world, &[]).await;
    started(&world, &url, "").await;
    world.pass(HOUR).await;
    simulator.set_fault("keys", "sim-client:rotated").unwrap();
    // Tokens that were given before live on; then the old secret is refused.
    world.pass(HOUR).await;
    assert_eq!(state_of(&world, "siem/receipt").await, "credentials");
    world.apply(&connector(&url, "rotated", "")).await;
    world.pass(HOUR * 2).await;
    for stream in STREAMS {
        assert_eq!(state_of(&world, stream).await, "ok", "{stream}");
    }
    assert_complete(&world, &simulator).await;
}

#[tokio::test]
async fn a_missing_role_stops_its_own_content_type_only_and_is_made_up_for() {
    let world = World::open().await;
    let (simulator, url) = vendor(&world, &[("forbidden", "ttp_url")]).await;
    started(&world, &url, "").await;
    world.pass(HOUR * 2).await;
    assert_eq!(state_of(&world, "ttp_url").await, "credentials");
    for stream in STREAMS.iter().filter(|stream| **stream != "ttp_url") {
        assert_eq!(state_of(&world, stream).await, "ok", "{stream}");
    }
    simulator.set_fault("forbidden", "").unwrap();
    world.pass(HOUR).await;
    assert_eq!(state_of(&world, "ttp_url").await, "ok");
    assert_complete(&world, &simulator).await;
}

#[tokio::test]
async fn trouble_of_every_kind_together_loses_nothing() {
    let world = World::open().await;
    let faults = [
        ("fail_every", "11"),
        ("cut_every", "13"),
        ("dead_link", "17"),
        ("transient_401", "19"),
        ("short_page", "2"),
        ("empty_page", "5"),
        ("stuck_token", "23"),
        ("missing_next", "29"),
        ("repeat_link", "3"),
        ("repeat_records", "30"),
        ("bad_line", "7"),
        ("truncated_gzip", "10"),
        ("late", "10:30m"),
        ("order", "shuffled"),
        ("nulls", "mixed"),
        ("ttp_end", "empty_page"),
    ];
    let (simulator, url) = vendor(&world, &faults).await;
    started(&world, &url, "").await;
    world.pass(HOUR * 5).await;
    for fault in ["fail_every", "cut_every", "dead_link", "transient_401", "stuck_token"] {
        simulator.set_fault(fault, "0").unwrap();
    }
    world.pass(HOUR).await;
    assert_complete(&world, &simulator).await;
    let ledger = world.app.ledger(None, None).await.unwrap();
    assert!(ledger.dead_lettered > 10 && ledger.duplicate > 100, "{ledger}");
    assert_eq!(refused(&simulator), 0);
}

#[tokio::test]
async fn a_cursor_that_lags_behind_the_lake_costs_repeats_and_nothing_else() {
    let world = World::open().await;
    let (simulator, url) = vendor(&world, &[]).await;
    started(&world, &url, "").await;
    world.pass(HOUR).await;
    let connector = world.app.connector(&tenant(), &name("Mimecast2.0Demo")).await.unwrap().id;
    let before = world.catalog.cursors(connector).await.unwrap();
    world.pass(HOUR * 2).await;
    world.app.stop_collecting().await;
    let duplicates = world.app.ledger(None, None).await.unwrap().duplicate;
    // As after a crash between the lake's commits and the catalog's.
    world.catalog.put_cursors(connector, &before, world.clock.now()).await.unwrap();
    let app = open_app(&world.clock, &world.catalog, &world.store, Default::default()).await;
    app.start().await.unwrap();
    world.pass(HOUR).await;
    assert_complete(&world, &simulator).await;
    let ledger = world.app.ledger(None, None).await.unwrap();
    assert!(ledger.duplicate > duplicates + 100, "{ledger}");
    assert!(world.app.verify().await.unwrap().is_clean());
}

async fn stored_rows(world: &World) -> usize {
    let mut rows = 0;
    for class in model::ocsf::Class::ALL {
        rows += world.store.commits(class, None).await.unwrap().len();
    }
    rows
}

#[tokio::test]
async fn each_content_type_is_tested_and_what_is_wrong_is_named() {
    let world = World::open().await;
    let (_simulator, url) = vendor(&world, &[("forbidden", "ttp_attachment")]).await;
    world.apply(&connector(&url, "sim-secret", "")).await;
    let name = name("Mimecast2.0Demo");
    let tested = world.during(world.app.test_connector(&tenant(), &name)).await.unwrap();
    assert!(!tested.passed);
    let found: Vec<_> =
        tested.checks.iter().map(|check| (check.content_type.as_str(), check.passed)).collect();
    assert_eq!(
        found,
        [("siem", true), ("ttp_attachment", false), ("ttp_impersonation", true), ("ttp_url", true)]
    );
    let failed = tested.checks.iter().find(|check| !check.passed).unwrap();
    assert!(failed.detail.contains("Monitoring > Attachment Protection > Read"), "{failed:?}");
}

#[tokio::test]
async fn the_vendor_guides_queries_find_rows() {
    let world = World::open().await;
    let (_simulator, url) = vendor(&world, &[]).await;
    started(&world, &url, "").await;
    world.pass(HOUR * 2).await;
    let mut found = Vec::new();
    for text in [
        "WHERE sensor_type = 'mimecast' AND ingest.integration_id = 'mimecast2.0demo'",
        "FROM email WHERE sensor_type = 'Mimecast' and EARLIEST=-24h",
        "FROM email WHERE sensor_type = 'Mimecast' AND status = 'delivered'",
        "FROM email WHERE sensor_type = 'Mimecast' AND original_data CONTAINS 'virus'",
        "FROM http WHERE sensor_type = 'Mimecast' EARLIEST=-7d",
        "FROM http WHERE uri_host = 'login.bad.example' AND source_username CONTAINS '@corp.example'",
        "FROM email WHERE status = 'held' AND direction = 'inbound'",
        "FROM email WHERE mimecast.action = 'Rej' AND status = 'rejected'",
        "FROM email WHERE sensor_type = 'Trend Micro CAS'",
        "FROM email WHERE sensor_type = 'Mimecast' AND status = 'nonsense'",
    ] {
        found.push(matching::rows(&world, text).await.len());
    }
    let all = stored_rows(&world).await;
    assert_eq!(found[0], all, "both sources of the connector, without FROM");
    assert!(found[1..8].iter().all(|rows| *rows > 20), "{found:?}");
    assert!(found[2] < found[1] && found[3] < found[1], "{found:?}");
    assert_eq!(found[8..], [0, 0]);
    for row in matching::rows(&world, "FROM email WHERE status = 'delivered'").await {
        let raw: serde_json::Value =
            serde_json::from_str(row["raw_data"].as_str().unwrap()).unwrap();
        assert_eq!(raw["delivered"], "true");
    }
}

#[tokio::test]
async fn a_document_with_a_proxy_is_applied_shown_and_kept() {
    let world = World::open().await;
    let (simulator, url) = vendor(&world, &[]).await;
    let proxy = "    proxy: { address: \"http://127.0.0.1:9\", user: tarn, password: pa55 }\n";
    world.apply(&connector(&url, "sim-secret", proxy)).await;
    let stored = world.app.connector(&tenant(), &name("Mimecast2.0Demo")).await.unwrap();
    assert!(!stored.document.to_string().contains("pa55"));
    let shown = world.app.document(&stored).unwrap().masked();
    assert_eq!(shown["proxy"]["password"], model::secret::MASK);
    let again = serde_json::json!({ "connectors": [shown] }).to_string();
    let documents = ConnectorFile::read(&again).unwrap().connectors;
    let plan = world.app.apply(documents, false, "test").await.unwrap();
    assert_eq!(plan[0].kind, engine::connectors::apply::ChangeKind::Unchanged);
    let name = name("Mimecast2.0Demo");
    let tested = world.during(world.app.test_connector(&tenant(), &name)).await.unwrap();
    assert!(tested.checks.iter().all(|check| check.detail.contains("127.0.0.1:9")), "{tested:?}");
    assert!(simulator.requests().is_empty(), "nothing goes past the proxy");
}
