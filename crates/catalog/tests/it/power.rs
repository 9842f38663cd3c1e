//! Power cuts: whatever was written after the last acknowledged transaction may reach the disk in
//! part. The catalog then holds everything acknowledged, and the rest whole or not at all.

use std::path::Path;

use catalog::Catalog;
use model::secret::Secret;
use serde_json::json;
use tempfile::TempDir;

use crate::support::{Scene, master, page};

/// How finely the tail of the write-ahead log is cut.
const STEP: usize = 1024;

fn log_of(database: &Path) -> Vec<u8> {
    std::fs::read(database.with_extension("db-wal")).unwrap()
}

/// Opens what a power cut left: the database file and so much of its log.
async fn reopened(database: &[u8], log: &[u8]) -> (TempDir, Catalog) {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("catalog.db");
    std::fs::write(&path, database).unwrap();
    std::fs::write(path.with_extension("db-wal"), log).unwrap();
    let catalog = Catalog::open(&catalog::file_url(&path), &master()).await.unwrap();
    (directory, catalog)
}

/// Rows in the ledger and the cursor that goes with them.
async fn books(catalog: &Catalog, connector: model::ids::ConnectorId) -> (u64, serde_json::Value) {
    let totals = catalog.ledger_totals(&catalog::LedgerFilter::default()).await.unwrap();
    let cursors = catalog.cursors(connector).await.unwrap();
    (totals.stored, cursors.into_values().next().unwrap_or_default())
}

/// Applies a page, then a second one with the failpoint armed, and cuts the power at every place of
/// what the second one wrote.
async fn cut_while_applying(failpoint: Option<&str>) {
    let scene = Scene::new().await;
    let connector = scene.connector("CAS").await.id;
    scene.catalog.apply_page(page(connector)).await.unwrap();
    let acknowledged = log_of(&scene.file()).len();
    let mut second = page(connector);
    second.cursor = Some(json!({"next": "b"}));
    if let Some(name) = failpoint {
        let place = scene.directory.path().file_name().unwrap().to_str().unwrap();
        fail::cfg(name, &format!("return({place})")).unwrap();
        scene.catalog.apply_page(second).await.unwrap_err();
        fail::remove(name);
    } else {
        scene.catalog.apply_page(second).await.unwrap();
    }
    let (database, log) = (std::fs::read(scene.file()).unwrap(), log_of(&scene.file()));
    let mut seen = Vec::new();
    for end in (acknowledged..log.len()).step_by(STEP).chain([log.len()]) {
        let mut torn = log[..end].to_vec();
        // What was never synced may also be there in length and not in content.
        torn.resize(log.len(), 0);
        for left in [&log[..end], &torn] {
            let (_directory, catalog) = reopened(&database, left).await;
            let found = books(&catalog, connector).await;
            let whole = [(1, json!({"next": "a"})), (2, json!({"next": "b"}))];
            assert!(whole.contains(&found), "{found:?} after a cut at {end} with {failpoint:?}");
            seen.push(found.0);
            catalog.close().await;
        }
    }
    let expected = if failpoint == Some("catalog.apply_page.before_commit") { 1 } else { 2 };
    assert_eq!(seen.last(), Some(&expected), "{failpoint:?}");
}

#[tokio::test]
async fn a_power_cut_leaves_every_acknowledged_page_and_no_half_page() {
    cut_while_applying(None).await;
    cut_while_applying(Some("catalog.apply_page.before_commit")).await;
    cut_while_applying(Some("catalog.apply_page.after_commit")).await;
}

/// A reservation that was answered is on the disk, so that a restart cannot overrun the quota (I4).
#[tokio::test]
async fn an_answered_reservation_survives_a_power_cut() {
    let scene = Scene::new().await;
    let key = scene.catalog.key_fingerprint("h", &Secret::new("a"));
    let (now, since) = (crate::support::at(1), crate::support::at(0));
    scene.catalog.reserve(&key, "logs", now, since).await.unwrap();
    let (database, log) = (std::fs::read(scene.file()).unwrap(), log_of(&scene.file()));
    scene.catalog.reserve(&key, "logs", crate::support::at(2), since).await.unwrap();
    let (_directory, catalog) = reopened(&database, &log).await;
    assert_eq!(catalog.reservations(&key, "logs", since).await.unwrap().len(), 1);
}
