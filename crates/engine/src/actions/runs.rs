//! The runs of this process: begun, lived through to their end, gone on with after a crash.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use catalog::{Begun, CatalogError, EntityProperty, NewRun, StoredRun, StoredStep};
use model::action::journal::Ending;
use model::action::spec::{ActionParameter, ActionParameterKind};
use model::action::{Call, Entity, Halt, Input, Item, ItemState, Outcome, RunState, Text};
use model::causes::chain;
use model::clock;
use model::ids::{RunId, TenantId};
use model::secret::{MASK, Secret};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};

use super::journal::{RunJournal, Signal};
use super::responders;
use super::target::{Interruption, OnRecord, Target, Targets, responder_name};
use super::wish::{Document, Wish, refused};
use crate::app::App;
use crate::error::EngineError;

/// How long a run rests when its journal cannot be written.
const REST: Duration = Duration::from_secs(5);

/// The runs under way in this process.
pub(crate) struct Runs {
    targets: Targets,
    under_way: Mutex<HashMap<RunId, UnderWay>>,
    /// Whether this process begins nothing any more.
    is_stopped: AtomicBool,
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
        Arc::new(Self { targets, under_way: Mutex::default(), is_stopped: AtomicBool::new(false) })
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
        // Written down, so the next process goes on with it.
        if self.is_stopped.load(Ordering::Relaxed) {
            return;
        }
        if under_way.get(&id).is_some_and(|known| !known.task.is_finished()) {
            return;
        }
        let now = if run.is_cancelled { Signal::Cancel } else { Signal::Go };
        let (signal, receiver) = watch::channel(now);
        let runs = self.clone();
        let (alive, life) = watch::channel(());
        let asked = run.clone();
        let lived = runs.clone();
        let work = async move { lived.live(asked, receiver).await };
        let clock = self.targets.services.clock.clone();
        let task = tokio::spawn(async move {
            if let Err(error) = tokio::spawn(clock::working(clock, work)).await {
                runs.broken(&run, &error).await;
            }
            drop(alive);
        });
        under_way.retain(|_, known| !known.task.is_finished());
        under_way.insert(id, UnderWay { signal, life, task });
    }

    /// Lets every run rest where it is.
    pub(crate) async fn stop(&self) {
        let under_way: Vec<UnderWay> = {
            let mut under_way = self.lock();
            self.is_stopped.store(true, Ordering::Relaxed);
            under_way.drain().map(|(_, known)| known).collect()
        };
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

    /// Ends a run whose action came to grief: open, it would look as if somebody were at it.
    async fn broken(&self, run: &StoredRun, error: &JoinError) {
        tracing::error!(run.id = %run.asked.id, action = run.asked.action, %error, "an action broke");
        let reason = Text::new(
            "the action broke inside Tarn: look at the vendor, and report it with the log",
            "アクションの実行中に内部エラーが発生しました。ベンダー側の状態を確認し、ログを添えて報告してください",
        );
        if let Err(error) = self.end(run, Err(Halt::Fatal(reason))).await {
            tracing::error!(run.id = %run.asked.id, error = %chain(&error), "the next start goes on with it");
        }
    }

    /// One life of a run. `Err` when it has no end of its own yet.
    async fn attempt(&self, run: &StoredRun, signal: watch::Receiver<Signal>) -> Result<(), Halt> {
        let services = &self.targets.services;
        // As it is now: it may have ended, or somebody may have stopped it, since it was read.
        let (tenant, id) = (&run.asked.tenant, run.asked.id);
        let stored = services.catalog.run(tenant, id).await.map_err(journal_failed)?;
        let Some(run) = stored.as_ref().filter(|run| run.ended_at.is_none()) else {
            return Ok(());
        };
        let asked = &run.asked;
        let begun = services.catalog.run_progress(id, RunState::InProgress, &run.progress);
        begun.await.map_err(journal_failed)?;
        if run.is_cancelled {
            return self.end(run, Err(Halt::Cancelled)).await;
        }
        let (document, input) = match self.input(run) {
            Ok(parts) => parts,
            Err(error) => return self.end(run, Err(Halt::fatal(error.to_string()))).await,
        };
        let (on, targets) = (document.on_record(), &self.targets);
        let found = targets.again(&asked.tenant, &asked.action, asked.connector, &on).await;
        let target = match found {
            Ok(target) => target,
            Err(EngineError::Catalog(error)) if is_passing(&error) => {
                return Err(journal_failed(error));
            }
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
        let interruption = Interruption {
            signal: journal.signal.clone(),
            clock: services.clock.clone(),
            due: asked.due_at,
        };
        let rights = target.rights(&services.budgets, &interruption);
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
        let (state, outcome) = match ended {
            Ok(outcome) => (RunState::of(&outcome), outcome),
            Err(halt) => {
                let catalog = &services.catalog;
                let stored = catalog.run(&asked.tenant, asked.id).await.map_err(journal_failed)?;
                let steps = catalog.steps(asked.id).await.map_err(journal_failed)?;
                let progress = stored.map(|stored| stored.progress).unwrap_or_default();
                halted(halt, serde_json::from_value(progress).unwrap_or_default(), &steps)
            }
        };
        let at = services.clock.now();
        let mut learned = Vec::new();
        for about in outcome.enrichment.iter().filter(|_| !asked.is_dry_run) {
            for (name, property) in &about.properties {
                learned.push(EntityProperty {
                    tenant: asked.tenant.clone(),
                    kind: about.entity.kind,
                    value: about.entity.compared(),
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
        written.map_err(journal_failed)?;
        tracing::info!(run.id = %asked.id, action = asked.action, %state, "a run ended");
        Ok(())
    }
}

/// How a run stands that ends without an outcome of its own. What was sent and may have been taken, and nobody
/// follows any more, is unknown, whatever the run itself knew of it.
fn halted(halt: Halt, progress: Progress, steps: &[StoredStep]) -> (RunState, Outcome) {
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
    let sent: Vec<Entity> =
        steps.iter().filter(|step| may_be_taken(step)).flat_map(targets_of).collect();
    for entity in &sent {
        if !items.iter().any(|item| item.entity.is_same(entity)) {
            items.push(Item::new(entity.clone(), ItemState::Accepted));
        }
    }
    for item in &mut items {
        let is_sent = sent.iter().any(|entity| entity.is_same(&item.entity));
        if item.state == ItemState::Accepted || item.state == ItemState::Pending && is_sent {
            item.state = ItemState::Unknown;
            if state == RunState::Failed {
                state = RunState::Unknown;
            }
        }
    }
    (state, Outcome { items, ..Outcome::said(false, message) })
}

/// Whether a change was sent and not certainly refused.
fn may_be_taken(step: &StoredStep) -> bool {
    if !step.is_change || step.sends == 0 {
        return false;
    }
    let ending = step.ending.clone().map(serde_json::from_value::<Ending>);
    match ending {
        Some(Ok(Ending::NotTaken { .. })) => false,
        Some(Ok(Ending::Answered { answer })) => (200..300).contains(&answer.status),
        _ => true,
    }
}

/// What a step was sent for.
fn targets_of(step: &StoredStep) -> Vec<Entity> {
    let targets = step.request.as_ref().map(|request| request["targets"].clone());
    targets.and_then(|targets| serde_json::from_value(targets).ok()).unwrap_or_default()
}

fn journal_failed(error: CatalogError) -> Halt {
    Halt::Journal(Box::new(error))
}

/// Whether the catalog may work again a little later.
fn is_passing(error: &CatalogError) -> bool {
    matches!(error.kind(), catalog::ErrorKind::Unavailable | catalog::ErrorKind::DiskFull)
}

fn other_wish(other: RunId) -> EngineError {
    EngineError::Conflict {
        problem: format!(
            "the idempotency key belongs to the run {other}, which asks for something else"
        ),
        hint: "use a new key for every new wish".to_owned(),
    }
}

impl App {
    /// Checks a wish, writes it down, and begins to fulfil it. The same wish under the same idempotency key is the
    /// same run.
    ///
    /// # Errors
    /// There is no such action or connector, the input cannot be taken, another wish came under this key, or
    /// the catalog cannot be written.
    pub async fn begin_run(&self, mut wish: Wish) -> Result<RunId, EngineError> {
        let digest = self.services.catalog.key_fingerprint("runs", &wish.text()).to_string();
        if let Some(known) = self.known_run(&wish, &digest).await? {
            return Ok(known);
        }
        let targets = &self.runs.targets;
        let on = self.on_record(&mut wish).await?;
        let connector = wish.connector.as_deref();
        let target = targets.find(&wish.tenant, &wish.action, connector, &on).await?;
        let input =
            wish.input.checked(&target.spec).map_err(|error| refused(&wish.action, &error))?;
        let run = self.written(&wish, &target, input, digest)?;
        let (id, tenant) = (run.id, run.tenant.clone());
        match self.services.catalog.begin_run(&run).await? {
            Begun::New => {}
            Begun::Known(known) => return Ok(self.gone_on_with(*known)),
            Begun::OtherWish(other) => return Err(other_wish(other)),
        }
        let detail = json!({ "tenant": tenant, "run": id, "connector": run.connector_name, "dry_run": run.is_dry_run });
        self.audit(&run.actor, "action.run", &run.action, &detail).await;
        // Started without being read again: what is written down is begun, whatever the catalog does now.
        self.runs.start(StoredRun {
            asked: run,
            state: RunState::Waiting,
            is_cancelled: false,
            progress: json!({}),
            outcome: None,
            ended_at: None,
        });
        Ok(id)
    }

    /// The run that the same wish under the same key became before; it is gone on with, should it rest.
    async fn known_run(&self, wish: &Wish, digest: &str) -> Result<Option<RunId>, EngineError> {
        let Some(key) = &wish.idempotency_key else { return Ok(None) };
        match self.services.catalog.run_by_key(&wish.tenant, key).await? {
            None => Ok(None),
            Some(known) if known.asked.digest == digest => Ok(Some(self.gone_on_with(known))),
            Some(other) => Err(other_wish(other.asked.id)),
        }
    }

    fn gone_on_with(&self, known: StoredRun) -> RunId {
        let id = known.asked.id;
        if known.ended_at.is_none() {
            self.runs.start(known);
        }
        id
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

    fn written(
        &self,
        wish: &Wish,
        target: &Target,
        input: Input,
        digest: String,
    ) -> Result<NewRun, EngineError> {
        let patience = wish.patience(&target.spec)?;
        let masked = input.masked(&target.spec);
        let has_secrets = masked != input;
        let is_mask = |parameter: &ActionParameter| {
            parameter.kind == ActionParameterKind::Secret && input.text(&parameter.name) == MASK
        };
        if let Some(parameter) = target.spec.parameters.iter().find(|known| is_mask(known)) {
            return Err(EngineError::Invalid {
                problem: format!("`parameters.{}` is masked", parameter.name),
                hint: "write the secret itself: the history does not keep it".to_owned(),
            });
        }
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
        let mut ids = Vec::new();
        for run in self.services.catalog.open_runs().await? {
            match run {
                Ok(run) => {
                    let NewRun { id, tenant, action, .. } = &run.asked;
                    tracing::info!(run.id = %id, action, "going on with a run");
                    ids.push((tenant.clone(), *id));
                    self.runs.start(run);
                }
                Err(error) => {
                    tracing::error!(error = %chain(&error), "a run cannot be read, and is not gone on with");
                }
            }
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
