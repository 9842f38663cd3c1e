//! The integrations of this build.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::dto::integration::Integration;
use crate::paging::Page;
use crate::problem::Problem;
use crate::server::Server;

/// Every integration. The list is always whole.
#[utoipa::path(
    get, path = "/api/v1/integrations", tag = "integrations",
    responses((status = 200, body = Page<Integration>))
)]
pub(crate) async fn list_integrations(State(server): State<Server>) -> Json<Page<Integration>> {
    let known = server.app.registry().iter();
    Json(Page::whole(known.map(|known| Integration::from(known.manifest())).collect()))
}

/// One integration.
#[utoipa::path(
    get, path = "/api/v1/integrations/{name}", tag = "integrations",
    params(("name" = String, Path, description = "Its id", example = "trend_micro_cas")),
    responses((status = 200, body = Integration), (status = 404, description = "There is none of this name"))
)]
pub(crate) async fn show_integration(
    State(server): State<Server>,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json<Integration>, Problem> {
    let Path(name) = name?;
    let known = server.app.registry().get(&name).ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, format!("there is no integration `{name}`"))
            .with_hint("/api/v1/integrations lists them")
    })?;
    Ok(Json(known.manifest().into()))
}
