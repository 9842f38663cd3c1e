//! Actions themselves: listed, shown, run.

use std::time::Duration;

use anyhow::Result;
use clap::Args;
use engine::actions::responders::EditedRequest;
use engine::actions::wish::{Options, Origin, Wish};
use engine::actions::{ActionView, RESPONDER};
use engine::clock::SystemClock;
use model::action::Input;
use model::clock::Clock as _;
use model::ids::RunId;
use model::manifest::duration_text;
use serde_json::{Value, json};

use super::asked::{self, Asked, Told};
use crate::commands::responder::edited;
use crate::config::Config;
use crate::error::{Failure, Outcome};
use crate::output::{self, Column, Format, column};
use crate::remote::Remote;
use crate::target::{ACTOR, Target};

/// How often a server is asked whether a run has ended.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const COLUMNS: [Column; 5] = [
    column("ACTION", "action"),
    column("TITLE", "title"),
    column("EFFECT", "effect"),
    column("WORKS ON", "works_on"),
    column("CONNECTORS", "connectors"),
];

/// Flags of `list`.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    told: Told,
}

/// Flags of `show`.
#[derive(Debug, Args)]
pub(crate) struct ShowArguments {
    /// The action, such as trend_micro_cas.mitigate_accounts
    #[arg(value_name = "ACTION")]
    action: String,
}

/// Flags of `run`.
#[derive(Debug, Args)]
pub(crate) struct RunArguments {
    /// The action, such as trend_micro_cas.mitigate_accounts
    #[arg(value_name = "ACTION")]
    action: String,
    /// The connector that it runs with; may be left out where one fits only
    #[arg(long, value_name = "NAME")]
    connector: Option<String>,
    #[command(flatten)]
    asked: Asked,
    /// Show every request that would change something, and send none of them
    #[arg(long)]
    dry_run: bool,
    /// By what the same wish is known when it comes again
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// The uid of the record that it comes from
    #[arg(long, value_name = "UID")]
    record: Option<String>,
    /// Anything that shall be remembered with the run
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Changes of a responder's request, as JSON with `path`, `query`, `body`
    #[arg(long, value_name = "JSON", value_parser = edited)]
    edit: Option<EditedRequest>,
    #[command(flatten)]
    patience: Patience,
    /// Do not wait for the end; only with a server, which goes on with it
    #[arg(long)]
    no_wait: bool,
    #[command(flatten)]
    told: Told,
}

impl RunArguments {
    /// The same for a responder, which is named without the word before it.
    pub(crate) fn of_responder(mut self) -> Self {
        self.action = format!("{RESPONDER}.{}", self.action);
        self
    }
}

/// How patiently a run waits.
#[derive(Debug, Args)]
struct Patience {
    /// Between two questions whether the vendor is done [default: the action's]
    #[arg(long, value_name = "SPAN", value_parser = duration_text::parse)]
    poll: Option<Duration>,
    /// After a request without an answer, until the vendor is believed that it has none [default: 30s]
    #[arg(long, value_name = "SPAN", value_parser = duration_text::parse)]
    settle: Option<Duration>,
    /// Until the run gives up [default: the action's]
    #[arg(long, value_name = "SPAN", value_parser = duration_text::parse)]
    timeout: Option<Duration>,
}

pub(super) async fn list(config: &Config, arguments: ListArguments) -> Result<Outcome> {
    let language = arguments.told.language();
    let mut actions = actions(config).await?;
    for action in &mut actions {
        let works_on = if action["entities"] == json!([]) { "parameters" } else { "" };
        let kinds = action["entities"].as_array().cloned().unwrap_or_default();
        let kinds: Vec<_> = kinds.iter().filter_map(Value::as_str).collect();
        action["works_on"] = json!(format!("{works_on}{}", kinds.join(", ")));
        if arguments.told.format == Format::Table {
            let title = action["title"][language].take();
            action["title"] = title;
            let names = action["connectors"].as_array().cloned().unwrap_or_default();
            let names: Vec<_> = names.iter().filter_map(Value::as_str).collect();
            action["connectors"] = json!(names.join(", "));
        }
    }
    output::list(arguments.told.format, &COLUMNS, &actions)?;
    Ok(Outcome::Done)
}

pub(super) async fn show(config: &Config, arguments: ShowArguments) -> Result<Outcome> {
    let actions = actions(config).await?;
    let Some(action) = actions.iter().find(|action| action["action"] == arguments.action) else {
        return Err(Failure::new(format!("no action `{}`", arguments.action))
            .hint("`tarn action list` shows the names")
            .into());
    };
    output::object(Format::Json, &COLUMNS, action)?;
    Ok(Outcome::Done)
}

async fn actions(config: &Config) -> Result<Vec<Value>> {
    let target = Target::open(config).await?;
    let actions = match &target {
        Target::Local(local) => match local.app.actions(&config.tenant).await {
            Ok(actions) => Ok(actions.iter().map(action_json).collect()),
            Err(error) => Err(error.into()),
        },
        Target::Remote(remote) => remote.list_whole(&["actions"], &[]).await,
    };
    target.close().await;
    actions
}

/// An action as the API words it.
fn action_json(view: &ActionView) -> Value {
    let spec = &view.spec;
    let integration = view.action.split('.').next().unwrap_or_default();
    json!({
        "action": view.action,
        "integration": view.integration,
        "version": spec.version,
        "title": spec.title,
        "help": spec.help,
        "effect": spec.effect,
        "entities": spec.entities,
        "input_schema": view.input_schema,
        "result_schema": spec.result,
        "reverse": spec.reverse.as_ref().map(|name| format!("{integration}.{name}")),
        "permissions": spec.permissions,
        "connectors": view.connectors,
    })
}

/// Runs an action.
///
/// # Errors
/// It cannot be begun.
pub(crate) async fn run(config: &Config, arguments: RunArguments) -> Result<Outcome> {
    let told = arguments.told;
    let no_wait = arguments.no_wait;
    let target = Target::open(config).await?;
    let ended = match &target {
        Target::Local(_) if no_wait => Err(Failure::usage("nobody would go on with the run")
            .hint("leave `--no-wait` out, or give `--server`")
            .into()),
        Target::Local(local) => {
            let wish = wish(config, arguments);
            match local.app.begin_run(wish).await {
                Ok(id) => finished(config, local, id, told).await,
                Err(error) => Err(error.into()),
            }
        }
        Target::Remote(remote) => begun(remote, arguments).await,
    };
    target.close().await;
    let outcome = asked::print(told, &ended?)?;
    Ok(if no_wait { Outcome::Done } else { outcome })
}

fn wish(config: &Config, arguments: RunArguments) -> Wish {
    Wish {
        tenant: config.tenant.clone(),
        action: arguments.action,
        connector: arguments.connector,
        input: arguments.asked.input(),
        options: Options {
            poll: arguments.patience.poll,
            settle: arguments.patience.settle,
            timeout: arguments.patience.timeout,
        },
        origin: Origin { record: arguments.record, note: arguments.note },
        is_dry_run: arguments.dry_run,
        actor: ACTOR.to_owned(),
        idempotency_key: arguments.key,
        edited: arguments.edit.unwrap_or_default(),
        ..Wish::default()
    }
}

/// Waits for the end of a run of this process; when somebody interrupts, it rests, and the next process goes on with it.
pub(super) async fn finished(
    config: &Config,
    local: &crate::wiring::Local,
    id: RunId,
    told: Told,
) -> Result<Value> {
    tokio::select! {
        () = local.app.run_rests(id) => {}
        _ = crate::shutdown::asked() => {
            output::note("interrupted: the run goes on with `tarn serve` or `tarn action resume`");
        }
    }
    let run = local.app.action_run(&config.tenant, id, told.locale()).await?;
    Ok(serde_json::to_value(run)?)
}

async fn begun(remote: &Remote, arguments: RunArguments) -> Result<Value> {
    let span = |span: Option<Duration>| span.map(duration_text::format);
    let Input { entities, parameters } = arguments.asked.input();
    let mut body = json!({
        "connector": arguments.connector, "entities": entities, "parameters": parameters,
        "options": {
            "poll": span(arguments.patience.poll), "settle": span(arguments.patience.settle),
            "timeout": span(arguments.patience.timeout),
        },
        "origin": { "record": arguments.record, "note": arguments.note },
        "dry_run": arguments.dry_run,
        "edited": arguments.edit,
    });
    if let Value::Object(members) = &mut body {
        members.retain(|_, value| !value.is_null());
    }
    let key = arguments.key.as_deref();
    let headers: Vec<_> = key.map(|key| ("Idempotency-Key", key)).into_iter().collect();
    let begun = remote
        .speaking(arguments.told.language())
        .post_with(&["actions", &arguments.action, "runs"], &headers, &body)
        .await?;
    if arguments.no_wait { Ok(begun) } else { ended(remote, &begun, arguments.told).await }
}

/// Asks a server until a run has ended.
pub(super) async fn ended(remote: &Remote, begun: &Value, told: Told) -> Result<Value> {
    let id = begun["id"].as_str().unwrap_or_default().to_owned();
    let remote = remote.speaking(told.language());
    loop {
        let run = remote.get(&["action-runs", &id], &[]).await?;
        if !run["ended_at"].is_null() {
            return Ok(run);
        }
        tokio::select! {
            () = SystemClock.sleep_until(SystemClock.now() + LOOK_EVERY) => {}
            _ = crate::shutdown::asked() => {
                output::note("interrupted: the server goes on with the run");
                return Ok(run);
            }
        }
    }
}
