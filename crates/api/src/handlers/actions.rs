//! Actions: what can be run, runs of it, and what keeps entities from them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use engine::access::Right;
use engine::actions::RESPONDER;
use engine::actions::history::{Asker, RunFilter};
use model::action::Entity as ModelEntity;
use model::ids::RunId;

use crate::auth::Access;
use crate::dto::action::{
    Action, Cap, Edited, Entity, EntityParameters, NewRun, Property, Protection, Revert, Run,
    RunParameters,
};
use crate::extract::{Body, Key, Language, MaybeBody, NameInPath, Parameters, RunNamed};
use crate::paging::{self, Page};
use crate::problem::Problem;
use crate::server::Server;

/// Who asks, and by what the same wish is known when it comes again.
fn asker(access: &Access, idempotency_key: Option<String>) -> Asker<'_> {
    Asker { actor: access.actor(), idempotency_key }
}

/// The actions of this build, with JSON Schema of what each takes and answers. The list is always whole.
#[utoipa::path(
    get, path = "/api/v1/actions", tag = "actions",
    responses((status = 200, body = Page<Action>))
)]
pub(crate) async fn list_actions(
    State(server): State<Server>,
    access: Access,
) -> Result<Json<Page<Action>>, Problem> {
    let actions = server.app.actions(&access.tenant).await?;
    Ok(Json(Page::whole(actions.into_iter().map(Action::from).collect())))
}

/// Runs an action. It is written down before anything is sent, and lived through whatever becomes of this server. The
/// same request under the same key is the same run.
#[utoipa::path(
    post, path = "/api/v1/actions/{action}/runs", tag = "actions", request_body = NewRun,
    params(
        ("action" = String, Path, description = "The action's full name, or `responder.NAME`"),
        ("Idempotency-Key" = Option<String>, Header, description = "By what the same wish is known when it comes again"),
    ),
    responses((status = 202, body = Run))
)]
pub(crate) async fn run_action(
    State(server): State<Server>,
    access: Access,
    Language(locale): Language,
    NameInPath(action): NameInPath,
    Key(key): Key,
    Body(wanted): Body<NewRun>,
) -> Result<(StatusCode, Json<Run>), Problem> {
    if wanted.is_edited() {
        // Whoever may edit a request may send anything with the responder's key.
        access.must(Right::ActionsWrite, &access.tenant)?;
    }
    let wish = wanted.wish(&access.tenant, action, access.actor(), key)?;
    let id = server.app.begin_run(wish).await?;
    let run = server.app.action_run(&access.tenant, id, locale).await?;
    Ok((StatusCode::ACCEPTED, Json(run.into())))
}

/// The action history of the tenant, the newest first.
#[utoipa::path(
    get, path = "/api/v1/action-runs", tag = "actions", params(RunParameters),
    responses((status = 200, body = Page<Run>))
)]
pub(crate) async fn list_action_runs(
    State(server): State<Server>,
    access: Access,
    Language(locale): Language,
    Parameters(asked): Parameters<RunParameters>,
) -> Result<Json<Page<Run>>, Problem> {
    let limit = paging::limit(asked.limit)?;
    let run_of = |cursor: &str| -> Result<RunId, Problem> {
        paging::key(cursor)?.parse().map_err(|_| paging::foreign())
    };
    let filter = RunFilter {
        tenant: Some(access.tenant.clone()),
        state: asked.state()?,
        before: asked.cursor.as_deref().map(run_of).transpose()?,
        prefix: asked.webhooks.unwrap_or(false).then(|| format!("{RESPONDER}.")),
        action: asked.action,
        target: asked.target,
        limit,
    };
    let runs = server.app.action_runs(&filter, locale).await?;
    let is_full = runs.len() == limit as usize;
    let next = runs.last().filter(|_| is_full).map(|run| paging::cursor(&run.id.to_string()));
    Ok(Json(Page { items: runs.into_iter().map(Run::from).collect(), next }))
}

/// One run with every request that it sent and every answer that it got, secrets masked.
#[utoipa::path(
    get, path = "/api/v1/action-runs/{id}", tag = "actions",
    params(("id" = String, Path, description = "The run's id")),
    responses((status = 200, body = Run))
)]
pub(crate) async fn show_action_run(
    State(server): State<Server>,
    access: Access,
    Language(locale): Language,
    RunNamed(id): RunNamed,
) -> Result<Json<Run>, Problem> {
    Ok(Json(server.app.action_run(&access.tenant, id, locale).await?.into()))
}

/// Takes back what a run did, by the reverse of its action, on the items that it changed.
#[utoipa::path(
    post, path = "/api/v1/action-runs/{id}/revert", tag = "actions", request_body = Option<Revert>,
    params(
        ("id" = String, Path, description = "The run's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "By what the same wish is known when it comes again"),
    ),
    responses((status = 202, body = Run))
)]
pub(crate) async fn revert_action_run(
    State(server): State<Server>,
    access: Access,
    Language(locale): Language,
    RunNamed(id): RunNamed,
    Key(key): Key,
    MaybeBody(revert): MaybeBody<Revert>,
) -> Result<(StatusCode, Json<Run>), Problem> {
    let (tenant, by) = (&access.tenant, asker(&access, key));
    let reverse = server.app.revert_run(tenant, id, revert.dry_run, by).await?;
    let run = server.app.action_run(tenant, reverse, locale).await?;
    Ok((StatusCode::ACCEPTED, Json(run.into())))
}

/// Does a run again: what did not succeed, or what the body says instead.
#[utoipa::path(
    post, path = "/api/v1/action-runs/{id}/retry", tag = "actions", request_body = Option<Edited>,
    params(
        ("id" = String, Path, description = "The run's id"),
        ("Idempotency-Key" = Option<String>, Header, description = "By what the same wish is known when it comes again"),
    ),
    responses((status = 202, body = Run))
)]
pub(crate) async fn retry_action_run(
    State(server): State<Server>,
    access: Access,
    Language(locale): Language,
    RunNamed(id): RunNamed,
    Key(key): Key,
    MaybeBody(edited): MaybeBody<Edited>,
) -> Result<(StatusCode, Json<Run>), Problem> {
    let tenant = &access.tenant;
    let again = server.app.retry_run(tenant, id, edited.input()?, asker(&access, key)).await?;
    let run = server.app.action_run(tenant, again, locale).await?;
    Ok((StatusCode::ACCEPTED, Json(run.into())))
}

/// Stops a run. What the vendor has accepted goes on there.
#[utoipa::path(
    post, path = "/api/v1/action-runs/{id}/cancel", tag = "actions",
    params(("id" = String, Path, description = "The run's id")),
    responses((status = 202, description = "It stops"))
)]
pub(crate) async fn cancel_action_run(
    State(server): State<Server>,
    access: Access,
    RunNamed(id): RunNamed,
) -> Result<StatusCode, Problem> {
    server.app.cancel_run(&access.tenant, id, access.actor()).await?;
    Ok(StatusCode::ACCEPTED)
}

/// What no action of the tenant may take away. The list is always whole.
#[utoipa::path(
    get, path = "/api/v1/action-guard/protected", tag = "actions",
    responses((status = 200, body = Page<Protection>))
)]
pub(crate) async fn list_protected(
    State(server): State<Server>,
    access: Access,
) -> Result<Json<Page<Protection>>, Problem> {
    let known = server.app.protected(&access.tenant).await?;
    Ok(Json(Page::whole(known.into_iter().map(Protection::from).collect())))
}

/// Protects entities from every action that takes something away.
#[utoipa::path(
    post, path = "/api/v1/action-guard/protected", tag = "actions", request_body = Protection,
    responses((status = 204, description = "It is protected"))
)]
pub(crate) async fn protect(
    State(server): State<Server>,
    access: Access,
    Body(wanted): Body<Protection>,
) -> Result<StatusCode, Problem> {
    let Protection { kind, pattern, reason } = wanted;
    let entity: ModelEntity = Entity { kind, value: pattern }.try_into()?;
    let (tenant, actor) = (&access.tenant, access.actor());
    server.app.protect(tenant, entity.kind, &entity.value, &reason, actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends a protection.
#[utoipa::path(
    delete, path = "/api/v1/action-guard/protected", tag = "actions", params(EntityParameters),
    responses((status = 204, description = "It is protected no more"))
)]
pub(crate) async fn unprotect(
    State(server): State<Server>,
    access: Access,
    Parameters(asked): Parameters<EntityParameters>,
) -> Result<StatusCode, Problem> {
    let entity: ModelEntity = asked.try_into()?;
    server.app.unprotect(&access.tenant, &entity, access.actor()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// How many things each action of the tenant may take away in an hour. The list is always whole.
#[utoipa::path(
    get, path = "/api/v1/action-guard/caps", tag = "actions",
    responses((status = 200, body = Page<Cap>))
)]
pub(crate) async fn list_caps(
    State(server): State<Server>,
    access: Access,
) -> Result<Json<Page<Cap>>, Problem> {
    let caps = server.app.caps(&access.tenant).await?;
    Ok(Json(Page::whole(caps.into_iter().map(Cap::from).collect())))
}

/// Sets a cap.
#[utoipa::path(
    post, path = "/api/v1/action-guard/caps", tag = "actions", request_body = Cap,
    responses((status = 204, description = "It holds"))
)]
pub(crate) async fn set_cap(
    State(server): State<Server>,
    access: Access,
    Body(cap): Body<Cap>,
) -> Result<StatusCode, Problem> {
    let (tenant, actor) = (&access.tenant, access.actor());
    server.app.set_cap(tenant, &cap.action, Some(cap.per_hour), actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Lifts a cap.
#[utoipa::path(
    delete, path = "/api/v1/action-guard/caps/{action}", tag = "actions",
    params(("action" = String, Path, description = "The action's full name")),
    responses((status = 204, description = "It holds no more"))
)]
pub(crate) async fn lift_cap(
    State(server): State<Server>,
    access: Access,
    NameInPath(action): NameInPath,
) -> Result<StatusCode, Problem> {
    server.app.set_cap(&access.tenant, &action, None, access.actor()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What actions learned about an entity.
#[utoipa::path(
    get, path = "/api/v1/entities/properties", tag = "actions", params(EntityParameters),
    responses((status = 200, body = Page<Property>))
)]
pub(crate) async fn entity_properties(
    State(server): State<Server>,
    access: Access,
    Parameters(asked): Parameters<EntityParameters>,
) -> Result<Json<Page<Property>>, Problem> {
    let known = server.app.entity_properties(&access.tenant, &asked.try_into()?).await?;
    let shown = known.into_iter().map(|known| Property {
        name: known.name,
        value: known.property,
        is_suspicious: known.is_suspicious,
        source: known.source,
        run: known.run,
        at: known.at,
    });
    Ok(Json(Page::whole(shown.collect())))
}
