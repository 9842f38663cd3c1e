//! What the tests share: a budget that writes down, settings, asks, and a sink that keeps events.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use connectors::Registry;
use model::budget::{Answer, Budget, Permit, ReserveError};
use model::connector::{Credential, OneOrMany, Region, Settings};
use model::mapping::{EventSink, Mapping, Verdict};
use model::ocsf::Event;
use model::secret::Secret;
use model::time::{Interval, Timestamp};
use model::vendor::{Ask, Connection, Continuation, FetchError, Integration, Page};
use serde_json::{Map, Value, json};

pub(crate) const CAS: &str = "trend_micro_cas";
pub(crate) const EVENTS: &str = "security_events";

/// Grants every request and remembers hosts and answers.
#[derive(Clone, Default)]
pub(crate) struct Ledger {
    pub(crate) hosts: Arc<Mutex<Vec<String>>>,
    pub(crate) answers: Arc<Mutex<Vec<Answer>>>,
}

#[async_trait]
impl Budget for Ledger {
    async fn reserve(&self, host: &str) -> Result<Permit, ReserveError> {
        self.hosts.lock().unwrap().push(host.to_owned());
        let answers = self.answers.clone();
        Ok(Permit::new(move |answer| answers.lock().unwrap().push(answer)))
    }
}

impl Ledger {
    pub(crate) fn requests(&self) -> usize {
        self.hosts.lock().unwrap().len()
    }

    pub(crate) fn last_answer(&self) -> Answer {
        *self.answers.lock().unwrap().last().unwrap()
    }
}

/// Grants nothing.
pub(crate) struct Broke;

#[async_trait]
impl Budget for Broke {
    async fn reserve(&self, _: &str) -> Result<Permit, ReserveError> {
        Err(ReserveError("disk is full".into()))
    }
}

pub(crate) fn cas() -> Arc<dyn Integration> {
    Registry::new().get(CAS).unwrap().clone()
}

pub(crate) fn mapping() -> Arc<dyn Mapping> {
    cas().mapping(EVENTS).unwrap()
}

pub(crate) fn settings(base_url: &str, keys: &[&str]) -> Settings {
    let secrets = keys.iter().map(|key| Secret::new(*key)).collect();
    let api_keys = ("api_keys".to_owned(), OneOrMany::Many(secrets));
    Settings {
        credential: Credential([api_keys].into()),
        parameters: parameters(json!({ "base_url": base_url })),
        content_types: vec![EVENTS.to_owned()],
        verify_tls: true,
        proxy: None,
        extra_regions: Vec::new(),
    }
}

pub(crate) fn parameters(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

pub(crate) fn region(name: &str, base_url: &str) -> Region {
    Region { name: name.to_owned(), title: String::new(), base_url: base_url.to_owned() }
}

pub(crate) fn open(base_url: &str) -> Arc<dyn Connection> {
    cas().open(&settings(base_url, &["sim-key"])).unwrap()
}

pub(crate) fn time(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// The first page of an hour of `exchange/securityrisk`.
pub(crate) fn ask(connection: &dyn Connection) -> Ask {
    let end = time("2026-03-02T08:00:00Z");
    Ask {
        stream: connection.streams()[0].clone(),
        interval: Interval { start: end - Duration::from_secs(3600), end },
        next: None,
        page_size: None,
    }
}

pub(crate) async fn fetch(connection: &dyn Connection) -> Result<Page, FetchError> {
    connection.fetch(&connection.keys()[0], &ask(connection), &Ledger::default()).await
}

pub(crate) async fn fetch_next(
    connection: &dyn Connection,
    next: Continuation,
    ledger: &Ledger,
) -> Result<Page, FetchError> {
    let ask = Ask { next: Some(next), ..ask(connection) };
    connection.fetch(&connection.keys()[0], &ask, ledger).await
}

/// An error with all its causes, in both forms in which errors are printed.
pub(crate) fn printed(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = format!("{error:?}\n");
    let mut cause = Some(error);
    while let Some(current) = cause {
        text.push_str(&format!("{current}: "));
        cause = current.source();
    }
    text
}

/// Keeps events as values.
#[derive(Default)]
pub(crate) struct Kept(pub(crate) Vec<Value>);

impl EventSink for Kept {
    fn push(&mut self, event: &Event<'_>) {
        self.0.push(event.to_value());
    }
}

/// The one event of a record.
pub(crate) fn normalised(mapping: &dyn Mapping, raw: &[u8]) -> Value {
    let mut kept = Kept::default();
    assert_eq!(mapping.normalise(raw, &mut kept), Verdict::Kept);
    assert_eq!(kept.0.len(), 1, "one record is one event");
    kept.0.remove(0)
}
