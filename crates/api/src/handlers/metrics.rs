//! The process in figures, as Prometheus reads them.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use engine::app::App;
use engine::error::EngineError;
use engine::stacks::standing::Status;

use crate::server::Server;
use model::causes::chain;

const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What the process counts, and gauges of connectors, ledger and lake.
#[utoipa::path(
    get, path = "/metrics", tag = "server",
    responses((status = 200, description = "Prometheus text", body = String, content_type = "text/plain"))
)]
pub(crate) async fn metrics(State(server): State<Server>) -> Response {
    let mut text = server.metrics.as_ref().map(|counted| counted.render()).unwrap_or_default();
    match gauges(&server.app).await {
        Ok(gauges) => text.push_str(&gauges),
        Err(error) => tracing::warn!(error = chain(&error), "left the gauges out of the metrics"),
    }
    ([(CONTENT_TYPE, MEDIA_TYPE)], text).into_response()
}

async fn gauges(app: &App) -> Result<String, EngineError> {
    let mut connectors: BTreeMap<(String, bool), u64> = BTreeMap::new();
    for connector in app.connectors(None).await? {
        *connectors.entry((connector.tenant.to_string(), connector.enabled)).or_default() += 1;
    }
    let mut text = String::new();
    gauge(&mut text, "tarn_connectors", "Connectors by tenant, and whether they collect.");
    for ((tenant, enabled), count) in connectors {
        let labels = format!("tenant=\"{tenant}\",enabled=\"{enabled}\"");
        sample(&mut text, "tarn_connectors", &labels, count);
    }
    stacks(&mut text, app).await?;
    let counts = app.ledger(None, None).await?;
    gauge(
        &mut text,
        "tarn_ledger_records",
        "Records that the ledger counts, by what became of them.",
    );
    let outcomes = [
        ("served", counts.served),
        ("stored", counts.stored),
        ("duplicate", counts.duplicate),
        ("filtered", counts.filtered),
        ("dead_lettered", counts.dead_lettered),
    ];
    for (outcome, count) in outcomes {
        sample(&mut text, "tarn_ledger_records", &format!("outcome=\"{outcome}\""), count);
    }
    let tables = app.lake_stats(None).await?;
    let mut by_class = |name: &str, help: &str, values: Vec<u64>| {
        gauge(&mut text, name, help);
        for (table, value) in tables.iter().zip(values) {
            sample(&mut text, name, &format!("class=\"{}\"", table.class), value);
        }
    };
    by_class("tarn_lake_rows", "Rows of a table.", tables.iter().map(|table| table.rows).collect());
    by_class(
        "tarn_lake_files",
        "Data files of a table.",
        tables.iter().map(|table| table.files).collect(),
    );
    by_class(
        "tarn_lake_bytes",
        "Bytes of a table's data files.",
        tables.iter().map(|table| table.size_bytes).collect(),
    );
    Ok(text)
}

async fn stacks(text: &mut String, app: &App) -> Result<(), EngineError> {
    let stacks = app.stacks(None).await?;
    let mut by_status: BTreeMap<(String, &str), u64> = BTreeMap::new();
    for stack in &stacks {
        *by_status.entry((stack.row.tenant.to_string(), stack.status.as_str())).or_default() += 1;
    }
    gauge(text, "tarn_stacks", "Stacks by tenant and status.");
    for ((tenant, status), count) in by_status {
        sample(text, "tarn_stacks", &format!("tenant=\"{tenant}\",status=\"{status}\""), count);
    }
    gauge(text, "tarn_stack_expires_in_days", "Days until a stack expires, where it does.");
    for stack in stacks.iter().filter(|stack| stack.status != Status::Revoked) {
        if let Some(days) = stack.expires_in_days {
            let labels = format!("tenant=\"{}\",stack=\"{}\"", stack.row.tenant, stack.row.id);
            sample(text, "tarn_stack_expires_in_days", &labels, days);
        }
    }
    Ok(())
}

fn gauge(text: &mut String, name: &str, help: &str) {
    text.push_str(&format!("# HELP {name} {help}\n# TYPE {name} gauge\n"));
}

/// No label value here can hold a quote: tenants, classes and our own words.
fn sample(text: &mut String, name: &str, labels: &str, value: u64) {
    text.push_str(&format!("{name}{{{labels}}} {value}\n"));
}
