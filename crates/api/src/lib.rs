//! Tarn over HTTP: routes, tokens, problem details and the OpenAPI document.
//!
//! Handlers read the request, call [`engine::app::App`] and answer; they hold no rules of their own.
//! Start with [`mod@router`]: its table lists every route with the right that it needs. The conventions
//! are written down in `docs/reference/api-design.md`.

mod auth;
mod dto;
mod extract;
mod handlers;
mod ndjson;
pub mod openapi;
mod paging;
mod problem;
pub mod router;
mod serve;
mod server;
mod upload;

pub use router::router;
pub use serve::serve;
pub use server::Settings;
