//! Pages that wait for the lake do not keep the quota from being used.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use catalog::{Catalog, MasterKey};
use connectors::Registry;
use engine::app::{App, Parts};
use engine::connectors::check::ExtraRegions;
use engine::connectors::document::ConnectorFile;
use model::batch::{Batch, CommitReceipt, Receipt, TableCommit};
use model::clock::{Clock, VirtualClock};
use model::ids::{InstallId, TenantId};
use model::ocsf::Class;
use model::secret::Secret;
use model::time::Timestamp;
use query::store::maintenance::{Bookmark, MaintenancePlan, MaintenanceReport};
use query::store::memory::MemoryStore;
use query::store::{
    EventStore, NewRow, Received, Rows, Statement, StoreError, TableStats, Verification,
};
use simulators::{Options, SimClock, Volume};
use tokio::sync::Barrier;

/// One window of the vendor's quota.
const QUOTA: usize = 20;
/// Real time after which the pages that are missing will not come any more.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_whole_window_of_pages_may_wait_for_the_lake_at_once() {
    let clock = VirtualClock::starting_at(Timestamp::parse("2026-03-10T00:00:00Z").unwrap());
    let following = clock.clone();
    let options = Options {
        volume: Volume::PerHour(60.0),
        clock: SimClock::following(Arc::new(move || following.now().as_millis())),
        ..Options::default()
    };
    let simulator = simulators::simulator("trend_micro_cas", options).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(simulator.serve(listener, std::future::pending()));

    let store =
        Arc::new(Gathering { inner: MemoryStore::default(), full: Barrier::new(QUOTA + 1) });
    let master = MasterKey::from_text(&Secret::new("11".repeat(32))).unwrap();
    let parts = Parts {
        catalog: Catalog::open("sqlite::memory:", &master).await.unwrap(),
        store: store.clone(),
        clock: Arc::new(clock.clone()),
        registry: Registry::new(),
        regions: ExtraRegions::new(),
    };
    let app = App::open(parts).await.unwrap();
    let file = format!(
        "connectors:\n  - name: c\n    integration: trend_micro_cas\n    credential: {{ api_keys: sim-key }}\n    \
         parameters: {{ base_url: \"{url}\" }}\n"
    );
    app.apply(ConnectorFile::read(&file).unwrap().connectors, false, "test").await.unwrap();
    app.start().await.unwrap();
    let waited = tokio::time::timeout(PATIENCE, store.full.wait()).await;
    assert!(waited.is_ok(), "fewer than {QUOTA} pages were read while the lake gathered");
}

/// A store that answers no append until as many wait as the quota lets through.
struct Gathering {
    inner: MemoryStore,
    full: Barrier,
}

#[async_trait]
impl EventStore for Gathering {
    async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Receipt>, StoreError> {
        self.full.wait().await;
        self.inner.append(batches).await
    }

    async fn commits(&self, class: Class, after: Option<u64>) -> Result<Vec<NewRow>, StoreError> {
        self.inner.commits(class, after).await
    }

    async fn receipts(
        &self,
        install: InstallId,
        after: &BTreeMap<Class, u64>,
    ) -> Result<Vec<(CommitReceipt, TableCommit)>, StoreError> {
        self.inner.receipts(install, after).await
    }

    async fn received(&self, install: InstallId) -> Result<Vec<Received>, StoreError> {
        self.inner.received(install).await
    }

    async fn query(&self, tenant: &TenantId, statement: Statement) -> Result<Rows, StoreError> {
        self.inner.query(tenant, statement).await
    }

    async fn stats(&self, tenant: Option<&TenantId>) -> Result<Vec<TableStats>, StoreError> {
        self.inner.stats(tenant).await
    }

    async fn verify(&self) -> Result<Verification, StoreError> {
        self.inner.verify().await
    }

    async fn maintain(&self, plan: &MaintenancePlan) -> Result<MaintenanceReport, StoreError> {
        self.inner.maintain(plan).await
    }

    async fn bookmark(&self, bookmark: &Bookmark) -> Result<(), StoreError> {
        self.inner.bookmark(bookmark).await
    }
}
