//! Integrations, the list of connectors, their status, switching and deleting.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{TestApp, encoded};

const PATH: &str = "/api/v1/connectors";

#[tokio::test]
async fn integrations_are_listed_and_shown() {
    let app = TestApp::new().await;
    let list = app.get("/api/v1/integrations").await.json();
    assert_eq!(list["items"][0]["name"], "trend_micro_cas");
    let one = app.get("/api/v1/integrations/trend_micro_cas").await.json();
    assert_eq!(one, list["items"][0]);
    assert_eq!(one["content_types"][0]["source"], "trend_micro_cas.security_events");
    assert_eq!(one["content_types"][0]["interval"], "5m");
    assert_eq!(one["quotas"], json!([{ "requests": 20, "per": "1m" }]));
    app.get("/api/v1/integrations/nobody").await.problem(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_list_is_walked_page_by_page() {
    let app = TestApp::new().await;
    let app = app.with_connector("b").await.with_connector("経理").await.with_connector("a").await;
    let mut names = Vec::new();
    let mut path = format!("{PATH}?limit=2");
    loop {
        let page = app.get(&path).await.json();
        let items = page["items"].as_array().unwrap().clone();
        names.extend(items.iter().map(|item| item["name"].as_str().unwrap().to_owned()));
        let Value::String(next) = &page["next"] else { break };
        path = format!("{PATH}?limit=2&cursor={next}");
    }
    assert_eq!(names, ["a", "b", "経理"]);
    let first = &app.get(PATH).await.json()["items"][0];
    assert_eq!(first["state"], "stopped");
    assert_eq!(first["integration"], "trend_micro_cas");
    assert_eq!(first["updated_at"], "2026-05-11T08:00:00Z");
    for wrong in ["limit=0", "limit=1001", "cursor=%21"] {
        let answer = app.get(&format!("{PATH}?{wrong}")).await;
        answer.problem(StatusCode::UNPROCESSABLE_ENTITY);
    }
    let unknown = app.get(&format!("{PATH}?page=2")).await.problem(StatusCode::BAD_REQUEST);
    assert!(unknown.contains("`page`"), "{unknown}");
    let text = app.get(&format!("{PATH}?limit=many")).await.problem(StatusCode::BAD_REQUEST);
    assert!(text.contains("limit"), "{text}");
}

#[tokio::test]
async fn other_tenants_see_nothing_of_it() {
    let app = TestApp::new().await.with_connector("mail").await;
    assert_eq!(app.get(&format!("{PATH}?tenant=acme")).await.json()["items"], json!([]));
    app.get(&format!("{PATH}/mail?tenant=acme")).await.problem(StatusCode::NOT_FOUND);
    app.get(&format!("{PATH}/mail/status?tenant=acme")).await.problem(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_connector_is_switched_off_and_on_and_deleted() {
    let name = "経理 CAS";
    let app = TestApp::new().await.with_connector(name).await;
    let own = format!("{PATH}/{}", encoded(name));
    let off = app.request(Method::POST, &format!("{own}/disable")).send().await;
    assert_eq!(off.json(), json!({ "name": name, "enabled": false }));
    assert_eq!(app.get(&format!("{own}/status")).await.json()["state"], "disabled");
    assert_eq!(app.get(&own).await.json()["enabled"], false);
    let on = app.request(Method::POST, &format!("{own}/enable")).send().await;
    assert_eq!(on.json()["enabled"], true);
    let gone = app.request(Method::DELETE, &own).send().await;
    assert_eq!((gone.status, gone.text()), (StatusCode::NO_CONTENT, ""));
    for (method, path) in [
        (Method::DELETE, String::new()),
        (Method::GET, "/status".to_owned()),
        (Method::POST, "/enable".to_owned()),
        (Method::POST, "/disable".to_owned()),
        (Method::POST, "/test".to_owned()),
        (Method::POST, "/run".to_owned()),
    ] {
        let answer = app.request(method, &format!("{own}{path}")).send().await;
        let detail = answer.problem(StatusCode::NOT_FOUND);
        assert_eq!(detail, format!("no connector `{name}` in tenant `default`"));
    }
}
