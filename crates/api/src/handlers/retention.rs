//! How long a tenant's events are kept, and what is held.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use engine::retention::RetentionRule;

use crate::auth::Access;
use crate::dto::retention::{Hold, NewHold, NewRetention, Retention, class};
use crate::extract::{Body, Table};
use crate::paging::Page;
use crate::problem::Problem;
use crate::server::Server;

/// The tenant's retention rules. Without a rule events are kept for ever; the list is always whole.
#[utoipa::path(
    get, path = "/api/v1/lake/retention", tag = "lake",
    responses((status = 200, body = Page<Retention>))
)]
pub(crate) async fn list_retention(
    State(server): State<Server>,
    access: Access,
) -> Result<Json<Page<Retention>>, Problem> {
    let rules = server.app.retention(&access.tenant).await?;
    Ok(Json(Page::whole(rules.into_iter().map(Retention::from).collect())))
}

/// Keeps the tenant's events for so many days. Older days are removed within minutes.
#[utoipa::path(
    post, path = "/api/v1/lake/retention", tag = "lake", request_body = NewRetention,
    responses((status = 200, body = Retention))
)]
pub(crate) async fn set_retention(
    State(server): State<Server>,
    access: Access,
    Body(rule): Body<NewRetention>,
) -> Result<Json<Retention>, Problem> {
    let class = class(rule.class.as_deref())?;
    let rule = RetentionRule { tenant: access.tenant.clone(), class, days: rule.days };
    Ok(Json(server.app.set_retention(rule, access.actor()).await?.into()))
}

/// Removes a retention rule. `all` names the rule without a table.
#[utoipa::path(
    delete, path = "/api/v1/lake/retention/{table}", tag = "lake",
    params(("table" = String, Path, description = "The OCSF class, or `all`")),
    responses((status = 204))
)]
pub(crate) async fn remove_retention(
    State(server): State<Server>,
    access: Access,
    Table(class): Table,
) -> Result<StatusCode, Problem> {
    server.app.remove_retention(&access.tenant, class, access.actor()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The tenant's legal holds. The list is always whole.
#[utoipa::path(
    get, path = "/api/v1/lake/holds", tag = "lake",
    responses((status = 200, body = Page<Hold>))
)]
pub(crate) async fn list_holds(
    State(server): State<Server>,
    access: Access,
) -> Result<Json<Page<Hold>>, Problem> {
    let holds = server.app.holds(&access.tenant).await?;
    Ok(Json(Page::whole(holds.into_iter().map(Hold::from).collect())))
}

/// Holds the tenant's events. From the answer on nothing of them is removed, whatever a rule says.
#[utoipa::path(
    post, path = "/api/v1/lake/holds", tag = "lake", request_body = NewHold,
    responses((status = 200, body = Hold))
)]
pub(crate) async fn set_hold(
    State(server): State<Server>,
    access: Access,
    Body(hold): Body<NewHold>,
) -> Result<Json<Hold>, Problem> {
    let class = class(hold.class.as_deref())?;
    let held = server.app.set_hold(&access.tenant, class, hold.reason, access.actor()).await?;
    Ok(Json(held.into()))
}

/// Ends a legal hold. `all` names the hold without a table.
#[utoipa::path(
    delete, path = "/api/v1/lake/holds/{table}", tag = "lake",
    params(("table" = String, Path, description = "The OCSF class, or `all`")),
    responses((status = 204))
)]
pub(crate) async fn remove_hold(
    State(server): State<Server>,
    access: Access,
    Table(class): Table,
) -> Result<StatusCode, Problem> {
    server.app.remove_hold(&access.tenant, class, access.actor()).await?;
    Ok(StatusCode::NO_CONTENT)
}
