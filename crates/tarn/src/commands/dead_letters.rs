//! `tarn dead-letters`: records that could not become events wait here until somebody decides.

use anyhow::Result;
use catalog::{DeadLetterFilter, DeadLetterState, StoredDeadLetter};
use clap::{Args, Subcommand};
use engine::dead_letters::Replayed;
use model::ids::ConnectorName;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::config::Config;
use crate::error::{Failure, Outcome};
use crate::output::{self, Format, column};
use crate::target::{ACTOR, Target};

/// Letters of one page or request.
const PAGE: u32 = 1_000;

/// Commands about dead letters.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The letters with their reasons, newest first
    List(ListArguments),
    /// Send letters through today's mapping again; exit code 3 when some fail again
    Replay(Chosen),
    /// Give letters up
    Discard(Chosen),
}

/// Which letters are listed.
#[derive(Debug, Args)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    filter: Filter,
    /// Letters in this state: waiting, replayed or discarded [default: waiting]
    #[arg(long, value_name = "STATE", value_parser = state)]
    state: Option<DeadLetterState>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
    /// How the list is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Which letters something is done with.
#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// The letters
    #[arg(value_name = "ID", required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<Uuid>,
    /// All that wait
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    filter: Filter,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Where letters come from.
#[derive(Debug, Args)]
struct Filter {
    /// Only from this connector
    #[arg(long, value_name = "NAME")]
    connector: Option<ConnectorName>,
    /// Only from this source
    #[arg(long, value_name = "SOURCE")]
    source: Option<String>,
}

fn state(text: &str) -> Result<DeadLetterState, String> {
    text.parse().map_err(|_| "write waiting, replayed or discarded".to_owned())
}

/// Looks after dead letters.
///
/// # Errors
/// The lake, the catalog or the server fails.
pub(crate) async fn run(config: &Config, command: Command) -> Result<Outcome> {
    let target = Target::open(config).await?;
    let done = match command {
        Command::List(arguments) => list(&target, config, arguments).await,
        Command::Replay(chosen) => replay(&target, config, chosen).await,
        Command::Discard(chosen) => discard(&target, config, chosen).await,
    };
    target.close().await;
    done
}

async fn list(target: &Target, config: &Config, arguments: ListArguments) -> Result<Outcome> {
    let state = arguments.state.unwrap_or(DeadLetterState::Waiting);
    let letters = find(target, config, &arguments.filter, state, arguments.limit).await?;
    let columns = [
        column("ID", "id"),
        column("AT", "at"),
        column("SOURCE", "source"),
        column("STREAM", "stream"),
        column("BYTES", "size_bytes"),
        column("STATE", "state"),
        column("REASON", "reason"),
    ];
    output::list(arguments.format, &columns, &letters)?;
    Ok(Outcome::Done)
}

async fn replay(target: &Target, config: &Config, chosen: Chosen) -> Result<Outcome> {
    let mut total = json!({ "stored": 0, "duplicate": 0, "filtered": 0, "failed": [] });
    let ids = ids(target, config, &chosen).await?;
    for ids in ids.chunks(PAGE as usize) {
        let replayed = match target {
            Target::Local(local) => replayed_json(local.app.replay(ids, ACTOR).await?),
            Target::Remote(remote) => {
                remote.post(&["dead-letters", "replay"], &[], &json!({ "ids": ids })).await?
            }
        };
        for key in ["stored", "duplicate", "filtered"] {
            let sum = total[key].as_u64().unwrap_or(0) + replayed[key].as_u64().unwrap_or(0);
            total[key] = sum.into();
        }
        if let (Some(all), Some(more)) =
            (total["failed"].as_array_mut(), replayed["failed"].as_array())
        {
            all.extend(more.iter().cloned());
        }
    }
    let failed = total["failed"].as_array().cloned().unwrap_or_default();
    for letter in &failed {
        let text = |key: &str| output::csv_text(&letter[key]);
        output::note(format!("{} failed again: {}", text("id"), text("reason")));
    }
    if chosen.format == Format::Table {
        total["failed"] = failed.len().into();
    }
    let columns = [
        column("STORED", "stored"),
        column("DUPLICATE", "duplicate"),
        column("FILTERED", "filtered"),
        column("FAILED", "failed"),
    ];
    output::object(chosen.format, &columns, &total)?;
    Ok(if failed.is_empty() { Outcome::Done } else { Outcome::Partly })
}

async fn discard(target: &Target, config: &Config, chosen: Chosen) -> Result<Outcome> {
    let mut discarded = 0;
    let ids = ids(target, config, &chosen).await?;
    for ids in ids.chunks(PAGE as usize) {
        discarded += match target {
            Target::Local(local) => local.app.discard(ids, ACTOR).await?,
            Target::Remote(remote) => {
                let body = json!({ "ids": ids });
                let answer = remote.post(&["dead-letters", "discard"], &[], &body).await?;
                answer["discarded"].as_u64().unwrap_or_default()
            }
        };
    }
    let columns = [column("DISCARDED", "discarded")];
    output::object(chosen.format, &columns, &json!({ "discarded": discarded }))?;
    Ok(Outcome::Done)
}

/// The letters that were chosen: by their ids, or all that wait.
async fn ids(target: &Target, config: &Config, chosen: &Chosen) -> Result<Vec<Uuid>> {
    if !chosen.all {
        return Ok(chosen.ids.clone());
    }
    let waiting =
        find(target, config, &chosen.filter, DeadLetterState::Waiting, usize::MAX).await?;
    let id = |letter: &Value| letter["id"].as_str().and_then(|id| id.parse().ok());
    let ids: Option<Vec<Uuid>> = waiting.iter().map(id).collect();
    ids.ok_or_else(|| Failure::new("the list of dead letters cannot be read").into())
}

/// At most `limit` letters as the API words them, newest first.
async fn find(
    target: &Target,
    config: &Config,
    filter: &Filter,
    state: DeadLetterState,
    limit: usize,
) -> Result<Vec<Value>> {
    let local = match target {
        Target::Local(local) => local,
        Target::Remote(remote) => {
            let mut asked = vec![("state", state.as_str())];
            asked.extend(filter.connector.as_ref().map(|name| ("connector", name.as_str())));
            asked.extend(filter.source.as_deref().map(|source| ("source", source)));
            return remote.list_up_to(&["dead-letters"], &asked, limit).await;
        }
    };
    let connector = match &filter.connector {
        Some(name) => Some(local.app.connector(&config.tenant, name).await?.id),
        None => None,
    };
    let filter = DeadLetterFilter {
        tenant: Some(config.tenant.clone()),
        connector,
        source: filter.source.clone(),
        state: Some(state),
        stream: None,
    };
    let mut letters = Vec::new();
    let mut before = None;
    while letters.len() < limit {
        let page = u32::try_from(limit - letters.len()).unwrap_or(PAGE).min(PAGE);
        let found = local.app.dead_letters(&filter, before, page).await?;
        letters.extend(found.letters.iter().map(letter_json));
        before = found.next;
        if before.is_none() {
            break;
        }
    }
    Ok(letters)
}

/// A letter as the API words it.
fn letter_json(letter: &StoredDeadLetter) -> Value {
    json!({
        "id": letter.id,
        "connector_id": letter.connector,
        "source": letter.source,
        "stream": letter.stream,
        "reason": letter.reason,
        "size_bytes": letter.raw_size,
        "at": letter.at,
        "state": letter.state,
        "settled_at": letter.settled_at,
    })
}

fn replayed_json(replayed: Replayed) -> Value {
    let failed: Vec<Value> = replayed
        .failed
        .into_iter()
        .map(|(id, reason)| json!({ "id": id, "reason": reason }))
        .collect();
    json!({
        "stored": replayed.stored, "duplicate": replayed.duplicate,
        "filtered": replayed.filtered, "failed": failed,
    })
}
