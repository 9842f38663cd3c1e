//! Responders whose host took a request and says nothing that can be read, or nobody listened for a while.

use std::sync::atomic::Ordering;

use model::action::journal::{Ending, Memory, ShownAnswer};
use model::action::{Entity, EntityKind, Halt, ItemState, RunState};
use serde_json::{Value, json};

use crate::webhook::{Host, Notes, act, alert, of_template, responder};

const ISOLATE: &str = "Trend Vision One Isolate Endpoint";

fn host_alert() -> Value {
    alert(&json!({ "id": "WB-1", "impactScope": { "entities": [
        { "entityType": "host", "entityValue": { "guid": "G-1", "name": "NW-1" } },
    ] } }))
}

fn blocks(
    host: &Host,
    effect: &str,
    success: Value,
) -> std::sync::Arc<connectors::webhook::Responder> {
    responder(json!({
        "name": "block", "effect": effect,
        "target": { "type": "ip", "value": "{{ ip }}" },
        "request": { "host": host.address.to_string(), "protocol": "http", "path": "/b", "body": { "v": "{{ ip }}" } },
        "success": success,
    }))
}

#[tokio::test]
async fn a_success_that_cannot_be_read_needs_a_person() {
    let host = Host::new(|_, _| (200, json!({ "other": 1 })).into()).await;
    for success in [
        json!({ "when": "{{ response.body.other + 'x' }}" }),
        json!({ "items": { "path": "$.results" } }),
    ] {
        let notes = Notes::default();
        let record = json!({ "ip": "192.0.2.1" });
        let blocks = blocks(&host, "contains", success.clone());
        let outcome = act(&blocks, &record, json!({}), &notes).await.unwrap();
        assert_eq!(outcome.items[0].state, ItemState::Unknown, "{success}");
        let detail = &outcome.items[0].detail.en;
        assert!(
            detail.starts_with("sent, and its answer cannot be read: needs a person: "),
            "{detail}"
        );
        assert!(!outcome.is_success);
    }
    assert_eq!(host.changes(), 2);
}

#[tokio::test]
async fn a_host_that_stopped_waiting_may_have_taken_it() {
    let host = Host::new(|_, _| (408, json!({})).into()).await;
    let notes = Notes::default();
    let record = json!({ "ip": "192.0.2.1" });
    let blocks = blocks(&host, "contains", json!({}));
    let outcome = act(&blocks, &record, json!({}), &notes).await.unwrap();
    assert_eq!(outcome.items[0].state, ItemState::Unknown);
    assert_eq!(host.changes(), 1);
}

#[tokio::test]
async fn without_targets_the_request_is_what_it_is_about() {
    let host = Host::new(|_, _| (500, json!({})).into()).await;
    let note = responder(json!({
        "name": "note", "effect": "writes",
        "request": { "host": host.address.to_string(), "protocol": "http", "path": "/n", "body": { "v": 1 } },
    }));
    let outcome = act(&note, &json!({}), json!({}), &Notes::default()).await.unwrap();
    assert_eq!(RunState::of(&outcome), RunState::Unknown);
    assert_eq!(outcome.items[0].entity.value, format!("http://{}", host.address));
}

#[tokio::test]
async fn other_names_of_a_target_are_not_counted() {
    let host = Host::new(|seen, _| match seen.method.as_str() {
        "GET" => (200, json!({ "status": "succeeded" })).into(),
        _ => (207, json!([{ "status": 202, "headers": { "operation-location": "https://x/7" } }]))
            .into(),
    })
    .await;
    let notes = Notes::default();
    let outcome =
        act(&of_template(ISOLATE, &host), &host_alert(), json!({}), &notes).await.unwrap();
    assert!(outcome.is_success);
    assert_eq!(*notes.asked.lock().unwrap(), [Entity::new(EntityKind::Host, "G-1")]);
}

#[tokio::test]
async fn what_ended_while_nobody_asked_is_seen_after_the_time_is_over() {
    let answer = || {
        let location = json!([{ "name": "Operation-Location", "value": "https://x/tasks/7" }]);
        let body = json!([{ "status": 202, "headers": location }]);
        ShownAnswer { status: 207, headers: Default::default(), body }
    };
    for (status, state) in [("succeeded", ItemState::Succeeded), ("running", ItemState::Expired)] {
        let host = Host::new(move |_, _| (200, json!({ "status": status })).into()).await;
        let notes = Notes::default();
        notes.remember("send", Memory::Ended(Ending::Answered { answer: answer() }));
        notes.elapsed.store(7_200_000, Ordering::Relaxed);
        let outcome =
            act(&of_template(ISOLATE, &host), &host_alert(), json!({}), &notes).await.unwrap();
        assert_eq!(outcome.items[0].state, state);
        assert_eq!(host.seen().len(), 1);
    }
}

#[tokio::test]
async fn a_question_that_is_answered_unreadably_failed() {
    let host = Host::new(|_, _| (200, json!({ "other": 1 })).into()).await;
    let asks = responder(json!({
        "name": "ask", "effect": "reads",
        "request": { "host": host.address.to_string(), "protocol": "http", "method": "GET", "path": "/v1" },
        "success": { "when": "{{ response.body.other + 'x' }}" },
    }));
    let ended = act(&asks, &json!({}), json!({}), &Notes::default()).await;
    assert!(matches!(ended, Err(Halt::Fatal(_))), "{ended:?}");
}
