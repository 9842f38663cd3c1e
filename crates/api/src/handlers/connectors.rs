//! Connectors: the list, their status, and switching them on and off.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use model::ids::ConnectorName;

use crate::auth::Access;
use crate::dto::connector::{ConnectorSummary, Enabled, problem_of};
use crate::dto::status::ConnectorStatus;
use crate::dto::test::ConnectorTest;
use crate::extract::{Named, Parameters};
use crate::paging::{self, Page, PageParameters};
use crate::problem::Problem;
use crate::server::Server;

/// The connectors of the tenant by name, each with the summary of its status.
#[utoipa::path(
    get, path = "/api/v1/connectors", tag = "connectors", params(PageParameters),
    responses((status = 200, body = Page<ConnectorSummary>))
)]
pub(crate) async fn list_connectors(
    State(server): State<Server>,
    access: Access,
    Parameters(page): Parameters<PageParameters>,
) -> Result<Json<Page<ConnectorSummary>>, Problem> {
    let limit = paging::limit(page.limit)? as usize;
    let after = page.cursor.as_deref().map(paging::key).transpose()?;
    let mut connectors = server.app.connectors(Some(&access.tenant)).await?;
    connectors.sort_by(|one, other| one.name.cmp(&other.name));
    if let Some(after) = after {
        connectors.retain(|connector| connector.name.as_str() > after.as_str());
    }
    let more = connectors.len() > limit;
    connectors.truncate(limit);
    let next = connectors.last().filter(|_| more).map(|last| paging::cursor(last.name.as_str()));
    let mut items = Vec::with_capacity(connectors.len());
    for connector in connectors {
        let status = server.app.status_of(&connector).await?;
        items.push(ConnectorSummary {
            problem: problem_of(&status),
            id: connector.id.to_string(),
            name: connector.name.to_string(),
            tenant: connector.tenant.to_string(),
            integration: connector.integration,
            enabled: connector.enabled,
            state: status.state,
            counts: status.counts.into(),
            backfill: status.backfill,
            covered_until: status.covered_until,
            updated_at: connector.updated_at,
        });
    }
    Ok(Json(Page { items, next }))
}

/// How a connector and its streams are.
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}/status", tag = "connectors",
    params(("name" = String, Path, description = "The connector's name, percent-encoded")),
    responses((status = 200, body = ConnectorStatus))
)]
pub(crate) async fn connector_status(
    State(server): State<Server>,
    access: Access,
    Named(name): Named,
) -> Result<Json<ConnectorStatus>, Problem> {
    Ok(Json(server.app.status(&access.tenant, &name).await?.into()))
}

/// Asks the vendor for each content type with each key. A refusal by the vendor is a result, not a
/// problem.
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/test", tag = "connectors",
    params(("name" = String, Path, description = "The connector's name, percent-encoded")),
    responses((status = 200, body = ConnectorTest))
)]
pub(crate) async fn test_connector(
    State(server): State<Server>,
    access: Access,
    Named(name): Named,
) -> Result<Json<ConnectorTest>, Problem> {
    Ok(Json(server.app.test_connector(&access.tenant, &name).await?.into()))
}

/// Switches a connector on.
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/enable", tag = "connectors",
    params(("name" = String, Path, description = "The connector's name, percent-encoded")),
    responses((status = 200, body = Enabled))
)]
pub(crate) async fn enable_connector(
    State(server): State<Server>,
    access: Access,
    Named(name): Named,
) -> Result<Json<Enabled>, Problem> {
    switch(&server, &access, &name, true).await
}

/// Switches a connector off. What it has read stays known.
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/disable", tag = "connectors",
    params(("name" = String, Path, description = "The connector's name, percent-encoded")),
    responses((status = 200, body = Enabled))
)]
pub(crate) async fn disable_connector(
    State(server): State<Server>,
    access: Access,
    Named(name): Named,
) -> Result<Json<Enabled>, Problem> {
    switch(&server, &access, &name, false).await
}

async fn switch(
    server: &Server,
    access: &Access,
    name: &ConnectorName,
    enabled: bool,
) -> Result<Json<Enabled>, Problem> {
    server.app.set_enabled(&access.tenant, name, enabled, access.actor()).await?;
    Ok(Json(Enabled { name: name.to_string(), enabled }))
}

/// Deletes a connector with its secrets. Its events, ledger and dead letters stay.
#[utoipa::path(
    delete, path = "/api/v1/connectors/{name}", tag = "connectors",
    params(("name" = String, Path, description = "The connector's name, percent-encoded")),
    responses((status = 204, description = "It is gone"))
)]
pub(crate) async fn delete_connector(
    State(server): State<Server>,
    access: Access,
    Named(name): Named,
) -> Result<StatusCode, Problem> {
    server.app.delete_connector(&access.tenant, &name, access.actor()).await?;
    Ok(StatusCode::NO_CONTENT)
}
