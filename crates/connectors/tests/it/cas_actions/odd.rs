//! Answers that the vendor's pages do not show, and that somebody gives nevertheless.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{Method, Response};
use model::action::ItemState::{self, *};
use model::vendor::Connection;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{act, none, run, states, url};
use crate::memory_journal::Stop;
use crate::servers::response;
use crate::support::open;

/// Answers a request by its method, path with query, and the number of POSTs so far.
pub(super) type Answering = fn(&Method, &str, usize) -> (u16, String);

/// A vendor that answers what a function says; how many POSTs it got.
pub(super) async fn fake(answering: Answering) -> (Arc<dyn Connection>, Arc<Mutex<usize>>) {
    let posts = Arc::new(Mutex::new(0));
    let counted = posts.clone();
    let respond = move |request: Request| {
        let mut posts = counted.lock().unwrap();
        *posts += usize::from(request.method() == Method::POST);
        let (status, body) = answering(request.method(), &request.uri().to_string(), *posts);
        let response: Response<Body> = response(status, &[], body);
        async move { response }
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(respond)).await });
    (open(&url), posts)
}

/// Results of one batch for accounts, in the order `a`, `b`.
pub(super) fn results(statuses: &[&str]) -> String {
    let record = |(name, status): (&str, &&str)| {
        json!({ "batch_id": "B1", "action_type": "ACCOUNT_DISABLE", "status": status,
            "account_user_email": format!("{name}@tarn.example"), "action_requested_at": "2026-03-02T08:00:00.5Z" })
    };
    let records: Vec<Value> = ["a", "b"].into_iter().zip(statuses).map(record).collect();
    json!({ "actions": records, "next_link": null }).to_string()
}

pub(super) async fn accounts(answering: Answering) -> (Vec<ItemState>, usize, String) {
    let (connection, posts) = fake(answering).await;
    let given = json!({ "email_addresses": "a@tarn.example,b@tarn.example" });
    let outcome = act(&*connection, &run(), "mitigate_accounts", &[], given).await.unwrap();
    let sent = *posts.lock().unwrap();
    (states(&outcome), sent, outcome.items[0].detail.en.clone())
}

#[tokio::test]
async fn an_accepted_request_without_a_readable_answer_is_looked_for() {
    for body in
        ["", "Accepted", "<html>", "[]", r#"{"code":0,"msg":""}"#, r#"{"code":0,"batch_id":""}"#]
    {
        // The function cannot hold the body, so the table is told apart by what follows it.
        let answering: Answering = match body {
            "" => |method, _, _| answer(method, "", true),
            "Accepted" => |method, _, _| answer(method, "Accepted", true),
            "<html>" => |method, _, _| answer(method, "<html>", true),
            "[]" => |method, _, _| answer(method, "[]", true),
            r#"{"code":0,"msg":""}"# => {
                |method, _, _| answer(method, r#"{"code":0,"msg":""}"#, true)
            }
            _ => |method, _, _| answer(method, r#"{"code":0,"batch_id":""}"#, true),
        };
        let (states, sent, _) = accounts(answering).await;
        assert_eq!((states, sent), (vec![Succeeded, Already], 1), "{body:?}");
    }
}

fn answer(method: &Method, body: &str, is_known: bool) -> (u16, String) {
    match (method == Method::POST, is_known) {
        (true, _) => (201, body.to_owned()),
        (false, true) => (200, results(&["Success", "Skipped"])),
        (false, false) => (200, results(&[])),
    }
}

#[tokio::test]
async fn it_is_looked_for_by_the_next_life_too_and_of_two_alike_the_nearer_is_taken() {
    let answering: Answering =
        |method, path, _| match (method == Method::POST, path.contains("batch_id=")) {
            (true, _) => (201, String::new()),
            (false, true) => {
                assert!(path.ends_with("batch_id=B1"), "{path}");
                (200, results(&["Success", "Skipped"]))
            }
            (false, false) => {
                let mut both: Value =
                    serde_json::from_str(&results(&["Created", "Created"])).unwrap();
                let mut older = both["actions"].as_array().unwrap().clone();
                for record in &mut older {
                    record["batch_id"] = json!("A0");
                    record["action_requested_at"] = json!("2026-03-02T07:56:00Z");
                }
                both["actions"].as_array_mut().unwrap().extend(older);
                (200, both.to_string())
            }
        };
    for number in 0..40 {
        let (connection, posts) = fake(answering).await;
        let first = run().stopping(Stop::Before(number));
        let given = json!({ "email_addresses": "a@tarn.example,b@tarn.example" });
        let mut ended = act(&*connection, &first, "mitigate_accounts", &[], given.clone()).await;
        if first.is_over() {
            ended = act(&*connection, &first.next_life(), "mitigate_accounts", &[], given).await;
        }
        assert_eq!(states(&ended.unwrap()), [Succeeded, Already], "{number}");
        // A life that ended before its request was written down sent none.
        assert_eq!(*posts.lock().unwrap(), 1, "{number}");
        if !first.is_over() {
            return;
        }
    }
    panic!("the run never came to its end");
}

#[tokio::test]
async fn one_that_the_vendor_knows_nothing_of_is_unknown_and_is_not_sent_again() {
    let (states, sent, detail) = accounts(|method, _, _| answer(method, "<html>", false)).await;
    assert_eq!((states, sent), (vec![Unknown, Unknown], 1));
    assert!(detail.contains("the vendor knows nothing of the request"), "{detail}");
}

#[tokio::test]
async fn a_refusal_in_a_success_is_a_refusal() {
    let refusing: Answering = |method, _, _| match *method {
        Method::POST => (201, r#"{"code":-4000001,"message":"no such tenant"}"#.to_owned()),
        _ => (200, results(&[])),
    };
    let (states, sent, detail) = accounts(refusing).await;
    assert_eq!((states, sent), (vec![Failed, Failed], 1));
    assert!(detail.contains("no such tenant"), "{detail}");
}

#[tokio::test]
async fn an_account_that_is_not_listed_is_not_done() {
    let (states, sent, _) = accounts(|method, path, _| {
        if *method == Method::POST {
            return (201, r#"{"code":0,"batch_id":"B1","tracdId":"t"}"#.to_owned());
        }
        assert!(path.contains("batch_id=B1") || path.contains("limit=1"), "{path}");
        (200, results(&["Success"]))
    })
    .await;
    assert_eq!((states, sent), (vec![Succeeded, Expired], 1));
}

#[tokio::test]
async fn a_request_that_is_answered_500_is_looked_for_and_sent_again_when_it_is_not_found() {
    let failing_once: Answering = |method, path, posts| match (method == Method::POST, posts) {
        (true, 1) => (500, "oops".to_owned()),
        (true, _) => (201, r#"{"code":0,"batch_id":"B1"}"#.to_owned()),
        (false, 1) => (200, results(&[])),
        (false, _) if path.contains("batch_id=B1") => (200, results(&["Success", "Success"])),
        (false, _) => (200, results(&[])),
    };
    let (states, sent, _) = accounts(failing_once).await;
    assert_eq!((states, sent), (vec![Succeeded, Succeeded], 2));
}

#[tokio::test]
async fn a_vendor_that_takes_no_time_to_come_is_asked_until_now() {
    let strict: Answering =
        |method, path, _| match (method == Method::POST, path.contains("end=2026-03-02T08%3A00")) {
            (true, _) => (502, String::new()),
            (false, _) if path.contains("batch_id=") => (200, results(&["Success", "Success"])),
            (false, true) => (200, results(&["Executing", "Created"])),
            (false, false) => (400, r#"{"code":-4000001,"msg":"end is in the future"}"#.to_owned()),
        };
    let (states, sent, _) = accounts(strict).await;
    assert_eq!((states, sent), (vec![Succeeded, Succeeded], 1));
}

#[tokio::test]
async fn a_block_list_whose_answer_is_a_web_page_is_looked_at() {
    let gateway: Answering = |method, _, _| match *method {
        Method::POST => (200, "<html>Sign in</html>".to_owned()),
        _ => (200, r#"{"code":0,"rules":{"urls":["c.example"]}}"#.to_owned()),
    };
    let (connection, posts) = fake(gateway).await;
    let entities = [url("http://a.example"), url("http://c.example/")];
    let outcome =
        act(&*connection, &run(), "add_entities_to_blocklist", &entities, none()).await.unwrap();
    assert_eq!((states(&outcome), *posts.lock().unwrap()), (vec![Unknown, Already], 1));
    let taking: Answering = |method, _, posts| match (method == Method::POST, posts) {
        (true, _) => (201, String::new()),
        (false, 0) => (200, r#"{"code":"0","rules":{"urls":[]}}"#.to_owned()),
        (false, _) => (200, r#"{"rules":{"urls":["a.example/"]}}"#.to_owned()),
    };
    let (connection, posts) = fake(taking).await;
    let outcome = act(&*connection, &run(), "add_entities_to_blocklist", &entities[..1], none())
        .await
        .unwrap();
    assert_eq!((states(&outcome), *posts.lock().unwrap()), (vec![Succeeded], 1));
}

#[tokio::test]
async fn a_mail_that_was_not_asked_for_is_not_touched() {
    let other: Answering = |method, _, _| {
        assert_eq!(*method, Method::GET, "nothing is changed");
        let record = json!({ "mailbox": "a@b.example", "mail_unique_id": "U1", "mail_message_id": "<other@x>",
            "mail_message_delivery_time": "2026-03-02T06:00:00Z" });
        (200, json!({ "value": [record, "poison", { "mailbox": "a@b.example" }], "next_Link": "null" }).to_string())
    };
    let (connection, _) = fake(other).await;
    let given = json!({ "message_ids": "<asked@x>", "service": "Exchange" });
    let outcome = act(&*connection, &run(), "mitigate_emails", &[], given).await.unwrap();
    assert_eq!(states(&outcome), [Failed]);
    assert_eq!(
        outcome.items[0].detail.en,
        "found, and the vendor does not tell mailbox, id and time of delivery"
    );
}
