//! Batches of actions: created, executing, done, all by the simulator's clock.
//!
//! Nothing runs in the background: whoever looks settles what is due, in the order of execution.

use serde_json::{Value, json};

use crate::draw::{mix, push_uuid};
use crate::times::format_instant;

use super::action::{Item, Kind, Target};
use super::action_knobs::ActionKnobs;
use super::effects::{Effects, Outcome};
use super::mails::Mails;

/// The coordinate of chance that belongs to the ids of batches and actions.
const BATCHES: u64 = 0xba7c;

/// What was decided about an action when it was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// The state of its target decides.
    Open,
    Fails,
    /// It never ends.
    Stuck,
}

/// An action of a batch.
#[derive(Debug)]
pub(super) struct BatchItem {
    pub(super) id: String,
    item: Item,
    fate: Fate,
    outcome: Option<Outcome>,
}

/// The actions of one request.
#[derive(Debug)]
pub(super) struct Batch {
    id: String,
    kind: Kind,
    pub(super) requested_ms: i64,
    executing_ms: i64,
    done_ms: i64,
    is_settled: bool,
    items: Vec<BatchItem>,
    /// How often somebody asked for it by its id.
    pub(super) polls: u64,
}

/// All batches, in the order of their requests.
#[derive(Debug, Default)]
pub(super) struct Batches(Vec<Batch>);

impl Batches {
    /// Opens a batch and answers its id; the settings of now decide about its course.
    pub(super) fn open(
        &mut self,
        seed: u64,
        kind: Kind,
        items: Vec<Item>,
        now_ms: i64,
        knobs: &ActionKnobs,
    ) -> String {
        let number = u64::try_from(self.0.len()).unwrap_or(u64::MAX);
        let fate = |item: &Item| match () {
            () if knobs.status_stuck => Fate::Stuck,
            () if item.is_named_in(&knobs.fail_items) => Fate::Fails,
            () => Fate::Open,
        };
        let numbered = (1..).zip(items).map(|(place, item)| BatchItem {
            id: id(&[seed, BATCHES, number, place]),
            fate: fate(&item),
            outcome: None,
            item,
        });
        let batch = Batch {
            id: id(&[seed, BATCHES, number]),
            kind,
            requested_ms: now_ms,
            executing_ms: now_ms.saturating_add(knobs.delay_ms / 2),
            done_ms: now_ms.saturating_add(knobs.delay_ms),
            is_settled: false,
            items: numbered.collect(),
            polls: 0,
        };
        let batch_id = batch.id.clone();
        self.0.push(batch);
        batch_id
    }

    /// Executes what is due.
    pub(super) fn settle(&mut self, effects: &mut Effects, mails: &Mails, now_ms: i64) {
        let is_due = |batch: &&mut Batch| !batch.is_settled && batch.done_ms <= now_ms;
        let mut due: Vec<_> = self.0.iter_mut().filter(is_due).collect();
        due.sort_by_key(|batch| batch.done_ms);
        for batch in due {
            batch.is_settled = true;
            for item in &mut batch.items {
                item.outcome = match item.fate {
                    Fate::Open => Some(effects.apply(&item.item, mails)),
                    Fate::Fails => Some(Outcome::Failed),
                    Fate::Stuck => None,
                };
            }
        }
    }

    /// The batch of an id, if it is of this kind.
    pub(super) fn find(&mut self, kind: Kind, id: &str) -> Option<&mut Batch> {
        self.0.iter_mut().find(|batch| batch.kind == kind && batch.id == id)
    }

    /// The batches of a kind in the order of their requests.
    pub(super) fn of(&self, kind: Kind) -> impl Iterator<Item = &Batch> {
        self.0.iter().filter(move |batch| batch.kind == kind)
    }

    /// All batches for those who look from outside.
    pub(super) fn state(&self, now_ms: i64) -> Value {
        let item = |batch: &Batch, item: &BatchItem| {
            let mut shown = item.head(batch);
            item.push_target(&mut shown);
            shown["status"] = Value::from(item.status(batch, now_ms));
            shown
        };
        let shown = |batch: &Batch| {
            let items: Vec<_> = batch.items.iter().map(|of_batch| item(batch, of_batch)).collect();
            json!({ "batch_id": batch.id, "kind": batch.kind.name(), "items": items })
        };
        self.0.iter().map(shown).collect()
    }
}

impl Batch {
    pub(super) fn items(&self) -> impl Iterator<Item = &BatchItem> {
        self.items.iter()
    }
}

impl BatchItem {
    /// The record of a result.
    pub(super) fn record(&self, batch: &Batch, now_ms: i64, skew_ms: i64) -> Value {
        let mut record = self.head(batch);
        self.push_target(&mut record);
        record["status"] = Value::from(self.status(batch, now_ms));
        record["action_requested_at"] = Value::from(format_instant(batch.requested_ms));
        let executed_at = match self.outcome {
            Some(_) => format_instant(batch.done_ms.saturating_add(skew_ms)),
            None => String::new(),
        };
        record["action_executed_at"] = Value::from(executed_at);
        let (code, message) = match (self.outcome, batch.kind) {
            (Some(Outcome::Failed), Kind::Mails) => (-999, "The action for these mails failed."),
            (Some(Outcome::Failed), Kind::Accounts) => {
                (-999, "graph api exception, message=One or more errors occurred.")
            }
            _ => (0, ""),
        };
        record["error_code"] = Value::from(code);
        record["error_message"] = Value::from(message);
        record
    }

    fn status(&self, batch: &Batch, now_ms: i64) -> &'static str {
        match self.outcome {
            Some(Outcome::Success) => "Success",
            Some(Outcome::Skipped) => "Skipped",
            Some(Outcome::Failed) => "Failed",
            None if now_ms < batch.executing_ms => "Created",
            None => "Executing",
        }
    }

    fn head(&self, batch: &Batch) -> Value {
        json!({
            "action_id": self.id,
            "batch_id": batch.id,
            "action_type": self.item.action.name(),
            "service": self.item.service.name(),
            "account_provider": self.item.service.provider(),
            "account_user_email": self.item.address(),
        })
    }

    fn push_target(&self, record: &mut Value) {
        if let Target::Mail { mailbox, message_id, unique_id, .. } = &self.item.target {
            let text = |id: &Option<String>| Value::from(id.as_deref().unwrap_or_default());
            record["mailbox"] = Value::from(mailbox.as_str());
            record["mail_message_id"] = text(message_id);
            record["mail_unique_id"] = text(unique_id);
        }
    }
}

fn id(coordinates: &[u64]) -> String {
    let mut out = String::with_capacity(36);
    let high = mix(coordinates);
    push_uuid(&mut out, high, mix(&[high, 1]));
    out
}
