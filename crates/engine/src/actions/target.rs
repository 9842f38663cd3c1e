//! What an action runs with: a connector opened for it, its declaration, and the right to send.

use std::sync::Arc;

use async_trait::async_trait;
use catalog::{StoredConnector, StoredResponder};
use connectors::Registry;
use model::action::{ActionSpec, Call, Halt, Outcome, Responds, Right};
use model::budget::{Budget, Permit, Priority, Quota, ReserveError};
use model::clock::Clock;
use model::ids::{ConnectorId, TenantId};
use model::time::Timestamp;
use model::vendor::{Connection, Key};
use serde_json::Value;
use tokio::sync::watch;
use uuid::Uuid;

use super::RESPONDER;
use super::journal::Signal;
use super::responders::{self, EditedRequest, ResponderSettings};

use crate::budget::{Budgets, Sender};
use crate::collect::Services;
use crate::connectors::check::{self, ExtraRegions};
use crate::connectors::document::Plan;
use crate::error::EngineError;

/// Something that can run an action now.
pub(super) struct Target {
    /// The action's declaration.
    pub(super) spec: ActionSpec,
    /// The connector or responder.
    pub(super) id: Uuid,
    /// Its name.
    pub(super) name: String,
    /// Who runs it.
    pub(super) performer: Arc<dyn Responds>,
    /// The keys that it may use.
    pub(super) keys: Vec<Key>,
    /// The limits of its keys.
    pub(super) quotas: Vec<Quota>,
}

/// What ends a run's wait for its turn: a signal, and the end of its time.
#[derive(Clone)]
pub(super) struct Interruption {
    pub(super) signal: watch::Receiver<Signal>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) due: Timestamp,
}

/// A budget whose queue is left when the run has to end.
struct Interruptible {
    sender: Sender,
    interruption: Interruption,
}

#[async_trait]
impl Budget for Interruptible {
    async fn reserve(&self, host: &str) -> Result<Permit, ReserveError> {
        let Interruption { signal, clock, due } = &self.interruption;
        let mut signal = signal.clone();
        let permit = tokio::select! {
            biased;
            permit = self.sender.reserve(host) => permit?,
            _ = signal.wait_for(|signal| *signal != Signal::Go) => {
                return Err(ReserveError("the run stops".into()));
            }
        };
        // Its turn may have come late.
        if clock.now() >= *due {
            return Err(ReserveError("the run's time is over".into()));
        }
        Ok(permit)
    }
}

/// How targets are found and opened.
#[derive(Clone)]
pub(crate) struct Targets {
    pub(crate) services: Services,
    pub(crate) registry: Arc<Registry>,
    pub(crate) regions: Arc<ExtraRegions>,
    pub(crate) responders: Arc<ResponderSettings>,
}

/// What a responder runs on beside its input.
#[derive(Debug, Clone, Default)]
pub(super) struct OnRecord {
    /// What it may read of the record; null for none.
    pub(super) context: Value,
    /// What was changed about its request.
    pub(super) edited: EditedRequest,
}

/// A connection as something that responds.
struct Connected(Arc<dyn Connection>);

#[async_trait]
impl Responds for Connected {
    async fn act(&self, call: &Call<'_>) -> Result<Outcome, Halt> {
        self.0.act(call).await
    }
}

impl Target {
    /// The right to send with each key, before all collection.
    pub(super) fn rights(&self, budgets: &Budgets, patience: &Interruption) -> Vec<Right> {
        let owner = ConnectorId(self.id);
        self.keys
            .iter()
            .map(|key| {
                let quotas = self.quotas.clone();
                let priority = Priority::Interactive;
                let sender = budgets.sender(&key.secret, owner, quotas, priority, None);
                let budget = Interruptible { sender, interruption: patience.clone() };
                Right { key: key.clone(), budget: Box::new(budget) }
            })
            .collect()
    }
}

impl Targets {
    /// The target of an action by its full name, with a connector by name or the only one that there is.
    ///
    /// # Errors
    /// There is no such action or connector, several connectors fit, or the settings cannot be used.
    pub(super) async fn find(
        &self,
        tenant: &TenantId,
        action: &str,
        connector: Option<&str>,
        on: &OnRecord,
    ) -> Result<Target, EngineError> {
        if let Some(name) = responder_name(action) {
            let stored = self.responder(tenant, name).await?;
            return self.open_responder(&stored, on);
        }
        let (integration, name) = action.split_once('.').unwrap_or((action, ""));
        let known = self.registry.get(integration);
        let spec = known.and_then(|known| known.manifest().action(name)).cloned();
        let spec = spec.ok_or_else(|| EngineError::NotFound {
            kind: "action",
            name: action.to_owned(),
            tenant: tenant.to_string(),
        })?;
        let stored = self.services.catalog.connectors(Some(tenant)).await?;
        let mut fitting: Vec<&StoredConnector> =
            stored.iter().filter(|stored| stored.integration == integration).collect();
        if let Some(wanted) = connector {
            fitting
                .retain(|stored| stored.name.as_str() == wanted || stored.id.to_string() == wanted);
        }
        match fitting[..] {
            [stored] => self.open(stored, spec),
            [] => Err(EngineError::NotFound {
                kind: "connector",
                name: connector.unwrap_or(integration).to_owned(),
                tenant: tenant.to_string(),
            }),
            _ => {
                let names: Vec<_> = fitting.iter().map(|stored| stored.name.as_str()).collect();
                Err(EngineError::Invalid {
                    problem: format!("several connectors can run `{action}`"),
                    hint: format!("name one of them: {}", names.join(", ")),
                })
            }
        }
    }

    /// The target of a run that goes on: its connector by its id.
    ///
    /// # Errors
    /// The connector or the action is gone, or its settings cannot be used.
    pub(super) async fn again(
        &self,
        tenant: &TenantId,
        action: &str,
        id: Uuid,
        on: &OnRecord,
    ) -> Result<Target, EngineError> {
        let target = self.find(tenant, action, Some(&id.to_string()), on).await?;
        if target.id == id {
            return Ok(target);
        }
        // Another responder has taken the name: the run is not for its host.
        Err(EngineError::NotFound {
            kind: "responder",
            name: id.to_string(),
            tenant: tenant.to_string(),
        })
    }

    /// A responder that a tenant may use, by its name: its own before one of all tenants.
    ///
    /// # Errors
    /// There is none, or the catalog cannot be read.
    pub(super) async fn responder(
        &self,
        tenant: &TenantId,
        name: &str,
    ) -> Result<StoredResponder, EngineError> {
        let known = self.services.catalog.responders(tenant).await?;
        known.into_iter().find(|known| known.name == name).ok_or_else(|| EngineError::NotFound {
            kind: "responder",
            name: name.to_owned(),
            tenant: tenant.to_string(),
        })
    }

    fn open_responder(
        &self,
        stored: &StoredResponder,
        on: &OnRecord,
    ) -> Result<Target, EngineError> {
        let responder = responders::ready(stored, &on.edited, &self.responders)?;
        Ok(Target {
            spec: responder.spec().clone(),
            id: stored.id.0,
            name: stored.name.clone(),
            keys: vec![responder.key()],
            performer: Arc::new(responder.on(on.context.clone())),
            // The host's limits are not known; a key that a connector uses too shares its budget.
            quotas: Vec::new(),
        })
    }

    fn open(&self, stored: &StoredConnector, spec: ActionSpec) -> Result<Target, EngineError> {
        let plan: Plan = serde_json::from_value(stored.document.clone()).map_err(|error| {
            EngineError::Invalid {
                problem: format!("the connector `{}` cannot be read: {error}", stored.name),
                hint: "apply its document again".to_owned(),
            }
        })?;
        let checked =
            check::check(&self.registry, &self.regions, &plan, &stored.credential).map_err(
                |source| EngineError::Settings { connector: stored.name.to_string(), source },
            )?;
        Ok(Target {
            spec,
            id: stored.id.0,
            name: stored.name.to_string(),
            keys: checked.connection.keys().to_vec(),
            performer: Arc::new(Connected(checked.connection)),
            quotas: checked.quotas,
        })
    }
}

/// The name of the responder whose runs are called like this.
pub(super) fn responder_name(action: &str) -> Option<&str> {
    let (integration, name) = action.split_once('.')?;
    (integration == RESPONDER).then_some(name)
}
