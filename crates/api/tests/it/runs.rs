//! Testing, running and backfilling a connector against a simulated vendor, in real time.

use std::sync::Arc;

use axum::http::{Method, StatusCode};
use engine::clock::SystemClock;
use serde_json::{Value, json};
use simulators::{Options, Volume, simulator};
use tokio::net::TcpListener;

use crate::support::{TestApp, document};

const OWN: &str = "/api/v1/connectors/mail";

/// An app with a connector to a vendor with so many records an hour that knows this key.
async fn scene(per_hour: f64, key: &str) -> TestApp {
    let faults = [("requests", "1000"), ("window", "1s")];
    let faults = faults.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let options = Options { volume: Volume::PerHour(per_hour), faults, ..Options::default() };
    let vendor = simulator("trend_micro_cas", options).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = vendor.router();
    tokio::spawn(async move { axum::serve(listener, router).await });

    let app = TestApp::with_clock(Arc::new(SystemClock)).await;
    let mut document = document("mail");
    document["parameters"]["base_url"] = format!("http://{address}").into();
    document["credential"]["api_keys"] = json!([key]);
    document["backfill"] = "1h".into();
    document["quota"] = json!({ "requests": 1000, "per": "1s" });
    let applied = app.post("/api/v1/connectors", json!({ "connectors": [document] })).await;
    assert_eq!(applied.status, StatusCode::OK, "{}", applied.text());
    app
}

async fn post(app: &TestApp, path: &str) -> crate::support::Answer {
    app.request(Method::POST, &format!("{OWN}/{path}")).send().await
}

#[tokio::test]
async fn a_test_passes_with_the_right_key_and_names_the_fault_of_a_wrong_one() {
    let app = scene(60.0, "sim-key").await;
    let report = post(&app, "test").await.json();
    assert_eq!((&report["passed"], &report["name"]), (&json!(true), &json!("mail")), "{report}");
    let app = scene(60.0, "no-such-key").await;
    let report = post(&app, "test").await.json();
    assert_eq!(report["passed"], false);
    assert_eq!(report["checks"][0]["fault"], "unknown_key", "{report}");
    assert_eq!(report["checks"][0]["key"], "api_keys[0]");
    assert!(!report.to_string().contains("no-such-key"));
}

#[tokio::test]
async fn a_run_answers_progress_and_at_last_its_result() {
    let app = scene(60.0, "sim-key").await;
    let lines = post(&app, "run").await.lines();
    let (last, before) = lines.split_last().unwrap();
    assert!(before.iter().all(|line| line["progress"]["streams"].is_number()), "{lines:?}");
    assert_eq!(last["result"]["unfinished"], json!([]), "{last}");
    let stored = last["result"]["counts"]["stored"].as_u64().unwrap();
    assert!(stored > 0, "{last}");
    let status = app.get(&format!("{OWN}/status")).await.json();
    assert_eq!(status["counts"]["stored"], stored);
    assert_eq!(status["streams"][0]["stream"], "sharepoint/dlp");
    app.app.stop().await;
}

#[tokio::test]
async fn a_backfill_says_from_when_on_and_how_many_streams_have_more() {
    let app = scene(60.0, "sim-key").await;
    app.app.start().await.unwrap();
    let path = format!("{OWN}/backfill");
    let answer = app.post(&path, json!({ "since": "48h" })).await.json();
    assert!(answer["since"].is_string() && answer["streams"].is_number(), "{answer}");
    let wrong = app.post(&path, json!({ "since": "soon" })).await;
    assert!(wrong.problem(StatusCode::UNPROCESSABLE_ENTITY).contains("`since`"));
    app.post(&path, json!({})).await.problem(StatusCode::UNPROCESSABLE_ENTITY);
    let nobody = app.post("/api/v1/connectors/nobody/backfill", json!({ "since": "1h" })).await;
    nobody.problem(StatusCode::NOT_FOUND);
    post(&app, "disable").await;
    app.post(&path, json!({ "since": "48h" })).await.problem(StatusCode::UNPROCESSABLE_ENTITY);
    post(&app, "run").await.problem(StatusCode::UNPROCESSABLE_ENTITY);
    app.app.stop().await;
}

/// The stream of status changes of a run.
pub(crate) async fn running() -> TestApp {
    scene(60.0, "sim-key").await
}

/// Runs the connector to its end.
pub(crate) async fn run(app: &TestApp) -> Vec<Value> {
    post(app, "run").await.lines()
}
