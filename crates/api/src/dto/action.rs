//! Actions, their runs and what guards entities from them, as people ask for them and see them.

use std::time::Duration;

use engine::actions::ActionView;
use engine::actions::guard::{Cap as EngineCap, ProtectedEntity as EngineProtected};
use engine::actions::history::{AttemptView, RunView, StepView};
use engine::actions::wish::{Options as EngineOptions, Origin as EngineOrigin, Wish};
use model::action::{Entity as ModelEntity, EntityKind, Input, RunState};
use model::ids::TenantId;
use model::manifest::duration_text;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::responder::Edited as EditedRequest;
use crate::problem::Problem;

/// A typed thing.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entity {
    /// What it is: `url`, `domain`, `ip`, `hash`, `email_address`, `email_subject`, `message_id`, `file_name`, `host`,
    /// `user`, `aws_principal` or `alert`.
    #[serde(rename = "type")]
    #[schema(example = "email_address")]
    pub(crate) kind: String,
    /// Which one.
    #[schema(example = "mina@corp.example")]
    pub(crate) value: String,
}

impl TryFrom<Entity> for ModelEntity {
    type Error = Problem;

    fn try_from(entity: Entity) -> Result<Self, Problem> {
        let kind: EntityKind =
            entity.kind.parse().map_err(|error| Problem::invalid(format!("`type`: {error}")))?;
        Ok(Self::new(kind, entity.value))
    }
}

/// How patiently a run waits; what is left out is the action's own.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Options {
    /// Between two questions whether the vendor is done.
    #[schema(example = "10s")]
    poll: Option<String>,
    /// After a request without an answer, until the vendor is believed that it knows nothing of it.
    #[schema(example = "30s")]
    settle: Option<String>,
    /// Until the run gives up; at most 14 days.
    #[schema(example = "24h")]
    timeout: Option<String>,
}

impl TryFrom<Options> for EngineOptions {
    type Error = Problem;

    fn try_from(options: Options) -> Result<Self, Problem> {
        let span = |name: &str, text: Option<String>| -> Result<Option<Duration>, Problem> {
            let parsed = text.map(|text| duration_text::parse(&text)).transpose();
            parsed.map_err(|error| Problem::invalid(format!("`options.{name}`: {error}")))
        };
        Ok(Self {
            poll: span("poll", options.poll)?,
            settle: span("settle", options.settle)?,
            timeout: span("timeout", options.timeout)?,
        })
    }
}

/// Where a run comes from.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Origin {
    /// The uid of the record that it was started from.
    record: Option<String>,
    /// Anything else that shall be remembered: a ticket, an alert.
    note: Option<String>,
}

/// What shall be run.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRun {
    /// The connector's name; may be left out where one fits only.
    connector: Option<String>,
    /// What it shall work on.
    #[serde(default)]
    entities: Vec<Entity>,
    /// Its parameters by name.
    #[serde(default)]
    #[schema(value_type = Object)]
    parameters: Map<String, Value>,
    /// How patiently.
    #[serde(default)]
    options: Options,
    /// Where it comes from.
    #[serde(default)]
    origin: Origin,
    /// Only show what would be changed.
    #[serde(default)]
    dry_run: bool,
    /// What is changed about a responder's request.
    #[serde(default)]
    edited: EditedRequest,
}

impl NewRun {
    /// Whether a responder's request is changed.
    pub(crate) fn is_edited(&self) -> bool {
        !self.edited.is_empty()
    }

    /// The wish in the engine's words.
    pub(crate) fn wish(
        self,
        tenant: &TenantId,
        action: String,
        actor: &str,
        idempotency_key: Option<String>,
    ) -> Result<Wish, Problem> {
        Ok(Wish {
            tenant: tenant.clone(),
            action,
            connector: self.connector,
            input: input(self.entities, self.parameters)?,
            options: self.options.try_into()?,
            origin: EngineOrigin { record: self.origin.record, note: self.origin.note },
            is_dry_run: self.dry_run,
            edited: self.edited.into(),
            actor: actor.to_owned(),
            idempotency_key,
            ..Wish::default()
        })
    }
}

/// What a run shall do differently when it is done again. Everything may be left out, and so may the body.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Edited {
    /// What it shall work on; what did not succeed before when both are left out.
    entities: Option<Vec<Entity>>,
    /// Its parameters by name.
    #[schema(value_type = Option<Object>)]
    parameters: Option<Map<String, Value>>,
}

impl Edited {
    /// The edited input, if anything was edited.
    pub(crate) fn input(self) -> Result<Option<Input>, Problem> {
        if self.entities.is_none() && self.parameters.is_none() {
            return Ok(None);
        }
        input(self.entities.unwrap_or_default(), self.parameters.unwrap_or_default()).map(Some)
    }
}

/// How a run shall be taken back.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Revert {
    /// Only show what would be changed.
    #[serde(default)]
    pub(crate) dry_run: bool,
}

fn input(entities: Vec<Entity>, parameters: Map<String, Value>) -> Result<Input, Problem> {
    let entities = entities.into_iter().map(ModelEntity::try_from).collect::<Result<_, _>>()?;
    Ok(Input { entities, parameters })
}

/// Which runs are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunParameters {
    /// Those of this action: `trend_micro_cas.mitigate_accounts`.
    pub(crate) action: Option<String>,
    /// Those of webhook responders.
    pub(crate) webhooks: Option<bool>,
    /// Those that stand here: `waiting`, `in_progress`, `succeeded`, `partial`, `failed`, `unknown`, `expired`,
    /// `cancelled` or `planned`.
    pub(crate) state: Option<String>,
    /// Those that were to change this value.
    pub(crate) target: Option<String>,
    /// The most items that the page may have, from 1 to 1000; 100 unless told otherwise.
    #[param(minimum = 1, maximum = 1000)]
    pub(crate) limit: Option<u32>,
    /// `next` of the page before.
    pub(crate) cursor: Option<String>,
}

impl RunParameters {
    /// The state, read.
    pub(crate) fn state(&self) -> Result<Option<RunState>, Problem> {
        let state = self.state.as_deref().map(str::parse).transpose();
        state.map_err(|error| Problem::invalid(format!("`state`: {error}")))
    }
}

/// An action that can be run.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Action {
    /// What it is called everywhere: `trend_micro_cas.mitigate_accounts`.
    action: String,
    /// Its integration's title.
    integration: String,
    /// Its version.
    version: u32,
    /// For people, in both languages.
    #[schema(value_type = Object)]
    title: Value,
    /// What it does, in both languages.
    #[schema(value_type = Object)]
    help: Value,
    /// What it does to the world: `reads`, `writes`, `contains` or `restores`.
    #[schema(value_type = String)]
    effect: Value,
    /// The kinds of entities that it runs on.
    entities: Vec<String>,
    /// JSON Schema of what a run takes.
    #[schema(value_type = Object)]
    input_schema: Value,
    /// JSON Schema of its JSON result; null where it has none.
    #[schema(value_type = Object)]
    result_schema: Value,
    /// The action that takes it back.
    reverse: Option<String>,
    /// The rights that the key needs.
    permissions: Vec<String>,
    /// The connectors of the tenant that it can run with.
    connectors: Vec<String>,
}

impl From<ActionView> for Action {
    fn from(view: ActionView) -> Self {
        let spec = view.spec;
        let integration = view.action.split('.').next().unwrap_or_default().to_owned();
        Self {
            reverse: spec.reverse.map(|name| format!("{integration}.{name}")),
            action: view.action,
            integration: view.integration,
            version: spec.version,
            title: serde_json::json!(spec.title),
            help: serde_json::json!(spec.help),
            effect: serde_json::json!(spec.effect),
            entities: spec.entities.iter().map(ToString::to_string).collect(),
            input_schema: view.input_schema,
            result_schema: spec.result,
            permissions: spec.permissions,
            connectors: view.connectors,
        }
    }
}

/// One run of an action: what was asked, where it stands, what came of it, and what it sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Run {
    /// Its id.
    #[schema(value_type = String)]
    id: model::ids::RunId,
    /// The owner.
    #[schema(value_type = String)]
    tenant: TenantId,
    /// What ran.
    action: String,
    /// The action's version.
    version: u32,
    /// The connector or responder.
    connector: String,
    /// `waiting`, `in_progress`, `expiring`, `succeeded`, `partial`, `failed`, `unknown`, `expired`, `cancelled` or
    /// `planned`.
    #[schema(value_type = String)]
    state: RunState,
    /// Whether it succeeded; null while it is under way.
    is_success: Option<bool>,
    /// What the case wall shows, in the language of `Accept-Language`.
    message: String,
    /// What became of each item.
    #[schema(value_type = Vec<Object>)]
    items: Value,
    /// What the vendor told, in the shape that the action declares.
    #[schema(value_type = Object)]
    result: Value,
    /// The same for people.
    #[schema(value_type = Vec<Object>)]
    tables: Value,
    /// What was learned about entities.
    #[schema(value_type = Vec<Object>)]
    enrichment: Value,
    /// What was asked, secrets masked.
    #[schema(value_type = Object)]
    input: Input,
    /// How patiently.
    #[schema(value_type = Object)]
    options: EngineOptions,
    /// Where it came from.
    #[schema(value_type = Object)]
    origin: EngineOrigin,
    /// Who asked.
    actor: String,
    /// Whether changes were only shown.
    dry_run: bool,
    /// By what the same wish is known when it comes again.
    idempotency_key: Option<String>,
    /// The action that takes it back, where there is something to take back.
    reverse: Option<String>,
    /// The run that it takes back.
    #[schema(value_type = Option<String>)]
    reverse_of: Option<model::ids::RunId>,
    /// The run that it does again.
    #[schema(value_type = Option<String>)]
    retry_of: Option<model::ids::RunId>,
    /// When it was asked for.
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// When it gives up.
    #[schema(value_type = String, format = DateTime)]
    due_at: Timestamp,
    /// When it ended.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// What it sent, in the order of the first sending; only in the view of one run.
    #[serde(skip_serializing_if = "Option::is_none")]
    steps: Option<Vec<Step>>,
}

/// One request of a run.
#[derive(Debug, Serialize, ToSchema)]
struct Step {
    /// Its name.
    name: String,
    /// Whether it changes something at the vendor.
    is_change: bool,
    /// The same in every life of the run.
    idempotency_key: String,
    /// What is sent, secrets masked; null for what the run only remembered.
    #[schema(value_type = Option<Object>)]
    request: Option<Value>,
    /// How often it was sent.
    sends: u64,
    /// Its attempts; of questions only the last.
    attempts: Vec<Attempt>,
}

/// One sending of a request.
#[derive(Debug, Serialize, ToSchema)]
struct Attempt {
    /// When it was sent.
    #[schema(value_type = String, format = DateTime)]
    sent_at: Timestamp,
    /// When its end was known.
    #[schema(value_type = Option<String>, format = DateTime)]
    ended_at: Option<Timestamp>,
    /// How it ended: its `kind` is `answered`, `not_taken`, `unanswered`, `found` or `unknown`. Null while nobody knows.
    #[schema(value_type = Option<Object>)]
    ending: Option<Value>,
}

impl From<RunView> for Run {
    fn from(view: RunView) -> Self {
        Self {
            id: view.id,
            tenant: view.tenant,
            action: view.action,
            version: view.version,
            connector: view.connector,
            state: view.state,
            is_success: view.is_success,
            message: view.message,
            items: view.items,
            result: view.result,
            tables: view.tables,
            enrichment: view.enrichment,
            input: view.input,
            options: view.options,
            origin: view.origin,
            actor: view.actor,
            dry_run: view.dry_run,
            idempotency_key: view.idempotency_key,
            reverse: view.reverse,
            reverse_of: view.reverse_of,
            retry_of: view.retry_of,
            created_at: view.created_at,
            due_at: view.due_at,
            ended_at: view.ended_at,
            steps: view.steps.map(|steps| steps.into_iter().map(Step::from).collect()),
        }
    }
}

impl From<StepView> for Step {
    fn from(view: StepView) -> Self {
        Self {
            name: view.name,
            is_change: view.is_change,
            idempotency_key: view.idempotency_key,
            request: view.request,
            sends: view.sends,
            attempts: view.attempts.into_iter().map(Attempt::from).collect(),
        }
    }
}

impl From<AttemptView> for Attempt {
    fn from(view: AttemptView) -> Self {
        Self { sent_at: view.sent_at, ended_at: view.ended_at, ending: view.ending }
    }
}

/// Something that no action may take away.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Protection {
    /// Its kind, as of an entity.
    #[serde(rename = "type")]
    #[schema(example = "email_address")]
    pub(crate) kind: String,
    /// Its value; `*` stands for any characters, and case does not matter.
    #[schema(example = "*@board.example")]
    pub(crate) pattern: String,
    /// Why.
    #[serde(default)]
    pub(crate) reason: String,
}

impl From<EngineProtected> for Protection {
    fn from(known: EngineProtected) -> Self {
        Self { kind: known.kind.to_string(), pattern: known.pattern, reason: known.reason }
    }
}

/// How many things an action may take away in an hour.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cap {
    /// The action.
    #[schema(example = "trend_vision_one.isolate_endpoint")]
    pub(crate) action: String,
    /// How many.
    pub(crate) per_hour: u32,
}

impl From<EngineCap> for Cap {
    fn from(known: EngineCap) -> Self {
        Self { action: known.action, per_hour: known.per_hour }
    }
}

/// Which entity is meant.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EntityParameters {
    /// Its kind.
    #[serde(rename = "type")]
    #[param(rename = "type")]
    pub(crate) kind: String,
    /// Its value.
    pub(crate) value: String,
}

impl TryFrom<EntityParameters> for ModelEntity {
    type Error = Problem;

    fn try_from(asked: EntityParameters) -> Result<Self, Problem> {
        Entity { kind: asked.kind, value: asked.value }.try_into()
    }
}

/// Something that an action learned about an entity.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Property {
    /// Its name: `TMCAS_blocked`.
    pub(crate) name: String,
    /// Its value.
    pub(crate) value: String,
    /// Whether it makes the entity suspicious.
    pub(crate) is_suspicious: bool,
    /// The action that learned it.
    pub(crate) source: String,
    /// The run that learned it.
    #[schema(value_type = String)]
    pub(crate) run: model::ids::RunId,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) at: Timestamp,
}
