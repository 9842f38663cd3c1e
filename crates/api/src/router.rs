//! Every route of the server in one table, and the router that is made of it.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::handler::Handler;
use axum::http::header::{CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Method};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use axum::routing::{MethodRouter, on};
use engine::access::Right;
use engine::app::App;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::trace::TraceLayer;

use crate::auth::{self, Gate};
use crate::handlers::{
    actions, connectors, dead_letters, documents, events, forwarder, health, integrations, lake,
    ledger, metrics, query, responders, retention, root, runs, stacks, status,
};
use crate::openapi;
use crate::problem;
use crate::server::{Server, Settings};

pub use crate::auth::{Needs, TENANT_HEADER};

/// The largest body of a request; imports are read as they come and have no limit.
pub const BODY_LIMIT_BYTES: usize = 2 << 20;

use Method as M;
use Needs::{InEveryTenant, InTenant, Nothing, OfStack};
use Right::{
    ActionsRead, ActionsRun, ActionsWrite, ConnectorsRead, ConnectorsWrite, DeadLettersWrite,
    EventsRead, EventsWrite, LakeRead, LakeWrite, StacksRead, StacksWrite,
};

/// Resources that are also found without the version in their path, where other products have them.
pub(crate) const UNVERSIONED: [&str; 1] = ["/stacks"];

/// The table: method, path, what it needs, handler.
#[rustfmt::skip]
fn table() -> Vec<Route> {
    vec![
        route(M::GET,    "/",                                   Nothing,                       root::about),
        route(M::GET,    "/healthz",                            Nothing,                       health::alive),
        route(M::GET,    "/readyz",                             Nothing,                       health::ready),
        route(M::GET,    "/metrics",                            InEveryTenant(ConnectorsRead), metrics::metrics),
        route(M::GET,    openapi::PATH,                         Nothing,                       openapi::serve),

        route(M::GET,    "/api/v1/integrations",                InTenant(ConnectorsRead),      integrations::list_integrations),
        route(M::GET,    "/api/v1/integrations/{name}",         InTenant(ConnectorsRead),      integrations::show_integration),

        route(M::GET,    "/api/v1/connectors",                  InTenant(ConnectorsRead),      connectors::list_connectors),
        route(M::POST,   "/api/v1/connectors",                  InTenant(ConnectorsWrite),     documents::apply_connectors),
        route(M::GET,    "/api/v1/connectors/{name}",           InTenant(ConnectorsRead),      documents::show_connector),
        route(M::DELETE, "/api/v1/connectors/{name}",           InTenant(ConnectorsWrite),     connectors::delete_connector),
        route(M::GET,    "/api/v1/connectors/{name}/status",    InTenant(ConnectorsRead),      connectors::connector_status),
        route(M::POST,   "/api/v1/connectors/{name}/test",      InTenant(ConnectorsWrite),     connectors::test_connector),
        route(M::POST,   "/api/v1/connectors/{name}/enable",    InTenant(ConnectorsWrite),     connectors::enable_connector),
        route(M::POST,   "/api/v1/connectors/{name}/disable",   InTenant(ConnectorsWrite),     connectors::disable_connector),
        route(M::POST,   "/api/v1/connectors/{name}/backfill",  InTenant(ConnectorsWrite),     runs::backfill_connector),
        route(M::POST,   "/api/v1/connectors/{name}/run",       InTenant(ConnectorsWrite),     runs::run_connector),
        route(M::POST,   "/api/v1/connectors/{name}/preview",   InTenant(ConnectorsRead),      documents::preview_transform),
        route(M::GET,    "/api/v1/status/stream",               InTenant(ConnectorsRead),      status::status_stream),

        route(M::POST,   "/api/v1/query",                       InTenant(EventsRead),          query::run_query),
        route(M::POST,   "/api/v1/events",                      InTenant(EventsWrite),         events::import_events),

        route(M::GET,    "/api/v1/lake/stats",                  InTenant(LakeRead),            lake::lake_stats),
        route(M::POST,   "/api/v1/lake/verify",                 InEveryTenant(LakeRead),       lake::verify_lake),
        route(M::POST,   "/api/v1/lake/compact",                InEveryTenant(LakeWrite),      lake::compact_lake),
        route(M::POST,   "/api/v1/lake/vacuum",                 InEveryTenant(LakeWrite),      lake::vacuum_lake),
        route(M::GET,    "/api/v1/lake/retention",              InTenant(LakeRead),            retention::list_retention),
        route(M::POST,   "/api/v1/lake/retention",              InTenant(LakeWrite),           retention::set_retention),
        route(M::DELETE, "/api/v1/lake/retention/{table}",      InTenant(LakeWrite),           retention::remove_retention),
        route(M::GET,    "/api/v1/lake/holds",                  InTenant(LakeRead),            retention::list_holds),
        route(M::POST,   "/api/v1/lake/holds",                  InTenant(LakeWrite),           retention::set_hold),
        route(M::DELETE, "/api/v1/lake/holds/{table}",          InTenant(LakeWrite),           retention::remove_hold),
        route(M::GET,    "/api/v1/ledger",                      InTenant(ConnectorsRead),      ledger::show_ledger),

        route(M::GET,    "/api/v1/dead-letters",                InTenant(ConnectorsRead),      dead_letters::list_dead_letters),
        route(M::POST,   "/api/v1/dead-letters/replay",         InTenant(DeadLettersWrite),    dead_letters::replay_dead_letters),
        route(M::POST,   "/api/v1/dead-letters/discard",        InTenant(DeadLettersWrite),    dead_letters::discard_dead_letters),

        route(M::GET,    "/api/v1/actions",                     InTenant(ActionsRead),         actions::list_actions),
        route(M::POST,   "/api/v1/actions/{action}/runs",       InTenant(ActionsRun),          actions::run_action),
        route(M::GET,    "/api/v1/action-runs",                 InTenant(ActionsRead),         actions::list_action_runs),
        route(M::GET,    "/api/v1/action-runs/{id}",            InTenant(ActionsRead),         actions::show_action_run),
        route(M::POST,   "/api/v1/action-runs/{id}/revert",     InTenant(ActionsRun),          actions::revert_action_run),
        route(M::POST,   "/api/v1/action-runs/{id}/retry",      InTenant(ActionsRun),          actions::retry_action_run),
        route(M::POST,   "/api/v1/action-runs/{id}/cancel",     InTenant(ActionsRun),          actions::cancel_action_run),
        route(M::GET,    "/api/v1/action-guard/protected",      InTenant(ActionsRead),         actions::list_protected),
        route(M::POST,   "/api/v1/action-guard/protected",      InTenant(ActionsWrite),        actions::protect),
        route(M::DELETE, "/api/v1/action-guard/protected",      InTenant(ActionsWrite),        actions::unprotect),
        route(M::GET,    "/api/v1/action-guard/caps",           InTenant(ActionsRead),         actions::list_caps),
        route(M::POST,   "/api/v1/action-guard/caps",           InTenant(ActionsWrite),        actions::set_cap),
        route(M::DELETE, "/api/v1/action-guard/caps/{action}",  InTenant(ActionsWrite),        actions::lift_cap),
        route(M::GET,    "/api/v1/entities/properties",         InTenant(ActionsRead),         actions::entity_properties),

        route(M::GET,    "/api/v1/responder-templates",         InTenant(ActionsRead),         responders::list_responder_templates),
        route(M::GET,    "/api/v1/responders",                  InTenant(ActionsRead),         responders::list_responders),
        route(M::POST,   "/api/v1/responders",                  InTenant(ActionsWrite),        responders::apply_responders),
        route(M::GET,    "/api/v1/responders/{name}",           InTenant(ActionsRead),         responders::show_responder),
        route(M::DELETE, "/api/v1/responders/{name}",           InTenant(ActionsWrite),        responders::delete_responder),
        route(M::POST,   "/api/v1/responders/{name}/preview",   InTenant(ActionsRun),          responders::preview_responder),

        route(M::GET,    "/api/stacks",                         InTenant(StacksRead),          stacks::list_stacks),
        route(M::POST,   "/api/stacks",                         InTenant(StacksWrite),         stacks::offer_stack),
        route(M::GET,    "/api/stacks/{id}",                    InTenant(StacksRead),          stacks::show_stack),
        route(M::DELETE, "/api/stacks/{id}",                    InTenant(StacksWrite),         stacks::revoke_stack),
        route(M::POST,   "/api/stacks/{id}/renew",              InTenant(StacksWrite),         stacks::renew_stack),
        route(M::GET,    "/api/v1/stacks",                      InTenant(StacksRead),          stacks::list_stacks),
        route(M::POST,   "/api/v1/stacks",                      InTenant(StacksWrite),         stacks::offer_stack),
        route(M::GET,    "/api/v1/stacks/{id}",                 InTenant(StacksRead),          stacks::show_stack),
        route(M::DELETE, "/api/v1/stacks/{id}",                 InTenant(StacksWrite),         stacks::revoke_stack),
        route(M::POST,   "/api/v1/stacks/{id}/renew",           InTenant(StacksWrite),         stacks::renew_stack),
        route(M::GET,    "/api/v1/stacks/publications",         InTenant(StacksRead),          stacks::list_publications),
        route(M::POST,   "/api/v1/stacks/publications",         InEveryTenant(StacksWrite),    stacks::remember_publication),

        route(M::POST,   "/api/v1/forwarder/enrol",             Nothing,                       forwarder::enrol),
        route(M::POST,   "/api/v1/forwarder/token",             OfStack,                       forwarder::rotate_token),
        route(M::POST,   "/api/v1/forwarder/heartbeat",         OfStack,                       forwarder::heartbeat),
        route(M::POST,   "/api/v1/forwarder/records",           OfStack,                       forwarder::push_records),
        route(M::POST,   "/api/v1/forwarder/dead-letters",      OfStack,                       forwarder::push_dead_letter),
    ]
}

/// A line of the table without its handler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteFacts {
    /// The method.
    pub method: Method,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// What it asks of its caller.
    pub needs: Needs,
}

struct Route {
    facts: RouteFacts,
    serve: MethodRouter<Server>,
}

fn route<H, T>(method: Method, path: &'static str, needs: Needs, handler: H) -> Route
where
    H: Handler<T, Server>,
    T: 'static,
{
    let filter = method.clone().try_into().expect("the table holds plain methods only");
    Route { facts: RouteFacts { method, path, needs }, serve: on(filter, handler) }
}

/// Every route, for tests and for documents.
pub fn routes() -> Vec<RouteFacts> {
    table().into_iter().map(|route| route.facts).collect()
}

/// The server as one service.
pub fn router(app: Arc<App>, settings: Settings) -> Router {
    let server = Server::new(app, settings);
    let mut router = Router::new();
    for Route { facts, serve } in table() {
        let gate = Gate { server: server.clone(), needs: facts.needs };
        router = router.route(facts.path, serve.route_layer(from_fn_with_state(gate, auth::check)));
    }
    router
        .fallback(problem::unknown_route)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT_BYTES))
        .layer(CatchPanicLayer::custom(problem::panicked))
        .layer(map_response(guarded))
        .layer(TraceLayer::new_for_http().make_span_with(span).on_failure(()))
        .with_state(server)
}

/// Answers are for their caller only and are what they say they are.
async fn guarded(mut response: Response) -> Result<Response, Infallible> {
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

/// A request in the log: no headers and no query parameters, which may tell too much.
fn span(request: &Request) -> tracing::Span {
    tracing::debug_span!("request", http.method = %request.method(), http.path = request.uri().path())
}
