//! What a run answers: one message for the case wall, the state of every item, and what the vendor told.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::entity::Entity;
use super::text::Text;

/// What became of one thing that an action was to work on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemState {
    /// Nothing has been sent for it yet.
    Pending,
    /// The vendor has taken it on and is not done.
    Accepted,
    /// Done.
    Succeeded,
    /// It was so before: nothing had to change.
    Already,
    /// The vendor refused it or could not do it.
    Failed,
    /// The action does not work on things of its kind.
    Skipped,
    /// It is not what its kind says: no URL, no address.
    Invalid,
    /// Somebody protected it: nothing was sent for it.
    Protected,
    /// The action's cap for the hour is reached: nothing was sent for it.
    OverCap,
    /// A dry run: this is what would have been sent.
    Planned,
    /// Sent, and nobody can say what came of it.
    Unknown,
    /// The run's time was over before the vendor was done with it.
    Expired,
}

impl ItemState {
    /// Whether the thing is now as the action was to make it.
    pub fn is_success(self) -> bool {
        matches!(self, Self::Succeeded | Self::Already)
    }

    /// Whether nothing further will happen to it.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Accepted)
    }
}

/// One thing that an action was to work on, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Which.
    pub entity: Entity,
    /// What became of it.
    pub state: ItemState,
    /// Why, in the vendor's words or ours.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub detail: Text,
    /// The vendor's name for the work on it: a task or a batch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handle: Option<String>,
}

impl Item {
    /// An item in a state, without further words.
    pub fn new(entity: Entity, state: ItemState) -> Self {
        Self { entity, state, detail: Text::default(), handle: None }
    }

    /// Says why.
    #[must_use]
    pub fn because(mut self, detail: Text) -> Self {
        self.detail = detail;
        self
    }

    /// Says under which name the vendor works on it.
    #[must_use]
    pub fn with_handle(mut self, handle: impl Into<String>) -> Self {
        self.handle = Some(handle.into());
        self
    }
}

/// Rows for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its heading.
    pub title: Text,
    /// The names of its columns.
    pub columns: Vec<String>,
    /// Its rows, each as long as `columns`.
    pub rows: Vec<Vec<String>>,
}

/// What was learned about an entity, kept with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrichment {
    /// About whom.
    pub entity: Entity,
    /// Properties with the integration's prefix: `TMCAS_blocked`.
    pub properties: BTreeMap<String, String>,
    /// Whether this makes the entity suspicious.
    #[serde(default)]
    pub is_suspicious: bool,
}

/// How a run ended, when it came to an end of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whether at least one item succeeded, or what else the action says success is.
    pub is_success: bool,
    /// What the case wall shows.
    pub message: Text,
    /// What the vendor told, in the shape that the action declares.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub result: Value,
    /// The same for people.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<Table>,
    /// What became of each item.
    #[serde(default)]
    pub items: Vec<Item>,
    /// What was learned about entities.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub enrichment: Vec<Enrichment>,
}

impl Outcome {
    /// An outcome that only says something.
    pub fn said(is_success: bool, message: Text) -> Self {
        Self {
            is_success,
            message,
            result: Value::Null,
            tables: Vec::new(),
            items: Vec::new(),
            enrichment: Vec::new(),
        }
    }
}
