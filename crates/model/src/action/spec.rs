//! An action's declaration: what the catalogue shows, what an input is checked against, and what a run needs.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::entity::EntityKind;
use super::text::Text;
use crate::manifest::{duration_text, optional_duration_text};

/// What an action does to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It only asks.
    Reads,
    /// It writes words or a status that hinder nobody: a note, a verdict.
    Writes,
    /// It takes something away from somebody: guarded by protected entities and caps.
    Contains,
    /// It gives back what was taken away.
    Restores,
}

impl Effect {
    /// Whether something changes at the vendor.
    pub fn changes(self) -> bool {
        self != Self::Reads
    }
}

/// What kind of value a parameter of an action takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActionParameterKind {
    /// Text.
    Text,
    /// Text that is kept out of the history.
    Secret,
    /// A list of texts; one text with commas is taken apart.
    List,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// Any JSON.
    Json,
}

/// A setting of one run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionParameter {
    /// Its name: `max_days_backwards`.
    pub name: String,
    /// For people: `Max Days Backwards`. Also taken as its name.
    pub title: Text,
    /// What kind of value it takes.
    #[serde(rename = "type")]
    pub kind: ActionParameterKind,
    /// Whether it must be given.
    #[serde(default)]
    pub required: bool,
    /// The only values allowed, when they can be listed; case does not matter.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// What is used when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    /// What it does.
    pub help: Text,
}

/// The machine-readable declaration of an action.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionSpec {
    /// Its name inside its integration: `mitigate_accounts`.
    pub name: String,
    /// Its version: a change of its input or result raises it.
    pub version: u32,
    /// For people: `Mitigate Accounts`.
    pub title: Text,
    /// What it does, in a sentence or two.
    pub help: Text,
    /// What it does to the world.
    pub effect: Effect,
    /// The kinds of entities that it runs on; empty when it runs on parameters alone.
    #[serde(default)]
    pub entities: Vec<EntityKind>,
    /// Its parameters.
    #[serde(default)]
    pub parameters: Vec<ActionParameter>,
    /// The action of the same integration that takes it back, on the same input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverse: Option<String>,
    /// How often the vendor is asked whether it is done; left out when the answer is the end.
    #[serde(default, with = "optional_duration_text", skip_serializing_if = "Option::is_none")]
    pub poll: Option<Duration>,
    /// How long a run waits for the vendor before it gives up.
    #[serde(default = "default_timeout", with = "duration_text")]
    pub timeout: Duration,
    /// The rights that the key needs.
    #[serde(default)]
    pub permissions: Vec<String>,
    /// The properties that it adds to entities.
    #[serde(default)]
    pub enrichment: Vec<String>,
    /// JSON Schema of its JSON result; `null` when it has none.
    #[serde(default)]
    pub result: Value,
}

/// A day: long enough for a machine that is switched off overnight.
fn default_timeout() -> Duration {
    Duration::from_secs(24 * 3600)
}

impl ActionSpec {
    /// JSON Schema of what a run takes.
    pub fn input_schema(&self) -> Value {
        let kinds: Vec<_> = self.entities.iter().map(|kind| kind.as_str()).collect();
        let mut properties = Map::new();
        let mut required = Vec::new();
        for parameter in &self.parameters {
            properties.insert(parameter.name.clone(), parameter.schema());
            if parameter.required && parameter.default.is_none() {
                required.push(parameter.name.clone());
            }
        }
        let parameters = json!({
            "type": "object", "additionalProperties": false,
            "properties": properties, "required": required,
        });
        let mut top = Vec::new();
        if !kinds.is_empty() && self.parameters.is_empty() {
            top.push("entities");
        }
        if self.parameters.iter().any(|parameter| parameter.required) && !required.is_empty() {
            top.push("parameters");
        }
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "properties": {
                "entities": {
                    "type": "array",
                    "items": {
                        "type": "object", "required": ["type", "value"],
                        "properties": { "type": { "type": "string" }, "value": { "type": "string" } },
                    },
                    "description": format!("works on: {}", kinds.join(", ")),
                },
                "parameters": parameters,
            },
            "required": top,
        })
    }

    /// The parameter of this name or title.
    pub fn parameter(&self, name: &str) -> Option<&ActionParameter> {
        let wanted = simplified(name);
        self.parameters.iter().find(|parameter| {
            parameter.name == wanted
                || [&parameter.title.en, &parameter.title.ja]
                    .iter()
                    .any(|title| simplified(title) == wanted)
        })
    }
}

impl ActionParameter {
    fn schema(&self) -> Value {
        let mut schema = match self.kind {
            ActionParameterKind::Text | ActionParameterKind::Secret => json!({ "type": "string" }),
            ActionParameterKind::List => {
                json!({ "type": ["array", "string"], "items": { "type": "string" } })
            }
            ActionParameterKind::Integer => json!({ "type": "integer" }),
            ActionParameterKind::Boolean => json!({ "type": "boolean" }),
            ActionParameterKind::Json => json!({}),
        };
        schema["title"] = json!(self.title.en);
        schema["description"] = json!(self.help.en);
        if !self.values.is_empty() {
            schema["enum"] = json!(self.values);
        }
        if let Some(default) = &self.default {
            schema["default"] = default.clone();
        }
        schema
    }
}

/// A name without the differences between how people and programs write it.
fn simplified(name: &str) -> String {
    name.trim().to_lowercase().replace([' ', '-'], "_")
}
