//! The OpenAPI 3.1 document, made from the handlers and the table of routes.
//!
//! What every route shares (token, tenant, problems) is added here, so that handlers only say what
//! is their own.

use std::sync::OnceLock;

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::path::{HttpMethod, Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{Content, Ref, RefOr, ResponseBuilder};
use utoipa::{Modify, OpenApi};

use crate::auth::Needs;
use crate::dto;
use crate::handlers::{
    actions, connectors, dead_letters, documents, events, forwarder, health, integrations, lake,
    ledger, metrics, query, responders, retention, root, runs, stacks, status,
};
use crate::problem::{MEDIA_TYPE, Problem};
use crate::router::{TENANT_HEADER, UNVERSIONED, routes};

/// Where the document is served.
pub const PATH: &str = "/api/v1/openapi.json";
/// The name of the security scheme.
const SCHEME: &str = "token";
/// The name of the scheme of stacks.
const STACK_SCHEME: &str = "stack_token";

#[derive(OpenApi)]
#[openapi(
    info(title = "Tarn", description = "Collects, normalises, stores and searches security data."),
    modifiers(&Shared),
    tags(
        (name = "integrations", description = "What this build knows about vendors' products"),
        (name = "connectors", description = "A tenant's configured instances of integrations"),
        (name = "events", description = "Searching and importing"),
        (name = "lake", description = "Size, proof, ledger, maintenance and retention"),
        (name = "dead letters", description = "Records that could not become events"),
        (name = "actions", description = "Acting at the vendors, and the history of it"),
        (name = "responders", description = "Webhooks that people made; run like actions"),
        (name = "stacks", description = "Clients in AWS accounts that send what CloudTrail writes there"),
        (name = "forwarder", description = "The routes of such a client, with the token of its stack"),
        (name = "server", description = "The process itself"),
    ),
    components(schemas(Problem, dto::status::MissedChanges)),
    paths(
        root::about, health::alive, health::ready, metrics::metrics, serve,
        integrations::list_integrations, integrations::show_integration,
        connectors::list_connectors, documents::apply_connectors, documents::show_connector,
        connectors::delete_connector, connectors::connector_status, connectors::test_connector,
        connectors::enable_connector, connectors::disable_connector, runs::backfill_connector,
        runs::run_connector, documents::preview_transform, status::status_stream,
        query::run_query, events::import_events,
        lake::lake_stats, lake::verify_lake, lake::compact_lake, lake::vacuum_lake,
        retention::list_retention, retention::set_retention, retention::remove_retention,
        retention::list_holds, retention::set_hold, retention::remove_hold, ledger::show_ledger,
        dead_letters::list_dead_letters, dead_letters::replay_dead_letters,
        dead_letters::discard_dead_letters,
        actions::list_actions, actions::run_action, actions::list_action_runs,
        actions::show_action_run, actions::revert_action_run, actions::retry_action_run,
        actions::cancel_action_run, actions::list_protected, actions::protect,
        actions::unprotect, actions::list_caps, actions::set_cap, actions::lift_cap,
        actions::entity_properties,
        responders::list_responder_templates, responders::list_responders,
        responders::apply_responders, responders::show_responder,
        responders::delete_responder, responders::preview_responder,
        stacks::list_stacks, stacks::offer_stack, stacks::show_stack, stacks::revoke_stack,
        stacks::renew_stack, stacks::list_publications, stacks::remember_publication,
        forwarder::enrol, forwarder::rotate_token, forwarder::heartbeat, forwarder::push_records,
        forwarder::push_dead_letter,
    )
)]
struct Description;

/// The document.
pub fn document() -> utoipa::openapi::OpenApi {
    Description::openapi()
}

/// This document.
#[utoipa::path(
    get, path = "/api/v1/openapi.json", tag = "server",
    responses((status = 200, description = "OpenAPI 3.1", body = serde_json::Value))
)]
pub(crate) async fn serve() -> Response {
    static TEXT: OnceLock<Bytes> = OnceLock::new();
    let text = TEXT.get_or_init(|| document().to_json().unwrap_or_default().into());
    ([(CONTENT_TYPE, "application/json")], text.clone()).into_response()
}

/// Adds what every route shares.
struct Shared;

impl Modify for Shared {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.description = Some("An access token: `Authorization: Bearer TOKEN`".to_owned());
        let components = document.components.get_or_insert_default();
        components.security_schemes.insert(SCHEME.to_owned(), SecurityScheme::Http(scheme).into());
        let stack = SecurityScheme::Http(stack_scheme());
        components.security_schemes.insert(STACK_SCHEME.to_owned(), stack.into());
        list_unversioned(document);
        for item in document.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post, &mut item.delete];
            operations.into_iter().flatten().for_each(describe);
        }
        for route in routes() {
            let Some(item) = document.paths.paths.get_mut(route.path) else { continue };
            let operation = match method(&route.method) {
                HttpMethod::Get => &mut item.get,
                HttpMethod::Delete => &mut item.delete,
                _ => &mut item.post,
            };
            let Some(operation) = operation.as_mut() else { continue };
            if let Some(right) = route.needs.right() {
                let everywhere = matches!(route.needs, Needs::InEveryTenant(_));
                share(operation, right.as_str(), everywhere);
            } else if route.needs == Needs::OfStack {
                share_with_stacks(operation);
            }
        }
    }
}

fn stack_scheme() -> Http {
    let mut scheme = Http::new(HttpAuthScheme::Bearer);
    scheme.description = Some("The token that a stack's client made for itself".to_owned());
    scheme
}

/// Lists resources once more where they are found without a version.
fn list_unversioned(document: &mut utoipa::openapi::OpenApi) {
    let paths = &mut document.paths.paths;
    let also: Vec<_> = routes()
        .into_iter()
        .filter_map(|route| {
            let rest = route.path.strip_prefix("/api")?;
            let is_known = UNVERSIONED.iter().any(|resource| rest.starts_with(resource));
            is_known.then(|| (route.path, format!("/api/v1{rest}")))
        })
        .collect();
    for (path, versioned) in also {
        let Some(item) = paths.get(&versioned) else { continue };
        let mut item = item.clone();
        for operation in [&mut item.get, &mut item.post, &mut item.delete].into_iter().flatten() {
            let id = operation.operation_id.take();
            operation.operation_id = id.map(|id| format!("{id}_unversioned"));
        }
        paths.insert(path.to_owned(), item);
    }
}

/// The first sentence about an operation is its summary, the rest its description. Every answer
/// needs a description too; where a handler gives none, its body says it all.
fn describe(operation: &mut Operation) {
    let text = operation.summary.take().unwrap_or_default().replace('\n', " ");
    let (summary, rest) = text.split_once(". ").unwrap_or((text.trim_end_matches('.'), ""));
    operation.summary = Some(summary.to_owned());
    operation.description = (!rest.is_empty()).then(|| rest.to_owned());
    for answer in operation.responses.responses.values_mut() {
        if let RefOr::T(answer) = answer
            && answer.description.is_empty()
        {
            answer.description = "The answer".to_owned();
        }
    }
}

/// The method in the document's words; the table has no others.
fn method(method: &axum::http::Method) -> HttpMethod {
    match method.as_str() {
        "GET" => HttpMethod::Get,
        "DELETE" => HttpMethod::Delete,
        _ => HttpMethod::Post,
    }
}

fn share(operation: &mut Operation, right: &str, everywhere: bool) {
    operation.security = Some(vec![SecurityRequirement::new(SCHEME, [right])]);
    if !everywhere {
        let parameters = operation.parameters.get_or_insert_default();
        let text = ObjectBuilder::new().schema_type(Type::String).build();
        for (name, place) in [("tenant", ParameterIn::Query), (TENANT_HEADER, ParameterIn::Header)]
        {
            let parameter = ParameterBuilder::new()
                .name(name)
                .parameter_in(place)
                .description(Some("The tenant; `default` when neither names one"))
                .schema(Some(text.clone()));
            parameters.push(parameter.build().into());
        }
    }
    let refused = format!("The token does not hold `{right}` here");
    answer_problems(
        operation,
        &[
            ("401", "There is no valid token"),
            ("403", refused.as_str()),
            ("default", "Any other problem"),
        ],
    );
}

fn share_with_stacks(operation: &mut Operation) {
    let scopes: [&str; 0] = [];
    operation.security = Some(vec![SecurityRequirement::new(STACK_SCHEME, scopes)]);
    let unwanted = "The stack is not wanted: the type ends in `token-unknown`, `stack-revoked` or `stack-expired`";
    let throttled = "The stack has sent all that it may in this minute";
    let answers = [("401", unwanted), ("429", throttled), ("default", "Any other problem")];
    answer_problems(operation, &answers);
}

fn answer_problems(operation: &mut Operation, answers: &[(&str, &str)]) {
    for (status, description) in answers {
        let (status, description) = (*status, *description);
        let content = Content::new(Some(Ref::from_schema_name("Problem")));
        let response =
            ResponseBuilder::new().description(description).content(MEDIA_TYPE, content).build();
        operation.responses.responses.insert(status.to_owned(), response.into());
    }
}
