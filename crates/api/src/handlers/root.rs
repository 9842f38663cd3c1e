//! What stands at `/` until the console does.

use axum::Json;

use crate::dto::server::About;

/// Says what answers here.
#[utoipa::path(get, path = "/", tag = "server", responses((status = 200, body = About)))]
pub(crate) async fn about() -> Json<About> {
    Json(About { name: "Tarn", version: env!("CARGO_PKG_VERSION"), api: crate::openapi::PATH })
}
