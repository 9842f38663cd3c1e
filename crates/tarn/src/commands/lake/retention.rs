//! `tarn lake retention` and `tarn lake hold`: how long a tenant's events are kept, and what must stay.

use anyhow::Result;
use clap::{Args, Subcommand};
use engine::retention::RetentionRule;
use model::ocsf::Class;
use serde_json::{Value, json};

use crate::config::Config;
use crate::error::Outcome;
use crate::output::{self, Column, Format, column};
use crate::target::{ACTOR, Target};

/// Stands for every table in a path.
const ALL_TABLES: &str = "all";

/// Commands about retention rules.
#[derive(Debug, Subcommand)]
pub(crate) enum RuleCommand {
    /// Keep the tenant's events for so many days; older days are removed within minutes
    Set(SetRule),
    /// The tenant's rules
    List(List),
    /// Remove a rule
    Remove(OfTable),
}

/// Commands about legal holds.
#[derive(Debug, Subcommand)]
pub(crate) enum HoldCommand {
    /// Hold the tenant's events
    Set(SetHold),
    /// The tenant's holds
    List(List),
    /// End a hold
    Remove(OfTable),
}

/// Flags of `retention set`.
#[derive(Debug, Args)]
pub(crate) struct SetRule {
    /// Days; a day is removed when all of it is older
    #[arg(long, value_name = "N")]
    days: u32,
    #[command(flatten)]
    of: OfTable,
}

/// Flags of `hold set`.
#[derive(Debug, Args)]
pub(crate) struct SetHold {
    /// Why, for those who come after
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    of: OfTable,
}

/// Which table.
#[derive(Debug, Args)]
pub(crate) struct OfTable {
    /// Only of this table, such as email_activity [default: all tables]
    #[arg(long, value_name = "TABLE", value_parser = class)]
    class: Option<Class>,
}

/// Flags of `list`.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// How the list is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

fn class(name: &str) -> Result<Class, String> {
    Class::from_name(name).ok_or_else(|| {
        let tables: Vec<&str> = Class::ALL.into_iter().map(Class::name).collect();
        format!("the tables are {}", tables.join(", "))
    })
}

impl OfTable {
    fn path(&self) -> &'static str {
        self.class.map_or(ALL_TABLES, Class::name)
    }
}

/// Sets, lists and removes retention rules.
pub(super) async fn rules(config: &Config, command: RuleCommand) -> Result<Outcome> {
    let target = Target::open(config).await?;
    let done = rules_on(&target, config, command).await;
    target.close().await;
    done
}

async fn rules_on(target: &Target, config: &Config, command: RuleCommand) -> Result<Outcome> {
    const PATH: [&str; 2] = ["lake", "retention"];
    match (command, target) {
        (RuleCommand::Set(SetRule { days, of }), Target::Local(local)) => {
            let rule = RetentionRule { tenant: config.tenant.clone(), class: of.class, days };
            local.app.set_retention(rule, ACTOR).await?;
        }
        (RuleCommand::Set(SetRule { days, of }), Target::Remote(remote)) => {
            let body = json!({ "class": of.class, "days": days });
            remote.post(&PATH, &[], &body).await?;
        }
        (RuleCommand::List(List { format }), target) => {
            let rules = match target {
                Target::Local(local) => {
                    let rules = local.app.retention(&config.tenant).await?.into_iter();
                    rules.map(|rule| json!({ "class": rule.class, "days": rule.days })).collect()
                }
                Target::Remote(remote) => remote.list(&PATH, &[]).await?,
            };
            print(format, &[column("TABLE", "class"), column("DAYS", "days")], rules)?;
        }
        (RuleCommand::Remove(of), Target::Local(local)) => {
            local.app.remove_retention(&config.tenant, of.class, ACTOR).await?;
        }
        (RuleCommand::Remove(of), Target::Remote(remote)) => {
            remote.delete(&[PATH[0], PATH[1], of.path()]).await?;
        }
    }
    Ok(Outcome::Done)
}

/// Sets, lists and ends legal holds.
pub(super) async fn holds(config: &Config, command: HoldCommand) -> Result<Outcome> {
    let target = Target::open(config).await?;
    let done = holds_on(&target, config, command).await;
    target.close().await;
    done
}

async fn holds_on(target: &Target, config: &Config, command: HoldCommand) -> Result<Outcome> {
    const PATH: [&str; 2] = ["lake", "holds"];
    match (command, target) {
        (HoldCommand::Set(SetHold { reason, of }), Target::Local(local)) => {
            local.app.set_hold(&config.tenant, of.class, reason, ACTOR).await?;
        }
        (HoldCommand::Set(SetHold { reason, of }), Target::Remote(remote)) => {
            let body = json!({ "class": of.class, "reason": reason });
            remote.post(&PATH, &[], &body).await?;
        }
        (HoldCommand::List(List { format }), target) => {
            let holds = match target {
                Target::Local(local) => {
                    let holds = local.app.holds(&config.tenant).await?.into_iter();
                    holds
                        .map(|hold| {
                            json!({ "class": hold.class, "reason": hold.reason, "since": hold.since })
                        })
                        .collect()
                }
                Target::Remote(remote) => remote.list(&PATH, &[]).await?,
            };
            let columns =
                [column("TABLE", "class"), column("SINCE", "since"), column("REASON", "reason")];
            print(format, &columns, holds)?;
        }
        (HoldCommand::Remove(of), Target::Local(local)) => {
            local.app.remove_hold(&config.tenant, of.class, ACTOR).await?;
        }
        (HoldCommand::Remove(of), Target::Remote(remote)) => {
            remote.delete(&[PATH[0], PATH[1], of.path()]).await?;
        }
    }
    Ok(Outcome::Done)
}

fn print(format: Format, columns: &[Column], mut items: Vec<Value>) -> Result<()> {
    if format == Format::Table {
        for item in items.iter_mut().filter(|item| item["class"].is_null()) {
            item["class"] = ALL_TABLES.into();
        }
    }
    output::list(format, columns, &items)
}
