//! Scenario S2: 48 streams on a quota that only just suffices, three days of history, an outage, a
//! spike, and every trap of the paging. On virtual time, over real HTTP, into a real lake.
//!
//! Proved from the simulator's own books: lost 0, stored twice 0, refused 0, ledger balanced.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use engine::app::{App, Parts};
use engine::connectors::document::ConnectorFile;
use lake::{Lake, LakeOptions};
use model::clock::{Clock, VirtualClock};
use model::ids::{ConnectorName, TenantId};
use model::ocsf::Class;
use model::secret::Secret;
use model::time::Timestamp;
use query::store::EventStore;
use sha2::{Digest, Sha256};
use simulators::{Options, Refusal, SimClock, Simulator, Volume};

use crate::support::virtual_time::drive;

const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);
const STREAMS: u32 = 48;

#[tokio::test]
async fn ten_requests_a_minute_lose_nothing_and_store_nothing_twice() {
    scenario(10).await;
}

#[tokio::test]
async fn twenty_requests_a_minute_lose_nothing_and_store_nothing_twice() {
    scenario(20).await;
}

async fn scenario(limit: u32) {
    let mut world = World::open(limit).await;
    let started = world.clock.now();

    let backfill = world.until_caught_up(16 * HOUR).await;
    let requests = world.answered_requests();
    let minutes = backfill.as_secs_f64() / 60.0;
    let quota_used = requests as f64 / (f64::from(limit) * minutes);

    world.set_fault("outage", "on");
    world.pass(3 * HOUR).await;
    world.set_fault("outage", "off");
    let after_outage = world.until_caught_up(6 * HOUR).await;

    let spike = world.clock.now() + 10 * MINUTE;
    world.set_fault("spike", &format!("*6:20:{}/{}", spike, spike + 30 * MINUTE));
    world.pass(40 * MINUTE).await;
    let after_spike = world.until_caught_up(6 * HOUR).await;
    world.pass(HOUR).await;

    let delay = world.longest_live_delay;
    let g = limit_g(limit);
    println!("S2 at {limit} requests/min over {:.1} h:", hours(world.clock.now().since(started)));
    println!(
        "  quota used in backfill {:.1}% ({requests} requests in {minutes:.0} min)",
        quota_used * 100.0
    );
    println!(
        "  backfill {:.1} h, after the outage {:.1} h, after the spike {:.1} h",
        hours(backfill),
        hours(after_outage),
        hours(after_spike)
    );
    println!(
        "  live delay when caught up at most {:.1} min, G {} s",
        delay.as_secs_f64() / 60.0,
        g.as_secs()
    );
    world.check().await;
}

fn hours(span: Duration) -> f64 {
    span.as_secs_f64() / 3600.0
}

fn limit_g(limit: u32) -> Duration {
    MINUTE * STREAMS.div_ceil(limit) + MINUTE
}

/// Vendor, server and clock of one scenario.
struct World {
    clock: VirtualClock,
    simulator: Simulator,
    app: Arc<App>,
    store: Arc<Lake>,
    name: ConnectorName,
    tenant: TenantId,
    longest_live_delay: Duration,
    _directory: tempfile::TempDir,
}

impl World {
    async fn open(limit: u32) -> Self {
        let now = Timestamp::parse("2026-03-10T00:00:00Z").unwrap();
        let clock = VirtualClock::starting_at(now);
        let simulator = vendor(&clock, limit);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(simulator.clone().serve(listener, std::future::pending()));

        let directory = tempfile::tempdir().unwrap();
        let linger = Duration::from_millis(5);
        let options = LakeOptions { linger, ..LakeOptions::new(directory.path().join("lake")) };
        let store = Arc::new(Lake::open(options).await.unwrap());
        let app = open_app(&clock, store.clone()).await;
        let file = format!(
            "connectors:\n  - name: S2\n    integration: trend_micro_cas\n    credential: {{ api_keys: sim-key }}\n    \
             parameters: {{ base_url: \"http://{address}\" }}\n    quota: {{ requests: {limit}, per: 60s }}\n"
        );
        let documents = ConnectorFile::read(&file).unwrap().connectors;
        app.apply(documents, false, "test").await.unwrap();
        app.start().await.unwrap();
        Self {
            clock,
            simulator,
            app,
            store,
            name: ConnectorName::new("S2").unwrap(),
            tenant: TenantId::default(),
            longest_live_delay: Duration::ZERO,
            _directory: directory,
        }
    }

    fn set_fault(&self, name: &str, value: &str) {
        self.simulator.set_fault(name, value).unwrap();
    }

    /// Lets time pass, looking at the live delay every minute.
    async fn pass(&mut self, span: Duration) {
        drive(&self.clock, self.clock.now() + span).await;
    }

    /// Lets time pass until nothing but polls is open; answers how long that took.
    async fn until_caught_up(&mut self, at_most: Duration) -> Duration {
        let started = self.clock.now();
        loop {
            self.pass(5 * MINUTE).await;
            let status = self.app.status(&self.tenant, &self.name).await.unwrap();
            let recent = self.clock.now() - 30 * MINUTE;
            let old = status
                .streams
                .iter()
                .flat_map(|stream| &stream.open)
                .any(|open| open.start < recent);
            let taken = self.clock.now().since(started);
            if !old && status.streams.len() == STREAMS as usize {
                if let Some(covered) = status.covered_until {
                    self.longest_live_delay =
                        self.longest_live_delay.max(self.clock.now().since(covered));
                }
                return taken;
            }
            let late: Vec<_> = status
                .streams
                .iter()
                .filter(|s| s.open.iter().any(|o| o.start < recent))
                .map(|s| (&s.stream, &s.state, &s.open, &s.covered_until))
                .collect();
            assert!(
                taken < at_most,
                "not caught up at {} after {taken:?}: {late:#?}",
                self.clock.now()
            );
        }
    }

    fn answered_requests(&self) -> usize {
        self.simulator.requests().iter().filter(|request| request.status == 200).count()
    }

    async fn check(&self) {
        let ledger = self.app.ledger(None, None).await.unwrap();
        println!("  ledger {ledger}");
        let refused = self
            .simulator
            .requests()
            .iter()
            .filter(|request| request.reason == Some(Refusal::Quota))
            .count();
        assert_eq!(refused, 0, "requests were refused for the quota");
        assert_eq!(ledger.imbalance(), 0, "the ledger does not balance");

        let served: Vec<String> =
            self.simulator.served().into_iter().flat_map(|stream| stream.ids).collect();
        assert_eq!(
            ledger.served,
            served.len() as u64,
            "served in the ledger and at the vendor differ"
        );
        let stored = self.stored().await;
        let twice = stored.values().filter(|rows| rows.len() > 1).count();
        assert_eq!(twice, 0, "records were stored twice");
        assert_eq!(ledger.stored, stored.len() as u64, "stored in the ledger and rows differ");

        let once: BTreeSet<&String> = served.iter().collect();
        let never_served = stored.keys().filter(|id| !once.contains(id)).count();
        assert_eq!(never_served, 0, "rows that the vendor never served");
        let until = self.clock.now() - 30 * MINUTE;
        let held = self.simulator.held_with_sha256(Some(until.as_millis()));
        let mut lost: BTreeMap<String, usize> = BTreeMap::new();
        let mut count = 0;
        for (stream, records) in &held {
            count += records.len();
            let missing = records
                .iter()
                .filter(|held| stored.get(&held.id) != Some(&vec![held.sha256.clone()]));
            let missing = missing.count();
            if missing > 0 {
                lost.insert(stream.clone(), missing);
            }
        }
        let repeated = served.len() - once.len();
        println!(
            "  held {count}, stored {}, served {}, of them repeated {repeated}",
            stored.len(),
            served.len()
        );
        assert!(lost.is_empty(), "lost or changed: {lost:?}");
        assert_eq!(ledger.duplicate, repeated as u64, "repeats and duplicates differ");

        let proof = self.app.verify().await.unwrap();
        assert!(proof.is_clean(), "{proof:#?}");
    }

    /// Every stored record's vendor id, with the digest of each row that has it.
    async fn stored(&self) -> HashMap<String, Vec<String>> {
        let mut stored: HashMap<String, Vec<String>> = HashMap::new();
        for class in Class::ALL {
            for row in self.store.commits(class, None).await.unwrap() {
                let digest = hex::encode(Sha256::digest(&row.raw));
                stored.entry(vendor_id(&row.raw)).or_default().push(digest);
            }
        }
        stored
    }
}

/// The vendor's id in the bytes of a record.
fn vendor_id(raw: &[u8]) -> String {
    #[derive(serde::Deserialize)]
    struct Item {
        log_item_id: String,
    }
    serde_json::from_slice::<Item>(raw).unwrap().log_item_id
}

/// 200 records an hour in each of 48 streams, and every trap that may befall a page.
fn vendor(clock: &VirtualClock, limit: u32) -> Simulator {
    let following = clock.clone();
    let options = Options {
        seed: 42,
        volume: Volume::PerHour(200.0),
        faults: [
            ("requests", limit.to_string().as_str()),
            ("window", "60s"),
            ("link_end", "mixed"),
            ("duplicates", "20"),
            ("late", "5:15m"),
            ("throttle_every", "97"),
            ("unavailable_every", "83"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec(),
        clock: SimClock::following(Arc::new(move || following.now().as_millis())),
    };
    simulators::simulator("trend_micro_cas", options).unwrap()
}

async fn open_app(clock: &VirtualClock, store: Arc<Lake>) -> Arc<App> {
    let key = Secret::new("00".repeat(32));
    let master = catalog::MasterKey::from_text(&key).unwrap();
    let catalog = catalog::Catalog::open("sqlite::memory:", &master).await.unwrap();
    let registry = connectors::Registry::new();
    let parts = Parts {
        catalog,
        store,
        clock: Arc::new(clock.clone()),
        registry,
        regions: BTreeMap::new(),
        responders: Default::default(),
    };
    Arc::new(App::open(parts).await.unwrap())
}
