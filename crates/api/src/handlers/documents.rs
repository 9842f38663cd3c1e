//! Connector documents: applying them, reading one back, and trying a transform.

use axum::Json;
use axum::extract::State;
use engine::access::Right;
use engine::connectors::document::ConnectorDocument;
use model::connector::Credential;
use model::ids::TenantId;
use serde_json::{Map, Value};

use crate::auth::Access;
use crate::dto::apply::{Applied, ApplyRequest, ConnectorChange};
use crate::dto::document::Document;
use crate::dto::preview::{PreviewItem, PreviewRequest, PreviewResult};
use crate::extract::{Body, Named};
use crate::problem::{Problem, without_values};
use crate::server::Server;

/// The most records of each content type that a preview reads.
const PREVIEW_MOST: u64 = 100;

/// Creates and changes connectors and answers what changed. All documents are checked before the
/// first is written. With `dry_run` nothing is written; the answer is the same.
#[utoipa::path(
    post, path = "/api/v1/connectors", tag = "connectors", request_body = ApplyRequest,
    responses((status = 200, body = Applied))
)]
pub(crate) async fn apply_connectors(
    State(server): State<Server>,
    access: Access,
    Body(request): Body<ApplyRequest>,
) -> Result<Json<Applied>, Problem> {
    let numbered = request.connectors.into_iter().enumerate();
    let documents = numbered
        .map(|(index, fields)| document(&access, index, fields))
        .collect::<Result<Vec<_>, _>>()?;
    let dry_run = request.dry_run;
    let changes = server.app.apply(documents, dry_run, access.actor()).await?;
    Ok(Json(Applied { dry_run, changes: changes.into_iter().map(ConnectorChange::from).collect() }))
}

/// Reads one document of a request; its tenant is the request's unless it says otherwise.
fn document(
    access: &Access,
    index: usize,
    mut fields: Map<String, Value>,
) -> Result<ConnectorDocument, Problem> {
    let place = format!("`connectors[{index}]`");
    let own = fields.entry("tenant").or_insert_with(|| access.tenant.as_str().into());
    let tenant = own.as_str().and_then(|text| TenantId::new(text).ok());
    let tenant =
        tenant.ok_or_else(|| Problem::invalid(format!("{place}: `tenant` is no tenant")))?;
    access.must(Right::ConnectorsWrite, &tenant)?;
    let document: ConnectorDocument =
        serde_json::from_value(Value::Object(fields)).map_err(|error| {
            let told = without_values(&error.to_string());
            Problem::invalid(format!("{place}: {told}"))
                .with_hint("/api/v1/openapi.json has the schema")
        })?;
    match reference(&document.credential) {
        None => Ok(document),
        Some(field) => Err(Problem::invalid(format!(
            "{place}: `credential.{field}` refers to a variable or a file of your machine"
        ))
        .with_hint(
            "send the secret itself; `tarn connector apply` reads `env:` and `file:` for you",
        )),
    }
}

/// A secret that names a variable or a file. The server reads neither on behalf of a client.
fn reference(credential: &Credential) -> Option<&str> {
    let refers = |text: &str| text.starts_with("env:") || text.starts_with("file:");
    let found = credential.0.iter().find(|(_, secrets)| secrets.iter().any(|s| refers(s.expose())));
    found.map(|(field, _)| field.as_str())
}

/// A connector's document; every secret shows as `********`.
#[utoipa::path(
    get, path = "/api/v1/connectors/{name}", tag = "connectors",
    params(("name" = String, Path, description = "The connector's name, percent-encoded")),
    responses((status = 200, body = Document))
)]
pub(crate) async fn show_connector(
    State(server): State<Server>,
    access: Access,
    Named(name): Named,
) -> Result<Json<Value>, Problem> {
    let stored = server.app.connector(&access.tenant, &name).await?;
    Ok(Json(server.app.document(&stored)?.masked()))
}

/// What a transform would make of the newest stored records. Nothing is changed.
#[utoipa::path(
    post, path = "/api/v1/connectors/{name}/preview", tag = "connectors",
    request_body = PreviewRequest,
    params(("name" = String, Path, description = "The connector's name, percent-encoded")),
    responses((status = 200, body = PreviewResult))
)]
pub(crate) async fn preview_transform(
    State(server): State<Server>,
    access: Access,
    Named(name): Named,
    Body(request): Body<PreviewRequest>,
) -> Result<Json<PreviewResult>, Problem> {
    if !(1..=PREVIEW_MOST).contains(&request.count) {
        let detail = format!("`count`: {} is not between 1 and {PREVIEW_MOST}", request.count);
        return Err(Problem::invalid(detail));
    }
    // A preview shows events, so looking at connectors is not enough.
    access.must(Right::EventsRead, &access.tenant)?;
    let previews = server
        .app
        .preview_transform(&access.tenant, &name, &request.transform, request.count)
        .await?;
    Ok(Json(PreviewResult { items: previews.into_iter().map(PreviewItem::from).collect() }))
}
