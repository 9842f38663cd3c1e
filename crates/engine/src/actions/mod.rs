//! Response actions: what can be done, runs of it, and what became of them.
//!
//! [`responders`] are webhooks that people made. [`wish`] is what somebody asks for, `runs` lives it through, `journal` writes each step down before
//! and after it is done, [`guard`] keeps entities from it, and [`history`] shows what happened.

pub mod guard;
pub mod history;
mod journal;
pub mod responders;
pub(crate) mod runs;
pub(crate) mod target;
pub mod wish;

use model::action::ActionSpec;
use model::ids::TenantId;
use serde::Serialize;

use crate::app::App;
use crate::error::EngineError;

/// What the full name of a responder begins with, where an action's has its integration.
pub const RESPONDER: &str = "responder";

/// An action of this build, for the catalogue.
#[derive(Debug, Clone, Serialize)]
pub struct ActionView {
    /// What it is called everywhere: `trend_micro_cas.mitigate_accounts`.
    pub action: String,
    /// Its integration's title.
    pub integration: String,
    /// Its declaration.
    #[serde(flatten)]
    pub spec: ActionSpec,
    /// JSON Schema of what a run takes.
    pub input_schema: serde_json::Value,
    /// The connectors of the tenant that it can run with.
    pub connectors: Vec<String>,
}

impl App {
    /// Every action of this build, with the connectors of a tenant that each can run with, and the tenant's
    /// responders.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn actions(&self, tenant: &TenantId) -> Result<Vec<ActionView>, EngineError> {
        let stored = self.services.catalog.connectors(Some(tenant)).await?;
        let mut views = Vec::new();
        for integration in self.registry.iter() {
            let manifest = integration.manifest();
            let own = stored.iter().filter(|connector| connector.integration == manifest.name);
            let connectors: Vec<_> = own.map(|connector| connector.name.to_string()).collect();
            for spec in &manifest.actions {
                views.push(ActionView {
                    action: format!("{}.{}", manifest.name, spec.name),
                    integration: manifest.title.clone(),
                    input_schema: spec.input_schema(),
                    spec: spec.clone(),
                    connectors: connectors.clone(),
                });
            }
        }
        for stored in self.services.catalog.responders(tenant).await? {
            match responders::declared(&stored) {
                Ok(spec) => views.push(ActionView {
                    action: format!("{RESPONDER}.{}", stored.name),
                    integration: "Webhook".to_owned(),
                    input_schema: spec.input_schema(),
                    spec,
                    connectors: vec![stored.name],
                }),
                Err(error) => {
                    tracing::error!(responder = stored.name, %error, "a responder cannot be read");
                }
            }
        }
        Ok(views)
    }
}
