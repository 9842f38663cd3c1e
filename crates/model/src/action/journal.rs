//! The journal of a run as a port: every change is written down before it is sent and after it is answered.
//!
//! Whoever runs an action asks the journal first. A step that was answered in an earlier life of the run is
//! answered from memory; one that was sent and not answered is in doubt, and the vendor is asked what became
//! of it. Nothing is sent twice blindly (invariant I8).

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::entity::Entity;
use super::outcome::Item;
use super::text::Text;
use crate::time::Timestamp;

/// A request as the history shows it: secrets are masked before it comes here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownRequest {
    /// The HTTP method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// The headers that matter, by name in lower case.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body: JSON where it is JSON, else text.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub body: Value,
}

/// An answer as the history shows and replays it: secrets are masked before it comes here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The headers that matter, by name in lower case.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body: JSON where it is JSON, else text.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub body: Value,
}

/// One request of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step<'a> {
    /// Its name, the same in every life of the run: `post`, `post/2`.
    pub name: &'a str,
    /// Whether it changes something at the vendor.
    pub is_change: bool,
    /// What it is sent for; each was permitted before. Empty for questions.
    pub targets: &'a [Entity],
    /// What is sent.
    pub request: ShownRequest,
}

/// How one attempt of a step ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Ending {
    /// The vendor answered; what it says is the action's matter.
    Answered {
        /// What it answered.
        answer: ShownAnswer,
    },
    /// It certainly did not reach the vendor, or the vendor certainly did not take it: it may be sent again.
    NotTaken {
        /// Why.
        detail: String,
        /// What was answered, where something was.
        answer: Option<ShownAnswer>,
    },
    /// It was sent, and what came of it is not known.
    Unanswered {
        /// Why.
        detail: String,
        /// What was answered, where something was.
        answer: Option<ShownAnswer>,
    },
    /// The vendor was asked afterwards, and says that it has taken it.
    Found {
        /// What the action has to know to go on.
        value: Value,
    },
    /// The vendor cannot say what came of it.
    Unknown {
        /// Why.
        detail: String,
    },
}

/// What a journal remembers of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Memory {
    /// Nothing, or only that it was not taken: it may be sent.
    Fresh,
    /// It was sent at this time, and nothing more is known.
    InDoubt(Timestamp),
    /// It ended: answered, found or unknown.
    Ended(Ending),
}

/// Whether something may be done to an entity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may.
    Permitted,
    /// Somebody protected it: who and why, in words.
    Protected(Text),
    /// The action's cap for the hour is reached: how, in words.
    OverCap(Text),
}

/// How long a run waits for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Patience {
    /// Between two questions whether the vendor is done.
    #[serde(with = "crate::manifest::duration_text")]
    pub poll: Duration,
    /// After a request without an answer, until the vendor is believed when it says that it knows nothing of it.
    #[serde(with = "crate::manifest::duration_text")]
    pub settle: Duration,
    /// From the start of the run until it gives up waiting.
    #[serde(with = "crate::manifest::duration_text")]
    pub timeout: Duration,
}

/// Where the steps of one run are written down.
#[async_trait]
pub trait Journal: Send + Sync {
    /// The idempotency key of a step: the same in every life of the run, another for every run.
    fn key(&self, step: &str) -> String;

    /// The time now.
    fn now(&self) -> Timestamp;

    /// When the run was asked for.
    fn started_at(&self) -> Timestamp;

    /// Whether changes are only shown, not sent.
    fn is_dry_run(&self) -> bool;

    /// How long the run waits for what.
    fn patience(&self) -> Patience;

    /// What an earlier life of the run, or this one, knows of a step.
    ///
    /// # Errors
    /// The journal cannot be read.
    async fn recall(&self, step: &str) -> Result<Memory, Halt>;

    /// Writes down that a step is about to be sent; durable when it answers. A change whose targets were not
    /// all permitted is refused.
    ///
    /// # Errors
    /// The journal cannot be written: nothing may be sent.
    async fn sending(&self, step: &Step<'_>) -> Result<(), Halt>;

    /// Writes down how the last attempt of a step ended.
    ///
    /// # Errors
    /// The journal cannot be written: the step stays in doubt.
    async fn ended(&self, step: &str, ending: &Ending) -> Result<(), Halt>;

    /// Writes down a change that a dry run would send.
    ///
    /// # Errors
    /// The journal cannot be written.
    async fn planned(&self, step: &Step<'_>) -> Result<(), Halt>;

    /// Asks for each entity whether the action may change something about it, and counts those that it may
    /// against the action's cap. The same question has the same answer in every life of the run.
    ///
    /// # Errors
    /// The journal cannot be written.
    async fn permit(&self, targets: &[Entity]) -> Result<Vec<Verdict>, Halt>;

    /// Whether somebody protected an entity that a change touches without being its target, and why: another name
    /// of a target, the mailbox around a message. It does not count against the cap. The same question has the
    /// same answer in every life of the run.
    ///
    /// # Errors
    /// The journal cannot say.
    async fn is_protected(&self, entity: &Entity) -> Result<Option<Text>, Halt>;

    /// Takes a vendor's name for the work of this run: `false` when another run has it.
    ///
    /// # Errors
    /// The journal cannot be written.
    async fn claim(&self, handle: &str) -> Result<bool, Halt>;

    /// Shows how far the run is.
    ///
    /// # Errors
    /// The journal cannot be written.
    async fn progress(&self, items: &[Item], message: &Text) -> Result<(), Halt>;

    /// Waits; answers `false` at once, or as soon as it is so, when the run's time is over.
    ///
    /// # Errors
    /// The process ends or somebody stopped the run.
    async fn wait(&self, span: Duration) -> Result<bool, Halt>;
}

/// Why a run ends here without an outcome.
#[derive(Debug, thiserror::Error)]
pub enum Halt {
    /// Nothing of it can be done: credentials, URL, network, a refusal of the whole request.
    #[error("{}", .0.en)]
    Fatal(Text),
    /// This process stops: the run goes on in the next one.
    #[error("the process stops; the run goes on when it is started again")]
    Stopped,
    /// Somebody stopped the run.
    #[error("the run was stopped")]
    Cancelled,
    /// The journal failed: the run goes on when it can be written again.
    #[error("the journal of the run failed")]
    Journal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Halt {
    /// A reason that is the same in every language.
    pub fn fatal(reason: impl Into<String>) -> Self {
        Self::Fatal(Text::same(reason))
    }
}
