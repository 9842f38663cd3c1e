//! `tarn connector list` and `status`.

use anyhow::Result;
use catalog::StoredConnector;
use clap::Args;
use engine::app::App;
use engine::connectors::status::ConnectorStatus;
use model::ids::ConnectorName;
use serde_json::{Value, json};

use crate::config::Config;
use crate::error::Outcome;
use crate::output::{self, Column, Format, column};
use crate::target::Target;

const SUMMARY: [Column; 9] = [
    column("NAME", "name"),
    column("INTEGRATION", "integration"),
    column("STATE", "state"),
    column("STORED", "counts.stored"),
    column("DUPLICATE", "counts.duplicate"),
    column("DEAD", "counts.dead_lettered"),
    column("HISTORY", "backfill"),
    column("COVERED UNTIL", "covered_until"),
    column("PROBLEM", "problem"),
];

const STREAM: [Column; 9] = [
    column("STREAM", "stream"),
    column("STATE", "state"),
    column("STORED", "counts.stored"),
    column("DUPLICATE", "counts.duplicate"),
    column("DEAD", "counts.dead_lettered"),
    column("COVERED UNTIL", "covered_until"),
    column("OPEN", "open"),
    column("LOST", "lost"),
    column("PROBLEM", "problem"),
];

const DRIFT: [Column; 6] = [
    column("STREAM", "stream"),
    column("FIELD", "field"),
    column("DRIFT", "change"),
    column("RECORDS", "records"),
    column("SINCE", "since"),
    column("EXAMPLE", "example"),
];

/// Flags of `status`.
#[derive(Debug, Args)]
pub(crate) struct StatusArguments {
    /// The connector, with each of its streams; all connectors when left out
    #[arg(value_name = "NAME")]
    name: Option<ConnectorName>,
    /// How the answer is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Prints all connectors of the tenant.
///
/// # Errors
/// The catalog or the server cannot be asked.
pub(super) async fn list(config: &Config, format: Format) -> Result<Outcome> {
    let target = Target::open(config).await?;
    let rows = match &target {
        Target::Local(local) => {
            let mut rows = Vec::new();
            for stored in local.app.connectors(Some(&config.tenant)).await? {
                rows.push(summary(&local.app, &stored).await?);
            }
            rows
        }
        Target::Remote(remote) => remote.list(&["connectors"], &[]).await?,
    };
    target.close().await;
    if format != Format::Table {
        output::list(format, &SUMMARY, &rows)?;
        return Ok(Outcome::Done);
    }
    output::list(format, &SUMMARY, &rows.into_iter().map(in_percent).collect::<Vec<_>>())?;
    Ok(Outcome::Done)
}

/// Prints one connector with its streams, or all of them.
///
/// # Errors
/// There is none of this name, or the catalog or the server cannot be asked.
pub(super) async fn status(config: &Config, arguments: StatusArguments) -> Result<Outcome> {
    let Some(name) = &arguments.name else { return list(config, arguments.format).await };
    let target = Target::open(config).await?;
    let status = match &target {
        Target::Local(local) => status_json(&local.app.status(&config.tenant, name).await?)?,
        Target::Remote(remote) => remote.get(&["connectors", name.as_str(), "status"], &[]).await?,
    };
    target.close().await;
    print(arguments.format, status)?;
    Ok(Outcome::Done)
}

fn print(format: Format, status: Value) -> Result<()> {
    let mut streams = status["streams"].as_array().cloned().unwrap_or_default();
    match format {
        Format::Json => return output::line(serde_json::to_string_pretty(&status)?),
        Format::Ndjson | Format::Csv => return output::list(format, &STREAM, &streams),
        Format::Table => {}
    }
    for stream in &mut streams {
        for key in ["open", "lost"] {
            stream[key] = spans(&stream[key]).into();
        }
    }
    output::list(format, &STREAM, &streams)?;
    let drifts = drifts(&streams);
    if !drifts.is_empty() {
        output::line(
            "\nThe vendor's records changed; nothing is lost, but mappings may say less:\n",
        )?;
        output::list(format, &DRIFT, &drifts)?;
    }
    for notice in status["notices"].as_array().into_iter().flatten() {
        output::line(format!("\n{}", notice.as_str().unwrap_or_default()))?;
    }
    let status = in_percent(status);
    let text = |path: &str| output::table_text(path, output::find(&status, path));
    let counts: model::ledger::Counts = serde_json::from_value(status["counts"].clone())?;
    output::line(format!(
        "\n{}: {}, history {}, covered until {}",
        text("name"),
        text("state"),
        text("backfill"),
        text("covered_until")
    ))?;
    output::line(counts.to_string())
}

/// Every departure of every stream, with its stream.
fn drifts(streams: &[Value]) -> Vec<Value> {
    let of_stream = |stream: &Value| {
        let drifts = stream["drift"].as_array().cloned().unwrap_or_default();
        let name = stream["stream"].clone();
        drifts.into_iter().map(move |mut drift| {
            drift["stream"] = name.clone();
            drift
        })
    };
    streams.iter().flat_map(of_stream).collect()
}

/// `2 spans, from 2026-03-02T00:00:00Z`
fn spans(spans: &Value) -> String {
    let spans = spans.as_array().map_or(&[][..], Vec::as_slice);
    let starts = spans.iter().filter_map(|span| span["start"].as_str());
    match (spans.len(), starts.min()) {
        (0, _) | (_, None) => String::new(),
        (1, Some(start)) => format!("from {start}"),
        (count, Some(start)) => format!("{count} spans, from {start}"),
    }
}

fn in_percent(mut row: Value) -> Value {
    if let Some(share) = row["backfill"].as_f64() {
        row["backfill"] = format!("{:.0} %", (share * 100.0).floor()).into();
    }
    row
}

/// A connector as the API lists it.
async fn summary(app: &App, stored: &StoredConnector) -> Result<Value> {
    let status = app.status_of(stored).await?;
    let problem = status.streams.iter().find_map(|stream| stream.problem.clone());
    Ok(json!({
        "id": stored.id,
        "name": stored.name,
        "tenant": stored.tenant,
        "integration": stored.integration,
        "enabled": stored.enabled,
        "state": status.state,
        "problem": problem,
        "counts": status.counts,
        "backfill": status.backfill,
        "covered_until": status.covered_until,
        "updated_at": stored.updated_at,
    }))
}

/// A status as the API words it.
fn status_json(status: &ConnectorStatus) -> Result<Value> {
    let mut value = serde_json::to_value(status)?;
    if let Value::Object(fields) = &mut value {
        let name = fields.remove("connector").unwrap_or_default();
        fields.shift_insert(0, "name".to_owned(), name);
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_by_their_number_and_earliest_start() {
        let span = |start: &str| json!({ "start": start, "end": "2026-03-03T00:00:00Z" });
        assert_eq!(spans(&json!([])), "");
        assert_eq!(spans(&json!([span("2026-03-02T00:00:00Z")])), "from 2026-03-02T00:00:00Z");
        let two = json!([span("2026-03-02T00:00:00Z"), span("2026-03-01T00:00:00Z")]);
        assert_eq!(spans(&two), "2 spans, from 2026-03-01T00:00:00Z");
    }
}
