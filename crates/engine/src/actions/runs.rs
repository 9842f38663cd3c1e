//! The runs of this process: begun, lived through to their end, gone on with after a crash.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use catalog::{Begun, EntityProperty, NewRun, StoredRun};
use model::action::{Call, Halt, Input, Item, ItemState, Outcome, RunState, Text};
use model::clock;
use model::ids::{RunId, TenantId};
use model::secret::{MASK, Secret};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::journal::{RunJournal, Signal};
use super::responders;
use super::target::{OnRecord, Target, Targets, responder_name};
use super::wish::{Document, Wish, refused};
use crate::app::App;
use crate::error::EngineError;

/// How long a run rests when its journal cannot be written.
const REST: Duration = Duration::from_secs(5);

/// The runs under way in this process.
pub(crate) struct Runs {
    targets: Targets,
    under_way: Mutex<HashMap<RunId, UnderWay>>,
}

struct UnderWay {
    signal: watch::Sender<Signal>,
    /// Closed when the run has ended or rests.
    life: watch::Receiver<()>,
    task: JoinHandle<()>,
}

/// How far a run is, as the journal keeps it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Progress {
    #[serde(default)]
    pub(super) items: Vec<Item>,
    #[serde(default)]
    pub(super) message: Text,
}

impl Runs {
    pub(crate) fn new(targets: Targets) -> Arc<Self> {
        Arc::new(Self { targets, under_way: Mutex::default() })
    }

    /// How targets are found and opened.
    pub(super) fn targets(&self) -> &Targets {
        &self.targets
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<RunId, UnderWay>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lives a run through in a task of its own, unless that is done already.
    fn start(self: &Arc<Self>, run: StoredRun) {
        let id = run.asked.id;
        let mut under_way = self.lock();
        if under_way.get(&id).is_some_and(|known| !known.task.is_finished()) {
            return;
        }
        let now = if run.is_cancelled { Signal::Cancel } else { Signal::Go };
        let (signal, receiver) = watch::channel(now);
        let runs = self.clone();
        let (alive, life) = watch::channel(());
        let work = async move { runs.live(run, receiver).await };
        let clock = self.targets.services.clock.clone();
        let task = tokio::spawn(async move {
            let ((), _busy) = clock::working(clock, work).await;
            drop(alive);
        });
        under_way.retain(|_, known| !known.task.is_finished());
        under_way.insert(id, UnderWay { signal, life, task });
    }

    /// Lets every run rest where it is.
    pub(crate) async fn stop(&self) {
        let under_way: Vec<UnderWay> = self.lock().drain().map(|(_, known)| known).collect();
        for known in &under_way {
            known.signal.send_replace(Signal::Stop);
        }
        for known in under_way {
            if let Err(error) = known.task.await {
                tracing::error!(%error, "a run of an action ended badly");
            }
        }
    }

    async fn live(&self, run: StoredRun, signal: watch::Receiver<Signal>) {
        let id = run.asked.id;
        loop {
            match self.attempt(&run, signal.clone()).await {
                Ok(()) => return,
                Err(Halt::Stopped) => {
                    tracing::info!(run.id = %id, "a run rests until it is gone on with");
                    return;
                }
                Err(error) => {
                    tracing::error!(run.id = %id, error = %chain(&error), "a run cannot be written down; it is tried again");
                }
            }
            let clock = &self.targets.services.clock;
            let mut signal = signal.clone();
            tokio::select! {
                () = clock.sleep_until(clock.now() + REST) => {}
                _ = signal.wait_for(|signal| *signal == Signal::Stop) => return,
            }
        }
    }

    /// One life of a run. `Err` when it has no end of its own yet.
    async fn attempt(&self, run: &StoredRun, signal: watch::Receiver<Signal>) -> Result<(), Halt> {
        let services = &self.targets.services;
        let asked = &run.asked;
        let (document, input) = match self.input(run) {
            Ok(parts) => parts,
            Err(error) => return self.end(run, Err(Halt::fatal(error.to_string()))).await,
        };
        let (on, targets) = (document.on_record(), &self.targets);
        let found = targets.again(&asked.tenant, &asked.action, asked.connector, &on).await;
        let target = match found {
            Ok(target) => target,
            Err(EngineError::Catalog(error)) => return Err(Halt::Journal(Box::new(error))),
            Err(error) => return self.end(run, Err(Halt::fatal(error.to_string()))).await,
        };
        let journal = RunJournal {
            catalog: services.catalog.clone(),
            clock: services.clock.clone(),
            run: run.clone(),
            effect: target.spec.effect,
            patience: document.patience,
            signal,
        };
        let rights = target.rights(&services.budgets);
        let call =
            Call { action: &target.spec.name, input: &input, rights: &rights, journal: &journal };
        match target.performer.act(&call).await {
            Err(stop @ (Halt::Stopped | Halt::Journal(_))) => Err(stop),
            ended => self.end(run, ended).await,
        }
    }

    fn input(&self, run: &StoredRun) -> Result<(Document, Input), serde_json::Error> {
        let document: Document = serde_json::from_value(run.asked.document.clone())?;
        let input = match &run.asked.secret_input {
            Some(secret) => serde_json::from_str(secret.expose())?,
            None => document.input.clone(),
        };
        Ok((document, input))
    }

    /// Writes down how a run ended.
    async fn end(&self, run: &StoredRun, ended: Result<Outcome, Halt>) -> Result<(), Halt> {
        let services = &self.targets.services;
        let asked = &run.asked;
        let failed = |error: catalog::CatalogError| Halt::Journal(Box::new(error));
        let (state, outcome) = match ended {
            Ok(outcome) => (RunState::of(&outcome), outcome),
            Err(halt) => {
                let stored = services.catalog.run(&asked.tenant, asked.id).await.map_err(failed)?;
                let progress = stored.map(|stored| stored.progress).unwrap_or_default();
                halted(halt, serde_json::from_value(progress).unwrap_or_default())
            }
        };
        let at = services.clock.now();
        let mut learned = Vec::new();
        for about in outcome.enrichment.iter().filter(|_| !asked.is_dry_run) {
            for (name, property) in &about.properties {
                learned.push(EntityProperty {
                    tenant: asked.tenant.clone(),
                    kind: about.entity.kind,
                    value: about.entity.value.to_lowercase(),
                    name: name.clone(),
                    property: property.clone(),
                    is_suspicious: about.is_suspicious,
                    source: asked.action.clone(),
                    run: asked.id,
                    at,
                });
            }
        }
        // A test may hold or kill the process here: all is done at the vendor, and not yet said.
        if model::failpoint::hit("actions.step", "end") {
            return Err(Halt::Stopped);
        }
        let written =
            services.catalog.end_run(asked.id, state, &json!(outcome), &learned, at).await;
        written.map_err(failed)?;
        tracing::info!(run.id = %asked.id, action = asked.action, %state, "a run ended");
        Ok(())
    }
}

/// How a run stands that ends without an outcome of its own. What the vendor has taken on and nobody follows any
/// more is unknown.
fn halted(halt: Halt, progress: Progress) -> (RunState, Outcome) {
    let Progress { mut items, .. } = progress;
    let (mut state, message) = match halt {
        Halt::Fatal(message) => (RunState::Failed, message),
        _ => {
            let message = Text::new(
                "The run was stopped. What the vendor had accepted before goes on there.",
                "実行は停止されました。停止前にベンダーが受け付けた処理は、ベンダー側で継続します。",
            );
            (RunState::Cancelled, message)
        }
    };
    for item in items.iter_mut().filter(|item| item.state == ItemState::Accepted) {
        item.state = ItemState::Unknown;
        if state == RunState::Failed {
            state = RunState::Unknown;
        }
    }
    (state, Outcome { items, ..Outcome::said(false, message) })
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

impl App {
    /// Checks a wish, writes it down, and begins to fulfil it. The same wish under the same idempotency key is the
    /// same run.
    ///
    /// # Errors
    /// There is no such action or connector, the input cannot be taken, another wish came under this key, or
    /// the catalog cannot be written.
    pub async fn begin_run(&self, mut wish: Wish) -> Result<RunId, EngineError> {
        let targets = &self.runs.targets;
        let on = self.on_record(&mut wish).await?;
        let connector = wish.connector.as_deref();
        let target = targets.find(&wish.tenant, &wish.action, connector, &on).await?;
        let input =
            wish.input.checked(&target.spec).map_err(|error| refused(&wish.action, &error))?;
        let run = self.written(&wish, &target, input)?;
        let (id, tenant) = (run.id, run.tenant.clone());
        match self.services.catalog.begin_run(&run).await? {
            Begun::New => {}
            Begun::Known(known) => return Ok(known.asked.id),
            Begun::OtherWish(other) => {
                return Err(EngineError::Conflict {
                    problem: format!(
                        "the idempotency key belongs to the run {other}, which asks for something else"
                    ),
                    hint: "use a new key for every new wish".to_owned(),
                });
            }
        }
        let detail = json!({ "tenant": tenant, "run": id, "connector": run.connector_name, "dry_run": run.is_dry_run });
        self.audit(&run.actor, "action.run", &run.action, &detail).await;
        if let Some(stored) = self.services.catalog.run(&tenant, id).await? {
            self.runs.start(stored);
        }
        Ok(id)
    }

    /// What a responder runs on: its record is looked for now, for it may be gone when the run goes on.
    async fn on_record(&self, wish: &mut Wish) -> Result<OnRecord, EngineError> {
        let mut on = OnRecord { context: Value::Null, edited: wish.edited.clone() };
        let Some(name) = responder_name(&wish.action) else {
            if wish.edited.is_empty() {
                return Ok(on);
            }
            return Err(EngineError::Invalid {
                problem: format!("the request of `{}` cannot be edited", wish.action),
                hint: "only a responder's can".to_owned(),
            });
        };
        if let Some(context) = &wish.context {
            on.context.clone_from(context);
        } else if let Some(uid) = &wish.origin.record {
            let stored = self.runs.targets.responder(&wish.tenant, name).await?;
            let document = responders::opened(&stored)?;
            on.context = self.record_context(&wish.tenant, uid, &document).await?;
            wish.context = Some(on.context.clone());
        }
        Ok(on)
    }

    fn written(&self, wish: &Wish, target: &Target, input: Input) -> Result<NewRun, EngineError> {
        let patience = wish.patience(&target.spec)?;
        let masked = input.masked(&target.spec);
        let has_secrets = masked != input;
        if !has_secrets && json!(input).to_string().contains(MASK) {
            return Err(EngineError::Invalid {
                problem: "the input holds a masked secret".to_owned(),
                hint: "write the secret itself: the history does not keep it".to_owned(),
            });
        }
        let digest = wish.digest(&target.id.to_string(), &input);
        let integration = wish.action.split('.').next().unwrap_or_default();
        let reverse = target.spec.reverse.as_ref();
        let document = Document {
            input: masked,
            options: wish.options,
            origin: wish.origin.clone(),
            patience,
            reverse: reverse.map(|name| format!("{integration}.{name}")),
            context: wish.context.clone().unwrap_or_default(),
            edited: wish.edited.clone(),
        };
        let now = self.services.clock.now();
        Ok(NewRun {
            id: RunId::generate(),
            tenant: wish.tenant.clone(),
            action: wish.action.clone(),
            version: target.spec.version,
            connector: target.id,
            connector_name: target.name.clone(),
            document: json!(document),
            secret_input: has_secrets.then(|| Secret::new(json!(input).to_string())),
            is_dry_run: wish.is_dry_run,
            actor: wish.actor.clone(),
            idempotency_key: wish.idempotency_key.clone(),
            digest,
            reverse_of: wish.reverse_of,
            retry_of: wish.retry_of,
            created_at: now,
            due_at: now + patience.timeout,
        })
    }

    /// Goes on with every run that has not ended; answers which.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn resume_runs(&self) -> Result<Vec<(TenantId, RunId)>, EngineError> {
        let open = self.services.catalog.open_runs().await?;
        let ids = open.iter().map(|run| (run.asked.tenant.clone(), run.asked.id)).collect();
        for run in open {
            tracing::info!(run.id = %run.asked.id, action = run.asked.action, "going on with a run");
            self.runs.start(run);
        }
        Ok(ids)
    }

    /// Goes on with one run, unless it has ended or is under way here.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn resume_run(&self, tenant: &TenantId, id: RunId) -> Result<(), EngineError> {
        let stored = self.services.catalog.run(tenant, id).await?;
        if let Some(run) = stored.filter(|run| run.ended_at.is_none()) {
            self.runs.start(run);
        }
        Ok(())
    }

    /// Waits until a run of this process has ended or rests.
    pub async fn run_rests(&self, id: RunId) {
        let life = self.runs.lock().get(&id).map(|known| known.life.clone());
        if let Some(mut life) = life {
            // It never changes: the error is that it is closed.
            while life.changed().await.is_ok() {}
        }
    }

    /// Stops a run. What the vendor has accepted goes on there.
    ///
    /// # Errors
    /// There is no such run under way, or the catalog cannot be written.
    pub async fn cancel_run(
        &self,
        tenant: &TenantId,
        id: RunId,
        actor: &str,
    ) -> Result<(), EngineError> {
        if !self.services.catalog.cancel_run(tenant, id).await? {
            return Err(EngineError::NotFound {
                kind: "run under way",
                name: id.to_string(),
                tenant: tenant.to_string(),
            });
        }
        self.audit(actor, "action.cancel", &id.to_string(), &json!({ "tenant": tenant })).await;
        if let Some(known) = self.runs.lock().get(&id) {
            known.signal.send_replace(Signal::Cancel);
        }
        Ok(())
    }
}
