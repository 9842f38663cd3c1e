//! Whether the process runs and whether it can serve, for whoever watches it.

use model::causes::chain;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use engine::app::App;
use engine::dead_letters::DeadLetterFilter;
use engine::error::EngineError;
use model::time::Timestamp;

use crate::dto::server::Health;
use crate::problem::Problem;
use crate::server::Server;

/// How long an answer holds: anyone may ask, and asking must cost next to nothing.
const HOLDS: Duration = Duration::from_secs(5);

/// An answer of the catalog and the lake.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Readiness {
    at: Timestamp,
    ready: bool,
}

/// The process runs.
#[utoipa::path(
    get, path = "/healthz", tag = "server",
    responses((status = 200, description = "The process runs", body = Health))
)]
pub(crate) async fn alive() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// The catalog and the lake answer. Asked at most every five seconds.
#[utoipa::path(
    get, path = "/readyz", tag = "server",
    responses(
        (status = 200, description = "The catalog and the lake answer", body = Health),
        (status = 503, description = "One of them does not", body = Problem,
            content_type = "application/problem+json"),
    )
)]
pub(crate) async fn ready(State(server): State<Server>) -> Result<Json<Health>, Problem> {
    let mut known = server.readiness.lock().await;
    let now = server.app.clock().now();
    let fresh = known.filter(|known| now.since(known.at) < HOLDS);
    let answer = match fresh {
        Some(answer) => answer,
        None => Readiness { at: now, ready: answers(&server.app).await },
    };
    *known = Some(answer);
    if answer.ready { Ok(Json(Health { status: "ok" })) } else { Err(Problem::not_ready()) }
}

async fn answers(app: &App) -> bool {
    match ask(app).await {
        Ok(()) => true,
        Err(error) => {
            tracing::warn!(error = chain(&error), "the server cannot serve");
            false
        }
    }
}

async fn ask(app: &App) -> Result<(), EngineError> {
    app.dead_letters(&DeadLetterFilter::default(), None, 1).await?;
    app.lake_stats(None).await?;
    Ok(())
}
