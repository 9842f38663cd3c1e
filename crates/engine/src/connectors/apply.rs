//! Applying documents: idempotent, with a plan that lists every change before it is made (C-26).

use catalog::StoredConnector;
use model::ids::{ConnectorId, ConnectorName, TenantId};
use model::time::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};

use super::check;
use super::document::ConnectorDocument;
use crate::app::App;
use crate::error::EngineError;

/// What applying a document does to one connector.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// The connector's owner.
    pub tenant: TenantId,
    /// Its name.
    pub name: ConnectorName,
    /// Whether it is new, changed, or as it was.
    pub kind: ChangeKind,
    /// Each setting that changes. Secrets show as the mask.
    pub settings: Vec<SettingChange>,
}

/// Whether a connector is new, changed, or as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// There was none of this name.
    Create,
    /// Some setting differs.
    Update,
    /// Nothing differs.
    Unchanged,
}

/// One setting before and after.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SettingChange {
    /// `parameters`, `interval` …
    pub setting: String,
    /// Before; null when it was not set.
    pub from: Value,
    /// After; null when it is no longer set.
    pub to: Value,
}

impl App {
    /// Applies documents: all of them are checked before the first is written. With `dry_run`
    /// nothing is written; the plan is the same.
    ///
    /// # Errors
    /// Names the connector and the setting that cannot be used; then nothing was changed.
    pub async fn apply(
        &self,
        documents: Vec<ConnectorDocument>,
        dry_run: bool,
        actor: &str,
    ) -> Result<Vec<Change>, EngineError> {
        let mut planned = Vec::new();
        for document in documents {
            planned.push(self.plan(document).await?);
        }
        if !dry_run {
            for (change, connector) in &planned {
                self.carry_out(change, connector, actor).await?;
            }
            self.reconcile_if_collecting().await?;
        }
        Ok(planned.into_iter().map(|(change, _)| change).collect())
    }

    /// Checks one document and compares it with what is stored.
    async fn plan(
        &self,
        mut document: ConnectorDocument,
    ) -> Result<(Change, StoredConnector), EngineError> {
        let plan = &document.plan;
        let (tenant, name) = (plan.tenant.clone(), plan.name.clone());
        let settings = |source| EngineError::Settings { connector: name.to_string(), source };
        let stored = self.services.catalog.connector_by_name(&tenant, &name).await?;
        document.keep_masked(stored.as_ref().map(|stored| &stored.credential)).map_err(settings)?;
        check::check(&self.registry, &self.regions, &document.plan, &document.credential)
            .map_err(settings)?;
        let before = stored.as_ref().map(|stored| &stored.document);
        let now = self.services.clock.now();
        let connector = to_stored(&document, stored.as_ref(), now);
        let mut changes = differences(before, &connector.document);
        if let Some(stored) = &stored
            && !same_secrets(&document, stored)
        {
            changes.push(masked_change());
        }
        let kind = match (&stored, changes.is_empty()) {
            (None, _) => ChangeKind::Create,
            (Some(_), true) => ChangeKind::Unchanged,
            (Some(_), false) => ChangeKind::Update,
        };
        Ok((Change { tenant, name, kind, settings: changes }, connector))
    }

    async fn carry_out(
        &self,
        change: &Change,
        connector: &StoredConnector,
        actor: &str,
    ) -> Result<(), EngineError> {
        if change.kind == ChangeKind::Unchanged {
            return Ok(());
        }
        let now = self.services.clock.now();
        self.services.catalog.ensure_tenant(&change.tenant, now).await?;
        self.services.catalog.put_connector(connector).await?;
        let name = change.name.as_str();
        let detail = json!({ "tenant": change.tenant, "changes": change.settings });
        self.audit(actor, "connector.apply", name, &detail).await;
        if connector.document.get("verify_tls") == Some(&Value::Bool(false)) {
            tracing::warn!(connector.name = name, "its vendor's certificate is not checked");
            self.audit(
                actor,
                "connector.verify_tls_off",
                name,
                &json!({ "tenant": change.tenant }),
            )
            .await;
        }
        Ok(())
    }

    /// Makes the runners match the catalog, in a process that collects.
    pub(crate) async fn reconcile_if_collecting(&self) -> Result<(), EngineError> {
        if self.supervisor.is_collecting() {
            self.supervisor.reconcile().await?;
        }
        Ok(())
    }
}

fn to_stored(
    document: &ConnectorDocument,
    stored: Option<&StoredConnector>,
    now: Timestamp,
) -> StoredConnector {
    StoredConnector {
        id: stored.map_or_else(ConnectorId::generate, |stored| stored.id),
        tenant: document.plan.tenant.clone(),
        name: document.plan.name.clone(),
        integration: document.plan.integration.clone(),
        document: serde_json::to_value(&document.plan).unwrap_or_default(),
        credential: document.credential.clone(),
        enabled: document.plan.enabled,
        revision: stored.map_or(0, |stored| stored.revision),
        created_at: stored.map_or(now, |stored| stored.created_at),
        updated_at: now,
    }
}

fn differences(before: Option<&Value>, after: &Value) -> Vec<SettingChange> {
    let empty = serde_json::Map::new();
    let before = before.and_then(Value::as_object).unwrap_or(&empty);
    let after = after.as_object().unwrap_or(&empty);
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let changes = names.into_iter().filter(|name| before.get(*name) != after.get(*name));
    changes
        .map(|name| SettingChange {
            setting: name.clone(),
            from: before.get(name).cloned().unwrap_or(Value::Null),
            to: after.get(name).cloned().unwrap_or(Value::Null),
        })
        .collect()
}

fn masked_change() -> SettingChange {
    let mask = Value::from(model::secret::MASK);
    SettingChange { setting: "credential".to_owned(), from: mask.clone(), to: mask }
}

fn same_secrets(document: &ConnectorDocument, stored: &StoredConnector) -> bool {
    let exposed = |credential: &model::connector::Credential| -> Vec<(String, Vec<String>)> {
        let fields = credential.0.iter();
        fields
            .map(|(name, secrets)| {
                (name.clone(), secrets.iter().map(|secret| secret.expose().to_owned()).collect())
            })
            .collect()
    };
    exposed(&document.credential) == exposed(&stored.credential)
}

impl App {
    /// The document of a stored connector, secrets masked when it is printed.
    ///
    /// # Errors
    /// What is stored is no document of this version.
    pub fn document(&self, connector: &StoredConnector) -> Result<ConnectorDocument, EngineError> {
        let mut plan: super::document::Plan = serde_json::from_value(connector.document.clone())
            .map_err(|error| EngineError::Invalid {
                problem: format!(
                    "the stored document of `{}` cannot be read: {error}",
                    connector.name
                ),
                hint: "apply the connector's file again".to_owned(),
            })?;
        plan.enabled = connector.enabled;
        Ok(ConnectorDocument { plan, credential: connector.credential.clone() })
    }
}
