//! What responders and templates there are.

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};

use crate::config::Config;
use crate::error::Outcome;
use crate::output::{self, Column, Format, column};
use crate::target::{ACTOR, Target};

pub(super) const RESPONDERS: &str = "responders";
const COLUMNS: [Column; 5] = [
    column("NAME", "name"),
    column("TENANT", "tenant"),
    column("EFFECT", "effect"),
    column("TEMPLATE", "template"),
    column("TAKEN BACK BY", "reverse"),
];
const TEMPLATE_COLUMNS: [Column; 2] =
    [column("TEMPLATE", "template"), column("WHAT IT DOES", "help.en")];

/// Flags of lists.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// How the list is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A responder.
#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// The responder's name
    #[arg(value_name = "NAME")]
    name: String,
}

pub(super) async fn templates(config: &Config, arguments: ListArguments) -> Result<Outcome> {
    let target = Target::open(config).await?;
    let templates = match &target {
        Target::Local(local) => {
            Ok(local.app.responder_templates().iter().map(|template| json!(template)).collect())
        }
        Target::Remote(remote) => remote.list_whole(&["responder-templates"], &[]).await,
    };
    target.close().await;
    let templates: Vec<Value> = templates?;
    output::list(arguments.format, &TEMPLATE_COLUMNS, &templates)?;
    Ok(Outcome::Done)
}

pub(super) async fn list(config: &Config, arguments: ListArguments) -> Result<Outcome> {
    let target = Target::open(config).await?;
    let responders = match &target {
        Target::Local(local) => match local.app.responders(&config.tenant).await {
            Ok(responders) => Ok(responders.iter().map(|responder| json!(responder)).collect()),
            Err(error) => Err(error.into()),
        },
        Target::Remote(remote) => remote.list_whole(&[RESPONDERS], &[]).await,
    };
    target.close().await;
    let responders: Vec<Value> = responders?;
    output::list(arguments.format, &COLUMNS, &responders)?;
    Ok(Outcome::Done)
}

pub(super) async fn show(config: &Config, chosen: Chosen) -> Result<Outcome> {
    let target = Target::open(config).await?;
    let shown = match &target {
        Target::Local(local) => {
            let shown = local.app.responder(&config.tenant, &chosen.name).await;
            shown.map(|shown| json!(shown)).map_err(Into::into)
        }
        Target::Remote(remote) => remote.get(&[RESPONDERS, &chosen.name], &[]).await,
    };
    target.close().await;
    output::object(Format::Json, &COLUMNS, &shown?["document"])?;
    Ok(Outcome::Done)
}

pub(super) async fn delete(config: &Config, chosen: Chosen) -> Result<Outcome> {
    let target = Target::open(config).await?;
    let deleted = match &target {
        Target::Local(local) => {
            let deleted = local.app.delete_responder(&config.tenant, &chosen.name, true, ACTOR);
            deleted.await.map_err(Into::into)
        }
        Target::Remote(remote) => remote.delete(&[RESPONDERS, &chosen.name]).await,
    };
    target.close().await;
    deleted.map(|()| Outcome::Done)
}
