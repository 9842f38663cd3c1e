//! Responders over HTTP: templates, documents with their secrets kept, previews, and whose they are.

use axum::http::{Method, StatusCode};
use engine::access::Right;
use serde_json::{Value, json};

use crate::actions::ended;
use crate::support::{SECRET, TestApp, encoded};

const PATH: &str = "/api/v1/responders";
const NAME: &str = "隔離 東京/1";

/// A responder that blocks the host that a parameter names, at an address that is not open to it.
pub(crate) fn block(name: &str) -> Value {
    json!({
        "name": name,
        "effect": "contains",
        "request": {
            "host": "127.0.0.1:9",
            "protocol": "http",
            "path": "/block/{{ target }}",
            "body": { "host": "{{ target }}", "note": "{{ parameters.note | optional }}" },
        },
        "auth": { "type": "bearer", "token": SECRET },
        "parameters": [
            {
                "name": "host", "type": "text", "required": true,
                "title": { "en": "Host", "ja": "ホスト" },
                "help": { "en": "The host to block.", "ja": "遮断するホスト。" },
            },
            {
                "name": "note", "type": "text",
                "title": { "en": "Note", "ja": "メモ" },
                "help": { "en": "Why.", "ja": "理由。" },
            },
        ],
        "target": { "type": "host", "value": "{{ parameters.host }}" },
    })
}

/// An app with this responder.
pub(crate) async fn with_responder(document: &Value) -> TestApp {
    let app = TestApp::new().await;
    let answer = app.post(PATH, document.clone()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    app
}

fn own(name: &str) -> String {
    format!("{PATH}/{}", encoded(name))
}

/// What applying answers about one responder of the tenant `default`.
fn change(kind: &str) -> Value {
    json!({ "items": [{ "tenant": "default", "name": NAME, "kind": kind }], "next": null })
}

#[tokio::test]
async fn templates_are_listed_and_a_responder_is_made_from_one() {
    let app = TestApp::new().await;
    let list = app.get("/api/v1/responder-templates").await.json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 5);
    let name = "Trend Vision One Isolate Endpoint";
    let template = items.iter().find(|item| item["template"] == name).unwrap();
    assert!(template["title"]["ja"].is_string() && template["help"]["en"].is_string());
    assert_eq!(template["responder"]["effect"], "contains");
    let wanted = json!({ "name": NAME, "template": name, "auth": { "token": SECRET } });
    assert_eq!(app.post(PATH, wanted).await.json(), change("create"));
    let shown = app.get(&own(NAME)).await.json();
    assert_eq!((&shown["template"], &shown["tenant"]), (&json!(name), &json!("default")));
    assert_eq!(shown["action"], format!("responder.{NAME}"));
    assert_eq!(shown["document"]["request"]["host"], "api.xdr.trendmicro.com");
}

#[tokio::test]
async fn applying_is_idempotent_and_a_masked_secret_is_kept() {
    let app = TestApp::new().await;
    let file = json!({ "responders": [block(NAME)] });
    let planned = app.post(&format!("{PATH}?dry_run=true"), file.clone()).await.json();
    assert_eq!(planned, change("create"));
    assert_eq!(app.get(PATH).await.json(), json!({ "items": [], "next": null }));
    assert_eq!(app.post(PATH, file.clone()).await.json(), change("create"));
    assert_eq!(app.post(PATH, file).await.json(), change("unchanged"));
    let shown = app.get(&own(NAME)).await.json();
    assert_eq!((&shown["revision"], &shown["effect"]), (&json!(1), &json!("contains")));
    assert_eq!(shown["document"]["auth"]["token"], "********");
    assert_eq!(app.get(PATH).await.json()["items"], json!([shown]));
    let mut document = shown["document"].clone();
    assert_eq!(app.post(PATH, document.clone()).await.json(), change("unchanged"));
    document["help"] = json!({ "en": "Blocks.", "ja": "遮断します。" });
    assert_eq!(app.post(PATH, document.clone()).await.json(), change("update"));
    assert_eq!(app.get(&own(NAME)).await.json()["revision"], 2);
    document["request"]["host"] = "other.example".into();
    let moved = app.post(PATH, document).await;
    let detail = moved.problem(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(detail.contains("`auth.token`"), "{detail}");
    let mut new = block("new");
    new["auth"]["token"] = "********".into();
    let nothing = app.post(PATH, new).await;
    assert!(nothing.problem(StatusCode::UNPROCESSABLE_ENTITY).contains("`auth.token`"));
}

#[tokio::test]
async fn a_wrong_document_is_refused_by_name_and_nothing_of_the_file_is_kept() {
    let app = TestApp::new().await;
    let refused = async |change: &dyn Fn(&mut Value)| {
        let mut wrong = block("b");
        change(&mut wrong);
        let answer = app.post(PATH, json!({ "responders": [block("a"), wrong] })).await;
        let detail = answer.problem(StatusCode::UNPROCESSABLE_ENTITY);
        format!("{detail}; {}", answer.json()["hint"].as_str().unwrap_or_default())
    };
    let unknown = refused(&|document| document["colour"] = "red".into()).await;
    assert!(unknown.contains("`colour`"), "{unknown}");
    let template = refused(&|document| document["template"] = "Nobody's".into()).await;
    assert!(template.contains("`template`"), "{template}");
    let host = refused(&|document| document["request"]["host"] = "https://x.example".into()).await;
    assert!(host.contains("`request.host`"), "{host}");
    let field =
        refused(&|document| document["request"]["path"] = "/{{ tmv1.host_gui }}".into()).await;
    assert!(field.contains("responder `b`: field `tmv1.host_gui`"), "{field}");
    assert!(field.contains("tmv1.host_guid"), "{field}");
    let get = refused(&|document| document["request"]["method"] = "GET".into()).await;
    assert!(get.contains("`effect`"), "{get}");
    assert_eq!(app.get(PATH).await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_preview_shows_the_request_without_its_secret_and_sends_nothing() {
    let app = with_responder(&block(NAME)).await;
    let path = format!("{}/preview", own(NAME));
    let wanted = json!({ "parameters": { "host": "NW 1/\"x\"" } });
    let shown = app.post(&path, wanted.clone()).await.json();
    assert_eq!(shown["method"], "POST");
    assert_eq!(shown["url"], "http://127.0.0.1:9/block/NW%201%2F%22x%22");
    assert_eq!(shown["headers"]["authorization"], "Bearer ********");
    assert_eq!(shown["body"], json!({ "host": "NW 1/\"x\"" }));
    let mut edited = wanted;
    edited["edited"] =
        json!({ "path": "/other", "query": { "n": [1, 2] }, "body": { "t": "{{ target }}" } });
    let shown = app.post(&path, edited).await.json();
    assert_eq!(shown["url"], "http://127.0.0.1:9/other?n=1&n=2");
    assert_eq!(shown["body"], json!({ "t": "NW 1/\"x\"" }));
    let lacking = app.request(Method::POST, &path).send().await;
    let detail = lacking.problem(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(detail.contains("`parameters.host`"), "{detail}");
    let wanted = json!({ "record": "nobody", "parameters": { "host": "NW-1" } });
    let record = app.post(&path, wanted).await;
    assert!(record.problem(StatusCode::NOT_FOUND).contains("no record `nobody`"));
    let method = app.post(&path, json!({ "edited": { "method": "PUT" } })).await;
    assert!(method.problem(StatusCode::UNPROCESSABLE_ENTITY).contains("`method`"));
    let token = app.token(None, &[Right::ActionsRead, Right::ActionsWrite]).await;
    let call = app.request(Method::POST, &path).token(&token).send().await;
    assert!(call.problem(StatusCode::FORBIDDEN).contains("actions:run"));
    assert_eq!(app.get("/api/v1/action-runs").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_run_to_a_closed_address_fails_and_says_how_it_is_opened() {
    let app = with_responder(&block("block")).await;
    let wanted = json!({ "parameters": { "host": "NW-1" } });
    let begun = app.post("/api/v1/actions/responder.block/runs", wanted).await;
    assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.text());
    let run = ended(&app, &begun.json()).await;
    assert_eq!((&run["state"], &run["connector"]), (&json!("failed"), &json!("block")));
    let message = run["message"].as_str().unwrap();
    assert!(message.contains("`egress.allow`"), "{message}");
    assert_eq!(run["steps"][0]["attempts"][0]["ending"]["kind"], "not_taken");
}

#[tokio::test]
async fn a_token_of_one_tenant_makes_responders_for_no_other_and_not_for_all() {
    let app = TestApp::new().await;
    let token = app.token(Some("acme"), &[Right::ActionsRead, Right::ActionsWrite]).await;
    let call = |method: Method, path: &str| {
        app.request(method, &format!("{path}?tenant=acme")).token(&token)
    };
    let of = |tenant: &str| {
        let mut document = block("block");
        document["tenant"] = tenant.into();
        document
    };
    for tenant in ["all", "default"] {
        let refused = call(Method::POST, PATH).json(&of(tenant)).send().await;
        let detail = refused.problem(StatusCode::FORBIDDEN);
        assert!(detail.contains(&format!("`{tenant}`")), "{detail}");
    }
    let everyones = app.post(PATH, of("all")).await;
    assert_eq!(everyones.json()["items"][0]["tenant"], "all", "{}", everyones.text());
    let own = format!("{PATH}/block");
    assert_eq!(call(Method::GET, &own).send().await.json()["tenant"], "all");
    let kept = call(Method::DELETE, &own).send().await;
    assert!(kept.problem(StatusCode::CONFLICT).contains("all tenants"));
    let made = call(Method::POST, PATH).json(&of("acme")).send().await;
    assert_eq!(made.json()["items"][0]["kind"], "create", "{}", made.text());
    assert_eq!(call(Method::GET, &own).send().await.json()["tenant"], "acme", "its own first");
    assert_eq!(app.get(&own).await.json()["tenant"], "all");
    let gone = call(Method::DELETE, &own).send().await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text());
    assert_eq!(call(Method::GET, &own).send().await.json()["tenant"], "all");
}

#[tokio::test]
async fn a_deleted_responder_is_gone_and_its_runs_stay() {
    let app = with_responder(&block("block")).await;
    let wanted = json!({ "parameters": { "host": "NW-1" }, "dry_run": true });
    let begun = app.post("/api/v1/actions/responder.block/runs", wanted.clone()).await.json();
    ended(&app, &begun).await;
    let own = format!("{PATH}/block");
    app.get(&format!("{own}?tenant=acme")).await.problem(StatusCode::NOT_FOUND);
    let gone = app.request(Method::DELETE, &own).send().await;
    assert_eq!((gone.status, gone.text()), (StatusCode::NO_CONTENT, ""));
    app.get(&own).await.problem(StatusCode::NOT_FOUND);
    app.request(Method::DELETE, &own).send().await.problem(StatusCode::NOT_FOUND);
    let call = app.post("/api/v1/actions/responder.block/runs", wanted).await;
    call.problem(StatusCode::NOT_FOUND);
    let history = app.get("/api/v1/action-runs?webhooks=true").await.json();
    assert_eq!(history["items"][0]["id"], begun["id"]);
}
