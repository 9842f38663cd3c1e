//! Trend Vision One: the client against its simulator, the mapping against samples and arbitrary data.

mod failures;
mod golden;
mod keys;
mod paging;
mod properties;
mod readings;
mod settings;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use connectors::Registry;
use model::connector::{Credential, OneOrMany, Settings};
use model::mapping::Mapping;
use model::secret::Secret;
use model::time::{Interval, Timestamp};
use model::vendor::{Ask, Connection, FetchError, Integration, Page};
use serde_json::{Value, json};
use simulators::{Options, SimClock, Simulator, Volume};
use tokio::net::TcpListener;

use crate::support::{Ledger, parameters, time};

const VISION: &str = "trend_vision_one";
const START: &str = "2026-03-02T08:00:00Z";
const ALERTS: &str = "alerts";
const AUDIT_LOGS: &str = "audit_logs";
const TECHNIQUES: &str = "observed_attack_techniques";
const ALL: [&str; 3] = [ALERTS, AUDIT_LOGS, TECHNIQUES];
const HOUR: Duration = Duration::from_secs(3600);

fn vision() -> Arc<dyn Integration> {
    Registry::new().get(VISION).unwrap().clone()
}

fn mapping(content_type: &str) -> Arc<dyn Mapping> {
    vision().mapping(content_type).unwrap()
}

fn settings(base_url: &str, token: &str) -> Settings {
    let token = ("token".to_owned(), OneOrMany::One(Secret::new(token)));
    Settings {
        credential: Credential([token].into()),
        parameters: parameters(json!({ "base_url": base_url })),
        content_types: ALL.map(str::to_owned).to_vec(),
        verify_tls: true,
        proxy: None,
        extra_regions: Vec::new(),
    }
}

fn open(base_url: &str) -> Arc<dyn Connection> {
    vision().open(&settings(base_url, "sim-key")).unwrap()
}

/// The simulator on a port of its own, at 2026-03-02T08:00:00Z, with a quota that nobody runs into.
async fn simulator(faults: &[(&str, &str)]) -> (Simulator, String) {
    let mut all = vec![("requests".to_owned(), "100000".to_owned())];
    all.extend(faults.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let options = Options {
        seed: 5,
        volume: Volume::PerHour(40.0),
        faults: all,
        clock: SimClock::manual(time(START).as_millis()),
    };
    let simulator = simulators::simulator(VISION, options).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(simulator.clone().serve(listener, std::future::pending()));
    (simulator, url)
}

/// The first page of the hours that end five minutes before now.
fn ask_for(connection: &dyn Connection, content_type: &str, hours: u32) -> Ask {
    let end = time(START) - Duration::from_secs(300);
    let stream = connection.streams().iter().find(|stream| stream.content_type == content_type);
    Ask {
        stream: stream.unwrap().clone(),
        interval: Interval { start: end - HOUR * hours, end },
        next: None,
        page_size: None,
    }
}

/// One page.
async fn fetch(connection: &dyn Connection, ask: &Ask) -> Result<Page, FetchError> {
    connection.fetch(&connection.keys()[0], ask, &Ledger::default()).await
}

/// One page of the last hours.
async fn first_page(url: &str, content_type: &str) -> Result<Page, FetchError> {
    let connection = open(url);
    fetch(&*connection, &ask_for(&*connection, content_type, 6)).await
}

/// All pages up to the end or the first error.
async fn walk(connection: &dyn Connection, mut ask: Ask) -> (Vec<Page>, Option<FetchError>) {
    let mut pages = Vec::new();
    loop {
        match fetch(connection, &ask).await {
            Ok(page) => {
                ask.next = page.next.clone();
                pages.push(page);
            }
            Err(error) => return (pages, Some(error)),
        }
        if ask.next.is_none() {
            return (pages, None);
        }
        assert!(pages.len() < 500, "paging does not end");
    }
}

/// The keys of all records of pages.
fn keys(content_type: &str, pages: &[Page]) -> BTreeSet<Vec<u8>> {
    let mapping = mapping(content_type);
    let records = pages.iter().flat_map(|page| &page.records);
    records.map(|record| mapping.identify(record.raw()).unwrap().key).collect()
}

/// The vendor's ids of all records of pages, repeats repeated.
fn ids(pages: &[Page], name: &str) -> Vec<String> {
    let records = pages.iter().flat_map(|page| &page.records);
    let id = |record: &model::record::Record| {
        let value: Value = serde_json::from_slice(record.raw()).unwrap();
        value[name].as_str().unwrap().to_owned()
    };
    records.map(id).collect()
}

/// A key of the vendor's own form that runs out at a time.
fn token_until(end: Timestamp) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({"cid": "c-1", "exp": end.as_millis() / 1_000});
    format!("{}.{}.{}", part(json!({"alg": "RS256"})), part(claims), "c2lnbg".repeat(40))
}
