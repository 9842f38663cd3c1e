//! The table of routes: what each needs, and that it is refused without it.

use api::router::{Needs, routes};
use axum::http::{Method, StatusCode};
use engine::access::Right;

use crate::support::TestApp;

const RIGHTS: [Right; 13] = [
    Right::ConnectorsRead,
    Right::ConnectorsWrite,
    Right::EventsRead,
    Right::EventsWrite,
    Right::LakeRead,
    Right::LakeWrite,
    Right::DeadLettersWrite,
    Right::StacksRead,
    Right::StacksWrite,
    Right::ActionsRead,
    Right::ActionsRun,
    Right::ActionsWrite,
    Right::Admin,
];

fn path(path: &str) -> String {
    let path = path.replace("{name}", "x").replace("{table}", "all");
    path.replace("{id}", "x").replace("{action}", "x")
}

#[test]
fn every_route_but_a_few_needs_a_right() {
    let open: Vec<&str> = routes()
        .into_iter()
        .filter(|route| route.needs == Needs::Nothing)
        .map(|route| route.path)
        .collect();
    assert_eq!(
        open,
        ["/", "/healthz", "/readyz", "/api/v1/openapi.json", "/api/v1/forwarder/enrol"]
    );
    let of_stacks: Vec<&str> = routes()
        .into_iter()
        .filter(|route| route.needs == Needs::OfStack)
        .map(|route| route.path)
        .collect();
    assert_eq!(of_stacks.len(), 4);
    assert!(of_stacks.iter().all(|path| path.starts_with("/api/v1/forwarder/")));
}

#[test]
fn what_changes_something_never_needs_a_right_to_read_only() {
    let reading = ["/api/v1/query", "/api/v1/lake/verify", "/api/v1/connectors/{name}/preview"];
    let with_rights = |needs: Needs| !matches!(needs, Needs::Nothing | Needs::OfStack);
    for route in routes().into_iter().filter(|route| with_rights(route.needs)) {
        let right = route.needs.right().map(Right::as_str).unwrap_or_default();
        let writes = route.method != Method::GET && !reading.contains(&route.path);
        let may_change = right.ends_with(":write") || right.ends_with(":run");
        assert_eq!(may_change, writes, "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn without_a_valid_token_every_route_answers_the_same_401() {
    let app = TestApp::new().await;
    for route in routes().into_iter().filter(|route| route.needs.right().is_some()) {
        let path = path(route.path);
        let call = || app.request(route.method.clone(), &path);
        let none = call().anonymous().send().await;
        none.problem(StatusCode::UNAUTHORIZED);
        assert_eq!(none.header("www-authenticate"), "Bearer realm=\"tarn\"", "{path}");
        let unknown = call().token("tarn_unknown").send().await;
        assert_eq!(unknown.status, StatusCode::UNAUTHORIZED, "{path}");
        assert_eq!(unknown.text(), none.text());
        let basic = call().header("authorization", "Basic dGFybjp0YXJu").send().await;
        assert_eq!(basic.text(), none.text());
    }
}

#[tokio::test]
async fn a_token_with_every_other_right_gets_403() {
    let app = TestApp::new().await;
    for route in routes() {
        let Some(right) = route.needs.right() else { continue };
        let others: Vec<Right> =
            RIGHTS.into_iter().filter(|other| *other != right && *other != Right::Admin).collect();
        let token = app.token(None, &others).await;
        let call = app.request(route.method.clone(), &path(route.path)).token(&token);
        let answer = call.send().await;
        let detail = answer.problem(StatusCode::FORBIDDEN);
        assert!(detail.contains(right.as_str()), "{detail}");
        assert!(answer.header("www-authenticate").contains("insufficient_scope"));
    }
}

#[tokio::test]
async fn a_token_of_another_tenant_gets_403_however_the_tenant_is_named() {
    let app = TestApp::new().await;
    let token = app.token(Some("acme"), &[Right::Admin]).await;
    for route in routes().into_iter().filter(|route| route.needs.right().is_some()) {
        let path = path(route.path);
        let call = |path: &str| app.request(route.method.clone(), path).token(&token);
        call(&path).send().await.problem(StatusCode::FORBIDDEN);
        call(&format!("{path}?tenant=other")).send().await.problem(StatusCode::FORBIDDEN);
        let named = call(&path).header("tarn-tenant", "other").send().await;
        named.problem(StatusCode::FORBIDDEN);
        let own = call(&format!("{path}?tenant=acme")).open().await;
        let everywhere = matches!(route.needs, Needs::InEveryTenant(_));
        assert_eq!(own.status() == StatusCode::FORBIDDEN, everywhere, "{path}");
    }
}

#[tokio::test]
async fn two_different_tenants_and_an_impossible_one_are_refused() {
    let app = TestApp::new().await;
    let path = "/api/v1/connectors?tenant=acme";
    let call = app.request(Method::GET, path).header("tarn-tenant", "default");
    call.send().await.problem(StatusCode::BAD_REQUEST);
    app.get("/api/v1/connectors?tenant=../x").await.problem(StatusCode::BAD_REQUEST);
    app.get("/api/v1/connectors?tenant=a&tenant=b").await.problem(StatusCode::BAD_REQUEST);
    let same = app.request(Method::GET, path).header("tarn-tenant", "acme").send().await;
    assert_eq!(same.status, StatusCode::OK);
}
