//! A connector's checked settings, as the integrations see them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::secret::Secret;

/// A credential's fields by name, each one or several secrets: `api_keys: [..]`, `token: ..`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct Credential(pub BTreeMap<String, OneOrMany>);

/// A single secret or a pool of them.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum OneOrMany {
    /// One secret.
    One(Secret),
    /// Several, used side by side.
    Many(Vec<Secret>),
}

impl OneOrMany {
    /// All secrets in order.
    pub fn iter(&self) -> impl Iterator<Item = &Secret> {
        match self {
            Self::One(secret) => std::slice::from_ref(secret).iter(),
            Self::Many(secrets) => secrets.iter(),
        }
    }
}

/// What an integration needs to open a connection to its vendor.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The secrets.
    pub credential: Credential,
    /// The integration's own parameters, as in its manifest.
    pub parameters: Map<String, Value>,
    /// The content types to collect; never empty.
    pub content_types: Vec<String>,
    /// Whether the vendor's certificate is checked.
    pub verify_tls: bool,
    /// The way out to the vendor, where it is not direct.
    pub proxy: Option<Proxy>,
    /// Regions known beside those of the manifest: name and base URL.
    pub extra_regions: Vec<Region>,
}

/// A proxy between a connector and its vendor.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// `http://proxy.corp.example:3128`; `https` where the way to the proxy itself is encrypted.
    pub address: String,
    /// Who asks, where the proxy wants to know.
    pub login: Option<ProxyLogin>,
}

/// A user at a proxy.
#[derive(Debug, Clone)]
pub struct ProxyLogin {
    /// The user's name.
    pub user: String,
    /// The password; empty where the user has none.
    pub password: Secret,
}

/// A place where a vendor runs its service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Region {
    /// Short name: `eu`.
    pub name: String,
    /// For people: `Europe`.
    #[serde(default)]
    pub title: String,
    /// `https://api-eu.…`, no trailing slash.
    pub base_url: String,
}

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{setting}` {problem}")]
pub struct SettingsError {
    /// Path of the setting in the connector document: `parameters.services`.
    pub setting: String,
    /// What is wrong with it, as the end of the sentence that starts with its name.
    pub problem: String,
    /// What to write instead.
    pub remedy: String,
}

impl SettingsError {
    /// Names the setting, what is wrong, and what to write instead.
    pub fn new(
        setting: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { setting: setting.into(), problem: problem.into(), remedy: remedy.into() }
    }
}

impl crate::hint::Hint for SettingsError {
    fn hint(&self) -> Option<String> {
        Some(self.remedy.clone())
    }
}
