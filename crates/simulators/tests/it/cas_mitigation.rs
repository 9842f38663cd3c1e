//! Mitigation at the fake Cloud App Security: checks, the course of a batch, results, effects.

use std::time::Duration;

use serde_json::{Value, json};
use simulators::{Simulator, Volume};

use crate::client::{Reply, START, get, send, sim};

const MAILS: &str = "/v1/mitigation/mails";
const ACCOUNTS: &str = "/v1/mitigation/accounts";

async fn post(simulator: &Simulator, target: &str, body: &Value) -> Reply {
    send(&simulator.router(), "POST", target, Some("sim-key"), &body.to_string()).await
}

/// Posts actions and answers the id of their batch.
async fn open(simulator: &Simulator, target: &str, body: &Value) -> String {
    let reply = post(simulator, target, body).await;
    assert_eq!(reply.status, 201, "{}", String::from_utf8_lossy(&reply.body));
    let body = reply.json();
    assert_eq!((&body["code"], &body["msg"]), (&json!(0), &json!("")));
    body["batch_id"].as_str().unwrap().to_owned()
}

fn account(action: &str, address: &str) -> Value {
    json!({ "action_type": action, "service": "exchange", "account_provider": "office365",
        "account_user_email": address })
}

/// An action on the first mail of the known message 0.
fn mail(action: &str) -> Value {
    json!({ "action_type": action, "service": "exchange", "account_provider": "office365",
        "mailbox": "haruka.mori@tarn.example",
        "mail_message_id": "<sim-mail-0@mail.sender.example>",
        "mail_unique_id": "AAMkSIM00000-0=",
        "mail_message_delivery_time": "2026-03-02T06:00:00.000Z",
        "detection_time": "2026-03-02T06:00:10Z", "mail_log_id": "sim-log-1" })
}

/// The same in Gmail, on the known message 2.
fn gmail(action: &str) -> Value {
    json!({ "action_type": action, "service": "gmail", "account_provider": "google",
        "mailbox": "rafael.duarte@tarn.example", "mail_unique_id": "AAMkSIM00002-0=",
        "mail_message_delivery_time": "2026-03-01T06:00:00Z",
        "detection_time": "2026-03-02T06:00:10Z", "mail_log_id": "sim-log-1" })
}

fn with(mut element: Value, member: &str, value: Value) -> Value {
    element[member] = value;
    element
}

fn without(mut element: Value, members: &[&str]) -> Value {
    for member in members {
        element.as_object_mut().unwrap().remove(*member);
    }
    element
}

async fn results(simulator: &Simulator, target: &str, batch: &str) -> Vec<Value> {
    let reply = get(simulator, &format!("{target}?batch_id={batch}")).await;
    assert_eq!(reply.status, 200);
    let body = reply.json();
    let actions = body["actions"].as_array().unwrap().clone();
    assert_eq!(body["count"], actions.len());
    actions
}

async fn statuses(simulator: &Simulator, target: &str, batch: &str) -> Vec<String> {
    let actions = results(simulator, target, batch).await;
    actions.iter().map(|action| action["status"].as_str().unwrap().to_owned()).collect()
}

/// Posts one element, waits until it is done and answers its result.
async fn done(simulator: &Simulator, target: &str, element: &Value) -> Value {
    let batch = open(simulator, target, &json!([element])).await;
    simulator.clock().advance(Duration::from_secs(2));
    results(simulator, target, &batch).await.remove(0)
}

fn vendor(faults: &[(&str, &str)]) -> Simulator {
    sim(Volume::PerHour(6.0), faults)
}

#[tokio::test]
async fn every_wrong_element_refuses_the_whole_request() {
    let sim = vendor(&[]);
    let good = mail("MAIL_DELETE");
    let wrong_mails = [
        ("action_type", json!("ACCOUNT_DISABLE")),
        ("action_type", json!("mail_delete")),
        ("action_type", Value::Null),
        ("service", json!("onedrive")),
        ("account_provider", json!("google")),
        ("account_provider", json!(1)),
        ("mailbox", json!("nobody")),
        ("mailbox", json!("@tarn.example")),
        ("mailbox", json!("a b@tarn.example")),
        ("mail_unique_id", json!(7)),
        ("mail_message_delivery_time", json!("yesterday")),
        ("mail_message_delivery_time", json!("2026-03-02T06:00:00+00:00")),
        ("mail_message_delivery_time", json!("")),
    ];
    for (member, value) in wrong_mails {
        let wrong = json!([good, with(good.clone(), member, value.clone())]);
        let refused = post(&sim, MAILS, &wrong).await;
        assert_eq!(
            (refused.status.as_u16(), refused.code()),
            (400, -4_000_001),
            "{member} {value}"
        );
        let message = refused.json()["msg"].as_str().unwrap().to_owned();
        assert!(message.contains(member), "{message}");
    }
    for (wrong, member) in [
        (without(good.clone(), &["service"]), "service"),
        (without(good.clone(), &["account_provider"]), "account_provider"),
        (without(good.clone(), &["mail_message_id", "mail_unique_id"]), "mail_message_id"),
        (without(mail("MAIL_RESTORE"), &["detection_time"]), "detection_time"),
        (without(mail("MAIL_RESTORE"), &["mail_log_id"]), "mail_log_id"),
        (gmail("MAIL_QUARANTINE"), "action_type"),
        (gmail("MAIL_RESTORE"), "action_type"),
    ] {
        let refused = post(&sim, MAILS, &json!([wrong])).await;
        let message = refused.json()["msg"].as_str().unwrap().to_owned();
        assert!(refused.status == 400 && message.contains(member), "{message}");
    }
    for (member, value) in [
        ("action_type", json!("MAIL_DELETE")),
        ("service", json!("gmail")),
        ("account_provider", json!("google")),
        ("account_user_email", json!("nobody")),
        ("account_user_email", Value::Null),
    ] {
        let wrong = with(account("ACCOUNT_DISABLE", "a@tarn.example"), member, value);
        assert_eq!(post(&sim, ACCOUNTS, &json!([wrong])).await.code(), -4_000_001, "{wrong}");
    }
    let gmail_account = json!([{ "action_type": "ACCOUNT_DISABLE", "service": "gmail",
        "account_provider": "google", "account_user_email": "a@tarn.example" }]);
    assert_eq!(post(&sim, ACCOUNTS, &gmail_account).await.status, 400);
    for body in ["", "{}", "[]", "[1]", "nonsense", &good.to_string()] {
        let refused = send(&sim.router(), "POST", MAILS, Some("sim-key"), body).await;
        assert_eq!(refused.code(), -4_000_001, "{body}");
    }
    assert_eq!(sim.state()["batches"], json!([]));
}

#[tokio::test]
async fn bodies_have_a_limit_and_paths_their_methods() {
    let sim = vendor(&[]);
    let huge = "x".repeat(1_000_001);
    let refused = send(&sim.router(), "POST", MAILS, Some("sim-key"), &huge).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (413, -4_130_001));
    let refused = send(&sim.router(), "DELETE", ACCOUNTS, Some("sim-key"), "").await;
    assert_eq!(refused.headers["allow"], "GET, POST");
    assert_eq!(refused.code(), -4_050_001);
}

#[tokio::test]
async fn accepted_requests_have_a_trace_which_is_misspelt_at_times() {
    let sim = vendor(&[]);
    let mut spellings = std::collections::BTreeSet::new();
    for _ in 0..8 {
        let accepted = post(&sim, MAILS, &json!([mail("MAIL_DELETE")])).await.json();
        let members: Vec<_> = accepted.as_object().unwrap().keys().cloned().collect();
        spellings.extend(members.into_iter().filter(|name| name.starts_with("tra")));
    }
    assert_eq!(spellings.into_iter().collect::<Vec<_>>(), ["tracdId", "traceId"]);
}

#[tokio::test]
async fn a_batch_is_created_executing_and_done_by_the_clock() {
    let sim = vendor(&[("action_delay", "10s"), ("executed_skew", "-12s")]);
    let batch = open(&sim, ACCOUNTS, &json!([account("ACCOUNT_DISABLE", "a@tarn.example")])).await;
    let mut course = Vec::new();
    for step in [4_999, 1, 4_999, 1] {
        course.push(results(&sim, ACCOUNTS, &batch).await.remove(0));
        assert_eq!(sim.state()["accounts"], json!([]));
        sim.clock().advance(Duration::from_millis(step));
    }
    let last = results(&sim, ACCOUNTS, &batch).await.remove(0);
    let seen: Vec<_> = course.iter().map(|action| &action["status"]).collect();
    assert_eq!(seen, ["Created", "Created", "Executing", "Executing"]);
    assert!(course.iter().all(|action| action["action_executed_at"] == ""));
    for (member, expected) in [
        ("batch_id", batch.as_str()),
        ("action_type", "ACCOUNT_DISABLE"),
        ("service", "exchange"),
        ("account_provider", "office365"),
        ("account_user_email", "a@tarn.example"),
        ("status", "Success"),
        ("action_requested_at", "2026-03-02T08:00:00.000Z"),
        ("action_executed_at", "2026-03-02T07:59:58.000Z"),
        ("error_message", ""),
    ] {
        assert_eq!(last[member], expected, "{member}");
    }
    assert_eq!(last["error_code"], 0);
    assert_eq!(sim.state()["accounts"][0]["disabled"], true);
}

#[tokio::test]
async fn account_actions_change_accounts_once() {
    let sim = vendor(&[]);
    let address = "Lena.Fischer@tarn.example";
    for (action, expected) in [
        ("ACCOUNT_DISABLE", "Success"),
        ("ACCOUNT_DISABLE", "Skipped"),
        ("ACCOUNT_ENABLE_MFA", "Success"),
        ("ACCOUNT_ENABLE_MFA", "Skipped"),
        ("ACCOUNT_RESET_PASSWORD", "Success"),
        ("ACCOUNT_RESET_PASSWORD", "Success"),
        ("ACCOUNT_REVOKE_SIGNIN_SESSIONS", "Success"),
    ] {
        let result = done(&sim, ACCOUNTS, &account(action, address)).await;
        assert_eq!(
            (&result["status"], &result["error_code"]),
            (&json!(expected), &json!(0)),
            "{action}"
        );
    }
    let expected = json!([{ "account_user_email": "lena.fischer@tarn.example", "disabled": true,
        "mfa_enabled": true, "password_resets": 2, "sessions_revoked": 1 }]);
    assert_eq!(sim.state()["accounts"], expected);
}

#[tokio::test]
async fn mail_actions_move_mails() {
    let sim = vendor(&[]);
    for (action, expected, state, effects) in [
        ("MAIL_RESTORE", "Skipped", Value::Null, Value::Null),
        ("MAIL_QUARANTINE", "Success", json!("quarantined"), json!(1)),
        ("MAIL_QUARANTINE", "Skipped", json!("quarantined"), json!(1)),
        ("MAIL_RESTORE", "Success", json!("delivered"), json!(2)),
        ("MAIL_QUARANTINE", "Success", json!("quarantined"), json!(3)),
        ("MAIL_DELETE", "Success", json!("deleted"), json!(4)),
        ("MAIL_DELETE", "Skipped", json!("deleted"), json!(4)),
        ("MAIL_QUARANTINE", "Skipped", json!("deleted"), json!(4)),
        ("MAIL_RESTORE", "Failed", json!("deleted"), json!(4)),
    ] {
        let result = done(&sim, MAILS, &mail(action)).await;
        assert_eq!(result["status"], expected, "{action}");
        assert_eq!(result["mailbox"], "haruka.mori@tarn.example");
        assert_eq!(result["mail_unique_id"], "AAMkSIM00000-0=");
        let changed = sim.state()["mails"][0].clone();
        assert_eq!((&changed["state"], &changed["effects"]), (&state, &effects), "{action}");
    }
    let state = sim.state();
    assert_eq!(state["batches"].as_array().unwrap().len(), 9, "a skipped batch is a batch");
    assert_eq!(state["mails"].as_array().unwrap().len(), 1, "the other mailbox keeps its mail");
    let still =
        get(&sim, "/v1/sweeping/mails?message_id=%3Csim-mail-0@mail.sender.example%3E").await;
    assert_eq!(still.json()["value"].as_array().unwrap().len(), 2, "metadata is kept");
}

#[tokio::test]
async fn mails_are_found_by_either_id_and_only_by_what_is_true() {
    let good = mail("MAIL_DELETE");
    for (element, expected) in [
        (without(good.clone(), &["mail_message_id"]), "Success"),
        (without(good.clone(), &["mail_unique_id"]), "Success"),
        (with(good.clone(), "mailbox", json!("Haruka.Mori@TARN.example")), "Success"),
        (
            with(good.clone(), "mail_message_delivery_time", json!("2026-03-02T06:00:00Z")),
            "Success",
        ),
        (with(good.clone(), "mail_message_delivery_time", json!("2026-03-02T07:00:00Z")), "Failed"),
        (with(good.clone(), "mailbox", json!("keiri@tarn.example")), "Failed"),
        (with(good.clone(), "mail_unique_id", json!("AAMkSIM00000-9=")), "Failed"),
        (with(good.clone(), "mail_message_id", json!("<no@mail.example>")), "Failed"),
        (gmail("MAIL_DELETE"), "Success"),
        (
            with(
                with(gmail("MAIL_DELETE"), "service", json!("exchange")),
                "account_provider",
                json!("office365"),
            ),
            "Failed",
        ),
    ] {
        let result = done(&vendor(&[]), MAILS, &element).await;
        assert_eq!(result["status"], expected, "{element}");
        if expected == "Failed" {
            assert_eq!(result["error_code"], -999);
            assert_eq!(result["error_message"], "The action for these mails failed.");
        }
    }
}

#[tokio::test]
async fn ghosts_and_named_targets_fail_and_the_others_do_not() {
    let sim = vendor(&[("fail_items", "B@tarn.example,AAMkSIM00000-0=")]);
    let addresses = ["a@tarn.example", "b@tarn.example", "ghost.user@corp.example"];
    let items: Vec<_> =
        addresses.iter().map(|address| account("ACCOUNT_DISABLE", address)).collect();
    let batch = open(&sim, ACCOUNTS, &json!(items)).await;
    sim.clock().advance(Duration::from_secs(2));
    assert_eq!(statuses(&sim, ACCOUNTS, &batch).await, ["Success", "Failed", "Failed"]);
    let failed = results(&sim, ACCOUNTS, &batch).await.remove(2);
    assert_eq!(failed["error_code"], -999);
    let text = "graph api exception, message=One or more errors occurred.";
    assert_eq!(failed["error_message"], text);
    assert_eq!(done(&sim, MAILS, &mail("MAIL_DELETE")).await["status"], "Failed");
    let state = sim.state();
    assert_eq!(state["accounts"].as_array().unwrap().len(), 1);
    assert_eq!(state["mails"], json!([]));
    assert_eq!(state["batches"][0]["kind"], "accounts");
    assert_eq!(state["batches"][0]["batch_id"], batch);
    assert_eq!(state["batches"][0]["items"][1]["status"], "Failed");
    assert_eq!(state["batches"][0]["items"][1]["action_type"], "ACCOUNT_DISABLE");
}

#[tokio::test]
async fn gmail_can_accept_what_it_cannot_do() {
    let sim = vendor(&[("gmail_quarantine", "fail")]);
    assert_eq!(done(&sim, MAILS, &gmail("MAIL_QUARANTINE")).await["status"], "Failed");
    let mut element = account("ACCOUNT_DISABLE", "a@tarn.example");
    element["service"] = json!("gmail");
    element["account_provider"] = json!("google");
    assert_eq!(done(&sim, ACCOUNTS, &element).await["status"], "Failed");
    assert_eq!(sim.state()["accounts"], json!([]));
}

#[tokio::test]
async fn batches_take_effect_in_the_order_of_execution() {
    let sim = vendor(&[("action_delay", "10s")]);
    let slow = open(&sim, ACCOUNTS, &json!([account("ACCOUNT_DISABLE", "a@tarn.example")])).await;
    sim.set_fault("action_delay", "1s").unwrap();
    let fast = open(&sim, ACCOUNTS, &json!([account("ACCOUNT_DISABLE", "a@tarn.example")])).await;
    sim.clock().advance(Duration::from_secs(20));
    assert_eq!(statuses(&sim, ACCOUNTS, &slow).await, ["Skipped"]);
    assert_eq!(statuses(&sim, ACCOUNTS, &fast).await, ["Success"]);
}

#[tokio::test]
async fn batches_are_known_by_their_own_path_and_unknown_ones_are_told() {
    let sim = vendor(&[]);
    let batch = open(&sim, ACCOUNTS, &json!([account("ACCOUNT_DISABLE", "a@tarn.example")])).await;
    for target in [format!("{MAILS}?batch_id={batch}"), format!("{ACCOUNTS}?batch_id=none")] {
        assert_eq!(get(&sim, &target).await.code(), -4_040_002, "{target}");
    }
    sim.set_fault("status_unknown", "empty").unwrap();
    assert!(results(&sim, ACCOUNTS, "none").await.is_empty());
}

#[tokio::test]
async fn new_batches_can_be_invisible_or_empty_for_a_while() {
    let sim = vendor(&[("status_lag", "30s")]);
    let batch = open(&sim, ACCOUNTS, &json!([account("ACCOUNT_DISABLE", "a@tarn.example")])).await;
    let target = format!("{ACCOUNTS}?batch_id={batch}");
    let window = format!("{ACCOUNTS}?start={START}&end=2026-03-02T08:01:00Z");
    sim.clock().advance(Duration::from_millis(29_999));
    assert_eq!(get(&sim, &target).await.status, 404);
    assert_eq!(get(&sim, &window).await.json()["count"], 0);
    sim.clock().advance(Duration::from_millis(1));
    assert_eq!(statuses(&sim, ACCOUNTS, &batch).await, ["Success"]);
    assert_eq!(get(&sim, &window).await.json()["count"], 1);

    let sim = vendor(&[("empty_polls", "1")]);
    let batch = open(&sim, ACCOUNTS, &json!([account("ACCOUNT_DISABLE", "a@tarn.example")])).await;
    assert!(results(&sim, ACCOUNTS, &batch).await.is_empty());
    assert_eq!(results(&sim, ACCOUNTS, &batch).await.len(), 1);
}

#[tokio::test]
async fn stuck_actions_execute_for_ever_without_effect() {
    let sim = vendor(&[("status_stuck", "on")]);
    let batch = open(&sim, ACCOUNTS, &json!([account("ACCOUNT_DISABLE", "a@tarn.example")])).await;
    sim.set_fault("status_stuck", "off").unwrap();
    sim.clock().advance(Duration::from_secs(86_400));
    assert_eq!(statuses(&sim, ACCOUNTS, &batch).await, ["Executing"]);
    assert_eq!(sim.state()["accounts"], json!([]));
    let next = done(&sim, ACCOUNTS, &account("ACCOUNT_DISABLE", "a@tarn.example")).await;
    assert_eq!(next["status"], "Success");
}

#[tokio::test]
async fn results_are_paged_by_batch_and_by_time() {
    let sim = vendor(&[]);
    let items: Vec<_> = (0..7)
        .map(|number| account("ACCOUNT_RESET_PASSWORD", &format!("u{number}@tarn.example")))
        .collect();
    let batch = open(&sim, ACCOUNTS, &json!(items)).await;
    sim.clock().advance(Duration::from_secs(60));
    open(&sim, ACCOUNTS, &json!([account("ACCOUNT_DISABLE", "late@tarn.example")])).await;
    let window = format!("start={START}&end=2026-03-02T08:00:30Z");
    for query in [format!("batch_id={batch}"), window] {
        let (mut seen, mut sizes) = (Vec::new(), Vec::new());
        let mut target = Some(format!("{ACCOUNTS}?{query}&limit=3"));
        while let Some(link) = target.take() {
            let page = get(&sim, &link).await;
            let body = page.json();
            sizes.push(body["count"].as_u64().unwrap());
            let actions = body["actions"].as_array().unwrap().clone();
            seen.extend(actions.into_iter().map(|action| action["account_user_email"].clone()));
            target = page.next_link();
        }
        assert_eq!(sizes, [3, 3, 1], "{query}");
        let expected: Vec<_> =
            (0..7).map(|number| json!(format!("u{number}@tarn.example"))).collect();
        assert_eq!(seen, expected, "{query}");
    }
    let both = get(&sim, &format!("{ACCOUNTS}?start={START}&end=2026-03-02T08:01:00Z")).await;
    assert_eq!(both.json()["count"], 8);
    let other = get(&sim, &format!("{MAILS}?start={START}&end=2026-03-02T08:01:00Z")).await;
    assert_eq!(other.json()["count"], 0);
}

#[tokio::test]
async fn wrong_questions_about_results_are_told_so() {
    let sim = vendor(&[]);
    let batch = open(&sim, ACCOUNTS, &json!([account("ACCOUNT_DISABLE", "a@tarn.example")])).await;
    for query in [
        String::new(),
        "batch_id=".to_owned(),
        format!("start={START}"),
        format!("end={START}"),
        format!("batch_id={batch}&start={START}&end={START}"),
        format!("batch_id={batch}&limit=501"),
        format!("batch_id={batch}&limit=0"),
        format!("batch_id={batch}&skiptoken=abc"),
        format!("batch_id={batch}&skiptoken=WzEsIngiXQ=="),
        format!("start=2026-02-27T07:59:59Z&end={START}"),
        format!("start={START}&end=2026-03-02T07:00:00Z"),
    ] {
        let refused = get(&sim, &format!("{ACCOUNTS}?{query}")).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (400, -4_000_001), "{query}");
    }
}
