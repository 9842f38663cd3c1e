//! The lake: its size, and the proof that it holds what the ledger says.

use axum::Json;
use axum::extract::State;

use crate::auth::Access;
use crate::dto::lake::{LakeProof, LakeTable};
use crate::paging::Page;
use crate::problem::Problem;
use crate::server::Server;

/// Size and counts of every table, as far as the tenant's rows go. The list is always whole.
#[utoipa::path(
    get, path = "/api/v1/lake/stats", tag = "lake",
    responses((status = 200, body = Page<LakeTable>))
)]
pub(crate) async fn lake_stats(
    State(server): State<Server>,
    access: Access,
) -> Result<Json<Page<LakeTable>>, Problem> {
    let tables = server.app.lake_stats(Some(&access.tenant)).await?;
    Ok(Json(Page::whole(tables.into_iter().map(LakeTable::from).collect())))
}

/// Reads the whole lake again, of every tenant, and compares it with the ledger. Takes as long as
/// reading takes.
#[utoipa::path(
    post, path = "/api/v1/lake/verify", tag = "lake",
    responses((status = 200, body = LakeProof))
)]
pub(crate) async fn verify_lake(State(server): State<Server>) -> Result<Json<LakeProof>, Problem> {
    Ok(Json(server.app.verify().await?.into()))
}
