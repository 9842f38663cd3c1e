//! The ledger: what became of every record.

use axum::Json;
use axum::extract::State;
use model::ids::{ConnectorId, ConnectorName};

use crate::auth::Access;
use crate::dto::ledger::{Ledger, LedgerParameters};
use crate::extract::Parameters;
use crate::problem::Problem;
use crate::server::Server;

/// The totals of the tenant, or of one of its connectors.
#[utoipa::path(
    get, path = "/api/v1/ledger", tag = "lake", params(LedgerParameters),
    responses((status = 200, body = Ledger))
)]
pub(crate) async fn show_ledger(
    State(server): State<Server>,
    access: Access,
    Parameters(asked): Parameters<LedgerParameters>,
) -> Result<Json<Ledger>, Problem> {
    let connector = connector_id(&server, &access, asked.connector.as_deref()).await?;
    let counts = server.app.ledger(Some(&access.tenant), connector).await?;
    Ok(Json(Ledger {
        tenant: access.tenant.to_string(),
        connector: asked.connector,
        balanced: counts.imbalance() == 0,
        counts: counts.into(),
    }))
}

/// The id of the connector that a parameter names.
pub(crate) async fn connector_id(
    server: &Server,
    access: &Access,
    name: Option<&str>,
) -> Result<Option<ConnectorId>, Problem> {
    let Some(name) = name else { return Ok(None) };
    let name = ConnectorName::new(name)
        .map_err(|error| Problem::invalid(format!("`connector`: {error}")))?;
    Ok(Some(server.app.connector(&access.tenant, &name).await?.id))
}
