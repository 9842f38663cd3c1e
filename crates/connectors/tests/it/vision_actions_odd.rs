//! Trend Vision One's actions against a vendor that answers oddly.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::Response;
use model::action::ItemState;
use serde_json::{Value, json};
use simulators::SimClock;
use tokio::net::TcpListener;

use crate::memory_journal::MemoryJournal;
use crate::support::time;
use crate::vision_actions::{KEY, act, entities, fatal, states};

/// A vendor that answers what a function makes of the method, path and body.
pub(crate) async fn fake(
    answer: impl Fn(&str, &str, Value) -> (u16, Vec<(&'static str, String)>, Value)
    + Clone
    + Send
    + Sync
    + 'static,
) -> (String, Arc<Mutex<Vec<String>>>) {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let kept = seen.clone();
    let respond = move |request: Request| {
        let (answer, kept) = (answer.clone(), kept.clone());
        async move {
            let (parts, body) = request.into_parts();
            let body = to_bytes(body, 1 << 24).await.unwrap();
            let tag = parts.headers.get("if-match").map(|tag| tag.to_str().unwrap().to_owned());
            let line = format!("{} {}", parts.method, parts.uri);
            kept.lock().unwrap().push(match tag {
                Some(tag) => format!("{line} {tag}"),
                None => line,
            });
            let body = serde_json::from_slice(&body).unwrap_or_default();
            let (status, headers, body) = answer(parts.method.as_str(), parts.uri.path(), body);
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            let body = if body.is_null() { String::new() } else { body.to_string() };
            response.body(Body::from(body)).unwrap()
        }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(respond)).await });
    (url, seen)
}

pub(crate) fn journal() -> MemoryJournal {
    MemoryJournal::new(&SimClock::manual(time("2026-03-02T08:00:00Z").as_millis()))
}

#[tokio::test]
async fn vision_actions_make_do_with_odd_answers() {
    let input = || entities(&[("host", "A"), ("host", "B")]);
    // One object instead of a list refuses everything.
    let (url, _) = fake(|_, _, _| {
        (207, vec![], json!({ "error": { "code": "BadRequest", "message": "no list" } }))
    })
    .await;
    let (en, _) = fatal(act(&url, &[KEY], &journal(), "isolate_endpoint", input()).await);
    assert_eq!(en, "Error executing action \"Isolate Endpoint\". Reason: no list");
    // Taken without a place: the task is found by the key in its description, the other by what it does.
    let posted: Arc<Mutex<Vec<Value>>> = Arc::default();
    let (url, seen) = fake(move |method, _, body| {
        let mut posted = posted.lock().unwrap();
        if method == "POST" {
            *posted = body.as_array().unwrap().clone();
            return (207, vec![], json!([{ "status": "202" }, { "status": 202, "headers": [] }]));
        }
        let task = |id: &str, place: usize, described: bool| {
            json!({
                "id": id, "status": "succeeded", "action": "isolate",
                "createdDateTime": "2026-03-02T08:00:00Z",
                "endpointName": posted[place]["endpointName"],
                "description": if described { posted[place]["description"].clone() } else { json!("") },
            })
        };
        (200, vec![], json!({ "items": [task("002", 1, false), task("001", 0, true)] }))
    })
    .await;
    let outcome = act(&url, &[KEY], &journal(), "isolate_endpoint", input()).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Succeeded; 2]);
    let handles: Vec<_> = outcome.items.iter().map(|item| item.handle.clone().unwrap()).collect();
    assert_eq!(handles, ["001", "002"]);
    let posts = seen.lock().unwrap().iter().filter(|line| line.starts_with("POST")).count();
    assert_eq!(posts, 1);
}

#[tokio::test]
async fn vision_actions_do_not_take_what_ended_before_for_their_own() {
    // Somebody isolated the endpoint by hand a minute before, and took it back.
    let count = Arc::new(Mutex::new(0));
    let (url, _) = fake(move |method, _, _| {
        let mut count = count.lock().unwrap();
        *count += u32::from(method == "POST");
        if method == "POST" && *count == 1 {
            return (500, vec![], json!({ "error": { "code": "InternalServerError" } }));
        }
        if method == "POST" {
            let headers = json!({ "Operation-Location": "/v3.0/response/tasks/0000002" });
            return (207, vec![], json!([{ "status": 202, "headers": headers }]));
        }
        let task = |id: &str, at: &str| {
            json!({
                "id": id, "status": "succeeded", "action": "isolate", "endpointName": "a",
                "createdDateTime": at, "description": "by hand",
            })
        };
        let mut tasks = vec![task("0000001", "2026-03-02T07:59:00Z")];
        if *count > 1 {
            tasks.push(task("0000002", "2026-03-02T08:00:40Z"));
        }
        (200, vec![], json!({ "items": tasks }))
    })
    .await;
    let input = entities(&[("host", "A")]);
    let outcome = act(&url, &[KEY], &journal(), "isolate_endpoint", input).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Succeeded]);
    assert_eq!(outcome.items[0].handle.as_deref(), Some("0000002"));
}

#[tokio::test]
async fn vision_actions_read_a_single_task_where_the_list_says_too_little() {
    let (url, seen) = fake(move |method, path, _| {
        if method == "POST" {
            let headers = json!({ "Operation-Location": "/v3.0/response/tasks/0041" });
            return (207, vec![], json!([{ "status": 202, "headers": headers }]));
        }
        let mut task = json!({ "id": "0041", "status": "succeeded", "filePath": "/a" });
        if path.ends_with("/0041") {
            task["resourceLocation"] = json!("https://storage.example/a.7z");
            task["password"] = json!("pw");
            return (200, vec![], task);
        }
        (200, vec![], json!({ "items": [task] }))
    })
    .await;
    let input = json!({
        "entities": [{ "type": "host", "value": "A" }], "parameters": { "file_path": "/a" },
    });
    let outcome = act(&url, &[KEY], &journal(), "collect_file", input).await.unwrap();
    let item = &outcome.result["items"][0];
    assert_eq!(item["resource_location"], "https://storage.example/a.7z");
    assert_eq!(item.get("password"), None);
    assert_eq!(seen.lock().unwrap().len(), 3);
}

#[tokio::test]
async fn vision_actions_say_when_the_key_may_act_and_not_look() {
    let (url, _) = fake(move |method, _, _| {
        if method == "POST" {
            let headers = json!({ "Operation-Location": "/v3.0/response/tasks/0041" });
            return (207, vec![], json!([{ "status": 202, "headers": headers }]));
        }
        let error =
            json!({ "error": { "code": "AccessDenied", "message": "Insufficient permissions." } });
        (403, vec![], error)
    })
    .await;
    let input = entities(&[("host", "A")]);
    let outcome = act(&url, &[KEY], &journal(), "isolate_endpoint", input).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Unknown]);
    assert_eq!(outcome.items[0].handle.as_deref(), Some("0041"));
    let detail = &outcome.items[0].detail;
    assert!(detail.en.starts_with("accepted, but its status cannot be read: missing permission: "));
    assert!(
        detail.ja.starts_with("受け付けられましたが、状態を確認できません: 権限が不足しています: ")
    );
}

#[tokio::test]
async fn vision_actions_send_fifty_items_at_most_and_keep_what_was_accepted() {
    let count = Arc::new(Mutex::new(0));
    let (url, seen) = fake(move |method, path, body| {
        if method == "GET" {
            let items: Vec<Value> = (0..60)
                .map(|id| json!({ "id": format!("{id:04}"), "status": "succeeded" }))
                .collect();
            return (200, vec![], json!({ "items": items }));
        }
        let mut count = count.lock().unwrap();
        *count += 1;
        if *count > 1 {
            return (403, vec![], json!({ "error": { "code": "AccessDenied", "message": "no more" } }));
        }
        let items: Value = (0..body.as_array().unwrap().len())
            .map(|id| json!({ "status": 202, "headers": { "operation-location": format!("{path}/{id:04}") } }))
            .collect();
        (207, vec![], items)
    })
    .await;
    let names: Vec<String> = (0..60).map(|number| format!("H{number}")).collect();
    let hosts: Vec<(&str, &str)> = names.iter().map(|name| ("host", name.as_str())).collect();
    let outcome =
        act(&url, &[KEY], &journal(), "isolate_endpoint", entities(&hosts)).await.unwrap();
    let count = |state| outcome.items.iter().filter(|item| item.state == state).count();
    assert_eq!((count(ItemState::Succeeded), count(ItemState::Failed)), (50, 10));
    assert!(outcome.items[59].detail.en.contains("no more"));
    assert_eq!(seen.lock().unwrap().len(), 3, "two posts, one look at all tasks");
}
