//! Applying documents, reading one back, and trying a transform.

use axum::http::Method;
use axum::http::StatusCode;
use engine::access::Right;
use serde_json::{Value, json};

use crate::support::{SECRET, TestApp, document, encoded, records};

const PATH: &str = "/api/v1/connectors";
const NAME: &str = "経理 CAS/1";

#[tokio::test]
async fn applying_is_idempotent_and_a_dry_run_changes_nothing() {
    let app = TestApp::new().await;
    let body = json!({ "connectors": [document(NAME)], "dry_run": true });
    let planned = app.post(PATH, body.clone()).await.json();
    assert_eq!(planned["dry_run"], true);
    assert_eq!(planned["changes"][0]["kind"], "create");
    assert_eq!(planned["changes"][0]["tenant"], "default");
    assert_eq!(app.get(PATH).await.json(), json!({ "items": [], "next": null }));

    let body = json!({ "connectors": [document(NAME)] });
    assert_eq!(app.post(PATH, body.clone()).await.json()["changes"][0]["kind"], "create");
    assert_eq!(app.post(PATH, body).await.json()["changes"][0]["kind"], "unchanged");
    let mut changed = document(NAME);
    changed["interval"] = "10m".into();
    let update = app.post(PATH, json!({ "connectors": [changed] })).await.json();
    let settings = json!([{ "setting": "interval", "from": null, "to": "10m" }]);
    assert_eq!(update["changes"][0]["settings"], settings);
}

#[tokio::test]
async fn a_document_is_shown_masked_and_can_be_applied_as_it_is_shown() {
    let app = TestApp::new().await.with_connector(NAME).await;
    let shown = app.get(&format!("{PATH}/{}", encoded(NAME))).await.json();
    assert_eq!(shown["name"], NAME);
    assert_eq!(shown["credential"], json!({ "api_keys": ["********"] }));
    let again = app.post(PATH, json!({ "connectors": [shown] })).await.json();
    assert_eq!(again["changes"][0]["kind"], "unchanged");
    app.get(&format!("{PATH}/nobody")).await.problem(StatusCode::NOT_FOUND);
    app.get(&format!("{PATH}/%FF")).await.problem(StatusCode::BAD_REQUEST);
    app.get(&format!("{PATH}/%07")).await.problem(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_wrong_document_is_refused_by_name_without_repeating_its_values() {
    let app = TestApp::new().await;
    let refused = async |change: &dyn Fn(&mut Value)| {
        let mut wrong = document("b");
        change(&mut wrong);
        let body = json!({ "connectors": [document("a"), wrong] });
        app.post(PATH, body).await.problem(StatusCode::UNPROCESSABLE_ENTITY)
    };
    let unknown = refused(&|document| document["intervall"] = "5m".into()).await;
    assert!(unknown.contains("connectors[1]") && unknown.contains("`intervall`"), "{unknown}");
    let misplaced = refused(&|document| document["parameters"] = SECRET.into()).await;
    assert!(misplaced.contains("connectors[1]"), "{misplaced}");
    let shape = refused(&|document| document["credential"] = SECRET.into()).await;
    assert!(shape.contains("`credential`"), "{shape}");
    let file = refused(&|document| document["credential"]["api_keys"] = "file:/etc/passwd".into());
    assert!(file.await.contains("credential.api_keys"));
    let setting = refused(&|document| document["parameters"]["base_url"] = "ftp://x".into()).await;
    assert!(setting.contains("connector `b`"), "{setting}");
    let tenant = refused(&|document| document["tenant"] = "../x".into()).await;
    assert!(tenant.contains("`tenant`"), "{tenant}");
    let body = json!({ "connectors": [SECRET] });
    let text = app.post(PATH, body).await.problem(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(text.contains("connectors[0]"), "{text}");
    assert_eq!(app.get(PATH).await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_document_cannot_reach_into_a_tenant_that_its_token_does_not() {
    let app = TestApp::new().await;
    let token = app.token(Some("acme"), &[Right::ConnectorsWrite]).await;
    let apply = |tenant: &str| {
        let mut document = document("mail");
        document["tenant"] = tenant.into();
        let body = json!({ "connectors": [document] });
        app.request(Method::POST, "/api/v1/connectors?tenant=acme").token(&token).json(&body).send()
    };
    apply("default").await.problem(StatusCode::FORBIDDEN);
    assert_eq!(apply("acme").await.json()["changes"][0]["tenant"], "acme");
    let body = json!({ "connectors": [document("other")] });
    let own = app.request(Method::POST, "/api/v1/connectors?tenant=acme").token(&token).json(&body);
    assert_eq!(own.send().await.json()["changes"][0]["tenant"], "acme");
}

#[tokio::test]
async fn a_preview_needs_the_right_to_see_events_and_names_what_does_not_compile() {
    let app = TestApp::new().await.with_connector("mail").await;
    let path = format!("{PATH}/mail/preview");
    let fine = app.post(&path, json!({ "transform": ".message = \"x\"", "count": 5 })).await;
    assert_eq!(fine.json(), json!({ "items": [] }));
    app.import("default", &records(2)).await;
    let program = "if .message_id == \"x\" { abort }\n.message = \"seen\"";
    let items = app.post(&path, json!({ "transform": program })).await.json()["items"].clone();
    assert_eq!(items.as_array().unwrap().len(), 2);
    assert_eq!(
        (&items[0]["outcome"], &items[0]["after"]["message"]),
        (&json!("stored"), &json!("seen"))
    );
    let items = app.post(&path, json!({ "transform": "abort" })).await.json()["items"].clone();
    assert_eq!((&items[0]["outcome"], &items[0]["after"]), (&json!("filtered"), &Value::Null));
    let broken = app.post(&path, json!({ "transform": "{ abort" })).await;
    let detail = broken.problem(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(detail.contains("does not compile"), "{detail}");
    let many = app.post(&path, json!({ "transform": ".", "count": 101 })).await;
    assert!(many.problem(StatusCode::UNPROCESSABLE_ENTITY).contains("`count`"));
    let token = app.token(None, &[Right::ConnectorsRead]).await;
    let call = app.request(Method::POST, &path).token(&token);
    let refused = call.json(&json!({ "transform": "." })).send().await;
    assert!(refused.problem(StatusCode::FORBIDDEN).contains("events:read"));
}
