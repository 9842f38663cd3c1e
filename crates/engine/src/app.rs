//! One `App` per process: everything that the CLI and the API can ask for starts here.

use std::sync::Arc;

use ::connectors::Registry;
use catalog::Catalog;
use model::clock::Clock;
use model::ids::TenantId;
use model::source::Sources;
use query::store::EventStore;
use serde_json::Value;
use tokio::sync::broadcast;

use crate::actions::responders::ResponderSettings;
use crate::actions::runs::Runs;
use crate::actions::target::Targets;
use crate::budget::Budgets;
use crate::collect::status::StreamHealth;
use crate::collect::supervisor::Supervisor;
use crate::collect::{FailedAppends, Services};
use crate::connectors::check::ExtraRegions;
use crate::error::EngineError;
use crate::maintenance::Keeper;
use crate::recovery;
use crate::stacks::Desk;

/// What an `App` is made of; wired by the binary and by tests.
pub struct Parts {
    /// All mutable metadata.
    pub catalog: Catalog,
    /// Where events rest.
    pub store: Arc<dyn EventStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The integrations of this build.
    pub registry: Registry,
    /// Regions that the operator knows beside the manifests'.
    pub regions: ExtraRegions,
    /// What responders may do.
    pub responders: ResponderSettings,
}

/// The use cases. They are methods spread over the modules of this crate, by subject.
pub struct App {
    pub(crate) services: Services,
    pub(crate) registry: Arc<Registry>,
    pub(crate) regions: Arc<ExtraRegions>,
    pub(crate) supervisor: Supervisor,
    pub(crate) keeper: Arc<Keeper>,
    pub(crate) sources: Sources,
    pub(crate) desk: Arc<Desk>,
    pub(crate) runs: Arc<Runs>,
    pub(crate) responder_settings: Arc<ResponderSettings>,
}

impl App {
    /// Opens the app and enters what an earlier process committed but did not live to enter.
    /// Nothing is collected until [`App::start`].
    ///
    /// # Errors
    /// The catalog or the lake cannot be read.
    pub async fn open(parts: Parts) -> Result<Self, EngineError> {
        let Parts { catalog, store, clock, registry, regions, responders } = parts;
        recovery::enter_receipts(&catalog, store.as_ref(), clock.now()).await?;
        catalog.ensure_tenant(&TenantId::default(), clock.now()).await?;
        let services = Services {
            install: catalog.install(),
            budgets: Budgets::new(catalog.clone(), clock.clone()),
            catalog,
            store,
            clock,
            failed: FailedAppends::default(),
        };
        let (registry, regions) = (Arc::new(registry), Arc::new(regions));
        let supervisor = Supervisor::new(services.clone(), registry.clone(), regions.clone());
        let desk = Arc::new(Desk::default());
        let keeper = Keeper::new(services.clone(), desk.clone());
        let sources = registry.sources();
        let responder_settings = Arc::new(responders);
        let runs = Runs::new(Targets {
            services: services.clone(),
            registry: registry.clone(),
            regions: regions.clone(),
            responders: responder_settings.clone(),
        });
        Ok(Self {
            services,
            registry,
            regions,
            supervisor,
            keeper,
            sources,
            desk,
            runs,
            responder_settings,
        })
    }

    /// Starts every enabled connector, goes on with the runs of actions, and starts the task that looks after
    /// the lake.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn start(&self) -> Result<(), EngineError> {
        self.keeper.start();
        self.resume_runs().await?;
        Ok(self.supervisor.reconcile().await?)
    }

    /// Stops every runner; pages under way are entered first.
    pub async fn stop_collecting(&self) {
        self.supervisor.stop().await;
    }

    /// Stops collecting and closes the catalog: the end of a process.
    pub async fn stop(&self) {
        self.stop_collecting().await;
        self.runs.stop().await;
        self.keeper.stop().await;
        self.services.store.rest().await;
        self.services.catalog.close().await;
    }

    /// Status changes of all streams as they happen.
    pub fn changes(&self) -> broadcast::Receiver<StreamHealth> {
        self.supervisor.changes()
    }

    /// The integrations of this build.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The sources of this build.
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// The clock of this app.
    pub fn clock(&self) -> &dyn Clock {
        self.services.clock.as_ref()
    }

    /// Writes an entry of the audit log; a failure is logged, the audited act stands.
    pub(crate) async fn audit(&self, actor: &str, action: &str, object: &str, detail: &Value) {
        let at = self.services.clock.now();
        if let Err(error) = self.services.catalog.audit(actor, action, object, detail, at).await {
            tracing::error!(%error, action, object, "failed to write the audit log");
        }
    }
}
