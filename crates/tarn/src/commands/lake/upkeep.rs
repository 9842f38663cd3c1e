//! `tarn lake compact` and `tarn lake vacuum`: what a server does by itself, now.

use anyhow::Result;
use clap::Args;
use query::store::maintenance::MaintenanceReport;
use serde_json::{Value, json};

use crate::config::Config;
use crate::error::Outcome;
use crate::output::{self, Format, column};
use crate::progress;
use crate::target::{ACTOR, Target};

/// Flags of `vacuum`.
#[derive(Debug, Args)]
pub(crate) struct VacuumArguments {
    /// Only tell what would be removed
    #[arg(long)]
    dry_run: bool,
    /// How the outcome is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Merges small files.
pub(super) async fn compact(config: &Config, format: Format) -> Result<Outcome> {
    let target = Target::open(config).await?;
    let bar = progress::spinner("merging small files");
    let report = match &target {
        Target::Local(local) => local.app.compact(ACTOR).await.map(|report| report_json(&report)),
        Target::Remote(remote) => Ok(remote.post(&["lake", "compact"], &[], &json!({})).await?),
    };
    bar.finish_and_clear();
    target.close().await;
    print(format, &report?)
}

/// Removes what nobody needs any more.
pub(super) async fn vacuum(config: &Config, arguments: &VacuumArguments) -> Result<Outcome> {
    let target = Target::open(config).await?;
    let dry_run = arguments.dry_run;
    let report = match &target {
        Target::Local(local) => {
            local.app.vacuum(dry_run, ACTOR).await.map(|report| report_json(&report))
        }
        Target::Remote(remote) => {
            let body = json!({ "dry_run": dry_run });
            Ok(remote.post(&["lake", "vacuum"], &[], &body).await?)
        }
    };
    target.close().await;
    print(arguments.format, &report?)
}

fn report_json(report: &MaintenanceReport) -> Value {
    json!({ "tables": report.tables, "failures": report.failures })
}

fn print(format: Format, report: &Value) -> Result<Outcome> {
    let failures = report["failures"].as_array().map_or(&[][..], Vec::as_slice);
    for failure in failures {
        let text = |key: &str| output::csv_text(&failure[key]);
        output::note(format!("{}: {}", text("class"), text("problem")));
    }
    let columns = [
        column("TABLE", "class"),
        column("MERGED", "merged"),
        column("INTO", "merged_into"),
        column("SNAPSHOT", "snapshot"),
        column("LOG ENTRIES", "log_entries"),
        column("FILES", "files"),
        column("BYTES", "size_bytes"),
        column("WAITS FOR", "waits_for"),
    ];
    let tables = report["tables"].as_array().cloned().unwrap_or_default();
    if tables.is_empty() && format == Format::Table {
        output::line("there was nothing to do")?;
    } else {
        output::list(format, &columns, &tables)?;
    }
    Ok(if failures.is_empty() { Outcome::Done } else { Outcome::Partly })
}
