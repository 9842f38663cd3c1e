//! The lake: its size, the proof that it holds what the ledger says, and looking after it.

use axum::Json;
use axum::extract::State;

use crate::auth::Access;
use crate::dto::lake::{LakeProof, LakeTable};
use crate::dto::maintenance::{LakeMaintenance, LakeVacuum};
use crate::extract::Body;
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

/// Merges all small files of the lake, of every tenant. Takes as long as rewriting them takes; the
/// server does it by itself where it is worth it.
#[utoipa::path(
    post, path = "/api/v1/lake/compact", tag = "lake",
    responses((status = 200, body = LakeMaintenance))
)]
pub(crate) async fn compact_lake(
    State(server): State<Server>,
    access: Access,
) -> Result<Json<LakeMaintenance>, Problem> {
    Ok(Json(server.app.compact(access.actor()).await?.into()))
}

/// Removes log entries and files that nobody needs any more, of every tenant. The server does it by
/// itself. A dry run only tells what would go.
#[utoipa::path(
    post, path = "/api/v1/lake/vacuum", tag = "lake", request_body = LakeVacuum,
    responses((status = 200, body = LakeMaintenance))
)]
pub(crate) async fn vacuum_lake(
    State(server): State<Server>,
    access: Access,
    Body(asked): Body<LakeVacuum>,
) -> Result<Json<LakeMaintenance>, Problem> {
    Ok(Json(server.app.vacuum(asked.dry_run, access.actor()).await?.into()))
}
