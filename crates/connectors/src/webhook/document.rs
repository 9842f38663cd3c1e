//! A responder's document: one action at one host, as people write it in YAML or JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use model::action::spec::{ActionParameter, Effect};
use model::action::{EntityKind, Text};
use model::ids::ConnectorName;
use model::manifest::{duration_text, optional_duration_text};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::auth::Auth;
use super::success::Success;
use super::testing::Test;

/// One responder. Serialised, its secrets are masked.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct ResponderDocument {
    /// Its name: any Unicode text, unique per tenant.
    pub name: ConnectorName,
    /// The tenant that may use it, or `all`.
    #[serde(default = "default_tenant")]
    pub tenant: String,
    /// The template that it was made from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// For people; the name when it is left out.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub title: Text,
    /// What it does, in a sentence or two.
    #[serde(default, skip_serializing_if = "Text::is_empty")]
    pub help: Text,
    /// What it does to the world.
    pub effect: Effect,
    /// The responder that takes it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reverse: Option<String>,
    /// The sources whose records it works on; every source when it is left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<String>,
    /// What is sent.
    pub request: RequestTemplate,
    /// How the request proves who sends it.
    #[serde(default)]
    pub auth: Auth,
    /// What a person may fill in at run time: `parameters.x` in expressions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<ActionParameter>,
    /// What it works on: guarded by protected entities and caps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<Target>,
    /// What counts as success.
    #[serde(default)]
    pub success: Success,
    /// Values taken from the answer: `outputs.x` in expressions of `poll`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, String>,
    /// When it is sent again.
    #[serde(default)]
    pub retries: Retries,
    /// How the vendor is asked whether it is done; left out when the answer is the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub poll: Option<Poll>,
    /// Records with what is sent for them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tests: Vec<Test>,
}

fn default_tenant() -> String {
    "default".to_owned()
}

/// How the host is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Unencrypted.
    Http,
    /// Encrypted.
    #[default]
    Https,
}

impl Protocol {
    /// The scheme of a URL.
    pub(crate) fn scheme(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// The method of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// Only asks.
    Get,
    /// Sends.
    #[default]
    Post,
    /// Replaces.
    Put,
    /// Changes.
    Patch,
    /// Removes.
    Delete,
}

impl Method {
    /// As it is sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What is sent, with expressions in path, query, headers and body.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RequestTemplate {
    /// The host, with a port where one is needed; no scheme and no path.
    pub host: String,
    /// How it is spoken to.
    #[serde(default)]
    pub protocol: Protocol,
    /// Whether its certificate is checked.
    #[serde(default = "yes")]
    pub verify_tls: bool,
    /// The method.
    #[serde(default)]
    pub method: Method,
    /// The path, from its slash.
    pub path: String,
    /// The query: a list sends its name once for each value.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub query: Map<String, Value>,
    /// The headers.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// The body: a tree, or JSON as text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
}

fn yes() -> bool {
    true
}

/// What the responder works on.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// What kind of thing it is, or an expression that says so.
    #[serde(rename = "type")]
    pub kind: String,
    /// Which one: an expression; a list is one thing for each value.
    pub value: String,
    /// Other names of the same things: guarded with it, and never sent for themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_as: Vec<Alias>,
}

/// Another name of a target.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Alias {
    /// What kind of thing it is.
    #[serde(rename = "type")]
    pub kind: EntityKind,
    /// Its name: an expression; nothing when the record has none.
    pub value: String,
}

/// When a request is sent again: only for answers that say that it was not taken.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Retries {
    /// How often it is sent in all.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles each time.
    #[serde(with = "duration_text")]
    pub backoff: Duration,
    /// The statuses by which the host says that it has not taken the request.
    pub on: Vec<u16>,
}

impl Default for Retries {
    fn default() -> Self {
        Self { attempts: 3, backoff: Duration::from_secs(2), on: vec![429] }
    }
}

/// How the vendor is asked whether it is done.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Poll {
    /// The method: asking must change nothing.
    #[serde(default = "asking")]
    pub method: Method,
    /// The path, with `outputs.x`.
    pub path: String,
    /// The query.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub query: Map<String, Value>,
    /// The body, for hosts that are asked by POST.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// How often it asks.
    #[serde(with = "duration_text")]
    pub every: Duration,
    /// How long it asks at most.
    #[serde(default, with = "optional_duration_text", skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,
    /// Holds when it is done.
    pub until: String,
    /// Holds when it failed.
    pub failed: String,
    /// What the host calls the state meanwhile and why it failed, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

fn asking() -> Method {
    Method::Get
}
