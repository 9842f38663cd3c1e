//! Applying documents: the request and the plan that answers it.

use engine::connectors::apply::{Change, ChangeKind, SettingChange};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::document::Document;

/// Connectors to create or change. It never prints, for it holds secrets.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApplyRequest {
    /// The documents.
    #[schema(value_type = Vec<Document>)]
    pub(crate) connectors: Vec<Map<String, Value>>,
    /// Only plan; change nothing.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

/// What applying did, or would do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Applied {
    /// Whether nothing was changed.
    pub(crate) dry_run: bool,
    /// One entry per document, in its order.
    pub(crate) changes: Vec<ConnectorChange>,
}

/// What happens to one connector.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConnectorChange {
    /// The owner.
    tenant: String,
    /// The connector.
    name: String,
    /// Whether it is new, changed, or as it was.
    kind: ConnectorChangeKind,
    /// Each setting that changes.
    settings: Vec<ChangedSetting>,
}

/// Whether a connector is new, changed, or as it was.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConnectorChangeKind {
    /// There was none of this name.
    Create,
    /// Some setting differs.
    Update,
    /// Nothing differs.
    Unchanged,
}

/// One setting before and after. Secrets show as the mask.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ChangedSetting {
    /// Its name in the document.
    setting: String,
    /// Before; null when it was not set.
    from: Value,
    /// After; null when it is no longer set.
    to: Value,
}

impl From<Change> for ConnectorChange {
    fn from(change: Change) -> Self {
        let kind = match change.kind {
            ChangeKind::Create => ConnectorChangeKind::Create,
            ChangeKind::Update => ConnectorChangeKind::Update,
            ChangeKind::Unchanged => ConnectorChangeKind::Unchanged,
        };
        Self {
            tenant: change.tenant.to_string(),
            name: change.name.to_string(),
            kind,
            settings: change.settings.into_iter().map(ChangedSetting::from).collect(),
        }
    }
}

impl From<SettingChange> for ChangedSetting {
    fn from(change: SettingChange) -> Self {
        Self { setting: change.setting, from: change.from, to: change.to }
    }
}
