//! The action history: what every run was asked, what it sent, what came of it, and how to take it back.

pub use catalog::RunFilter;
use catalog::{StoredRun, StoredStep};
use model::action::{Input, Item, ItemState, Locale, Outcome, RunState, Text};
use model::ids::{RunId, TenantId};
use model::time::Timestamp;
use serde::Serialize;
use serde_json::Value;

use super::RESPONDER;
use super::runs::Progress;
use super::target::OnRecord;
use super::wish::{Document, Options, Wish};
use crate::app::App;
use crate::error::EngineError;

/// The last part of its time in which a run counts as expiring.
const EXPIRING: u32 = 10;

/// Who asks, and by what the same wish is known when it comes again.
#[derive(Debug, Clone)]
pub struct Asker<'a> {
    /// The name for the audit log.
    pub actor: &'a str,
    /// The key; none where the wish does not come again.
    pub idempotency_key: Option<String>,
}

impl<'a> Asker<'a> {
    /// Somebody who asks once.
    pub fn once(actor: &'a str) -> Self {
        Self { actor, idempotency_key: None }
    }
}

/// One run, for people and programs.
#[derive(Debug, Clone, Serialize)]
pub struct RunView {
    /// Its id.
    pub id: RunId,
    /// Whose.
    pub tenant: TenantId,
    /// What ran: `trend_micro_cas.mitigate_accounts`.
    pub action: String,
    /// The action's version.
    pub version: u32,
    /// The connector or responder.
    pub connector: String,
    /// Where it stands.
    pub state: RunState,
    /// Whether it succeeded; `null` while it is under way.
    pub is_success: Option<bool>,
    /// What the case wall shows.
    pub message: String,
    /// What became of each item.
    pub items: Value,
    /// What the vendor told.
    pub result: Value,
    /// The same for people.
    pub tables: Value,
    /// What was learned about entities.
    pub enrichment: Value,
    /// What was asked, secrets masked.
    pub input: Input,
    /// How patiently.
    pub options: Options,
    /// The record or whatever else it came from.
    pub origin: super::wish::Origin,
    /// Who asked.
    pub actor: String,
    /// Whether changes were only shown.
    pub dry_run: bool,
    /// By what the same wish is known when it comes again.
    pub idempotency_key: Option<String>,
    /// The action that takes it back, where there is one and something to take back.
    pub reverse: Option<String>,
    /// The run that it takes back.
    pub reverse_of: Option<RunId>,
    /// The run that it does again.
    pub retry_of: Option<RunId>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it gives up.
    pub due_at: Timestamp,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// What it sent, in the order of the first sending; only in the view of one run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<StepView>>,
}

/// One request of a run.
#[derive(Debug, Clone, Serialize)]
pub struct StepView {
    /// Its name.
    pub name: String,
    /// Whether it changes something at the vendor.
    pub is_change: bool,
    /// The same in every life of the run.
    pub idempotency_key: String,
    /// What is sent, secrets masked; `null` for what the run only remembered.
    pub request: Option<Value>,
    /// How often it was sent.
    pub sends: u64,
    /// Its attempts with their answers; of questions only the last.
    pub attempts: Vec<AttemptView>,
}

/// One sending of a request.
#[derive(Debug, Clone, Serialize)]
pub struct AttemptView {
    /// When it was sent.
    pub sent_at: Timestamp,
    /// When its end was known.
    pub ended_at: Option<Timestamp>,
    /// How it ended: `answered`, `not_taken`, `unanswered`, `found`, `unknown`; `null` while nobody knows.
    pub ending: Option<Value>,
}

impl App {
    /// One run with everything that it sent.
    ///
    /// # Errors
    /// There is none of this id in the tenant, or the catalog cannot be read.
    pub async fn action_run(
        &self,
        tenant: &TenantId,
        id: RunId,
        locale: Locale,
    ) -> Result<RunView, EngineError> {
        let stored = self.stored_run(tenant, id).await?;
        let steps = self.services.catalog.steps(id).await?;
        let mut view = self.view(&stored, locale)?;
        view.steps = Some(steps.into_iter().map(|step| step_view(id, step)).collect());
        Ok(view)
    }

    /// The runs that a filter finds, the newest first.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn action_runs(
        &self,
        filter: &RunFilter,
        locale: Locale,
    ) -> Result<Vec<RunView>, EngineError> {
        // That little is left of its time is no state that is written down.
        let is_expiring = filter.state == Some(RunState::Expiring);
        let state = if is_expiring { Some(RunState::InProgress) } else { filter.state };
        let stored = self.services.catalog.runs(&RunFilter { state, ..filter.clone() }).await?;
        let mut views =
            stored.iter().map(|run| self.view(run, locale)).collect::<Result<Vec<_>, _>>()?;
        views.retain(|view| !is_expiring || view.state == RunState::Expiring);
        Ok(views)
    }

    /// Takes back what a run did: the reverse action, on the items that it changed.
    ///
    /// # Errors
    /// There is no such run, it is under way, nothing of it can be taken back; or as [`App::begin_run`].
    pub async fn revert_run(
        &self,
        tenant: &TenantId,
        id: RunId,
        is_dry_run: bool,
        by: Asker<'_>,
    ) -> Result<RunId, EngineError> {
        let stored = self.stored_run(tenant, id).await?;
        let nothing = |hint: &str| EngineError::Conflict {
            problem: format!("the run {id} has nothing that can be taken back"),
            hint: hint.to_owned(),
        };
        if stored.ended_at.is_none() {
            return Err(nothing("wait until it has ended, or stop it"));
        }
        let document = document(&stored)?;
        let Some(reverse) = document.reverse else {
            return Err(nothing("its action has no reverse"));
        };
        let items = outcome(&stored).map(|outcome| outcome.items).unwrap_or_default();
        if !items.iter().any(is_changed) {
            return Err(nothing("it changed nothing"));
        }
        // A connector does both; a responder's reverse is a responder of its own.
        let connector =
            (!reverse.starts_with(RESPONDER)).then(|| stored.asked.connector.to_string());
        let targets = self.runs.targets();
        let on = OnRecord::default();
        let spec = targets.find(tenant, &reverse, connector.as_deref(), &on).await?.spec;
        let mut input = document.input;
        input.parameters.retain(|name, _| spec.parameter(name).is_some());
        narrow(&mut input, &items, is_changed, false);
        self.begin_run(Wish {
            tenant: tenant.clone(),
            action: reverse,
            connector,
            input,
            context: (!document.context.is_null()).then_some(document.context),
            origin: document.origin,
            is_dry_run,
            actor: by.actor.to_owned(),
            idempotency_key: by.idempotency_key,
            reverse_of: Some(id),
            ..Wish::default()
        })
        .await
    }

    /// Does a run again: as it was, only what did not succeed; or with another input.
    ///
    /// # Errors
    /// There is no such run, it is under way; or as [`App::begin_run`].
    pub async fn retry_run(
        &self,
        tenant: &TenantId,
        id: RunId,
        edited: Option<Input>,
        by: Asker<'_>,
    ) -> Result<RunId, EngineError> {
        let stored = self.stored_run(tenant, id).await?;
        if stored.ended_at.is_none() {
            return Err(EngineError::Conflict {
                problem: format!("the run {id} is under way"),
                hint: "wait until it has ended, or stop it".to_owned(),
            });
        }
        let document = document(&stored)?;
        let input = match edited {
            Some(edited) => edited,
            None => {
                let items = outcome(&stored).map(|outcome| outcome.items).unwrap_or_default();
                if !items.is_empty() && items.iter().all(|item| item.state.is_success()) {
                    return Err(EngineError::Conflict {
                        problem: format!("everything of the run {id} succeeded"),
                        hint: "say what shall be done instead: entities or parameters".to_owned(),
                    });
                }
                let mut input = document.input;
                narrow(&mut input, &items, |item| !item.state.is_success(), true);
                input
            }
        };
        self.begin_run(Wish {
            tenant: tenant.clone(),
            action: stored.asked.action.clone(),
            connector: Some(stored.asked.connector.to_string()),
            input,
            options: document.options,
            origin: document.origin,
            context: (!document.context.is_null()).then_some(document.context),
            edited: document.edited,
            is_dry_run: stored.asked.is_dry_run,
            actor: by.actor.to_owned(),
            idempotency_key: by.idempotency_key,
            retry_of: Some(id),
            ..Wish::default()
        })
        .await
    }

    async fn stored_run(&self, tenant: &TenantId, id: RunId) -> Result<StoredRun, EngineError> {
        let found = self.services.catalog.run(tenant, id).await?;
        found.ok_or_else(|| EngineError::NotFound {
            kind: "run",
            name: id.to_string(),
            tenant: tenant.to_string(),
        })
    }

    fn view(&self, run: &StoredRun, locale: Locale) -> Result<RunView, EngineError> {
        let document = document(run)?;
        let ended = outcome(run);
        let progress: Progress = serde_json::from_value(run.progress.clone()).unwrap_or_default();
        let (message, items) = match &ended {
            Some(outcome) => (&outcome.message, &outcome.items),
            None => (&progress.message, &progress.items),
        };
        let has_changed = !run.asked.is_dry_run
            && ended.iter().flat_map(|outcome| &outcome.items).any(is_changed);
        let told = |told: &dyn Fn(&Outcome) -> Value| ended.as_ref().map_or(Value::Null, told);
        Ok(RunView {
            id: run.asked.id,
            tenant: run.asked.tenant.clone(),
            action: run.asked.action.clone(),
            version: run.asked.version,
            connector: run.asked.connector_name.clone(),
            state: self.state(run),
            is_success: ended.as_ref().map(|outcome| outcome.is_success),
            message: message.of(locale).to_owned(),
            items: spoken(serde_json::json!(items), locale),
            result: told(&|outcome| outcome.result.clone()),
            tables: told(&|outcome| spoken(serde_json::json!(outcome.tables), locale)),
            enrichment: told(&|outcome| serde_json::json!(outcome.enrichment)),
            input: document.input,
            options: document.options,
            origin: document.origin,
            actor: run.asked.actor.clone(),
            dry_run: run.asked.is_dry_run,
            idempotency_key: run.asked.idempotency_key.clone(),
            reverse: document.reverse.filter(|_| has_changed),
            reverse_of: run.asked.reverse_of,
            retry_of: run.asked.retry_of,
            created_at: run.asked.created_at,
            due_at: run.asked.due_at,
            ended_at: run.ended_at,
            steps: None,
        })
    }

    /// Where a run stands now: what is left of its time counts too.
    fn state(&self, run: &StoredRun) -> RunState {
        let (due, created) = (run.asked.due_at, run.asked.created_at);
        let left = due.since(self.services.clock.now());
        match run.state {
            RunState::InProgress if left < due.since(created) / EXPIRING => RunState::Expiring,
            state => state,
        }
    }
}

/// Leaves in an input the items that are kept, among its entities and in its lists that name items; what is no
/// item stays when `else_kept` holds.
fn narrow(input: &mut Input, items: &[Item], kept: impl Fn(&Item) -> bool, else_kept: bool) {
    let is_kept = |item: Option<&Item>| item.map_or(else_kept, &kept);
    input.entities.retain(|entity| is_kept(items.iter().find(|item| item.entity.is_same(entity))));
    for value in input.parameters.values_mut() {
        let Value::Array(values) = value else { continue };
        let named = |value: &Value| {
            let text = value.as_str()?;
            items.iter().find(|item| item.entity.value.eq_ignore_ascii_case(text))
        };
        if values.iter().any(|value| named(value).is_some()) {
            values.retain(|value| is_kept(named(value)));
        }
    }
    input.parameters.retain(|_, value| *value != Value::Array(Vec::new()));
}

fn document(run: &StoredRun) -> Result<Document, EngineError> {
    serde_json::from_value(run.asked.document.clone()).map_err(|error| {
        EngineError::Catalog(catalog::CatalogError::Corrupt {
            what: format!("the run {} cannot be read", run.asked.id),
            source: Some(error.into()),
        })
    })
}

fn outcome(run: &StoredRun) -> Option<Outcome> {
    serde_json::from_value(run.outcome.clone()?).ok()
}

/// Whether the run itself made it so.
fn is_changed(item: &Item) -> bool {
    item.state == ItemState::Succeeded
}

fn step_view(run: RunId, step: StoredStep) -> StepView {
    StepView {
        idempotency_key: format!("{run}/{}", step.name),
        name: step.name,
        is_change: step.is_change,
        request: step.request,
        sends: step.sends,
        attempts: step
            .attempts
            .into_iter()
            .map(|attempt| AttemptView {
                sent_at: attempt.sent_at,
                ended_at: attempt.ended_at,
                ending: attempt.ending,
            })
            .collect(),
    }
}

/// The value with every text of two languages in one of them.
fn spoken(value: Value, locale: Locale) -> Value {
    match value {
        Value::Object(members) => {
            let is_text =
                members.len() == 2 && members.contains_key("en") && members.contains_key("ja");
            match serde_json::from_value::<Text>(Value::Object(members.clone())) {
                Ok(text) if is_text => Value::from(text.of(locale)),
                _ => {
                    members.into_iter().map(|(name, value)| (name, spoken(value, locale))).collect()
                }
            }
        }
        Value::Array(values) => values.into_iter().map(|value| spoken(value, locale)).collect(),
        other => other,
    }
}
