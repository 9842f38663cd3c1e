//! Dead letters: the list, and deciding about some of them.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use engine::dead_letters::DeadLetterFilter;
use uuid::Uuid;

use super::ledger::connector_id;
use crate::auth::Access;
use crate::dto::dead_letter::{
    DeadLetter, DeadLetterIds, DeadLetterParameters, DiscardResult, ReplayResult,
};
use crate::extract::{Body, Parameters};
use crate::paging::{self, Page};
use crate::problem::Problem;
use crate::server::Server;

/// Dead letters of the tenant, the newest first.
#[utoipa::path(
    get, path = "/api/v1/dead-letters", tag = "dead letters", params(DeadLetterParameters),
    responses((status = 200, body = Page<DeadLetter>))
)]
pub(crate) async fn list_dead_letters(
    State(server): State<Server>,
    access: Access,
    Parameters(asked): Parameters<DeadLetterParameters>,
) -> Result<Json<Page<DeadLetter>>, Problem> {
    let limit = paging::limit(asked.limit)?;
    let before = asked.cursor.as_deref().map(letter_of).transpose()?;
    let filter = DeadLetterFilter {
        tenant: Some(access.tenant.clone()),
        connector: connector_id(&server, &access, asked.connector.as_deref()).await?,
        source: asked.source,
        stream: None,
        state: asked.state.map(Into::into),
    };
    let page = server.app.dead_letters(&filter, before, limit).await?;
    Ok(Json(Page {
        items: page.letters.into_iter().map(DeadLetter::from).collect(),
        next: page.next.map(|id| paging::cursor(&id.to_string())),
    }))
}

fn letter_of(cursor: &str) -> Result<Uuid, Problem> {
    paging::key(cursor)?.parse().map_err(|_| paging::foreign())
}

/// Sends waiting letters through today's mapping and transform again.
#[utoipa::path(
    post, path = "/api/v1/dead-letters/replay", tag = "dead letters", request_body = DeadLetterIds,
    responses((status = 200, body = ReplayResult))
)]
pub(crate) async fn replay_dead_letters(
    State(server): State<Server>,
    access: Access,
    Body(request): Body<DeadLetterIds>,
) -> Result<Json<ReplayResult>, Problem> {
    require_own(&server, &access, &request.ids).await?;
    Ok(Json(server.app.replay(&request.ids, access.actor()).await?.into()))
}

/// Gives waiting letters up for good. Their bytes stay, and the ledger keeps counting them.
#[utoipa::path(
    post, path = "/api/v1/dead-letters/discard", tag = "dead letters", request_body = DeadLetterIds,
    responses((status = 200, body = DiscardResult))
)]
pub(crate) async fn discard_dead_letters(
    State(server): State<Server>,
    access: Access,
    Body(request): Body<DeadLetterIds>,
) -> Result<Json<DiscardResult>, Problem> {
    require_own(&server, &access, &request.ids).await?;
    let discarded = server.app.discard(&request.ids, access.actor()).await?;
    Ok(Json(DiscardResult { discarded }))
}

/// Refuses ids that are not the tenant's: nothing is done then, and nothing is told about them.
async fn require_own(server: &Server, access: &Access, ids: &[Uuid]) -> Result<(), Problem> {
    if ids.is_empty() || ids.len() > paging::MOST as usize {
        let detail = format!("`ids`: give between 1 and {} of them", paging::MOST);
        return Err(Problem::invalid(detail));
    }
    let filter =
        DeadLetterFilter { tenant: Some(access.tenant.clone()), ..DeadLetterFilter::default() };
    for id in ids {
        // The list goes on below a given id, so the letter itself comes right after the next one.
        let above = Uuid::from_u128(id.as_u128().saturating_add(1));
        let found = server.app.dead_letters(&filter, Some(above), 1).await?;
        if found.letters.first().is_none_or(|letter| letter.id != *id) {
            let detail = format!("no dead letter `{id}` in tenant `{}`", access.tenant);
            return Err(Problem::new(StatusCode::NOT_FOUND, detail)
                .with_hint("/api/v1/dead-letters lists them"));
        }
    }
    Ok(())
}
