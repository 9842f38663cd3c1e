//! Searching events: the first rows in one piece, or all rows line by line.

use model::causes::chain;
use std::io;

use axum::Json;
use axum::body::{Body as ResponseBody, Bytes};
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use engine::error::EngineError;
use engine::hunt::{Found, Search};
use futures::{Stream, StreamExt, stream};
use query::store::{Row, StoreError};

use crate::auth::Access;
use crate::dto::query::{QueryRequest, QueryResult};
use crate::extract::{Body, Lines, point_in_time};
use crate::ndjson;
use crate::problem::Problem;
use crate::server::Server;

/// Rows of an answer in one piece.
const MOST_ROWS: usize = 1_000;
/// The headers beside rows: JSON lists in ASCII.
pub(crate) const COLUMNS: &str = "tarn-columns";
pub(crate) const WARNINGS: &str = "tarn-warnings";

type Pages = std::pin::Pin<Box<dyn Stream<Item = Result<Vec<Row>, StoreError>> + Send>>;

/// Runs a query in the tenant. Answers at most 1,000 rows, or with
/// `Accept: application/x-ndjson` all of them, one per line; the columns and the remarks are then in
/// the headers `Tarn-Columns` and `Tarn-Warnings`. Rows that cannot be read to the end cut the
/// connection.
#[utoipa::path(
    post, path = "/api/v1/query", tag = "events", request_body = QueryRequest,
    responses((status = 200, description = "The rows", content(
        (QueryResult = "application/json"),
        (serde_json::Value = "application/x-ndjson"),
    ), headers(
        ("Tarn-Columns" = String, description = "Only with rows per line: the columns as a JSON list"),
        ("Tarn-Warnings" = String, description = "Only with rows per line: remarks as a JSON list"),
    )))
)]
pub(crate) async fn run_query(
    State(server): State<Server>,
    access: Access,
    Lines(lines): Lines,
    Body(request): Body<QueryRequest>,
) -> Result<Response, Problem> {
    let now = server.app.clock().now();
    let instant = |field: &str, text: Option<String>| {
        text.map(|text| point_in_time(field, &text, now)).transpose()
    };
    let search = Search {
        language: request.language.into(),
        since: instant("since", request.since)?,
        until: instant("until", request.until)?,
        text: request.query,
    };
    let found = server.app.search(&access.tenant, search).await?;
    if lines { all_rows(found).await } else { first_rows(found).await }
}

/// At most [`MOST_ROWS`] rows in one piece.
async fn first_rows(found: Found) -> Result<Response, Problem> {
    let mut pages = found.rows.pages;
    let mut rows: Vec<Row> = Vec::new();
    while rows.len() <= MOST_ROWS
        && let Some(page) = pages.next().await
    {
        rows.extend(page.map_err(EngineError::from)?);
    }
    let truncated = rows.len() > MOST_ROWS;
    rows.truncate(MOST_ROWS);
    let columns = found.rows.columns;
    Ok(Json(QueryResult { columns, rows, truncated, warnings: found.warnings }).into_response())
}

/// Every row on its line, read as the client takes them.
async fn all_rows(found: Found) -> Result<Response, Problem> {
    let mut pages: Pages = found.rows.pages;
    let first = pages.next().await.transpose().map_err(EngineError::from)?;
    let rest = pages.map(|page| page.map_err(cut));
    let pages = stream::iter(first.map(Ok)).chain(rest);
    let lines = pages.map(|page| page.and_then(|rows| lines_of(&rows)));
    let headers = [
        (CONTENT_TYPE.as_str(), ndjson::MEDIA_TYPE.to_owned()),
        (COLUMNS, ndjson::header_text(&found.rows.columns)),
        (WARNINGS, ndjson::header_text(&found.warnings)),
    ];
    Ok((headers, ResponseBody::from_stream(lines)).into_response())
}

fn lines_of(rows: &[Row]) -> io::Result<Bytes> {
    Ok(ndjson::lines(rows)?)
}

/// The status is sent already: only a cut connection can still say that rows are missing.
fn cut(error: StoreError) -> io::Error {
    tracing::error!(error = chain(&error), "cut the rows of a query: they cannot be read");
    io::Error::other(error)
}
