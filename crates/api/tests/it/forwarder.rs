//! The routes of a stack's client over HTTP: who gets in, what bodies are taken, and how refusals are worded.

use std::io::{self, Write as _};

use axum::body::{Body, Bytes};
use axum::http::{Method, StatusCode};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::stream;
use serde_json::{Value, json};

use crate::store::Trouble;
use crate::support::{Answer, Call, TestApp};

const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef";
const RECORDS: &str = "/api/v1/forwarder/records";
const LETTERS: &str = "/api/v1/forwarder/dead-letters";

async fn offer(app: &TestApp) -> Value {
    app.request(Method::POST, "/api/stacks").header("host", "h.example").send().await.json()
}

async fn enrol(app: &TestApp, code: &str, token: &str) -> Answer {
    let body = json!({
        "enrolment_code": code, "token": token, "account_id": "111122223333",
        "region": "us-east-1", "client_version": "9.9.9", "template_version": "9.9.9",
        "something_newer": true,
    });
    let call = app.request(Method::POST, "/api/v1/forwarder/enrol").anonymous();
    call.json(&body).send().await
}

/// An app with an enrolled stack; its id.
async fn enrolled() -> (TestApp, String) {
    let app = TestApp::new().await;
    let offer = offer(&app).await;
    let answer = enrol(&app, offer["parameters"]["EnrolmentCode"].as_str().unwrap(), TOKEN).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let standing = answer.json();
    assert_eq!(standing["stack_id"], offer["id"]);
    assert_eq!(standing["heartbeat_seconds"], 60);
    assert_eq!(standing["rotate_after_seconds"], 604_800);
    assert_eq!(standing.get("expires_at"), None);
    (app, offer["id"].as_str().unwrap().to_owned())
}

fn records(count: u32) -> String {
    let record = |number| json!({ "eventVersion": "1.11", "eventTime": "2026-05-11T02:00:00Z", "eventSource": "ec2.amazonaws.com", "eventName": "RunInstances", "awsRegion": "us-east-1", "eventID": format!("e-{number}"), "recipientAccountId": "111122223333" });
    json!({ "Records": (0..count).map(record).collect::<Vec<_>>() }).to_string()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn push<'a>(app: &'a TestApp, path: &str, key: &str) -> Call<'a> {
    let call = app.request(Method::POST, path).token(TOKEN).header("idempotency-key", key);
    call.header("tarn-object", "s3://b/%E6%97%A5.json.gz")
}

fn counts(served: u64, stored: u64, dead_lettered: u64) -> Value {
    json!({ "served": served, "stored": stored, "duplicate": 0, "filtered": 0, "dead_lettered": dead_lettered })
}

fn kind(answer: &Answer) -> String {
    answer.json()["type"].as_str().unwrap().rsplit(':').next().unwrap().to_owned()
}

#[tokio::test]
async fn records_are_stored_and_the_same_push_is_answered_again() {
    let (app, id) = enrolled().await;
    let body = gzip(records(50).as_bytes());
    for _ in 0..2 {
        let call = push(&app, RECORDS, "k1").header("content-encoding", "gzip").body(body.clone());
        assert_eq!(call.send().await.json(), counts(50, 50, 0));
    }
    // Plain and packed are the same body.
    let call = push(&app, RECORDS, "k1").body(records(50));
    assert_eq!(call.send().await.json(), counts(50, 50, 0));
    let reused = push(&app, RECORDS, "k1").body(records(51)).send().await;
    assert!(reused.problem(StatusCode::CONFLICT).contains("k1"));
    let stack = app.get(&format!("/api/stacks/{id}")).await.json();
    assert_eq!((&stack["status"], &stack["counts"]["stored"]), (&json!("connected"), &json!(50)));
    assert_eq!(stack["name"], "CloudTrail 111122223333 us-east-1");
}

#[tokio::test]
async fn bodies_beyond_the_limits_are_refused_and_nothing_of_them_is_stored() {
    let (app, _) = enrolled().await;
    let bomb = gzip(&vec![b' '; 17 << 20]);
    assert!(bomb.len() < 100_000);
    let call = push(&app, RECORDS, "bomb").header("content-encoding", "gzip").body(bomb.clone());
    call.send().await.problem(StatusCode::PAYLOAD_TOO_LARGE);
    let call = push(&app, RECORDS, "twice").header("content-encoding", "gzip").body(gzip(&bomb));
    call.send().await.problem(StatusCode::BAD_REQUEST);
    let large = push(&app, RECORDS, "large").body(vec![b' '; (2 << 20) + 1]).send().await;
    large.problem(StatusCode::PAYLOAD_TOO_LARGE);
    let pieces = (0..40).map(|_| Ok::<_, io::Error>(Bytes::from(vec![b' '; 1 << 16])));
    let call = push(&app, RECORDS, "pieces").body(Body::from_stream(stream::iter(pieces)));
    call.send().await.problem(StatusCode::PAYLOAD_TOO_LARGE);
    let many = format!(r#"{{"Records":[{}{{}}]}}"#, "{},".repeat(10_000));
    push(&app, RECORDS, "many").body(many).send().await.problem(StatusCode::PAYLOAD_TOO_LARGE);
    let pieces = [Ok(Bytes::from(r#"{"Records":["#)), Err(io::Error::other("gone"))];
    let call = push(&app, RECORDS, "cut").body(Body::from_stream(stream::iter(pieces)));
    call.send().await.problem(StatusCode::BAD_REQUEST);
    let mut broken = gzip(records(50).as_bytes());
    broken.truncate(broken.len() / 2);
    let call = push(&app, RECORDS, "broken").header("content-encoding", "gzip").body(broken);
    call.send().await.problem(StatusCode::BAD_REQUEST);
    let call = push(&app, RECORDS, "br").header("content-encoding", "br").body("x");
    call.send().await.problem(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let call = push(&app, RECORDS, "form").header("content-type", "text/html").body("x");
    call.send().await.problem(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let call = app.request(Method::POST, RECORDS).token(TOKEN).body(records(1));
    assert!(call.send().await.problem(StatusCode::UNPROCESSABLE_ENTITY).contains("key"));
    assert_eq!(app.get("/api/v1/ledger").await.json()["counts"]["served"], 0);
}

#[tokio::test]
async fn dead_letters_are_kept_under_their_object() {
    let (app, id) = enrolled().await;
    for _ in 0..2 {
        let call = push(&app, LETTERS, "d").header("tarn-reason", "cut%20short").body("raw");
        assert_eq!(call.send().await.json(), counts(1, 0, 1));
    }
    let call = push(&app, LETTERS, "large").body(vec![0; (1 << 20) + 1]);
    call.send().await.problem(StatusCode::PAYLOAD_TOO_LARGE);
    push(&app, LETTERS, "named").header("tarn-reason", "too large").send().await;
    let letters = app.get("/api/v1/dead-letters").await.json();
    let letters = letters["items"].as_array().unwrap();
    assert_eq!(letters.len(), 2, "{letters:?}");
    assert_eq!(letters[1]["reason"], "s3://b/日.json.gz: cut short");
    assert_eq!(letters[1]["connector_id"], id);
    assert_eq!(letters[0]["size_bytes"], "s3://b/日.json.gz".len());
}

#[tokio::test]
async fn who_is_not_wanted_is_told_why_in_the_type() {
    let (app, id) = enrolled().await;
    let beat = |token: &str| {
        let call = app.request(Method::POST, "/api/v1/forwarder/heartbeat").token(token);
        call.json(&json!({ "client_version": "1", "template_version": "1", "paused": false }))
            .send()
    };
    assert_eq!(beat(TOKEN).await.status, StatusCode::OK);
    let unknown = beat(&TOKEN.replace('0', "1")).await;
    unknown.problem(StatusCode::UNAUTHORIZED);
    assert_eq!(kind(&unknown), "token-unknown");
    app.request(Method::DELETE, &format!("/api/stacks/{id}")).send().await;
    let revoked = beat(TOKEN).await;
    revoked.problem(StatusCode::UNAUTHORIZED);
    assert_eq!(kind(&revoked), "stack-revoked");
    let stack = app.get(&format!("/api/stacks/{id}")).await.json();
    assert_eq!(stack["alive"], true);
    assert!(stack["problem"].as_str().unwrap().contains("still deployed"), "{stack}");
    let refused = enrol(&app, "enrol_nonsense", &TOKEN.replace('0', "2")).await;
    refused.problem(StatusCode::FORBIDDEN);
    assert_eq!(kind(&refused), "enrolment-refused");
}

#[tokio::test]
async fn a_stacks_token_opens_nothing_else_and_no_other_token_opens_its_routes() {
    let (app, _) = enrolled().await;
    for route in api::router::routes().into_iter().filter(|route| route.needs.right().is_some()) {
        let path = route.path.replace("{name}", "x").replace("{table}", "all").replace("{id}", "x");
        let answer = app.request(route.method.clone(), &path).token(TOKEN).send().await;
        answer.problem(StatusCode::UNAUTHORIZED);
    }
    for route in ["token", "heartbeat", "records", "dead-letters"] {
        let path = format!("/api/v1/forwarder/{route}");
        for call in [app.request(Method::POST, &path), app.request(Method::POST, &path).anonymous()]
        {
            let answer = call.send().await;
            answer.problem(StatusCode::UNAUTHORIZED);
            assert_eq!(kind(&answer), "token-unknown", "{route}");
        }
    }
}

#[tokio::test]
async fn tokens_rotate_and_both_are_good_until_the_next_one_is_used() {
    let (app, _) = enrolled().await;
    let next = TOKEN.replace('0', "n");
    let rotate = |token: &str| {
        let call = app.request(Method::POST, "/api/v1/forwarder/token").token(token);
        call.json(&json!({ "token": next })).send()
    };
    let stores = |token: &str, key: &str| {
        let call = app.request(Method::POST, RECORDS).token(token).header("idempotency-key", key);
        call.body(records(1)).send()
    };
    assert_eq!(rotate(TOKEN).await.status, StatusCode::OK);
    assert_eq!(rotate(TOKEN).await.status, StatusCode::OK, "a repetition changes nothing");
    assert_eq!(stores(TOKEN, "a").await.status, StatusCode::OK);
    assert_eq!(stores(&next, "b").await.status, StatusCode::OK);
    assert_eq!(stores(TOKEN, "c").await.status, StatusCode::UNAUTHORIZED);
    let short = app.request(Method::POST, "/api/v1/forwarder/token").token(&next);
    let answer = short.json(&json!({ "token": "short" })).send().await;
    answer.problem(StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn a_quota_that_is_used_up_and_a_lake_that_fails_say_when_to_come_again() {
    let (app, _) = enrolled().await;
    app.store.suffer(Trouble::Down);
    let down = push(&app, RECORDS, "down").body(records(3)).send().await;
    down.problem(StatusCode::SERVICE_UNAVAILABLE);
    assert!(down.header("retry-after").parse::<u64>().unwrap() > 0);
    app.store.suffer(Trouble::None);
    assert_eq!(push(&app, RECORDS, "down").body(records(3)).send().await.json(), counts(3, 3, 0));
    for number in 0..598 {
        let key = format!("k{number}");
        let answer = push(&app, RECORDS, &key).body(r#"{"Records":[]}"#).send().await;
        assert_eq!(answer.status, StatusCode::OK, "{number}");
    }
    let over = push(&app, RECORDS, "over").body(records(9)).send().await;
    over.problem(StatusCode::TOO_MANY_REQUESTS);
    assert!((1..=60).contains(&over.header("retry-after").parse::<u64>().unwrap()));
    assert_eq!(app.get("/api/v1/ledger").await.json()["counts"]["served"], 3);
}
