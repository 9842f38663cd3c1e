//! Mimecast: the client against its simulator and against stubs, the mapping against samples.

mod access;
mod events;
mod faults;
mod files;
mod golden;
mod logs;
mod properties;
mod settings;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use connectors::Registry;
use model::connector::{Credential, OneOrMany, Settings};
use model::mapping::Mapping;
use model::secret::Secret;
use model::time::{Interval, Timestamp};
use model::vendor::{Ask, Connection, FetchError, Integration, Page};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use simulators::{Options, SimClock, Simulator, Volume};
use tokio::net::TcpListener;

use crate::support::{Ledger, parameters, time};

const NAME: &str = "mimecast";
const CONTENT_TYPES: [&str; 4] = ["siem", "ttp_url", "ttp_attachment", "ttp_impersonation"];
/// When the simulators of these tests stand.
const NOW: &str = "2026-03-02T08:00:00Z";

fn integration() -> Arc<dyn Integration> {
    Registry::new().get(NAME).unwrap().clone()
}

fn mapping(content_type: &str) -> Arc<dyn Mapping> {
    integration().mapping(content_type).unwrap()
}

fn settings(base_url: &str, more: Value) -> Settings {
    let one = |name: &str, text: &str| (name.to_owned(), OneOrMany::One(Secret::new(text)));
    let mut all = parameters(json!({ "base_url": base_url }));
    all.extend(parameters(more));
    Settings {
        credential: Credential(
            [one("client_id", "sim-client"), one("client_secret", "sim-secret")].into(),
        ),
        parameters: all,
        content_types: CONTENT_TYPES.map(str::to_owned).to_vec(),
        verify_tls: true,
        proxy: None,
        extra_regions: Vec::new(),
    }
}

fn open(base_url: &str) -> Arc<dyn Connection> {
    integration().open(&settings(base_url, json!({}))).unwrap()
}

fn open_stream(base_url: &str) -> Arc<dyn Connection> {
    integration().open(&settings(base_url, json!({ "siem_transport": "stream" }))).unwrap()
}

/// The simulator on a port of its own, with 40 records per stream and hour.
async fn simulator(faults: &[(&str, &str)]) -> (Simulator, String) {
    let faults = faults.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let options = Options {
        seed: 7,
        volume: Volume::PerHour(40.0),
        faults: faults.collect(),
        clock: SimClock::manual(time(NOW).as_millis()),
    };
    let simulator = simulators::simulator(NAME, options).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(simulator.clone().serve(listener, std::future::pending()));
    (simulator, url)
}

/// The first page of a stream over the hours before now.
fn ask(connection: &dyn Connection, stream: &str, hours: u64) -> Ask {
    let end = time(NOW);
    let found = connection.streams().iter().find(|known| known.id.as_str() == stream);
    Ask {
        stream: found.unwrap().clone(),
        interval: Interval { start: end - Duration::from_secs(hours * 3600), end },
        next: None,
        page_size: None,
    }
}

async fn fetch(connection: &dyn Connection, ask: &Ask) -> Result<Page, FetchError> {
    connection.fetch(&connection.keys()[0], ask, &Ledger::default()).await
}

/// Walks a stream until it is caught up or ends; gives up after a hundred pages.
async fn walk(connection: &dyn Connection, mut ask: Ask) -> Vec<Page> {
    let mut pages = Vec::new();
    loop {
        let page = fetch(connection, &ask).await.unwrap();
        ask.next = page.next.clone();
        let is_done = page.is_caught_up || ask.next.is_none();
        pages.push(page);
        if is_done {
            return pages;
        }
        assert!(pages.len() < 100, "paging does not end");
    }
}

/// The keys of all records of a walk.
fn keys(content_type: &str, pages: &[Page]) -> BTreeSet<Vec<u8>> {
    let mapping = mapping(content_type);
    let records = pages.iter().flat_map(|page| &page.records);
    records.map(|record| mapping.identify(record.raw()).unwrap().key).collect()
}

/// The digests of all records of a walk.
fn digests(pages: &[Page]) -> BTreeSet<String> {
    let records = pages.iter().flat_map(|page| &page.records);
    records.map(|record| hex::encode(Sha256::digest(record.raw()))).collect()
}

/// The digests of the records of a stream that are held and not older than some hours.
fn held(simulator: &Simulator, stream: &str) -> BTreeSet<String> {
    let held = simulator.held_with_sha256(None);
    let (_, records) = held.into_iter().find(|(name, _)| name == stream).unwrap();
    records.into_iter().map(|record| record.sha256).collect()
}

fn at(text: &str) -> Timestamp {
    time(text)
}
