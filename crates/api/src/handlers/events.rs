//! Importing a body of records, as `tarn ingest` does.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use engine::import::{Progress, Reading};
use model::ids::TenantId;
use tokio::runtime::Handle;

use crate::auth::Access;
use crate::dto::import::{Import, ImportLine, ImportParameters};
use crate::extract::{Lines, Parameters};
use crate::ndjson;
use crate::problem::Problem;
use crate::server::Server;
use crate::upload;

/// What an import without a name is called in the ledger.
const UNNAMED: &str = "upload";

/// Imports the records in the body: JSON, a JSON array, NDJSON, `{"Records":[…]}` or a saved page of
/// the vendor, each also gzipped, of any length. Sending the same records again stores nothing
/// twice. With `Accept: application/x-ndjson` the progress is answered line by line.
#[utoipa::path(
    post, path = "/api/v1/events", tag = "events", params(ImportParameters),
    request_body(content = serde_json::Value, content_type = "application/octet-stream",
        description = "The records; the content type is not looked at"),
    responses((status = 200, description = "What became of the records", content(
        (Import = "application/json"),
        (ImportLine = "application/x-ndjson"),
    )))
)]
pub(crate) async fn import_events(
    State(server): State<Server>,
    access: Access,
    Parameters(asked): Parameters<ImportParameters>,
    Lines(lines): Lines,
    body: Body,
) -> Result<Response, Problem> {
    let reading = server.app.reading(&asked.source)?;
    let name = asked.name.unwrap_or_else(|| UNNAMED.to_owned());
    let upload = Upload { server, reading, tenant: access.tenant, name, body };
    if !lines {
        return Ok(Json(upload.import(|_| ()).await?).into_response());
    }
    ndjson::follow(move |reporter| {
        upload.import(move |progress| reporter.progress(&Import::from(progress)))
    })
    .await
}

/// A body on its way in.
struct Upload {
    server: Server,
    reading: Reading,
    tenant: TenantId,
    name: String,
    body: Body,
}

impl Upload {
    /// Reads the body on a thread that may block, as far ahead as a few chunks.
    async fn import(
        self,
        mut report: impl FnMut(Progress) + Send + 'static,
    ) -> Result<Import, Problem> {
        let Self { server, reading, tenant, name, body } = self;
        let place =
            server.uploads.clone().acquire_owned().await.map_err(|_| Problem::internal())?;
        let app = server.app;
        let (reader, feeder) = upload::start(body, app.clone());
        let work = move || {
            let _place = place;
            let import = app.import(&reading, &tenant, &name, reader, &mut report);
            Handle::current().block_on(import).map(Import::from)
        };
        let imported =
            tokio::task::spawn_blocking(work).await.map_err(|_| Problem::internal())??;
        // What was read may be only the start of what was sent.
        feeder.await.map_err(|_| Problem::internal())??;
        Ok(imported)
    }
}
