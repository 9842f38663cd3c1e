//! Who may act at the fake Cloud App Security, within which quota, and the faults that strike actions.

use std::net::SocketAddr;

use serde_json::{Value, json};
use simulators::{Simulator, Volume};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use crate::client::{Reply, get, post as control, send, sim};

const SWEEP: &str = "/v1/sweeping/mails?limit=1";
const ACCOUNTS: &str = "/v1/mitigation/accounts";
const BLOCKLIST: &str = "/v1/remediation/mails";
const EVENTS: &str = "/v1/siem/security_events?service=box&event=dlp";
const DISABLE: &str = r#"[{"action_type":"ACCOUNT_DISABLE","service":"exchange","account_provider":"office365","account_user_email":"a@tarn.example"}]"#;
const BLOCK: &str = r#"{"action_type":"create","rules":{"urls":["https://Bad.example"]}}"#;

fn vendor(faults: &[(&str, &str)]) -> Simulator {
    sim(Volume::PerHour(6.0), faults)
}

async fn post(simulator: &Simulator, target: &str, body: &str) -> Reply {
    send(&simulator.router(), "POST", target, Some("sim-key"), body).await
}

/// One request to every route that acts or investigates.
async fn every_route(simulator: &Simulator, key: &str) -> Vec<u16> {
    let router = simulator.router();
    let window = format!("{ACCOUNTS}?start=2026-03-02T07:00:00Z&end=2026-03-02T08:00:00Z");
    let mut statuses = Vec::new();
    for (method, target, body) in [
        ("GET", EVENTS, ""),
        ("GET", SWEEP, ""),
        ("POST", ACCOUNTS, DISABLE),
        ("GET", window.as_str(), ""),
        ("POST", BLOCKLIST, BLOCK),
        ("GET", BLOCKLIST, ""),
    ] {
        statuses.push(send(&router, method, target, Some(key), body).await.status.as_u16());
    }
    statuses
}

fn nothing_happened(simulator: &Simulator) -> bool {
    let state = simulator.state();
    state["batches"] == json!([]) && state["blocklist"]["urls"] == json!([])
}

#[tokio::test]
async fn every_route_needs_its_api_type() {
    let scopes = "l:log_retrieval,i:threat_investigation,m:threat_mitigation,r:threat_remediation";
    let sim = vendor(&[("keys", "l,i,m,r,all"), ("scopes", scopes)]);
    for (key, expected) in [
        ("l", [200, 403, 403, 403, 403, 403]),
        ("i", [403, 200, 403, 403, 403, 403]),
        ("m", [403, 403, 201, 200, 403, 403]),
        ("r", [403, 403, 403, 403, 200, 200]),
        ("all", [200, 200, 201, 200, 200, 200]),
        ("unknown", [401; 6]),
    ] {
        assert_eq!(every_route(&sim, key).await, expected, "{key}");
    }
}

#[tokio::test]
async fn all_routes_draw_on_one_quota() {
    let sim = vendor(&[("requests", "4")]);
    assert_eq!(every_route(&sim, "sim-key").await, [200, 200, 201, 200, 429, 429]);
    assert_eq!(sim.state()["blocklist"]["urls"], json!([]));
}

#[tokio::test]
async fn faults_that_refuse_requests_refuse_actions_without_effect() {
    for (fault, value, status) in [
        ("outage", "on", 503),
        ("unavailable_every", "1", 503),
        ("fail_every", "1", 500),
        ("throttle_every", "1", 429),
    ] {
        let sim = vendor(&[(fault, value)]);
        assert_eq!(every_route(&sim, "sim-key").await, [status; 6], "{fault}");
        assert!(nothing_happened(&sim), "{fault}");
    }
    let sim = vendor(&[("wrong_type", "on")]);
    assert_eq!(every_route(&sim, "sim-key").await, [200; 6]);
    assert_eq!(
        post(&sim, BLOCKLIST, BLOCK).await.headers["content-type"],
        "text/html; charset=utf-8"
    );
    assert!(nothing_happened(&sim));
}

#[tokio::test]
async fn pages_are_cut_padded_and_poisoned() {
    for target in [SWEEP, BLOCKLIST] {
        let sim = vendor(&[("huge_body", "5000"), ("poison_every", "1")]);
        let page = get(&sim, target).await;
        assert!(page.body.len() > 5_000, "{target}");
        if target == SWEEP {
            assert_eq!(page.json()["value"].as_array().unwrap().last(), Some(&json!("poison")));
        }
        sim.set_fault("cut_every", "1").unwrap();
        assert!(get(&sim, target).await.body.is_empty(), "{target}: a broken body reads as none");
    }
}

#[tokio::test]
async fn named_targets_and_entries_are_refused() {
    let sim = vendor(&[("refuse_items", "A@tarn.example,bad.example,<m@x.example>")]);
    let mail = json!([{ "action_type": "MAIL_DELETE", "service": "exchange",
        "account_provider": "office365", "mailbox": "b@tarn.example",
        "mail_message_id": "<m@x.example>", "mail_message_delivery_time": "2026-03-02T06:00:00Z" }]);
    for (target, body) in [
        (ACCOUNTS, DISABLE.to_owned()),
        (BLOCKLIST, BLOCK.to_owned()),
        ("/v1/mitigation/mails", mail.to_string()),
    ] {
        let refused = post(&sim, target, &body).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (400, -4_000_001), "{target}");
    }
    assert!(nothing_happened(&sim));
    assert!(sim.requests().iter().all(|request| request.injected));
    let other = DISABLE.replace("a@", "c@");
    assert_eq!(post(&sim, ACCOUNTS, &other).await.status, 201);
}

#[tokio::test]
async fn the_journal_and_the_state_show_what_was_asked() {
    let sim = vendor(&[("action_delay", "0")]);
    post(&sim, ACCOUNTS, DISABLE).await;
    post(&sim, BLOCKLIST, "no json").await;
    get(&sim, SWEEP).await;
    let bodies: Vec<_> = sim.requests().into_iter().map(|request| request.body).collect();
    assert_eq!(bodies, [Some(serde_json::from_str(DISABLE).unwrap()), None, None]);
    let shown = control(&sim, "/_sim/faults", r#"{"lose_answer":"1"}"#).await;
    assert_eq!(shown.json()["lose_answer"], "1");
    let state = send(&sim.router(), "GET", "/_sim/state", None, "").await.json();
    assert_eq!(state, sim.state());
    let members: Vec<_> = state.as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["blocklist", "mails", "accounts", "batches"]);
    assert_eq!(state["batches"][0]["items"][0]["status"], "Success");
}

/// What comes back over a socket.
async fn raw_post(address: SocketAddr, target: &str, body: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "POST {target} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer sim-key\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    // A closed connection may end as a reset; what came before counts.
    drop(stream.read_to_end(&mut answer).await);
    answer
}

#[tokio::test]
async fn lost_answers_take_effect_and_send_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let sim = vendor(&[("lose_answer", "1")]);
    let server = tokio::spawn(sim.clone().serve(listener, async move { drop(stopped.await) }));
    let refused = raw_post(address, ACCOUNTS, "[]").await;
    assert!(refused.starts_with(b"HTTP/1.1 400"), "a refusal has no effect, so it is not lost");
    assert_eq!(String::from_utf8_lossy(&raw_post(address, ACCOUNTS, DISABLE).await), "");
    assert!(raw_post(address, ACCOUNTS, DISABLE).await.starts_with(b"HTTP/1.1 201"));
    sim.set_fault("lose_answer", "every:2").unwrap();
    let mut lost = Vec::new();
    for _ in 0..4 {
        lost.push(raw_post(address, BLOCKLIST, BLOCK).await.is_empty());
    }
    assert_eq!(lost, [false, true, false, true]);
    let state: Value = sim.state();
    assert_eq!(state["batches"].as_array().unwrap().len(), 2);
    assert_eq!(state["blocklist"]["urls"], json!(["bad.example"]));
    let injected = sim.requests().iter().filter(|request| request.injected).count();
    assert_eq!(injected, 3);
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
}
