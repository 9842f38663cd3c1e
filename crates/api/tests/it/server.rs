//! The process itself, and requests that no route answers.

use axum::http::{Method, StatusCode};
use serde_json::json;

use crate::store::Trouble;
use crate::support::{TestApp, records};

#[tokio::test]
async fn the_root_says_what_answers_here() {
    let app = TestApp::new().await;
    let answer = app.request(Method::GET, "/").anonymous().send().await;
    let version = env!("CARGO_PKG_VERSION");
    let about = json!({ "name": "Tarn", "version": version, "api": "/api/v1/openapi.json" });
    assert_eq!(answer.json(), about);
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("cache-control"), "no-store");
}

#[tokio::test]
async fn health_is_answered_without_a_token_and_readiness_follows_the_lake() {
    let app = TestApp::new().await;
    let ask = |path: &'static str| app.request(Method::GET, path).anonymous().send();
    assert_eq!(ask("/healthz").await.json(), json!({ "status": "ok" }));
    assert_eq!(ask("/readyz").await.json(), json!({ "status": "ok" }));

    let app = TestApp::new().await;
    app.store.suffer(Trouble::Down);
    let ask = |path: &'static str| app.request(Method::GET, path).anonymous().send();
    let detail = ask("/readyz").await.problem(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(detail, "the catalog or the lake does not answer");
    assert_eq!(ask("/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn metrics_count_connectors_ledger_and_lake() {
    let app = TestApp::new().await.with_connector("mail").await;
    app.import("default", &records(2)).await;
    let answer = app.get("/metrics").await;
    assert!(answer.header("content-type").starts_with("text/plain; version=0.0.4"));
    for line in [
        "tarn_connectors{tenant=\"default\",enabled=\"true\"} 1",
        "tarn_ledger_records{outcome=\"stored\"} 2",
        "tarn_lake_rows{class=\"email_activity\"} 2",
    ] {
        assert!(answer.text().lines().any(|own| own == line), "{line} in {}", answer.text());
    }
}

#[tokio::test]
async fn an_unknown_route_and_a_wrong_method_are_problems() {
    let app = TestApp::new().await;
    let unknown = app.get("/api/v1/nowhere").await;
    assert_eq!(unknown.problem(StatusCode::NOT_FOUND), "there is no route `/api/v1/nowhere`");
    let wrong = app.request(Method::PUT, "/api/v1/connectors").send().await;
    assert!(wrong.problem(StatusCode::METHOD_NOT_ALLOWED).contains("PUT"));
    let allowed = wrong.header("allow");
    assert!(allowed.contains("GET") && allowed.contains("POST"), "{allowed}");
}

#[tokio::test]
async fn a_panic_is_a_problem_that_tells_nothing() {
    let app = TestApp::new().await;
    app.store.suffer(Trouble::Panic);
    let detail = app.get("/api/v1/lake/stats").await.problem(StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(detail, "the server failed to answer");
}

#[tokio::test]
async fn bodies_are_limited_and_their_faults_are_named() {
    let app = TestApp::new().await;
    let call = |body: String| {
        app.request(Method::POST, "/api/v1/query")
            .header("content-type", "application/json")
            .body(body)
            .send()
    };
    let large = json!({ "query": "x".repeat(3 << 20) }).to_string();
    call(large).await.problem(StatusCode::PAYLOAD_TOO_LARGE);
    let broken = call("{\"query\": ".to_owned()).await.problem(StatusCode::BAD_REQUEST);
    assert!(broken.contains("EOF"), "{broken}");
    let missing = call("{}".to_owned()).await.problem(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(missing.contains("missing field `query`"), "{missing}");
    let unknown = call("{\"query\":\"\",\"limmit\":1}".to_owned()).await;
    assert!(unknown.problem(StatusCode::UNPROCESSABLE_ENTITY).contains("`limmit`"));
    let plain = app.request(Method::POST, "/api/v1/query").body("{}").send().await;
    plain.problem(StatusCode::UNSUPPORTED_MEDIA_TYPE);
}
