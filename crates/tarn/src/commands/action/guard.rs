//! What keeps entities from actions, and what actions learned about them.

use anyhow::Result;
use clap::Args;
use model::action::Entity;
use serde_json::{Value, json};

use super::asked;
use crate::config::Config;
use crate::error::Outcome;
use crate::output::{self, Column, Format, column};
use crate::target::{ACTOR, Target};

const PROTECTED: [&str; 2] = ["action-guard", "protected"];
const CAPS: [&str; 2] = ["action-guard", "caps"];

/// Flags of lists.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// How the list is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Flags of `protect`.
#[derive(Debug, Args)]
pub(crate) struct ProtectArguments {
    /// What is protected, as TYPE=PATTERN; `*` stands for any characters
    #[arg(value_name = "TYPE=PATTERN", value_parser = asked::entity)]
    entity: Entity,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

/// Flags of `unprotect`.
#[derive(Debug, Args)]
pub(crate) struct UnprotectArguments {
    /// What is protected no more, as TYPE=PATTERN
    #[arg(value_name = "TYPE=PATTERN", value_parser = asked::entity)]
    entity: Entity,
}

/// Flags of `cap`.
#[derive(Debug, Args)]
pub(crate) struct CapArguments {
    /// The action, such as trend_vision_one.isolate_endpoint
    #[arg(value_name = "ACTION")]
    action: String,
    /// How many things in an hour
    #[arg(value_name = "N")]
    per_hour: u32,
}

/// Flags of `uncap`.
#[derive(Debug, Args)]
pub(crate) struct UncapArguments {
    /// The action
    #[arg(value_name = "ACTION")]
    action: String,
}

/// Flags of `entity`.
#[derive(Debug, Args)]
pub(crate) struct EntityArguments {
    /// The entity, as TYPE=VALUE
    #[arg(value_name = "TYPE=VALUE", value_parser = asked::entity)]
    entity: Entity,
    /// How the list is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) async fn protect(config: &Config, arguments: ProtectArguments) -> Result<Outcome> {
    let ProtectArguments { entity: Entity { kind, value }, reason } = arguments;
    let target = Target::open(config).await?;
    let done = match &target {
        Target::Local(local) => {
            let done = local.app.protect(&config.tenant, kind, &value, &reason, ACTOR).await;
            done.map_err(Into::into)
        }
        Target::Remote(remote) => {
            let body = json!({ "type": kind, "pattern": value, "reason": reason });
            remote.post(&PROTECTED, &[], &body).await.map(drop)
        }
    };
    target.close().await;
    done.map(|()| Outcome::Done)
}

pub(super) async fn unprotect(config: &Config, arguments: UnprotectArguments) -> Result<Outcome> {
    let entity = arguments.entity;
    let target = Target::open(config).await?;
    let done = match &target {
        Target::Local(local) => {
            local.app.unprotect(&config.tenant, &entity, ACTOR).await.map_err(Into::into)
        }
        Target::Remote(remote) => {
            let asked = [("type", entity.kind.as_str()), ("value", &entity.value)];
            remote.delete_with(&PROTECTED, &asked).await
        }
    };
    target.close().await;
    done.map(|()| Outcome::Done)
}

pub(super) async fn protected(config: &Config, arguments: ListArguments) -> Result<Outcome> {
    let target = Target::open(config).await?;
    let known = match &target {
        Target::Local(local) => match local.app.protected(&config.tenant).await {
            Ok(known) => Ok(known
                .iter()
                .map(|known| json!({ "type": known.kind, "pattern": known.pattern, "reason": known.reason }))
                .collect()),
            Err(error) => Err(error.into()),
        },
        Target::Remote(remote) => remote.list_whole(&PROTECTED, &[]).await,
    };
    target.close().await;
    let columns =
        [column("TYPE", "type"), column("PATTERN", "pattern"), column("REASON", "reason")];
    print(arguments.format, &columns, known)
}

pub(super) async fn cap(config: &Config, arguments: CapArguments) -> Result<Outcome> {
    let CapArguments { action, per_hour } = arguments;
    let target = Target::open(config).await?;
    let done = match &target {
        Target::Local(local) => {
            let done = local.app.set_cap(&config.tenant, &action, Some(per_hour), ACTOR).await;
            done.map_err(Into::into)
        }
        Target::Remote(remote) => {
            let body = json!({ "action": action, "per_hour": per_hour });
            remote.post(&CAPS, &[], &body).await.map(drop)
        }
    };
    target.close().await;
    done.map(|()| Outcome::Done)
}

pub(super) async fn uncap(config: &Config, arguments: UncapArguments) -> Result<Outcome> {
    let action = arguments.action;
    let target = Target::open(config).await?;
    let done = match &target {
        Target::Local(local) => {
            local.app.set_cap(&config.tenant, &action, None, ACTOR).await.map_err(Into::into)
        }
        Target::Remote(remote) => remote.delete(&[CAPS[0], CAPS[1], &action]).await,
    };
    target.close().await;
    done.map(|()| Outcome::Done)
}

pub(super) async fn caps(config: &Config, arguments: ListArguments) -> Result<Outcome> {
    let target = Target::open(config).await?;
    let known = match &target {
        Target::Local(local) => match local.app.caps(&config.tenant).await {
            Ok(known) => Ok(known
                .iter()
                .map(|known| json!({ "action": known.action, "per_hour": known.per_hour }))
                .collect()),
            Err(error) => Err(error.into()),
        },
        Target::Remote(remote) => remote.list_whole(&CAPS, &[]).await,
    };
    target.close().await;
    print(arguments.format, &[column("ACTION", "action"), column("PER HOUR", "per_hour")], known)
}

pub(super) async fn entity(config: &Config, arguments: EntityArguments) -> Result<Outcome> {
    let entity = arguments.entity;
    let target = Target::open(config).await?;
    let known = match &target {
        Target::Local(local) => match local.app.entity_properties(&config.tenant, &entity).await {
            Ok(known) => Ok(known
                .iter()
                .map(|known| {
                    json!({
                        "name": known.name, "value": known.property,
                        "is_suspicious": known.is_suspicious, "source": known.source,
                        "run": known.run, "at": known.at,
                    })
                })
                .collect()),
            Err(error) => Err(error.into()),
        },
        Target::Remote(remote) => {
            let asked = [("type", entity.kind.as_str()), ("value", &*entity.value)];
            remote.list_whole(&["entities", "properties"], &asked).await
        }
    };
    target.close().await;
    let columns = [
        column("NAME", "name"),
        column("VALUE", "value"),
        column("SUSPICIOUS", "is_suspicious"),
        column("SOURCE", "source"),
        column("AT", "at"),
    ];
    print(arguments.format, &columns, known)
}

fn print(format: Format, columns: &[Column], rows: Result<Vec<Value>>) -> Result<Outcome> {
    output::list(format, columns, &rows?)?;
    Ok(Outcome::Done)
}
