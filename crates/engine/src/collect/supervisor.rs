//! Starts and stops runners so that what runs is what the catalog says. Editing one connector
//! never touches another (D-21).

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use catalog::{CatalogError, StoredConnector};
use connectors::Registry;
use model::ids::ConnectorId;
use tokio::sync::{Mutex, broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::Services;
use super::runner::{Command, Runner, StreamProgress};
use super::status::StreamHealth;
use super::target::Target;
use crate::connectors::check::{self, ExtraRegions};
use crate::connectors::document::Plan;

/// Commands that may wait for a runner.
const COMMANDS: usize = 16;
/// Status changes that a slow listener may fall behind.
const CHANGES: usize = 1024;

/// All runners of this process.
pub struct Supervisor {
    services: Services,
    registry: Arc<Registry>,
    regions: Arc<ExtraRegions>,
    running: Mutex<HashMap<ConnectorId, Running>>,
    changes: broadcast::Sender<StreamHealth>,
    collecting: AtomicBool,
}

struct Running {
    revision: i64,
    target: Arc<Target>,
    commands: mpsc::Sender<Command>,
    task: JoinHandle<()>,
}

impl Supervisor {
    /// Nothing runs yet.
    pub fn new(services: Services, registry: Arc<Registry>, regions: Arc<ExtraRegions>) -> Self {
        let (changes, _) = broadcast::channel(CHANGES);
        Self {
            services,
            registry,
            regions,
            running: Mutex::default(),
            changes,
            collecting: AtomicBool::new(false),
        }
    }

    /// Status changes as they happen.
    pub fn changes(&self) -> broadcast::Receiver<StreamHealth> {
        self.changes.subscribe()
    }

    /// Makes what runs match the catalog. Runners of unchanged connectors are not touched.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn reconcile(&self) -> Result<(), CatalogError> {
        self.collecting.store(true, Ordering::Relaxed);
        let mut running = self.running.lock().await;
        let stored = self.services.catalog.connectors(None).await?;
        let wanted: HashMap<ConnectorId, &StoredConnector> = stored
            .iter()
            .filter(|connector| connector.enabled)
            .map(|connector| (connector.id, connector))
            .collect();
        let stale: Vec<ConnectorId> = running
            .iter()
            .filter(|(id, runner)| {
                wanted.get(*id).is_none_or(|connector| connector.revision != runner.revision)
            })
            .map(|(id, _)| *id)
            .collect();
        for id in stale {
            if let Some(runner) = running.remove(&id) {
                runner.stop().await;
            }
        }
        for connector in wanted.into_values() {
            if !running.contains_key(&connector.id)
                && let Some(runner) = self.start(connector).await?
            {
                running.insert(connector.id, runner);
            }
        }
        Ok(())
    }

    /// Whether this process collects: false until the first [`Supervisor::reconcile`].
    pub fn is_collecting(&self) -> bool {
        self.collecting.load(Ordering::Relaxed)
    }

    /// Runs one connector in a process that does not collect otherwise.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn run_only(&self, id: ConnectorId) -> Result<(), CatalogError> {
        let mut running = self.running.lock().await;
        if running.contains_key(&id) {
            return Ok(());
        }
        let stored = self.services.catalog.connector(id).await?;
        if let Some(connector) = stored.filter(|connector| connector.enabled)
            && let Some(runner) = self.start(&connector).await?
        {
            running.insert(id, runner);
        }
        Ok(())
    }

    /// The revision that runs of a connector, if it runs here.
    pub async fn revision(&self, id: ConnectorId) -> Option<i64> {
        self.running.lock().await.get(&id).map(|runner| runner.revision)
    }

    /// What the runner of a connector works on, if it runs here.
    pub async fn target(&self, id: ConnectorId) -> Option<Arc<Target>> {
        self.running.lock().await.get(&id).map(|runner| runner.target.clone())
    }

    /// Tells the runner of a connector; `false` when it does not run here.
    pub async fn tell(&self, id: ConnectorId, command: Command) -> bool {
        let commands = self.running.lock().await.get(&id).map(|runner| runner.commands.clone());
        match commands {
            Some(commands) => commands.send(command).await.is_ok(),
            None => false,
        }
    }

    /// How the streams of a running connector are; `None` when it does not run here.
    pub async fn progress(&self, id: ConnectorId) -> Option<Vec<StreamProgress>> {
        let (answer, progress) = oneshot::channel();
        if !self.tell(id, Command::Health(answer)).await {
            return None;
        }
        progress.await.ok()
    }

    /// Stops one runner after the pages under way are entered.
    pub async fn halt(&self, id: ConnectorId) {
        let runner = self.running.lock().await.remove(&id);
        if let Some(runner) = runner {
            runner.stop().await;
        }
    }

    /// Stops every runner after the pages under way are entered.
    pub async fn stop(&self) {
        let mut running = self.running.lock().await;
        for runner in running.values() {
            // A runner that ended by itself no longer listens.
            drop(runner.commands.send(Command::Stop).await);
        }
        for (_, runner) in running.drain() {
            runner.stop().await;
        }
    }

    async fn start(&self, connector: &StoredConnector) -> Result<Option<Running>, CatalogError> {
        let target = match self.open(connector) {
            Ok(target) => target,
            Err(problem) => {
                tracing::error!(connector.name = %connector.name, %problem, "a stored connector cannot run");
                return Ok(None);
            }
        };
        let target = Arc::new(target);
        let (commands, inbox) = mpsc::channel(COMMANDS);
        let (services, changes) = (self.services.clone(), self.changes.clone());
        let runner = Runner::open(target.clone(), services, inbox, changes).await?;
        let task = tokio::spawn(runner.run());
        Ok(Some(Running { revision: connector.revision, target, commands, task }))
    }

    fn open(&self, connector: &StoredConnector) -> Result<Target, String> {
        let plan: Plan = serde_json::from_value(connector.document.clone())
            .map_err(|error| format!("its document cannot be read: {error}"))?;
        check::check(&self.registry, &self.regions, &plan, &connector.credential)
            .map(|checked| Target::new(connector, checked))
            .map_err(|error| error.to_string())
    }
}

impl Running {
    async fn stop(self) {
        drop(self.commands.send(Command::Stop).await);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "a runner ended badly");
        }
    }
}
