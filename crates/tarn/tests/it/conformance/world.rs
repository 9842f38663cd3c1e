//! A simulator, a server on a lake of its own, and a clock that moves only while everybody rests.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use engine::app::{App, Parts};
use engine::connectors::document::ConnectorFile;
use engine::connectors::status::{ConnectorStatus, FieldDrift};
use lake::{Lake, LakeOptions};
use model::clock::{Clock, VirtualClock};
use model::ids::{ConnectorName, TenantId};
use model::ledger::Counts;
use model::ocsf::Class;
use model::secret::Secret;
use model::time::Timestamp;
use query::store::EventStore as _;
use sha2::{Digest, Sha256};
use simulators::{Options, Refusal, SimClock, Simulator, Volume};
use tempfile::TempDir;

use super::subjects::{Faults, Subject};
use crate::support::virtual_time::{drive, during};

/// What was held at the simulator until this long before the end must be stored.
const SETTLED: Duration = Duration::from_secs(60 * 60);

/// The time at which every case begins.
const START: &str = "2026-03-10T00:00:00Z";

/// What stands in the queries of second pages, in lower case.
const SECOND_PAGE: [&str; 2] = ["skiptoken=", "nextpage="];

/// The pieces of one case.
pub(super) struct World<'s> {
    subject: &'s Subject,
    clock: VirtualClock,
    simulator: Simulator,
    address: String,
    directory: TempDir,
    store: Arc<Lake>,
    app: Arc<App>,
}

impl<'s> World<'s> {
    /// A running server with one connector to a simulator with these faults.
    pub(super) async fn open(subject: &'s Subject, faults: Faults) -> Self {
        let start = Timestamp::parse(START).unwrap();
        let clock = VirtualClock::starting_at(start);
        let following = clock.clone();
        let options = Options {
            seed: 11,
            volume: Volume::PerHour(subject.rate),
            faults: [owned(subject.faults), owned(faults)].concat(),
            clock: SimClock::following(Arc::new(move || following.now().as_millis())),
        };
        let simulator = simulators::simulator(subject.integration, options).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(simulator.clone().serve(listener, std::future::pending()));
        let directory = TempDir::new().unwrap();
        let (store, app) = server(&clock, &directory).await;
        let world = Self { subject, clock, simulator, address, directory, store, app };
        world.apply(subject.key).await;
        world.app.start().await.unwrap();
        world
    }

    /// Applies the connector with a key.
    pub(super) async fn apply(&self, key: &str) {
        let url = format!("http://{}", self.address);
        let rest = self.subject.document.replace("{url}", &url).replace("{key}", key);
        let integration = self.subject.integration;
        let file =
            format!("connectors:\n  - name: subject\n    integration: {integration}\n    {rest}\n");
        let documents = ConnectorFile::read(&file).unwrap().connectors;
        self.app.apply(documents, false, "test").await.unwrap();
    }

    /// Changes what the simulator does from now on.
    pub(super) fn set_faults(&self, faults: Faults) {
        for (name, value) in faults {
            self.simulator.set_fault(name, value).unwrap();
        }
    }

    /// Lets virtual time pass.
    pub(super) async fn pass(&mut self, span: Duration) {
        drive(&self.clock, self.clock.now() + span).await;
    }

    /// The connector's state in one word.
    pub(super) async fn state(&self) -> String {
        self.status().await.state
    }

    /// Every state that one of its streams is in.
    pub(super) async fn states(&self) -> BTreeSet<String> {
        self.status().await.streams.into_iter().map(|stream| stream.state).collect()
    }

    async fn status(&self) -> ConnectorStatus {
        let name = ConnectorName::new("subject").unwrap();
        self.app.status(&TenantId::default(), &name).await.unwrap()
    }

    /// Stops the server and starts it where every pass of a failpoint fails, in this world only. Whoever
    /// calls this removes the failpoint.
    pub(super) async fn restart_failing_at(&mut self, failpoint: &str) {
        during(&self.clock, self.app.stop()).await;
        let place = match failpoint.split_once('.') {
            Some(("connectors", _)) => self.address.clone(),
            _ => self.directory.path().file_name().unwrap().to_str().unwrap().to_owned(),
        };
        (self.store, self.app) = server(&self.clock, &self.directory).await;
        fail::cfg(failpoint, &format!("return({place})")).unwrap();
        self.app.start().await.unwrap();
    }

    /// Whether a stream is in the middle of something.
    pub(super) async fn is_reading(&self) -> bool {
        self.status().await.streams.iter().any(|stream| !stream.open.is_empty())
    }

    /// Requests so far that asked for a second or further page.
    pub(super) fn second_pages(&self) -> usize {
        let is_second = |entry: &simulators::RequestEntry| {
            let query = entry.query.to_lowercase();
            SECOND_PAGE.iter().any(|name| query.contains(name))
        };
        self.simulator.requests().iter().filter(|entry| is_second(entry)).count()
    }

    /// Stops the server and starts it on the same catalog and lake.
    pub(super) async fn restart(&mut self) {
        during(&self.clock, self.app.stop()).await;
        (self.store, self.app) = server(&self.clock, &self.directory).await;
        self.app.start().await.unwrap();
    }

    /// Compares the simulator's books with the lake; answers the ledger.
    pub(super) async fn check(&self) -> Counts {
        let refused = |entry: &simulators::RequestEntry| entry.reason == Some(Refusal::Quota);
        let refused = self.simulator.requests().iter().filter(|entry| refused(entry)).count();
        assert_eq!(refused, 0, "requests were refused for the quota");
        let stored = self.stored().await;
        let twice = stored.values().filter(|rows| **rows > 1).count();
        assert_eq!(twice, 0, "records were stored twice");
        let until = (self.clock.now() - SETTLED).as_millis();
        let since = Timestamp::parse(START).unwrap() - self.subject.reach;
        let before = self.simulator.held_until(Some(since.as_millis()));
        let mut held = 0;
        for (old, (stream, mut records)) in
            before.iter().zip(self.simulator.held_with_sha256(Some(until)))
        {
            if (self.subject.selects)(&stream) {
                let old: HashSet<&String> = old.ids.iter().collect();
                records.retain(|record| !old.contains(&record.id));
                held += records.len();
                let lost = records.iter().filter(|record| !stored.contains_key(&record.sha256));
                assert_eq!(lost.count(), 0, "lost of {} in {stream}", records.len());
            }
        }
        assert!(held > 100, "only {held} records were held");
        let proof = self.app.verify().await.unwrap();
        assert!(proof.is_clean(), "{proof:#?}");
        assert_eq!(proof.ledger.stored, stored.len() as u64);
        proof.ledger
    }

    /// Asserts that the status of every stream tells what the vendor's next release did to its records.
    pub(super) async fn check_drift(&self) {
        for stream in self.status().await.streams {
            let tells = |change: &str, shows: fn(&FieldDrift) -> bool| {
                stream.drift.iter().any(|drift| drift.change == change && shows(drift))
            };
            let is_new = |drift: &FieldDrift| drift.field.ends_with("ofTheNextRelease");
            assert!(tells("unknown field", is_new), "{stream:#?}");
            assert!(tells("other type", |drift| drift.example.is_some()), "{stream:#?}");
            assert!(tells("vanished field", |drift| drift.records > 0), "{stream:#?}");
        }
    }

    /// How many rows have the digest of each raw record.
    async fn stored(&self) -> HashMap<String, u32> {
        let mut stored: HashMap<String, u32> = HashMap::new();
        for class in Class::ALL {
            for row in self.store.commits(class, None).await.unwrap() {
                *stored.entry(hex::encode(Sha256::digest(&row.raw))).or_default() += 1;
            }
        }
        stored
    }
}

/// Opens catalog and lake of a directory, as a start of the process does.
async fn server(clock: &VirtualClock, directory: &TempDir) -> (Arc<Lake>, Arc<App>) {
    let linger = Duration::from_millis(5);
    let options = LakeOptions { linger, ..LakeOptions::new(directory.path().join("lake")) };
    let store = Arc::new(Lake::open(options).await.unwrap());
    let master = catalog::MasterKey::from_text(&Secret::new("00".repeat(32))).unwrap();
    let url = catalog::file_url(&directory.path().join("catalog.db"));
    let parts = Parts {
        catalog: catalog::Catalog::open(&url, &master).await.unwrap(),
        store: store.clone(),
        clock: Arc::new(clock.clone()),
        registry: connectors::Registry::new(),
        regions: BTreeMap::new(),
        responders: Default::default(),
    };
    (store, Arc::new(App::open(parts).await.unwrap()))
}

fn owned(faults: Faults) -> Vec<(String, String)> {
    faults.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
