//! Stacks themselves: linked, listed, shown, renewed, revoked.

use anyhow::Result;
use clap::Args;
use engine::stacks::stack::{Offer, Stack, Wish};
use model::ids::ConnectorId;
use serde_json::{Value, json};
use url::Url;

use crate::config::Config;
use crate::error::{Failure, Outcome};
use crate::output::{self, Column, Format, column};
use crate::target::{ACTOR, Target};

const STACKS: &str = "stacks";
const COLUMNS: [Column; 9] = [
    column("ID", "id"),
    column("STATUS", "status"),
    column("ACCOUNT", "account_id"),
    column("REGION", "region"),
    column("VERSION", "client_version"),
    column("LAST HEARTBEAT", "last_heartbeat_at"),
    column("EXPIRES IN DAYS", "expires_in_days"),
    column("STORED", "counts.stored"),
    column("PROBLEM", "problem"),
];

/// Where the accounts reach the server.
#[derive(Debug, Args)]
pub(crate) struct Reached {
    /// Where the account reaches the server of this data directory [env: TARN_PUBLIC_URL]
    #[arg(long, value_name = "URL")]
    pub(super) public_url: Option<Url>,
}

impl Reached {
    /// A server knows its own address, and nobody else's word counts.
    fn check(&self, target: &Target) -> Result<(), Failure> {
        match target {
            Target::Remote(_) if self.public_url.is_some() => {
                Err(Failure::usage("the server says itself where it is reached")
                    .hint("set `public_url` where `tarn serve` runs, and leave `--public-url` out"))
            }
            _ => Ok(()),
        }
    }
}

/// Flags of `link`.
#[derive(Debug, Args)]
pub(crate) struct LinkArguments {
    /// The AWS account; known by itself once its client enrols
    #[arg(long, value_name = "NUMBER")]
    account: Option<String>,
    /// The AWS region [default: where templates were published last]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// The kind of stack, such as existing-bucket-arm64 [default: new-bucket-x86_64]
    #[arg(long, value_name = "KIND")]
    variant: Option<String>,
    /// Days until the stack is refused [default: never]
    #[arg(long, value_name = "N")]
    expires_days: Option<u32>,
    #[command(flatten)]
    pub(super) reached: Reached,
    /// How the outcome is printed; a table is the link alone
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Flags of `list`.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    /// How the list is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A stack.
#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// The stack's id
    #[arg(value_name = "ID")]
    id: ConnectorId,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Flags of `renew`.
#[derive(Debug, Args)]
pub(crate) struct RenewArguments {
    #[command(flatten)]
    chosen: Chosen,
    /// Days from now until the stack is refused [default: as many as before]
    #[arg(long, value_name = "N")]
    expires_days: Option<u32>,
    #[command(flatten)]
    pub(super) reached: Reached,
}

pub(super) async fn link(config: &Config, arguments: LinkArguments) -> Result<Outcome> {
    let LinkArguments { account, region, variant, expires_days, reached, format } = arguments;
    let target = Target::open(config).await?;
    reached.check(&target)?;
    let offered = match &target {
        Target::Local(local) => match service_url(config) {
            Ok(url) => {
                let wish = Wish { account, region, variant, expires_in_days: expires_days };
                let offered = local.app.offer_stack(&config.tenant, &wish, &url, ACTOR).await;
                offered.map(offer_json).map_err(Into::into)
            }
            Err(failure) => Err(failure.into()),
        },
        Target::Remote(remote) => {
            let mut body = json!({
                "providerAccountID": account, "awsRegion": region, "variant": variant,
                "expires_in_days": expires_days,
            });
            without_nulls(&mut body);
            remote.post(&[STACKS], &[], &body).await
        }
    };
    target.close().await;
    print_offer(format, &offered?)?;
    Ok(Outcome::Done)
}

pub(super) async fn list(config: &Config, arguments: ListArguments) -> Result<Outcome> {
    let target = Target::open(config).await?;
    let stacks = match &target {
        Target::Local(local) => {
            let stacks = local.app.stacks(Some(&config.tenant)).await;
            stacks.map(|stacks| stacks.iter().map(stack_json).collect()).map_err(Into::into)
        }
        Target::Remote(remote) => remote.get(&[STACKS], &[]).await.map(|mut answer| {
            let items = answer["items"].take();
            items.as_array().cloned().unwrap_or_default()
        }),
    };
    target.close().await;
    let stacks: Vec<Value> = stacks?;
    output::list(arguments.format, &COLUMNS, &stacks)?;
    Ok(Outcome::Done)
}

pub(super) async fn show(config: &Config, chosen: Chosen) -> Result<Outcome> {
    let target = Target::open(config).await?;
    let shown = match &target {
        Target::Local(local) => {
            let stack = local.app.stack(&config.tenant, chosen.id).await;
            stack.map(|stack| stack_json(&stack)).map_err(Into::into)
        }
        Target::Remote(remote) => remote.get(&[STACKS, &chosen.id.to_string()], &[]).await,
    };
    target.close().await;
    output::object(chosen.format, &COLUMNS, &shown?)?;
    Ok(Outcome::Done)
}

pub(super) async fn renew(config: &Config, arguments: RenewArguments) -> Result<Outcome> {
    let RenewArguments { chosen, expires_days, reached } = arguments;
    let target = Target::open(config).await?;
    reached.check(&target)?;
    let renewed = match &target {
        Target::Local(local) => match service_url(config) {
            Ok(url) => {
                let (tenant, id) = (&config.tenant, chosen.id);
                let renewed = local.app.renew_stack(tenant, id, expires_days, &url, ACTOR).await;
                renewed.map(offer_json).map_err(Into::into)
            }
            Err(failure) => Err(failure.into()),
        },
        Target::Remote(remote) => {
            let mut body = json!({ "expires_in_days": expires_days });
            without_nulls(&mut body);
            remote.post(&[STACKS, &chosen.id.to_string(), "renew"], &[], &body).await
        }
    };
    target.close().await;
    let renewed = renewed?;
    if renewed["status"] == "pending" {
        print_offer(chosen.format, &renewed)?;
    } else {
        output::object(chosen.format, &COLUMNS, &renewed)?;
    }
    Ok(Outcome::Done)
}

pub(super) async fn revoke(config: &Config, chosen: Chosen) -> Result<Outcome> {
    let target = Target::open(config).await?;
    let revoked = match &target {
        Target::Local(local) => {
            let revoked = local.app.revoke_stack(&config.tenant, chosen.id, ACTOR).await;
            revoked.map_err(Into::into)
        }
        Target::Remote(remote) => remote.delete(&[STACKS, &chosen.id.to_string()]).await,
    };
    target.close().await;
    revoked?;
    let columns = [column("ID", "id"), column("STATUS", "status")];
    let shown = json!({ "id": chosen.id, "status": "revoked" });
    output::object(chosen.format, &columns, &shown)?;
    Ok(Outcome::Done)
}

/// Where accounts reach the server whose data directory this is: nobody else can say.
fn service_url(config: &Config) -> Result<String, Failure> {
    let told = config.public_url.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned());
    told.ok_or_else(|| {
        Failure::usage("nobody knows where the account reaches this server")
            .hint("give `--public-url https://…`, or ask the server itself with `--server`")
    })
}

/// The link alone on stdout, or the template where there is none; what to do on stderr.
fn print_offer(format: Format, offer: &Value) -> Result<()> {
    if format != Format::Table {
        return output::object(format, &COLUMNS, offer);
    }
    let text = |key: &str| offer[key].as_str();
    output::note(format!(
        "stack {} ({})",
        output::csv_text(&offer["id"]),
        output::csv_text(&offer["status"])
    ));
    if let Some(link) = text("createStackURL") {
        if let Some(end) = text("link_expires_at") {
            output::note(format!("the link works once, until {end}"));
        }
        return output::line(link);
    }
    output::note(format!(
        "nothing is published for {}: there is no link; save this as {} and go on by hand",
        output::csv_text(&offer["region"]),
        output::csv_text(&offer["template_name"])
    ));
    for (number, step) in offer["steps"].as_array().into_iter().flatten().enumerate() {
        output::note(format!("{}. {}", number + 1, output::csv_text(step)));
    }
    output::line(text("template").unwrap_or_default())
}

fn without_nulls(body: &mut Value) {
    if let Value::Object(members) = body {
        members.retain(|_, value| !value.is_null());
    }
}

/// An offer as the API words it.
fn offer_json(offer: Offer) -> Value {
    let mut json = stack_json(&offer.stack);
    let name = offer.road.as_ref().map(|road| road.template_name.clone());
    let road = offer.road.unwrap_or_default();
    let parameters: serde_json::Map<String, Value> =
        road.parameters.into_iter().map(|(name, value)| (name, value.into())).collect();
    json["createStackURL"] = json!(road.link);
    json["deploymentURL"] = json!(road.link);
    json["link_expires_at"] = json!(offer.link_expires_at);
    json["parameters"] = Value::Object(parameters);
    json["template"] = json!(road.template);
    json["template_name"] = json!(name);
    json["steps"] = json!(road.steps);
    json
}

/// A stack as the API words it.
fn stack_json(stack: &Stack) -> Value {
    let row = &stack.row;
    json!({
        "id": row.id,
        "tenant": row.tenant,
        "name": row.name,
        "status": stack.status,
        "problem": stack.problem,
        "account_id": row.account,
        "region": row.region,
        "variant": row.variant,
        "client_version": row.client_version,
        "template_version": row.template_version,
        "alive": stack.is_alive,
        "paused": row.is_paused,
        "queue_visible": row.queue_visible,
        "created_at": row.created_at,
        "enrolled_at": row.enrolled_at,
        "first_object_at": row.first_object_at,
        "last_heartbeat_at": row.last_heartbeat_at,
        "last_record_at": row.last_record_at,
        "expires_at": row.expires_at,
        "expires_in_days": stack.expires_in_days,
        "revoked_at": row.revoked_at,
        "counts": stack.counts,
    })
}
