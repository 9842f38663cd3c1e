//! A catalog in a temporary directory, and builders for what is put into it.

use std::path::PathBuf;
use std::time::Duration;

use catalog::{Catalog, IntervalKind, LedgerFilter, MasterKey, PageCommit, StoredConnector};
use model::batch::{CommitReceipt, DeadLetter, TableCommit};
use model::ids::{BatchId, ConnectorId, ConnectorName, InstallId, StreamId, TenantId};
use model::ledger::Counts;
use model::ocsf::Class;
use model::secret::Secret;
use model::time::{Interval, Timestamp};
use tempfile::TempDir;
use uuid::Uuid;

pub(crate) const SOURCE: &str = "trend_micro_cas.security_events";
pub(crate) const SECRET: &str = "cas-key-8d1f5c0e77b94a36";

/// A catalog in its own directory.
pub(crate) struct Scene {
    pub(crate) directory: TempDir,
    pub(crate) catalog: Catalog,
}

pub(crate) fn master() -> MasterKey {
    MasterKey::from_text(&Secret::new("ab".repeat(32))).unwrap()
}

impl Scene {
    /// An empty catalog with the tenant `default`.
    pub(crate) async fn new() -> Self {
        let directory = TempDir::new().unwrap();
        let catalog = open(&directory).await;
        catalog.ensure_tenant(&TenantId::default(), at(0)).await.unwrap();
        Self { directory, catalog }
    }

    /// Closes the catalog and opens it again.
    pub(crate) async fn reopen(&mut self) {
        self.catalog.close().await;
        self.catalog = open(&self.directory).await;
    }

    /// Stores a connector of this name.
    pub(crate) async fn connector(&self, name: &str) -> StoredConnector {
        let connector = connector(name);
        self.catalog.put_connector(&connector).await.unwrap();
        connector
    }

    pub(crate) async fn totals(&self) -> Counts {
        self.catalog.ledger_totals(&LedgerFilter::default()).await.unwrap()
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.directory.path().join("catalog.db")
    }
}

async fn open(directory: &TempDir) -> Catalog {
    let url = catalog::file_url(&directory.path().join("catalog.db"));
    Catalog::open(&url, &master()).await.unwrap()
}

/// Seconds after 2026-03-02T08:00:00Z.
pub(crate) fn at(seconds: i64) -> Timestamp {
    let start = Timestamp::parse("2026-03-02T08:00:00Z").unwrap();
    match u64::try_from(seconds) {
        Ok(seconds) => start + Duration::from_secs(seconds),
        Err(_) => start - Duration::from_secs(seconds.unsigned_abs()),
    }
}

pub(crate) fn minutes(start: i64, end: i64) -> Interval {
    Interval { start: at(start * 60), end: at(end * 60) }
}

pub(crate) fn stream(name: &str) -> StreamId {
    StreamId::new(name).unwrap()
}

pub(crate) fn connector(name: &str) -> StoredConnector {
    StoredConnector {
        id: ConnectorId::generate(),
        tenant: TenantId::default(),
        name: ConnectorName::new(name).unwrap(),
        integration: "trend_micro_cas".to_owned(),
        document: serde_json::json!({"interval": "5m", "z": 1, "a": 2}),
        credential: serde_json::from_value(serde_json::json!({"api_keys": [SECRET, "second"]}))
            .unwrap(),
        enabled: true,
        revision: 0,
        created_at: at(0),
        updated_at: at(0),
    }
}

/// A finished live page of one stored record, 08:00 to 08:05.
pub(crate) fn page(connector: ConnectorId) -> PageCommit {
    PageCommit {
        batch: Some(BatchId::generate()),
        connector,
        tenant: TenantId::default(),
        source: SOURCE.to_owned(),
        stream: stream("sharepoint/dlp"),
        cursor: Some(serde_json::json!({"next": "a"})),
        interval: Some(minutes(0, 5)),
        kind: IntervalKind::Live,
        pages: 1,
        polls: 1,
        finished: true,
        counts: Counts { served: 1, stored: 1, ..Counts::default() },
        dead_letters: Vec::new(),
        commits: vec![commit(1, 1)],
        at: at(300),
    }
}

pub(crate) fn commit(version: u64, rows: u64) -> TableCommit {
    TableCommit { class: Class::EmailActivity, version, rows }
}

pub(crate) fn letter(raw: &[u8]) -> DeadLetter {
    DeadLetter { raw: raw.to_vec().into(), reason: "no identity".to_owned() }
}

pub(crate) fn receipt(connector: ConnectorId, batch: BatchId, rows: u64) -> CommitReceipt {
    CommitReceipt {
        install: InstallId(Uuid::nil()),
        batch,
        tenant: TenantId::default(),
        connector,
        source: SOURCE.to_owned(),
        stream: stream("sharepoint/dlp"),
        interval: Some(minutes(0, 5)),
        rows,
    }
}
