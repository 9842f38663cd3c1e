//! Searching: in one piece, line by line, and what cannot be run.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::store::Trouble;
use crate::support::{TestApp, records};

const PATH: &str = "/api/v1/query";

fn all() -> Value {
    json!({ "query": "FROM email", "since": "24h" })
}

#[tokio::test]
async fn at_most_a_thousand_rows_come_in_one_piece() {
    let app = TestApp::new().await;
    app.import("default", &records(1_500)).await;
    let found = app.post(PATH, all()).await.json();
    assert_eq!(found["rows"].as_array().unwrap().len(), 1_000);
    assert_eq!(found["truncated"], true);
    assert_eq!(found["rows"][0]["class_uid"], 4009);
    assert!(found["columns"].is_array() && found["warnings"].is_array());
    let few = json!({ "language": "taegis", "query": "FROM email | head 3", "until": "1h" });
    let found = app.post(PATH, few).await.json();
    assert_eq!((found["rows"].as_array().unwrap().len(), &found["truncated"]), (3, &json!(false)));
}

#[tokio::test]
async fn a_query_may_be_written_in_lucene() {
    let app = TestApp::new().await;
    app.import("default", &records(3)).await;
    let lucene = |query: &str| json!({ "language": "lucene", "query": query, "since": "24h" });
    let found = app.post(PATH, lucene("*")).await.json();
    assert_eq!(found["rows"].as_array().unwrap().len(), 3);
    let refused = app.post(PATH, lucene("invoice^2")).await;
    let refused = refused.problem(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.contains("boost") && refused.contains('^'), "{refused}");
}

#[tokio::test]
async fn all_rows_come_one_per_line() {
    let app = TestApp::new().await;
    app.import("default", &records(2_500)).await;
    let answer = app.request(Method::POST, PATH).json(&all()).lines().send().await;
    assert_eq!(answer.lines().len(), 2_500);
    let columns: Vec<String> = serde_json::from_str(answer.header("tarn-columns")).unwrap();
    assert_eq!(json!(columns), app.post(PATH, all()).await.json()["columns"]);
    assert_eq!(answer.header("tarn-warnings"), "[]");
    let none = json!({ "query": "FROM email", "since": "1h" });
    let answer = app.request(Method::POST, PATH).json(&none).lines().send().await;
    assert_eq!((answer.status, answer.text()), (StatusCode::OK, ""));
}

#[tokio::test]
async fn another_tenant_finds_nothing() {
    let app = TestApp::new().await;
    app.import("acme", &records(1)).await;
    assert_eq!(app.post(PATH, all()).await.json()["rows"], json!([]));
    let own = app.post("/api/v1/query?tenant=acme", all()).await.json();
    assert_eq!(own["rows"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_with_its_place() {
    let app = TestApp::new().await;
    let refused =
        async |body: Value| app.post(PATH, body).await.problem(StatusCode::UNPROCESSABLE_ENTITY);
    let wrong = refused(json!({ "query": "FROM emial" })).await;
    assert!(wrong.contains("emial") && wrong.contains('^'), "{wrong}");
    let range = refused(json!({ "language": "sql", "query": "SELECT 1", "since": "1h" })).await;
    assert!(range.contains("SQL"), "{range}");
    let time = refused(json!({ "query": "FROM email", "since": "yesterday" })).await;
    assert!(time.contains("`since`"), "{time}");
    let language = refused(json!({ "language": "klingon", "query": "x" })).await;
    assert!(language.contains("language"), "{language}");
    refused(json!({ "language": "sql", "query": "SELECT 1" })).await;
}

#[tokio::test]
async fn rows_that_cannot_be_read_are_a_problem_or_a_cut_answer() {
    let app = TestApp::new().await;
    app.import("default", &records(1_500)).await;
    app.store.suffer(Trouble::SecondPage);
    app.post(PATH, all()).await.problem(StatusCode::SERVICE_UNAVAILABLE);
    let answer = app.request(Method::POST, PATH).json(&all()).lines().open().await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(axum::body::to_bytes(answer.into_body(), usize::MAX).await.is_err());
    app.store.suffer(Trouble::Down);
    let answer = app.request(Method::POST, PATH).json(&all()).lines().send().await;
    let detail = answer.problem(StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(detail, "failed to read email_activity");
}
