//! Importing bodies of any format and any length.

use std::io;

use axum::body::{Body, Bytes};
use axum::http::{Method, StatusCode};
use futures::stream;
use serde_json::json;

use crate::store::Trouble;
use crate::support::{SOURCE, TestApp, record, records};

fn path() -> String {
    format!("/api/v1/events?source={SOURCE}&name=saved.json")
}

#[tokio::test]
async fn records_are_stored_once_and_the_broken_ones_set_aside() {
    let app = TestApp::new().await;
    let body = records(3) + "not json\n";
    let counts = |stored, duplicate| json!({ "served": 4, "stored": stored, "duplicate": duplicate, "filtered": 0, "dead_lettered": 1 });
    assert_eq!(app.import("default", &body).await.json()["counts"], counts(3, 0));
    assert_eq!(app.import("default", &body).await.json()["counts"], counts(0, 3));
}

#[tokio::test]
async fn a_saved_page_and_an_array_are_taken_apart() {
    let app = TestApp::new().await;
    let array = format!("[{},{}]", record(1), record(2));
    assert_eq!(app.import("default", &array).await.json()["counts"]["stored"], 2);
    let page = format!("{{\"security_events\":[{},{}]}}", record(3), record(4));
    assert_eq!(app.import("default", &page).await.json()["counts"]["stored"], 2);
    assert_eq!(app.import("default", "").await.json()["counts"]["served"], 0);
}

#[tokio::test]
async fn a_body_in_many_pieces_is_read_as_it_comes_with_progress() {
    let app = TestApp::new().await;
    let lines: Vec<String> = (0..12_000).map(|number| record(number) + "\n").collect();
    let length: usize = lines.iter().map(String::len).sum();
    assert!(length > api::router::BODY_LIMIT_BYTES);
    let pieces = stream::iter(lines.into_iter().map(|line| Ok::<_, io::Error>(Bytes::from(line))));
    let call = app.request(Method::POST, &path()).body(Body::from_stream(pieces)).lines();
    let lines = call.send().await.lines();
    assert!(lines.len() > 2, "{lines:?}");
    assert_eq!(lines[0]["progress"]["counts"]["served"], 5_000);
    assert_eq!(lines.last().unwrap()["result"]["counts"]["stored"], 12_000);
}

#[tokio::test]
async fn a_body_that_is_cut_is_not_a_shorter_file() {
    let app = TestApp::new().await;
    let pieces = [Ok(Bytes::from(record(1) + "\n")), Err(io::Error::other("gone"))];
    let call = app.request(Method::POST, &path()).body(Body::from_stream(stream::iter(pieces)));
    let detail = call.send().await.problem(StatusCode::BAD_REQUEST);
    assert_eq!(detail, "the body was cut before its end");
    let again = app.import("default", &records(2)).await.json();
    assert_eq!((&again["counts"]["stored"], &again["counts"]["duplicate"]), (&json!(1), &json!(1)));
}

#[tokio::test]
async fn an_unknown_source_is_refused_before_the_body_is_read() {
    let app = TestApp::new().await;
    let answer = app.request(Method::POST, "/api/v1/events?source=nobody.knows").send().await;
    assert!(answer.problem(StatusCode::UNPROCESSABLE_ENTITY).contains("`nobody.knows`"));
    assert!(answer.json()["hint"].as_str().unwrap().contains(SOURCE));
    let none = app.request(Method::POST, "/api/v1/events").send().await;
    assert!(none.problem(StatusCode::BAD_REQUEST).contains("`source`"));
}

#[tokio::test]
async fn a_lake_that_fails_is_a_problem_that_shows_no_place() {
    let app = TestApp::new().await;
    app.store.suffer(Trouble::Down);
    let answer = app.request(Method::POST, &path()).body(records(1)).send().await;
    let detail = answer.problem(StatusCode::SERVICE_UNAVAILABLE);
    assert!(!detail.contains("/srv"), "{detail}");
    let lines = app.request(Method::POST, &path()).body(records(1)).lines().send().await;
    lines.problem(StatusCode::SERVICE_UNAVAILABLE);
}
