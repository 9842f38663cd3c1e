//! The actions of Cloud App Security against its simulator, and against servers that answer oddly.

mod accounts;
mod blocklist;
mod crashes;
mod declared;
mod doubt;
mod enrich;
mod fatal;
mod mails;
mod odd;
mod search;

use std::sync::Arc;

use model::action::journal::Journal;
use model::action::{Call, Entity, EntityKind, Halt, Input, ItemState, Outcome, Right};
use model::vendor::{Connection, Key};
use serde_json::{Value, json};
use simulators::{RequestEntry, SimClock, Simulator};

use crate::memory_journal::MemoryJournal;
use crate::servers::simulator;
use crate::support::{Ledger, cas, open, parameters};

/// The product as every message names it; expected messages write `{D}`.
const PRODUCT: &str = "Trend Micro Cloud App Security";

/// A vendor with a connection to it and a run.
struct World {
    sim: Simulator,
    connection: Arc<dyn Connection>,
    journal: MemoryJournal,
}

impl World {
    /// The vendor with these faults; its quota is out of the way unless a fault sets it.
    async fn new(faults: &[(&str, &str)]) -> Self {
        let all: Vec<_> =
            [("requests", "100000"), ("mails", "10")].iter().chain(faults).copied().collect();
        let (sim, url) = simulator(&all).await;
        let journal = MemoryJournal::new(sim.clock());
        Self { connection: open(&url), sim, journal }
    }

    async fn act(
        &self,
        action: &str,
        entities: &[Entity],
        parameters: Value,
    ) -> Result<Outcome, Halt> {
        act(&*self.connection, &self.journal, action, entities, parameters).await
    }

    /// Runs an action that comes to its end.
    async fn done(&self, action: &str, entities: &[Entity], parameters: Value) -> Outcome {
        self.act(action, entities, parameters).await.unwrap()
    }

    /// The same vendor for another run.
    fn next_run(&mut self, run: &str) {
        self.journal = self.journal.other_run(run);
    }

    /// The changes that the vendor accepted.
    fn accepted(&self) -> Vec<RequestEntry> {
        let requests = self.sim.requests().into_iter();
        requests.filter(|request| request.method == "POST" && request.status < 300).collect()
    }

    /// How many changes were sent.
    fn posts(&self) -> usize {
        self.sim.requests().iter().filter(|request| request.method == "POST").count()
    }
}

async fn act(
    connection: &dyn Connection,
    journal: &dyn Journal,
    action: &str,
    entities: &[Entity],
    given: Value,
) -> Result<Outcome, Halt> {
    let vendor = cas();
    let spec = vendor.manifest().action(action).unwrap();
    let asked = Input { entities: entities.to_vec(), parameters: parameters(given) };
    let input = asked.checked(spec).unwrap();
    let right = |key: &Key| Right { key: key.clone(), budget: Box::new(Ledger::default()) };
    let rights: Vec<_> = connection.keys().iter().map(right).collect();
    let outcome = connection.act(&Call { action, input: &input, rights: &rights, journal }).await?;
    if spec.result.is_null() {
        assert_eq!(outcome.result, Value::Null, "{action} declares no result");
    } else {
        let errors: Vec<_> = jsonschema::validator_for(&spec.result)
            .unwrap()
            .iter_errors(&outcome.result)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{action}: {errors:?} in {}", outcome.result);
    }
    assert!(outcome.items.iter().all(|item| item.state.is_final()), "{:?}", outcome.items);
    assert!(
        outcome
            .tables
            .iter()
            .all(|table| { table.rows.iter().all(|row| row.len() == table.columns.len()) })
    );
    Ok(outcome)
}

/// A run on a clock of its own, for vendors that are no simulators.
fn run() -> MemoryJournal {
    MemoryJournal::new(&SimClock::manual(1_772_438_400_000))
}

fn url(value: &str) -> Entity {
    Entity::new(EntityKind::Url, value)
}

fn hash(value: &str) -> Entity {
    Entity::new(EntityKind::Hash, value)
}

fn user(value: &str) -> Entity {
    Entity::new(EntityKind::User, value)
}

fn mailbox(value: &str) -> Entity {
    Entity::new(EntityKind::EmailAddress, value)
}

fn host(value: &str) -> Entity {
    Entity::new(EntityKind::Host, value)
}

fn states(outcome: &Outcome) -> Vec<ItemState> {
    outcome.items.iter().map(|item| item.state).collect()
}

fn none() -> Value {
    json!({})
}

/// Checks what a case wall shows, in both languages.
#[track_caller]
fn assert_said(outcome: &Outcome, is_success: bool, en: &str, ja: &str) {
    let full = |text: &str| text.replace("{D}", PRODUCT);
    assert_eq!(outcome.message.en, full(en));
    assert_eq!(outcome.message.ja, full(ja));
    assert_eq!(outcome.is_success, is_success);
}

/// The whole message of a run that failed.
#[track_caller]
fn fatal(result: Result<Outcome, Halt>) -> model::action::Text {
    match result.unwrap_err() {
        Halt::Fatal(message) => message,
        other => panic!("{other:?}"),
    }
}
