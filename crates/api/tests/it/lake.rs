//! The lake with its maintenance, the ledger and dead letters.

use axum::http::{Method, StatusCode};
use engine::access::Right;
use serde_json::{Value, json};

use crate::store::Trouble;
use crate::support::{TestApp, records};

const LETTERS: &str = "/api/v1/dead-letters";

fn counts(served: u64, stored: u64, dead_lettered: u64) -> Value {
    json!({
        "served": served, "stored": stored, "duplicate": 0, "filtered": 0,
        "dead_lettered": dead_lettered,
    })
}

async fn letters(app: &TestApp, query: &str) -> Vec<Value> {
    app.get(&format!("{LETTERS}?{query}")).await.json()["items"].as_array().unwrap().clone()
}

#[tokio::test]
async fn statistics_are_the_tenants_and_the_proof_is_clean() {
    let app = TestApp::new().await;
    app.import("default", &records(2)).await;
    app.import("acme", &records(3)).await;
    let stats = app.get("/api/v1/lake/stats?tenant=acme").await.json();
    assert_eq!(stats["items"][0]["class"], "email_activity");
    assert_eq!(stats["items"][0]["rows"], 3);
    let proof = app.request(Method::POST, "/api/v1/lake/verify").send().await.json();
    assert_eq!(
        (&proof["clean"], &proof["rows"], &proof["receipts"], &proof["expired"]),
        (&json!(true), &json!(5), &json!(5), &json!(0))
    );
    assert_eq!(proof["ledger"], counts(5, 5, 0));
    app.store.suffer(Trouble::Down);
    let verify = app.request(Method::POST, "/api/v1/lake/verify").send().await;
    verify.problem(StatusCode::SERVICE_UNAVAILABLE);
    app.get("/api/v1/lake/stats").await.problem(StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn maintenance_runs_when_asked_and_tells_what_it_did() {
    let app = TestApp::new().await;
    app.import("default", &records(2)).await;
    let nothing = json!({ "tables": [], "failures": [] });
    let compacted = app.request(Method::POST, "/api/v1/lake/compact").send().await;
    assert_eq!(compacted.json(), nothing, "the store of these tests has no files");
    assert_eq!(app.post("/api/v1/lake/vacuum", json!({})).await.json(), nothing);
    assert_eq!(app.post("/api/v1/lake/vacuum", json!({ "dry_run": true })).await.json(), nothing);
    let wrong = app.post("/api/v1/lake/vacuum", json!({ "dryrun": true })).await;
    assert!(wrong.problem(StatusCode::UNPROCESSABLE_ENTITY).contains("dryrun"));
    app.store.suffer(Trouble::Down);
    let down = app.request(Method::POST, "/api/v1/lake/compact").send().await;
    down.problem(StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn retention_rules_are_the_tenants_own() {
    const PATH: &str = "/api/v1/lake/retention";
    let app = TestApp::new().await;
    let set = app.post(PATH, json!({ "days": 365 })).await.json();
    assert_eq!(set, json!({ "class": null, "days": 365 }));
    app.post(PATH, json!({ "class": "email_activity", "days": 30 })).await;
    app.post(&format!("{PATH}?tenant=acme"), json!({ "days": 7 })).await;
    let listed = app.get(PATH).await.json();
    let narrow = json!({ "class": "email_activity", "days": 30 });
    assert_eq!(listed["items"], json!([{ "class": null, "days": 365 }, narrow]));
    let removed = app.request(Method::DELETE, &format!("{PATH}/all")).send().await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT);
    let again = app.request(Method::DELETE, &format!("{PATH}/all")).send().await;
    again.problem(StatusCode::NOT_FOUND);
    assert_eq!(app.get(PATH).await.json()["items"], json!([narrow]));
    assert_eq!(app.get(&format!("{PATH}?tenant=acme")).await.json()["items"][0]["days"], 7);
    for (body, named) in [
        (json!({ "days": 0 }), "0 days"),
        (json!({ "days": 3, "class": "email" }), "`email`"),
        (json!({ "day": 3 }), "day"),
    ] {
        let wrong = app.post(PATH, body).await.problem(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.contains(named), "{wrong}");
    }
    let unknown = app.request(Method::DELETE, &format!("{PATH}/email")).send().await;
    assert!(unknown.problem(StatusCode::UNPROCESSABLE_ENTITY).contains("`email`"));
}

#[tokio::test]
async fn holds_are_set_listed_and_ended() {
    const PATH: &str = "/api/v1/lake/holds";
    let app = TestApp::new().await;
    let hold = json!({ "class": "base_event", "reason": "case 7" });
    let set = app.post(PATH, hold).await.json();
    let expected =
        json!({ "class": "base_event", "reason": "case 7", "since": "2026-05-11T08:00:00Z" });
    assert_eq!(set, expected);
    assert_eq!(app.get(PATH).await.json()["items"], json!([expected]));
    assert_eq!(app.get(&format!("{PATH}?tenant=acme")).await.json()["items"], json!([]));
    let ended = app.request(Method::DELETE, &format!("{PATH}/base_event")).send().await;
    assert_eq!(ended.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get(PATH).await.json()["items"], json!([]));
    app.store.suffer(Trouble::Down);
    app.post(PATH, json!({})).await.problem(StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn the_ledger_adds_up_a_tenant_or_a_connector() {
    let app = TestApp::new().await.with_connector("経理").await;
    app.import("default", &(records(2) + "broken\n")).await;
    let ledger = app.get("/api/v1/ledger").await.json();
    let whole = json!({
        "tenant": "default", "connector": null, "counts": counts(3, 2, 1), "balanced": true,
    });
    assert_eq!(ledger, whole);
    let own = app.get("/api/v1/ledger?connector=%E7%B5%8C%E7%90%86").await.json();
    assert_eq!((&own["connector"], &own["counts"]), (&json!("経理"), &counts(0, 0, 0)));
    app.get("/api/v1/ledger?connector=nobody").await.problem(StatusCode::NOT_FOUND);
    app.get("/api/v1/ledger?conector=x").await.problem(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn dead_letters_are_listed_page_by_page_and_by_state() {
    let app = TestApp::new().await;
    app.import("default", "one\ntwo\nthree\n").await;
    let first = app.get(&format!("{LETTERS}?limit=2")).await.json();
    assert_eq!(first["items"].as_array().unwrap().len(), 2);
    let next = first["next"].as_str().unwrap();
    let second = app.get(&format!("{LETTERS}?limit=2&cursor={next}")).await.json();
    assert_eq!(second["items"].as_array().unwrap().len(), 1);
    assert_eq!(second["next"], Value::Null);
    let letter = &second["items"][0];
    assert_eq!((&letter["state"], &letter["stream"]), (&json!("waiting"), &json!("saved.json")));
    assert!(letters(&app, "state=discarded").await.is_empty());
    assert!(letters(&app, "source=nobody").await.is_empty());
    assert!(letters(&app, "tenant=acme").await.is_empty());
    app.get(&format!("{LETTERS}?state=lost")).await.problem(StatusCode::BAD_REQUEST);
    app.get(&format!("{LETTERS}?cursor=eHg")).await.problem(StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn letters_are_replayed_and_discarded() {
    let app = TestApp::new().await;
    app.import("default", "one\ntwo\n").await;
    let ids: Vec<Value> =
        letters(&app, "").await.iter().map(|letter| letter["id"].clone()).collect();
    let replayed = app.post(&format!("{LETTERS}/replay"), json!({ "ids": ids })).await.json();
    assert_eq!(replayed["stored"], 0);
    assert_eq!(replayed["failed"].as_array().unwrap().len(), 2);
    let discarded = app.post(&format!("{LETTERS}/discard"), json!({ "ids": ids })).await.json();
    assert_eq!(discarded, json!({ "discarded": 2 }));
    assert_eq!(letters(&app, "state=discarded").await.len(), 2);
    for action in ["replay", "discard"] {
        let path = format!("{LETTERS}/{action}");
        let wrong = app.post(&path, json!({ "ids": ["x"] })).await;
        assert!(wrong.problem(StatusCode::UNPROCESSABLE_ENTITY).contains("ids[0]"));
        app.post(&path, json!({ "ids": [] })).await.problem(StatusCode::UNPROCESSABLE_ENTITY);
    }
}

#[tokio::test]
async fn letters_of_another_tenant_cannot_be_touched() {
    let app = TestApp::new().await;
    app.import("default", "one\n").await;
    app.import("acme", "two\n").await;
    let foreign = letters(&app, "").await[0]["id"].clone();
    let token = app.token(Some("acme"), &[Right::DeadLettersWrite]).await;
    for action in ["replay", "discard"] {
        let call = app.request(Method::POST, &format!("{LETTERS}/{action}?tenant=acme"));
        let answer = call.token(&token).json(&json!({ "ids": [foreign] })).send().await;
        answer.problem(StatusCode::NOT_FOUND);
    }
    assert_eq!(letters(&app, "state=waiting").await.len(), 1);
}
