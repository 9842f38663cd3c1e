//! Trend Vision One's actions where only a part is known: of a list, of the requests, of what an id names.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use model::action::journal::Ending;
use model::action::spec::ActionParameterKind;
use model::action::{Entity, EntityKind, ItemState, Journal};
use serde_json::{Value, json};

use crate::memory_journal::PROTECTED;
use crate::vision_actions::{Bench, KEY, act, entities, fatal, spec, states};
use crate::vision_actions_odd::{fake, journal};

/// A vendor that answers nobody with `failing`, and lists the tasks of its last request as a function of the
/// number of requests and of looks since the last one says: how many of them.
async fn forgetful(
    failing: u16,
    listed: fn(posts: usize, looks: usize) -> usize,
) -> (String, Arc<Mutex<Vec<String>>>) {
    let (posts, looks) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let state = Arc::new((posts, looks, Mutex::new(Vec::<Value>::new())));
    fake(move |method, _, body| {
        let (posts, looks, posted) = &*state;
        let mut posted = posted.lock().unwrap();
        if method == "POST" {
            posts.fetch_add(1, Ordering::SeqCst);
            looks.store(0, Ordering::SeqCst);
            *posted = body.as_array().unwrap().clone();
            return (failing, vec![], json!({ "error": { "code": "InternalServerError" } }));
        }
        let looks = looks.fetch_add(1, Ordering::SeqCst) + 1;
        let count = listed(posts.load(Ordering::SeqCst), looks);
        let task = |(place, body): (usize, &Value)| {
            json!({
                "id": format!("{place:04}"), "status": "succeeded", "action": "isolate",
                "createdDateTime": "2026-03-02T08:00:00Z", "endpointName": body["endpointName"],
                "description": body["description"],
            })
        };
        let items: Value = posted.iter().enumerate().take(count).map(task).collect();
        (200, vec![], json!({ "items": items }))
    })
    .await
}

fn posts(seen: &Mutex<Vec<String>>) -> usize {
    seen.lock().unwrap().iter().filter(|line| line.starts_with("POST")).count()
}

fn two_hosts() -> Value {
    entities(&[("host", "A"), ("host", "B")])
}

#[tokio::test]
async fn vision_actions_wait_for_the_rest_when_a_list_shows_a_part_at_last() {
    // Looks are 5 s apart, and the seventh is the first after the time to settle.
    let (url, seen) = forgetful(500, |_, looks| match looks {
        0..=6 => 0,
        7..=8 => 1,
        _ => 2,
    })
    .await;
    let outcome = act(&url, &[KEY], &journal(), "isolate_endpoint", two_hosts()).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Succeeded; 2]);
    assert_eq!(posts(&seen), 1);
}

#[tokio::test]
async fn vision_actions_send_twice_at_most_where_no_answer_comes() {
    for status in [500, 503, 408] {
        let (url, seen) = forgetful(status, |_, _| 0).await;
        let (en, _) = fatal(act(&url, &[KEY], &journal(), "isolate_endpoint", two_hosts()).await);
        assert!(en.contains("not taken after 2 attempts"), "{en}");
        assert_eq!(posts(&seen), 2, "{status}");
    }
}

#[tokio::test]
async fn vision_actions_ask_what_became_of_the_last_request_too() {
    let (url, seen) = forgetful(500, |posts, _| if posts == 2 { 2 } else { 0 }).await;
    let outcome = act(&url, &[KEY], &journal(), "isolate_endpoint", two_hosts()).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Succeeded; 2]);
    assert_eq!(posts(&seen), 2);
}

#[tokio::test]
async fn vision_actions_follow_what_was_found_when_the_rest_is_refused() {
    let posted: Arc<Mutex<Vec<Value>>> = Arc::default();
    let count = AtomicUsize::new(0);
    let state = Arc::new((posted, count));
    let (url, _) = fake(move |method, _, body| {
        let (posted, count) = &*state;
        let mut posted = posted.lock().unwrap();
        if method == "POST" && count.fetch_add(1, Ordering::SeqCst) == 0 {
            *posted = body.as_array().unwrap().clone();
            return (500, vec![], Value::Null);
        }
        if method == "POST" {
            return (403, vec![], json!({ "error": { "code": "AccessDenied", "message": "no" } }));
        }
        let task = json!({
            "id": "0001", "status": "succeeded", "action": "isolate",
            "createdDateTime": "2026-03-02T08:00:00Z", "description": posted[0]["description"],
        });
        (200, vec![], json!({ "items": [task] }))
    })
    .await;
    let outcome = act(&url, &[KEY], &journal(), "isolate_endpoint", two_hosts()).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Succeeded, ItemState::Failed]);
}

#[tokio::test]
async fn vision_actions_on_alerts_keep_what_was_done_before_the_key_was_revoked() {
    let revoked = || json!({ "error": { "code": "AccessDenied", "message": "revoked" } });
    for (action, parameters) in [
        ("update_alert", json!({ "status": "Closed" })),
        ("add_note", json!({ "content": "seen" })),
    ] {
        let (url, _) = fake(move |method, path, _| match (method, path.contains("WB-1")) {
            ("GET", _) => (200, vec![], json!({ "id": "WB", "status": "Open", "items": [] })),
            (_, true) => (204, vec![], Value::Null),
            (_, false) => (403, vec![], revoked()),
        })
        .await;
        let mut input = entities(&[("alert", "WB-1"), ("alert", "WB-2"), ("alert", "WB-3")]);
        input["parameters"] = parameters;
        let journal = journal();
        let outcome = act(&url, &[KEY], &journal, action, input).await.unwrap();
        use ItemState::{Failed, Succeeded};
        assert_eq!(states(&outcome), [Succeeded, Failed, Failed], "{action}");
        assert!(outcome.items[2].detail.en.contains("revoked"), "{action}");
        let shown = journal.progress_shown();
        assert_eq!(shown[0].0[0].state, Succeeded, "{action}: shown before the next is sent");
    }
}

#[tokio::test]
async fn vision_actions_end_where_a_header_cannot_be_sent() {
    let (url, seen) = fake(|_, _, _| (204, vec![], Value::Null)).await;
    let journal = journal();
    let value = json!({ "etag": "\"a\nb\"", "is_already": false });
    journal.ended("alert", &Ending::Found { value }).await.unwrap();
    let input = json!({ "parameters": { "alert_id": "WB-1", "status": "Closed" } });
    let (en, _) = fatal(act(&url, &[KEY], &journal, "update_alert", input).await);
    assert!(en.contains("header `if-match` has a value that cannot be sent"), "{en}");
    assert!(seen.lock().unwrap().is_empty(), "nobody is asked about what was never sent");
    let endings = journal.endings();
    assert!(matches!(endings.last().unwrap(), (step, Ending::NotTaken { .. }) if step == "patch"));
}

#[test]
fn vision_actions_seal_the_file_and_its_passwords() {
    let spec = spec("sandbox_submit_file");
    for name in ["content", "document_password", "archive_password"] {
        assert_eq!(spec.parameter(name).unwrap().kind, ActionParameterKind::Secret, "{name}");
    }
}

#[tokio::test]
async fn vision_actions_take_back_a_copy_by_the_id_that_it_has() {
    let bench = Bench::new(&[]).await;
    let copy = json!({ "parameters": { "unique_ids": ["AAMkAD-0815-01"] } });
    let done = bench.act("quarantine_message", copy.clone()).await.unwrap();
    assert_eq!(states(&done), [ItemState::Succeeded]);
    // As a revert asks: the items that were changed, and the parameters as they were.
    let mut back = copy;
    back["entities"] = json!([done.items[0].entity]);
    let journal = bench.journal.other_run("run-2");
    let outcome = act(&bench.url, &[KEY], &journal, "restore_message", back).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Succeeded], "{:?}", outcome.items);
    let sent = journal.written().into_iter().find(|written| written.is_change).unwrap();
    let bodies = sent.request.body.as_array().unwrap();
    assert_eq!((bodies.len(), &bodies[0]["uniqueId"]), (1, &json!("AAMkAD-0815-01")));
}

#[tokio::test]
async fn vision_actions_leave_the_messages_of_a_protected_mailbox_alone() {
    let input = || {
        json!({ "parameters": {
            "message_ids": "<invoice-4711@mx.bad.example>", "mailbox": "keiri@tarn.example",
        } })
    };
    let bench = Bench::new(&[]).await;
    let mailbox = Entity::new(EntityKind::EmailAddress, "keiri@tarn.example");
    let guarded = bench.journal.next_life().protecting(&[mailbox]);
    let outcome = act(&bench.url, &[KEY], &guarded, "delete_message", input()).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Protected]);
    assert_eq!(outcome.items[0].detail.en, format!("keiri@tarn.example: {PROTECTED}"));
    assert!(bench.simulator.requests().is_empty());
    // The mailbox is nothing that is worked on: it does not count.
    let capped = bench.journal.other_run("run-2").with_cap(1);
    let outcome = act(&bench.url, &[KEY], &capped, "delete_message", input()).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Succeeded]);
}
