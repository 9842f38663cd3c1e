//! What a person may ask a connector to do now: run, and read older history.

use axum::Json;
use axum::extract::State;
use axum::response::Response;

use crate::auth::Access;
use crate::dto::connector::{Backfill, BackfillRequest};
use crate::dto::run::{End, Progress, RunLine};
use crate::extract::{Body, Named, point_in_time};
use crate::ndjson;
use crate::problem::Problem;
use crate::server::Server;

/// Polls now and answers line by line until everything open is read, or until every stream that is
/// left has failed. Leaving early does not stop the connector.
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/run", tag = "connectors",
    params(("name" = String, Path, description = "The connector's name, percent-encoded")),
    responses((status = 200, description = "Progress, one JSON value per line", body = RunLine,
        content_type = "application/x-ndjson"))
)]
pub(crate) async fn run_connector(
    State(server): State<Server>,
    access: Access,
    Named(name): Named,
) -> Result<Response, Problem> {
    ndjson::follow(move |reporter| async move {
        let report = move |progress| reporter.progress(&Progress::from(progress));
        Ok(End::from(server.app.run_connector(&access.tenant, &name, report).await?))
    })
    .await
}

/// Has a connector read older history, behind what is newer.
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/backfill", tag = "connectors",
    request_body = BackfillRequest,
    params(("name" = String, Path, description = "The connector's name, percent-encoded")),
    responses((status = 200, body = Backfill))
)]
pub(crate) async fn backfill_connector(
    State(server): State<Server>,
    access: Access,
    Named(name): Named,
    Body(request): Body<BackfillRequest>,
) -> Result<Json<Backfill>, Problem> {
    let since = point_in_time("since", &request.since, server.app.clock().now())?;
    let streams = server.app.backfill(&access.tenant, &name, since, access.actor()).await?;
    Ok(Json(Backfill { since, streams }))
}
