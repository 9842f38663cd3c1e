//! Responders: templates, documents, previews. They are run like actions, as `responder.NAME`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::Value;

use crate::auth::Access;
use crate::dto::responder::{
    ApplyParameters, Change, Documents, PreviewWanted, PreviewedRequest, ResponderShown,
    ResponderTemplate,
};
use crate::extract::{Body, MaybeBody, NameInPath, Parameters};
use crate::paging::Page;
use crate::problem::Problem;
use crate::server::Server;

/// The templates that responders can be made from. The list is always whole.
#[utoipa::path(
    get, path = "/api/v1/responder-templates", tag = "responders",
    responses((status = 200, body = Page<ResponderTemplate>))
)]
pub(crate) async fn list_responder_templates(
    State(server): State<Server>,
) -> Json<Page<ResponderTemplate>> {
    let templates = server.app.responder_templates();
    Json(Page::whole(templates.into_iter().map(ResponderTemplate::from).collect()))
}

/// The responders that the tenant may use. The list is always whole.
#[utoipa::path(
    get, path = "/api/v1/responders", tag = "responders",
    responses((status = 200, body = Page<ResponderShown>))
)]
pub(crate) async fn list_responders(
    State(server): State<Server>,
    access: Access,
) -> Result<Json<Page<ResponderShown>>, Problem> {
    let responders = server.app.responders(&access.tenant).await?;
    Ok(Json(Page::whole(responders.into_iter().map(ResponderShown::from).collect())))
}

/// Applies documents: all of them are checked before the first is written. A masked secret means: keep what is stored. A
/// responder of all tenants needs a token that is not bound to one.
#[utoipa::path(
    post, path = "/api/v1/responders", tag = "responders", request_body = Documents,
    params(ApplyParameters),
    responses((status = 200, body = Page<Change>))
)]
pub(crate) async fn apply_responders(
    State(server): State<Server>,
    access: Access,
    Parameters(asked): Parameters<ApplyParameters>,
    Body(Documents { documents }): Body<Documents>,
) -> Result<Json<Page<Change>>, Problem> {
    let documents = server.app.read_responders(&Value::Object(documents).to_string())?;
    let own = access.tenant.as_str();
    let is_bound = access.caller.tenant.is_some();
    let foreign = |tenant: &str| tenant != own && (tenant != "all" || is_bound);
    if let Some(document) = documents.iter().find(|document| foreign(&document.tenant)) {
        return Err(Problem::forbidden(format!(
            "the responder `{}` is for the tenant `{}`, and this request is made in `{own}`",
            document.name, document.tenant
        )));
    }
    let dry_run = asked.dry_run.unwrap_or(false);
    let changes = server.app.apply_responders(documents, dry_run, access.actor()).await?;
    Ok(Json(Page::whole(changes.into_iter().map(Change::from).collect())))
}

/// A responder with its document, secrets masked.
#[utoipa::path(
    get, path = "/api/v1/responders/{name}", tag = "responders",
    params(("name" = String, Path, description = "The responder's name")),
    responses((status = 200, body = ResponderShown))
)]
pub(crate) async fn show_responder(
    State(server): State<Server>,
    access: Access,
    NameInPath(name): NameInPath,
) -> Result<Json<ResponderShown>, Problem> {
    Ok(Json(server.app.responder(&access.tenant, &name).await?.into()))
}

/// Deletes a responder; its runs stay in the history.
#[utoipa::path(
    delete, path = "/api/v1/responders/{name}", tag = "responders",
    params(("name" = String, Path, description = "The responder's name")),
    responses((status = 204, description = "It is gone"))
)]
pub(crate) async fn delete_responder(
    State(server): State<Server>,
    access: Access,
    NameInPath(name): NameInPath,
) -> Result<StatusCode, Problem> {
    let is_everywhere = access.caller.tenant.is_none();
    let (tenant, actor) = (&access.tenant, access.actor());
    server.app.delete_responder(tenant, &name, is_everywhere, actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What a responder would send for a record, secrets masked. Nothing is sent.
#[utoipa::path(
    post, path = "/api/v1/responders/{name}/preview", tag = "responders",
    request_body = Option<PreviewWanted>,
    params(("name" = String, Path, description = "The responder's name")),
    responses((status = 200, body = PreviewedRequest))
)]
pub(crate) async fn preview_responder(
    State(server): State<Server>,
    access: Access,
    NameInPath(name): NameInPath,
    MaybeBody(wanted): MaybeBody<PreviewWanted>,
) -> Result<Json<PreviewedRequest>, Problem> {
    let PreviewWanted { record, parameters, edited } = wanted;
    let (tenant, record, edited) = (&access.tenant, record.as_deref(), edited.into());
    let shown = server.app.preview_responder(tenant, &name, record, &parameters, &edited);
    Ok(Json(shown.await?.into()))
}
