//! `tarn connector test`, `run` and `backfill`: what is asked of the vendor.

use anyhow::Result;
use clap::Args;
use engine::connectors::run::{RunEnd, RunProgress};
use engine::connectors::test::TestReport;
use indicatif::ProgressBar;
use model::clock::Clock as _;
use model::ids::ConnectorName;
use serde_json::{Value, json};

use super::Named;
use crate::commands::ingest;
use crate::config::Config;
use crate::error::Outcome;
use crate::moment::Moment;
use crate::output::{self, Format, column};
use crate::progress;
use crate::target::{ACTOR, Target};

/// Flags of `backfill`.
#[derive(Debug, Args)]
pub(crate) struct BackfillArguments {
    /// The connector
    #[arg(value_name = "NAME")]
    name: ConnectorName,
    /// Back to then: `72h`, or an RFC 3339 time
    #[arg(long, value_name = "TIME")]
    since: Moment,
    /// How the answer is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Tests a connector.
///
/// # Errors
/// There is none of this name, or its settings cannot be used.
pub(super) async fn test(config: &Config, named: Named) -> Result<Outcome> {
    let Named { name, format } = named;
    let target = Target::open(config).await?;
    let bar = progress::spinner("asking the vendor");
    let report = match &target {
        Target::Local(local) => {
            let report = local.app.test_connector(&config.tenant, &name).await;
            report.map(|report| report_json(&report)).map_err(Into::into)
        }
        Target::Remote(remote) => {
            remote.post(&["connectors", name.as_str(), "test"], &[], &json!({})).await
        }
    };
    bar.finish_and_clear();
    target.close().await;
    let report = report?;
    print_report(format, &report)?;
    Ok(if report["passed"] == true { Outcome::Done } else { Outcome::Failed })
}

/// A report as the API words it.
fn report_json(report: &TestReport) -> Value {
    let mut checks = serde_json::to_value(&report.checks).unwrap_or_default();
    for check in checks.as_array_mut().into_iter().flatten() {
        // A fault that carries something is told by its name; the remedy has the rest.
        let word = match &check["fault"] {
            Value::Object(fields) => fields.keys().next().cloned(),
            _ => None,
        };
        if let Some(word) = word {
            check["fault"] = word.into();
        }
    }
    json!({
        "name": report.connector, "passed": report.passed, "summary": report.summary,
        "checks": checks,
    })
}

fn print_report(format: Format, report: &Value) -> Result<()> {
    let checks = report["checks"].as_array().cloned().unwrap_or_default();
    let columns = [
        column("CONTENT TYPE", "content_type"),
        column("STREAM", "stream"),
        column("KEY", "key"),
        column("PASSED", "passed"),
        column("FAULT", "fault"),
        column("DETAIL", "detail"),
        column("REMEDY", "remedy"),
    ];
    match format {
        Format::Json => output::line(serde_json::to_string_pretty(report)?),
        Format::Ndjson | Format::Csv => output::list(format, &columns, &checks),
        Format::Table => {
            output::line(output::table_text("", &report["summary"]))?;
            for check in &checks {
                let text = |key: &str| output::table_text(key, &check[key]);
                let mark = if check["passed"] == true { "ok    " } else { "failed" };
                let (stream, key) = (text("stream"), text("key"));
                let content_type = text("content_type");
                output::line(format!(
                    "  {mark} {content_type} ({stream}) with {key}: {}",
                    text("detail")
                ))?;
                if !check["remedy"].is_null() {
                    output::line(format!("         remedy: {}", text("remedy")))?;
                }
            }
            Ok(())
        }
    }
}

/// Runs a connector until everything up to now is read.
///
/// # Errors
/// There is none of this name, it is disabled, or the catalog fails.
pub(super) async fn run(config: &Config, named: Named) -> Result<Outcome> {
    let Named { name, format } = named;
    let target = Target::open(config).await?;
    let bar = progress::count(0, "starting");
    let end = match &target {
        Target::Local(local) => {
            let told = |standing: RunProgress| {
                show(&bar, standing.done as u64, standing.streams as u64, standing.open_hours);
            };
            let end = local.app.run_connector(&config.tenant, &name, told).await;
            end.map(|end| end_json(&end)).map_err(Into::into)
        }
        Target::Remote(remote) => {
            let told = |standing: &Value| {
                let number = |key: &str| standing[key].as_u64().unwrap_or_default();
                let open = standing["open_hours"].as_f64().unwrap_or_default();
                show(&bar, number("done"), number("streams"), open);
            };
            remote.follow(&["connectors", name.as_str(), "run"], &json!({}), told).await
        }
    };
    bar.finish_and_clear();
    target.close().await;
    let end = end?;
    let unfinished = end["unfinished"].as_array().map_or(&[][..], Vec::as_slice);
    for stream in unfinished {
        let text = |key: &str| output::csv_text(&stream[key]);
        output::note(format!("{} is not read to its end: {}", text("stream"), text("problem")));
    }
    match format {
        Format::Json => output::line(serde_json::to_string_pretty(&end)?)?,
        format => ingest::print(format, ingest::counts(&end)?)?,
    }
    Ok(if unfinished.is_empty() { Outcome::Done } else { Outcome::Partly })
}

fn show(bar: &ProgressBar, done: u64, streams: u64, open_hours: f64) {
    bar.set_length(streams);
    bar.set_position(done);
    bar.set_message(format!("streams, {open_hours:.1} hours left to read"));
}

fn end_json(end: &RunEnd) -> Value {
    let unfinished: Vec<Value> = end
        .unfinished
        .iter()
        .map(|(stream, problem)| json!({ "stream": stream, "problem": problem }))
        .collect();
    json!({ "counts": end.counts, "unfinished": unfinished })
}

/// Opens older history for reading.
///
/// # Errors
/// There is none of this name, it is disabled, or the catalog fails.
pub(super) async fn backfill(config: &Config, arguments: BackfillArguments) -> Result<Outcome> {
    let BackfillArguments { name, since, format } = arguments;
    let target = Target::open(config).await?;
    let since = since.resolve(engine::clock::SystemClock.now());
    let answer = match &target {
        Target::Local(local) => {
            let streams = local.app.backfill(&config.tenant, &name, since, ACTOR).await;
            streams.map(|streams| json!({ "since": since, "streams": streams })).map_err(Into::into)
        }
        Target::Remote(remote) => {
            let body = json!({ "since": since });
            remote.post(&["connectors", name.as_str(), "backfill"], &[], &body).await
        }
    };
    let is_local = matches!(target, Target::Local(_));
    target.close().await;
    let answer = answer?;
    let columns = [column("SINCE", "since"), column("STREAMS", "streams")];
    output::object(format, &columns, &answer)?;
    if is_local {
        output::note(format!(
            "`tarn connector run '{name}'` reads it now, `tarn serve` as it goes"
        ));
    }
    Ok(Outcome::Done)
}
