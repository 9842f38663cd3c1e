//! Connectors as their owners handle them: documents, plans of changes, tests, status, previews.

pub mod apply;
pub mod check;
pub mod document;
pub mod preview;
pub mod run;
pub mod status;
pub mod test;

use catalog::StoredConnector;
use model::ids::{ConnectorName, TenantId};

use crate::app::App;
use crate::error::EngineError;

impl App {
    /// The connectors of a tenant, or of all, in the order of tenant and name.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn connectors(
        &self,
        tenant: Option<&TenantId>,
    ) -> Result<Vec<StoredConnector>, EngineError> {
        Ok(self.services.catalog.connectors(tenant).await?)
    }

    /// One connector by its name.
    ///
    /// # Errors
    /// There is none of this name, or the catalog cannot be read.
    pub async fn connector(
        &self,
        tenant: &TenantId,
        name: &ConnectorName,
    ) -> Result<StoredConnector, EngineError> {
        let found = self.services.catalog.connector_by_name(tenant, name).await?;
        found.ok_or_else(|| EngineError::NotFound {
            kind: "connector",
            name: name.to_string(),
            tenant: tenant.to_string(),
        })
    }

    /// The revision of a connector that runs in this process, if it does (D-19).
    ///
    /// # Errors
    /// There is none of this name, or the catalog cannot be read.
    pub async fn running_revision(
        &self,
        tenant: &TenantId,
        name: &ConnectorName,
    ) -> Result<Option<i64>, EngineError> {
        let connector = self.connector(tenant, name).await?;
        Ok(self.supervisor.revision(connector.id).await)
    }

    /// Turns a connector on or off; its cursors stay (C-07).
    ///
    /// # Errors
    /// There is none of this name, or the catalog cannot be written.
    pub async fn set_enabled(
        &self,
        tenant: &TenantId,
        name: &ConnectorName,
        enabled: bool,
        actor: &str,
    ) -> Result<(), EngineError> {
        let connector = self.connector(tenant, name).await?;
        let now = self.services.clock.now();
        self.services.catalog.set_enabled(connector.id, enabled, now).await?;
        let action = if enabled { "connector.enable" } else { "connector.disable" };
        self.audit(actor, action, name.as_str(), &serde_json::json!({ "tenant": tenant })).await;
        if !enabled {
            self.supervisor.halt(connector.id).await;
        }
        self.reconcile_if_collecting().await
    }

    /// Deletes a connector with its cursors and secrets. Its rows, ledger and dead letters stay.
    ///
    /// # Errors
    /// There is none of this name, or the catalog cannot be written.
    pub async fn delete_connector(
        &self,
        tenant: &TenantId,
        name: &ConnectorName,
        actor: &str,
    ) -> Result<(), EngineError> {
        let connector = self.connector(tenant, name).await?;
        // Stopped first, so that no page is entered for a connector that is gone.
        let now = self.services.clock.now();
        self.services.catalog.set_enabled(connector.id, false, now).await?;
        self.supervisor.halt(connector.id).await;
        self.services.catalog.delete_connector(connector.id).await?;
        let detail = serde_json::json!({ "tenant": tenant, "id": connector.id });
        self.audit(actor, "connector.delete", name.as_str(), &detail).await;
        Ok(())
    }
}
