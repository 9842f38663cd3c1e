//! What the tests of Trend Vision One's actions share: a simulator with a run's journal, and inputs.

use std::sync::Arc;

use connectors::Registry;
use model::action::{ActionSpec, Call, Entity, EntityKind, Halt, Input, ItemState, Outcome, Right};
use model::connector::{Credential, OneOrMany, Settings};
use model::secret::Secret;
use model::vendor::{Connection, Integration};
use serde_json::{Value, json};
use simulators::{Options, SimClock, Simulator, Volume};
use tokio::net::TcpListener;

use crate::memory_journal::MemoryJournal;
use crate::support::{Ledger, parameters, time};

pub(crate) const KEY: &str = "sim-key";

pub(crate) fn vision() -> Arc<dyn Integration> {
    Registry::new().get("trend_vision_one").unwrap().clone()
}

pub(crate) fn spec(action: &str) -> ActionSpec {
    vision().manifest().action(action).unwrap().clone()
}

pub(crate) fn open(base_url: &str, keys: &[&str]) -> Arc<dyn Connection> {
    let keys = keys.iter().map(|key| Secret::new(*key)).collect();
    let settings = Settings {
        credential: Credential([("token".to_owned(), OneOrMany::Many(keys))].into()),
        parameters: parameters(json!({ "base_url": base_url })),
        content_types: vec!["alerts".to_owned()],
        verify_tls: true,
        proxy: None,
        extra_regions: Vec::new(),
    };
    vision().open(&settings).unwrap()
}

/// A simulator and the first life of a run that acts on it.
pub(crate) struct Bench {
    pub(crate) simulator: Simulator,
    pub(crate) url: String,
    pub(crate) journal: MemoryJournal,
}

impl Bench {
    pub(crate) async fn new(faults: &[(&str, &str)]) -> Self {
        let mut all = vec![("requests".to_owned(), "100000".to_owned())];
        all.extend(faults.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let clock = SimClock::manual(time("2026-03-02T08:00:00Z").as_millis());
        let options =
            Options { seed: 5, volume: Volume::PerHour(40.0), faults: all, clock: clock.clone() };
        let simulator = simulators::simulator("trend_vision_one", options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(simulator.clone().serve(listener, std::future::pending()));
        Self { simulator, url, journal: MemoryJournal::new(&clock) }
    }

    pub(crate) async fn act(&self, action: &str, input: Value) -> Result<Outcome, Halt> {
        act(&self.url, &[KEY], &self.journal, action, input).await
    }

    /// POSTs that were sent to a path, whatever came of them.
    pub(crate) fn posts(&self, path: &str) -> usize {
        let requests = self.simulator.requests();
        requests.iter().filter(|sent| sent.method == "POST" && sent.path.ends_with(path)).count()
    }
}

/// Runs an action; a JSON result is always as it was declared.
pub(crate) async fn act(
    url: &str,
    keys: &[&str],
    journal: &MemoryJournal,
    action: &str,
    input: Value,
) -> Result<Outcome, Halt> {
    let spec = spec(action);
    let input: Input = serde_json::from_value(input).unwrap();
    let input = input.checked(&spec).unwrap();
    let connection = open(url, keys);
    let right =
        |key: &model::vendor::Key| Right { key: key.clone(), budget: Box::new(Ledger::default()) };
    let rights: Vec<Right> = connection.keys().iter().map(right).collect();
    let call = Call { action, input: &input, rights: &rights, journal };
    let outcome = connection.act(&call).await?;
    let schema = jsonschema::validator_for(&spec.result).unwrap();
    let problems: Vec<_> = schema.iter_errors(&outcome.result).map(|e| e.to_string()).collect();
    assert!(problems.is_empty(), "{action}: {problems:?} in {}", outcome.result);
    let declared = |name: &String| spec.enrichment.contains(name);
    assert!(outcome.enrichment.iter().all(|about| about.properties.keys().all(declared)));
    Ok(outcome)
}

pub(crate) fn entity(kind: EntityKind, value: &str) -> Entity {
    Entity::new(kind, value)
}

pub(crate) fn entities(list: &[(&str, &str)]) -> Value {
    let one = |(kind, value): &(&str, &str)| json!({ "type": kind, "value": value });
    json!({ "entities": list.iter().map(one).collect::<Vec<_>>() })
}

pub(crate) fn states(outcome: &Outcome) -> Vec<ItemState> {
    outcome.items.iter().map(|item| item.state).collect()
}

pub(crate) fn fatal(ended: Result<Outcome, Halt>) -> (String, String) {
    match ended {
        Err(Halt::Fatal(why)) => (why.en, why.ja),
        other => panic!("{other:?}"),
    }
}
