//! The action history: runs listed, shown, taken back, repeated, stopped, gone on with.

use anyhow::Result;
use clap::Args;
use engine::actions::RESPONDER;
use engine::actions::history::{Asker, RunFilter};
use model::action::RunState;
use model::ids::RunId;
use serde_json::{Value, json};

use super::asked::{self, Asked, COLUMNS, Told};
use super::run::{ended, finished};
use crate::config::Config;
use crate::error::Outcome;
use crate::output;
use crate::target::{ACTOR, Target};

const RUNS: &str = "action-runs";

/// Flags of `history`.
#[derive(Debug, Args)]
pub(crate) struct HistoryArguments {
    /// Only runs of this action
    #[arg(long, value_name = "ACTION")]
    action: Option<String>,
    /// Only runs of webhook responders
    #[arg(long)]
    webhooks: bool,
    /// Only runs that stand here, such as failed or in_progress
    #[arg(long, value_name = "STATE")]
    state: Option<RunState>,
    /// Only runs that were to change this value
    #[arg(long, value_name = "VALUE")]
    target: Option<String>,
    /// At most this many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    #[command(flatten)]
    told: Told,
}

/// A run.
#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// The run's id
    #[arg(value_name = "ID")]
    id: RunId,
    #[command(flatten)]
    told: Told,
}

/// Flags of `revert`.
#[derive(Debug, Args)]
pub(crate) struct RevertArguments {
    #[command(flatten)]
    chosen: Chosen,
    /// Show every request that would change something, and send none of them
    #[arg(long)]
    dry_run: bool,
}

/// Flags of `retry`.
#[derive(Debug, Args)]
pub(crate) struct RetryArguments {
    #[command(flatten)]
    chosen: Chosen,
    #[command(flatten)]
    asked: Asked,
}

/// Flags of `resume`.
#[derive(Debug, Args)]
pub(crate) struct ResumeArguments {
    #[command(flatten)]
    told: Told,
}

pub(super) async fn list(config: &Config, arguments: HistoryArguments) -> Result<Outcome> {
    let HistoryArguments { action, webhooks, state, target: value, limit, told } = arguments;
    let target = Target::open(config).await?;
    let runs = match &target {
        Target::Local(local) => {
            let filter = RunFilter {
                tenant: Some(config.tenant.clone()),
                prefix: webhooks.then(|| format!("{RESPONDER}.")),
                action,
                state,
                target: value,
                before: None,
                limit,
            };
            match local.app.action_runs(&filter, told.locale()).await {
                Ok(runs) => Ok(runs.iter().map(|run| json!(run)).collect()),
                Err(error) => Err(error.into()),
            }
        }
        Target::Remote(remote) => {
            let mut asked = Vec::new();
            asked.extend(action.as_deref().map(|action| ("action", action)));
            asked.extend(state.map(|state| ("state", state.as_str())));
            asked.extend(value.as_deref().map(|value| ("target", value)));
            if webhooks {
                asked.push(("webhooks", "true"));
            }
            remote.speaking(told.language()).list_up_to(&[RUNS], &asked, limit as usize).await
        }
    };
    target.close().await;
    let runs: Vec<Value> = runs?;
    output::list(told.format, &COLUMNS, &runs)?;
    Ok(Outcome::Done)
}

pub(super) async fn status(config: &Config, chosen: Chosen) -> Result<Outcome> {
    let Chosen { id, told } = chosen;
    let target = Target::open(config).await?;
    let run = match &target {
        Target::Local(local) => {
            let run = local.app.action_run(&config.tenant, id, told.locale()).await;
            run.map(|run| json!(run)).map_err(Into::into)
        }
        Target::Remote(remote) => {
            remote.speaking(told.language()).get(&[RUNS, &id.to_string()], &[]).await
        }
    };
    target.close().await;
    asked::print(told, &run?)?;
    Ok(Outcome::Done)
}

pub(super) async fn revert(config: &Config, arguments: RevertArguments) -> Result<Outcome> {
    let RevertArguments { chosen: Chosen { id, told }, dry_run } = arguments;
    let target = Target::open(config).await?;
    let run = match &target {
        Target::Local(local) => {
            match local.app.revert_run(&config.tenant, id, dry_run, Asker::once(ACTOR)).await {
                Ok(reverse) => finished(config, local, reverse, told).await,
                Err(error) => Err(error.into()),
            }
        }
        Target::Remote(remote) => {
            let path = [RUNS, &id.to_string(), "revert"];
            match remote.post(&path, &[], &json!({ "dry_run": dry_run })).await {
                Ok(begun) => ended(remote, &begun, told).await,
                Err(error) => Err(error),
            }
        }
    };
    target.close().await;
    asked::print(told, &run?)
}

pub(super) async fn retry(config: &Config, arguments: RetryArguments) -> Result<Outcome> {
    let RetryArguments { chosen: Chosen { id, told }, asked } = arguments;
    let edited = (!asked.is_empty()).then(|| asked.input());
    let target = Target::open(config).await?;
    let run = match &target {
        Target::Local(local) => {
            match local.app.retry_run(&config.tenant, id, edited, Asker::once(ACTOR)).await {
                Ok(again) => finished(config, local, again, told).await,
                Err(error) => Err(error.into()),
            }
        }
        Target::Remote(remote) => {
            let path = [RUNS, &id.to_string(), "retry"];
            let body = edited.map_or_else(
                || json!({}),
                |input| json!({ "entities": input.entities, "parameters": input.parameters }),
            );
            match remote.post(&path, &[], &body).await {
                Ok(begun) => ended(remote, &begun, told).await,
                Err(error) => Err(error),
            }
        }
    };
    target.close().await;
    asked::print(told, &run?)
}

pub(super) async fn cancel(config: &Config, chosen: Chosen) -> Result<Outcome> {
    let Chosen { id, told } = chosen;
    let target = Target::open(config).await?;
    let run = match &target {
        Target::Local(local) => match local.app.cancel_run(&config.tenant, id, ACTOR).await {
            // It was left behind by another process: this one brings it to its end.
            Ok(()) => match local.app.resume_run(&config.tenant, id).await {
                Ok(()) => finished(config, local, id, told).await,
                Err(error) => Err(error.into()),
            },
            Err(error) => Err(error.into()),
        },
        Target::Remote(remote) => {
            let path = [RUNS, &id.to_string(), "cancel"];
            match remote.post(&path, &[], &json!({})).await {
                Ok(_) => ended(remote, &json!({ "id": id }), told).await,
                Err(error) => Err(error),
            }
        }
    };
    target.close().await;
    asked::print(told, &run?)?;
    Ok(Outcome::Done)
}

pub(super) async fn resume(config: &Config, arguments: ResumeArguments) -> Result<Outcome> {
    let told = arguments.told;
    let target = Target::open(config).await?;
    let runs: Result<Vec<Value>> = match &target {
        Target::Local(local) => match local.app.resume_runs().await {
            Ok(ids) => {
                let mut runs = Vec::new();
                for (tenant, id) in ids {
                    local.app.run_rests(id).await;
                    let run = local.app.action_run(&tenant, id, told.locale()).await;
                    runs.extend(run.map(|run| json!(run)).ok());
                }
                Ok(runs)
            }
            Err(error) => Err(error.into()),
        },
        Target::Remote(_) => Err(crate::error::Failure::usage("a server goes on by itself")
            .hint("leave `--server` out, and give the data directory of a stopped process")
            .into()),
    };
    target.close().await;
    output::list(told.format, &COLUMNS, &runs?)?;
    Ok(Outcome::Done)
}
