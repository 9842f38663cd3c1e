//! A vendor, a server and a clock that moves only while everybody rests.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use catalog::{Catalog, MasterKey};
use connectors::Registry;
use connectors::client::egress::EgressPolicy;
use engine::actions::responders::ResponderSettings;
use engine::app::{App, Parts};
use engine::connectors::check::ExtraRegions;
use engine::connectors::document::ConnectorFile;
use model::clock::{Clock, VirtualClock};
use model::ids::{ConnectorName, TenantId};
use model::secret::Secret;
use model::time::Timestamp;
use query::store::memory::MemoryStore;
use simulators::{Options, SimClock, Simulator, Volume};

/// Turns of the scheduler that let every woken task reach its next resting place.
const TURNS: u32 = 64;

/// The pieces of one test.
pub(crate) struct World {
    pub(crate) clock: VirtualClock,
    pub(crate) app: Arc<App>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) catalog: Catalog,
}

impl World {
    /// A server with an empty store and no connectors.
    pub(crate) async fn open() -> Self {
        Self::with_regions(ExtraRegions::new()).await
    }

    /// The same, where the operator knows more regions.
    pub(crate) async fn with_regions(regions: ExtraRegions) -> Self {
        let start = Timestamp::parse("2026-03-10T00:00:00Z").unwrap();
        let clock = VirtualClock::starting_at(start);
        let master = MasterKey::from_text(&Secret::new("11".repeat(32))).unwrap();
        let catalog = Catalog::open("sqlite::memory:", &master).await.unwrap();
        let store = Arc::new(MemoryStore::default());
        let app = open_app(&clock, &catalog, &store, regions).await;
        Self { clock, app, store, catalog }
    }

    /// Starts a simulator on this world's clock; answers it with its base URL.
    pub(crate) async fn vendor(
        &self,
        volume: Volume,
        faults: &[(&str, &str)],
    ) -> (Simulator, String) {
        self.simulate("trend_micro_cas", volume, faults).await
    }

    /// The same for any vendor.
    pub(crate) async fn simulate(
        &self,
        vendor: &str,
        volume: Volume,
        faults: &[(&str, &str)],
    ) -> (Simulator, String) {
        let clock = self.clock.clone();
        let faults = faults.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let options = Options {
            seed: 7,
            volume,
            faults: faults.collect(),
            clock: SimClock::following(Arc::new(move || clock.now().as_millis())),
        };
        let simulator = simulators::simulator(vendor, options).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(simulator.clone().serve(listener, std::future::pending()));
        (simulator, url)
    }

    /// Applies a connector file.
    pub(crate) async fn apply(&self, file: &str) {
        let documents = ConnectorFile::read(file).unwrap().connectors;
        self.app.apply(documents, false, "test").await.unwrap();
    }

    /// Lets virtual time pass.
    pub(crate) async fn pass(&self, span: Duration) {
        let until = self.clock.now() + span;
        loop {
            settle().await;
            if self.clock.now() >= until && self.clock.is_idle() {
                return;
            }
            if !self.clock.advance_to_next(until) {
                real_pause().await;
            }
        }
    }

    /// Lets virtual time pass for as long as a future needs.
    pub(crate) async fn during<T>(&self, future: impl Future<Output = T>) -> T {
        let mut future = std::pin::pin!(future);
        loop {
            tokio::select! {
                biased;
                answer = &mut future => return answer,
                () = real_pause() => {
                    settle().await;
                    self.clock.advance_to_next(self.clock.now() + Duration::from_millis(100));
                }
            }
        }
    }
}

/// Opens an app on a catalog and a store, as a start of the process does.
pub(crate) async fn open_app(
    clock: &VirtualClock,
    catalog: &Catalog,
    store: &Arc<MemoryStore>,
    regions: ExtraRegions,
) -> Arc<App> {
    let parts = Parts {
        catalog: catalog.clone(),
        store: store.clone(),
        clock: Arc::new(clock.clone()),
        registry: Registry::new(),
        regions,
        responders: ResponderSettings {
            egress: EgressPolicy::allowing(["127.0.0.1"]).unwrap(),
            ..ResponderSettings::default()
        },
    };
    Arc::new(App::open(parts).await.unwrap())
}

/// The default tenant.
pub(crate) fn tenant() -> TenantId {
    TenantId::default()
}

/// A connector name.
pub(crate) fn name(text: &str) -> ConnectorName {
    ConnectorName::new(text).unwrap()
}

/// A connector document for a few streams at a vendor.
pub(crate) fn connector(name: &str, url: &str, key: &str, more: &str) -> String {
    format!(
        "connectors:\n  - name: {name}\n    integration: trend_micro_cas\n    \
         credential: {{ api_keys: \"{key}\" }}\n    \
         parameters: {{ base_url: \"{url}\", services: [exchange, sharepoint], events: [dlp, ransomware] }}\n{more}"
    )
}

/// Extra regions of the one integration.
pub(crate) fn region(name: &str, url: &str) -> ExtraRegions {
    let region = model::connector::Region {
        name: name.to_owned(),
        title: String::new(),
        base_url: url.to_owned(),
    };
    BTreeMap::from([("trend_micro_cas".to_owned(), vec![region])])
}

async fn settle() {
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
}

#[expect(clippy::disallowed_methods, reason = "sockets and the database need real time")]
async fn real_pause() {
    tokio::time::sleep(Duration::from_micros(200)).await;
}
