//! Stacks: made with a link, listed, renewed, revoked.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use engine::stacks::publication::Publication as EnginePublication;

use crate::auth::Access;
use crate::dto::stack::{NewStack, Publication, Renewal, Stack, StackOffer};
use crate::extract::{ApiVersion, Body, MaybeBody, ServiceUrl, StackNamed};
use crate::paging::Page;
use crate::problem::Problem;
use crate::server::Server;

/// The stacks of the tenant, the oldest first. Revoked ones are among them; the list is always whole.
#[utoipa::path(
    get, path = "/api/v1/stacks", tag = "stacks",
    responses((status = 200, body = Page<Stack>))
)]
pub(crate) async fn list_stacks(
    State(server): State<Server>,
    access: Access,
    _: ApiVersion,
) -> Result<Json<Page<Stack>>, Problem> {
    let stacks = server.app.stacks(Some(&access.tenant)).await?;
    Ok(Json(Page::whole(stacks.into_iter().map(Stack::from).collect())))
}

/// The stack of an account and a region with a link that opens CloudFormation. Asking again answers the same stack
/// with a new link in the place of the old one. Where nothing was published for the region there is no link, but the
/// template's text and the steps by hand.
#[utoipa::path(
    post, path = "/api/v1/stacks", tag = "stacks", request_body = Option<NewStack>,
    params(("Api-Version" = Option<String>, Header, description = "`v1`, if it is given")),
    responses((status = 200, body = StackOffer))
)]
pub(crate) async fn offer_stack(
    State(server): State<Server>,
    access: Access,
    _: ApiVersion,
    ServiceUrl(service_url): ServiceUrl,
    MaybeBody(wanted): MaybeBody<NewStack>,
) -> Result<Json<StackOffer>, Problem> {
    let wish = wanted.into();
    let offered = server.app.offer_stack(&access.tenant, &wish, &service_url, access.actor());
    Ok(Json(offered.await?.into()))
}

/// A stack and how it is doing.
#[utoipa::path(
    get, path = "/api/v1/stacks/{id}", tag = "stacks",
    params(("id" = String, Path, description = "The stack's id")),
    responses((status = 200, body = Stack))
)]
pub(crate) async fn show_stack(
    State(server): State<Server>,
    access: Access,
    _: ApiVersion,
    StackNamed(id): StackNamed,
) -> Result<Json<Stack>, Problem> {
    Ok(Json(server.app.stack(&access.tenant, id).await?.into()))
}

/// Gives a stack a new lease. A revocation is lifted, and a stack that never enrolled gets a new link.
#[utoipa::path(
    post, path = "/api/v1/stacks/{id}/renew", tag = "stacks", request_body = Option<Renewal>,
    params(("id" = String, Path, description = "The stack's id")),
    responses((status = 200, body = StackOffer))
)]
pub(crate) async fn renew_stack(
    State(server): State<Server>,
    access: Access,
    _: ApiVersion,
    StackNamed(id): StackNamed,
    ServiceUrl(service_url): ServiceUrl,
    MaybeBody(renewal): MaybeBody<Renewal>,
) -> Result<Json<StackOffer>, Problem> {
    let days = renewal.expires_in_days;
    let renewed = server.app.renew_stack(&access.tenant, id, days, &service_url, access.actor());
    Ok(Json(renewed.await?.into()))
}

/// Takes a stack back. From the answer on its client is refused; what it sent stays.
#[utoipa::path(
    delete, path = "/api/v1/stacks/{id}", tag = "stacks",
    params(("id" = String, Path, description = "The stack's id")),
    responses((status = 204, description = "It is revoked"))
)]
pub(crate) async fn revoke_stack(
    State(server): State<Server>,
    access: Access,
    _: ApiVersion,
    StackNamed(id): StackNamed,
) -> Result<StatusCode, Problem> {
    server.app.revoke_stack(&access.tenant, id, access.actor()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where templates and code were published, the newest first. Links are made of it in all tenants.
#[utoipa::path(
    get, path = "/api/v1/stacks/publications", tag = "stacks",
    responses((status = 200, body = Page<Publication>))
)]
pub(crate) async fn list_publications(
    State(server): State<Server>,
) -> Result<Json<Page<Publication>>, Problem> {
    let known = server.app.publications().await?.into_iter();
    let shown = known.map(|EnginePublication { bucket, region, version }| Publication {
        bucket,
        region,
        version,
    });
    Ok(Json(Page::whole(shown.collect())))
}

/// Says that templates and code were published for a region, as `tarn cloudtrail publish` does.
#[utoipa::path(
    post, path = "/api/v1/stacks/publications", tag = "stacks", request_body = Publication,
    responses((status = 200, body = Publication))
)]
pub(crate) async fn remember_publication(
    State(server): State<Server>,
    access: Access,
    Body(published): Body<Publication>,
) -> Result<Json<Publication>, Problem> {
    let Publication { bucket, region, version } = &published;
    let publication = EnginePublication {
        bucket: bucket.clone(),
        region: region.clone(),
        version: version.clone(),
    };
    server.app.remember_publication(&publication, access.actor()).await?;
    Ok(Json(published))
}
