//! Faults of the answer as a whole, on the response side of the fake Trend Vision One.

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::vision::{ALERTS, get, send, sim};
use crate::vision_actions::{BLOCK, ISOLATE, accepted, act, post};

const TASKS: &str = "/v3.0/response/tasks";

#[tokio::test]
async fn actions_and_tasks_are_struck_as_everything_else() {
    let sim = sim(&[]);
    accepted(&sim, ISOLATE, json!({ "endpointName": "TARN-DC-01" })).await;
    let body = json!([{ "domain": "a.example" }]);
    for (fault, value, calm, expected) in [
        ("outage", "on", "off", 503),
        ("fail_every", "1", "0", 500),
        ("unavailable_every", "1", "0", 503),
        ("gateway_timeout_every", "1", "0", 504),
        ("throttle_every", "1", "0", 429),
    ] {
        sim.set_fault(fault, value).unwrap();
        let list = get(&sim, TASKS).await.status.as_u16();
        let action = post(&sim, BLOCK, &body).await.status.as_u16();
        assert_eq!((list, action), (expected, expected), "{fault}");
        sim.set_fault(fault, calm).unwrap();
    }
    assert_eq!(sim.state()["tasks"].as_array().unwrap().len(), 1, "what was refused was not begun");
    sim.set_fault("wrong_type", "on").unwrap();
    assert!(get(&sim, TASKS).await.body.starts_with(b"<html>"));
    sim.set_fault("wrong_type", "off").unwrap();
    sim.set_fault("cut_every", "1").unwrap();
    for reply in [get(&sim, TASKS).await, post(&sim, BLOCK, &body).await] {
        assert!(reply.status.is_success() && reply.body.is_empty(), "reading the body must fail");
    }
    assert_eq!(sim.state()["tasks"].as_array().unwrap().len(), 2, "a cut answer is one");
    sim.set_fault("cut_every", "0").unwrap();
    sim.set_fault("delay", "60ms").unwrap();
    let before = std::time::Instant::now();
    get(&sim, TASKS).await;
    assert!(before.elapsed() >= Duration::from_millis(60));
}

#[tokio::test]
async fn lists_of_the_response_side_mislead_as_asked() {
    let sim = sim(&[]);
    let blocks: Vec<_> = (0..120).map(|n| json!({ "domain": format!("d{n}.example") })).collect();
    post(&sim, BLOCK, &json!(blocks)).await;
    sim.set_fault("lost_link", "1").unwrap();
    assert!(get(&sim, TASKS).await.json().get("nextLink").is_none());
    sim.set_fault("lost_link", "0").unwrap();
    sim.set_fault("empty_page_with_link", "1").unwrap();
    let first = get(&sim, TASKS).await.json();
    let second = get(&sim, first["nextLink"].as_str().unwrap()).await.json();
    assert_eq!((&second["items"], second["nextLink"].is_string()), (&json!([]), true));
}

#[tokio::test]
async fn an_answer_is_lost_as_often_as_asked_and_what_it_told_has_happened() {
    let sim = sim(&[("lose_answer", "2"), ("task_delay", "0"), ("updates", "off")]);
    let lost = post(&sim, ISOLATE, &json!([{ "endpointName": "TARN-DC-01" }])).await;
    assert!(lost.body.is_empty());
    assert_eq!(sim.state()["endpoints"][0]["isolated"], true);
    get(&sim, TASKS).await;
    let refused = post(&sim, BLOCK, &json!({})).await;
    assert_eq!(
        refused.json()["error"]["code"],
        "BadRequest",
        "nothing took effect, nothing is lost"
    );
    let id = get(&sim, ALERTS).await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let note = format!("{ALERTS}/{id}/notes");
    assert_eq!(send(&sim, "POST", &note, &[], r#"{"content":"x"}"#).await.status, 201);
    let after = act(&sim, BLOCK, json!({ "domain": "a.example" })).await;
    assert_eq!(
        (after["status"].as_u64(), sim.state()["notes"].as_array().unwrap().len()),
        (Some(202), 1)
    );
    let injected: Vec<_> = sim
        .requests()
        .into_iter()
        .filter(|request| request.injected)
        .map(|request| request.path)
        .collect();
    assert_eq!(injected, [ISOLATE.to_owned(), note]);
}

#[tokio::test]
async fn a_lost_answer_closes_the_connection_without_a_byte() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let sim = sim(&[("lose_answer", "1")]);
    let server = tokio::spawn(sim.clone().serve(listener, std::future::pending()));
    let body = r#"[{"endpointName":"TARN-DC-01"}]"#;
    let mut lengths = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "POST {ISOLATE} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer sim-key\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // It may end as a reset.
        drop(stream.read_to_end(&mut answer).await);
        lengths.push(answer.len());
    }
    assert!(lengths[0] == 0 && lengths[1] > 100, "{lengths:?}");
    assert_eq!(
        sim.state()["tasks"].as_array().unwrap().len(),
        1,
        "the second try met the first one's task"
    );
    server.abort();
}

#[tokio::test]
async fn the_journal_has_what_was_asked_for() {
    let sim = sim(&[]);
    let body = json!([{ "domain": "a.example", "description": "x" }]);
    post(&sim, BLOCK, &body).await;
    let requests = sim.requests();
    assert_eq!((requests[0].body.as_ref(), requests[0].status), (Some(&body), 207));
}
