//! `tarn lake`: how much there is, proof that it is whole, and looking after it.

mod retention;
mod upkeep;

use anyhow::Result;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::config::Config;
use crate::error::Outcome;
use crate::output::{self, Format, column};
use crate::progress;
use crate::target::Target;

/// Commands about the lake.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Rows, files and bytes of each table
    Stats(Arguments),
    /// Read everything again and compare it with the ledger; exit code 1 when something is wrong
    Verify(Arguments),
    /// Merge small files now; a server does it by itself
    Compact(Arguments),
    /// Remove log entries and files that nobody needs any more; a server does it by itself
    Vacuum(upkeep::VacuumArguments),
    /// How long events are kept; for ever unless a rule says otherwise
    #[command(subcommand)]
    Retention(retention::RuleCommand),
    /// Events that must not be removed, whatever retention says
    #[command(subcommand)]
    Hold(retention::HoldCommand),
}

/// Flags of those that need no others.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// How the answer is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Looks at the lake, or after it.
///
/// # Errors
/// The lake, the catalog or the server fails.
pub(crate) async fn run(config: &Config, command: Command) -> Result<Outcome> {
    match command {
        Command::Stats(arguments) => stats(config, arguments.format).await,
        Command::Verify(arguments) => verify(config, arguments.format).await,
        Command::Compact(arguments) => upkeep::compact(config, arguments.format).await,
        Command::Vacuum(arguments) => upkeep::vacuum(config, &arguments).await,
        Command::Retention(command) => retention::rules(config, command).await,
        Command::Hold(command) => retention::holds(config, command).await,
    }
}

async fn stats(config: &Config, format: Format) -> Result<Outcome> {
    let target = Target::open_to_read(config).await?;
    let tables = match &target {
        Target::Local(local) => {
            let tables = local.app.lake_stats(Some(&config.tenant)).await?;
            tables.iter().map(serde_json::to_value).collect::<Result<Vec<_>, _>>()?
        }
        Target::Remote(remote) => remote.list(&["lake", "stats"], &[]).await?,
    };
    target.close().await;
    let columns = [
        column("TABLE", "class"),
        column("ROWS", "rows"),
        column("FILES", "files"),
        column("BYTES", "size_bytes"),
        column("EARLIEST", "earliest"),
        column("LATEST", "latest"),
        column("VERSION", "version"),
    ];
    output::list(format, &columns, &tables)?;
    Ok(Outcome::Done)
}

async fn verify(config: &Config, format: Format) -> Result<Outcome> {
    let target = Target::open(config).await?;
    let bar = progress::spinner("reading the whole lake again");
    let proof = match &target {
        Target::Local(local) => local.app.verify().await.map(|proof| proof_json(&proof)),
        Target::Remote(remote) => Ok(remote.post(&["lake", "verify"], &[], &json!({})).await?),
    };
    bar.finish_and_clear();
    target.close().await;
    let proof = proof?;
    print(format, &proof)?;
    Ok(if proof["clean"] == json!(true) { Outcome::Done } else { Outcome::Failed })
}

fn proof_json(proof: &engine::lake::Proof) -> Value {
    json!({
        "clean": proof.is_clean(),
        "rows": proof.lake.rows,
        "files": proof.lake.files,
        "expired": proof.lake.expired,
        "ledger": proof.ledger,
        "receipts": proof.receipts,
        "findings": proof.lake.findings,
        "disagreements": proof.disagreements,
    })
}

fn print(format: Format, proof: &Value) -> Result<()> {
    if format != Format::Table {
        let columns = [
            column("CLEAN", "clean"),
            column("ROWS", "rows"),
            column("FILES", "files"),
            column("EXPIRED", "expired"),
            column("RECEIPTS", "receipts"),
            column("FINDINGS", "findings"),
            column("DISAGREEMENTS", "disagreements"),
        ];
        return output::object(format, &columns, proof);
    }
    let ledger: model::ledger::Counts = serde_json::from_value(proof["ledger"].clone())?;
    output::line(format!("rows      {}", proof["rows"]))?;
    output::line(format!("files     {}", proof["files"]))?;
    output::line(format!("ledger    {ledger}"))?;
    output::line(format!("receipts  {}", proof["receipts"]))?;
    if proof["expired"] != json!(0) {
        output::line(format!("expired   {}", proof["expired"]))?;
    }
    let findings = proof["findings"].as_array().map_or(&[][..], Vec::as_slice);
    let disagreements = proof["disagreements"].as_array().map_or(&[][..], Vec::as_slice);
    for finding in findings {
        let text = |key: &str| output::table_text(key, &finding[key]);
        output::line(format!(
            "finding   {} {}: {}",
            text("class"),
            text("place"),
            text("problem")
        ))?;
    }
    for disagreement in disagreements {
        output::line(format!("finding   {}", output::table_text("", disagreement)))?;
    }
    match findings.len() + disagreements.len() {
        0 => output::line("nothing is missing, nothing is stored twice"),
        count => output::line(format!("{count} findings")),
    }
}
