//! Runs of responders under their journal: never twice blindly, guarded, dry, again when it is certain.

use model::action::journal::{Ending, Memory, ShownAnswer};
use model::action::{Entity, EntityKind, Halt, ItemState};
use model::time::Timestamp;
use serde_json::{Value, json};

use crate::webhook::{Host, Notes, Says, act, alert, of_template, responder};

const ISOLATE: &str = "Trend Vision One Isolate Endpoint";

fn host_alert() -> Value {
    alert(&json!({ "id": "WB-1", "impactScope": { "entities": [
        { "entityType": "host", "entityValue": { "guid": "G-1", "name": "NW-1" } },
    ] } }))
}

fn taken() -> Says {
    (207, json!([{ "status": 202, "headers": [{ "name": "Operation-Location", "value": "https://x/tasks/7" }] }])).into()
}

#[tokio::test]
async fn what_was_sent_before_is_not_sent_again() {
    let host = Host::new(|seen, _| {
        assert_eq!(seen.method, "GET");
        (200, json!({ "status": "succeeded" })).into()
    })
    .await;
    let notes = Notes::default();
    let Says(status, _, body) = taken();
    let answer = ShownAnswer { status, headers: Default::default(), body };
    notes.remember("send", Memory::Ended(Ending::Answered { answer }));
    let outcome =
        act(&of_template(ISOLATE, &host), &host_alert(), json!({}), &notes).await.unwrap();
    assert!(outcome.is_success);
    assert_eq!((host.changes(), host.seen().len()), (0, 1));
}

#[tokio::test]
async fn what_is_in_doubt_is_not_sent_again_and_needs_a_person() {
    let host = Host::new(|_, _| taken()).await;
    for memory in [
        Memory::InDoubt(Timestamp::EPOCH),
        Memory::Ended(Ending::Unknown {
            detail: "the process stopped before an answer came".to_owned(),
        }),
    ] {
        let notes = Notes::default();
        notes.remember("send", memory);
        let outcome =
            act(&of_template(ISOLATE, &host), &host_alert(), json!({}), &notes).await.unwrap();
        assert_eq!(outcome.items[0].state, ItemState::Unknown);
        assert_eq!(
            outcome.message.en,
            "Isolate Endpoint: sent, not confirmable: needs a person.\n\
             G-1: sent, not confirmed: the process stopped before an answer came"
        );
    }
    assert!(host.seen().is_empty());
}

#[tokio::test]
async fn a_question_in_doubt_is_asked_again() {
    let host = Host::new(|_, _| (200, json!({ "verdict": "bad" })).into()).await;
    let asks = responder(json!({
        "name": "ask", "effect": "reads",
        "request": { "host": host.address.to_string(), "protocol": "http", "method": "GET", "path": "/v1/{{ uid }}" },
        "outputs": { "verdict": "{{ response.body.verdict }}" },
    }));
    let notes = Notes::default();
    notes.remember("send", Memory::InDoubt(Timestamp::EPOCH));
    let outcome = act(&asks, &json!({ "uid": "a/b" }), json!({}), &notes).await.unwrap();
    assert!(outcome.is_success);
    assert_eq!(outcome.message.en, "ask: done.");
    assert_eq!(outcome.message.ja, "ask: 完了。");
    assert_eq!(outcome.result["items"][0]["outputs"], json!({ "verdict": "bad" }));
    assert_eq!(host.seen()[0].path, "/v1/a%2Fb");
}

#[tokio::test]
async fn a_host_that_says_when_is_waited_for() {
    let host = Host::new(|seen, before| match (seen.method.as_str(), before) {
        ("GET", _) => (200, json!({ "status": "succeeded" })).into(),
        (_, 0) => Says(429, vec![("retry-after", "17".to_owned())], json!({})),
        (_, 1) => (503, json!({})).into(),
        _ => taken(),
    })
    .await;
    let notes = Notes::default();
    let outcome =
        act(&of_template(ISOLATE, &host), &host_alert(), json!({}), &notes).await.unwrap();
    assert!(outcome.is_success);
    assert_eq!(host.changes(), 3);
    // 17 s by the host, 4 s by backoff, 10 s until the question.
    assert_eq!(notes.waited().as_secs(), 17 + 4 + 10);
}

#[tokio::test]
async fn a_host_that_never_takes_it_is_told() {
    let host = Host::new(|_, _| (429, json!({ "message": "slow down" })).into()).await;
    let outcome =
        act(&of_template(ISOLATE, &host), &host_alert(), json!({}), &Notes::default()).await;
    let Err(Halt::Fatal(text)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(
        text.en,
        format!("Isolate Endpoint: {} refused the request with 429: slow down", host.address)
    );
    assert_eq!(host.changes(), 5);
}

#[tokio::test]
async fn nothing_listens_is_told_and_was_not_sent() {
    let dead = Host { address: "127.0.0.1:1".parse().unwrap(), seen: Default::default() };
    let notes = Notes::default();
    let outcome = act(&of_template(ISOLATE, &dead), &host_alert(), json!({}), &notes).await;
    let Err(Halt::Fatal(text)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(text.en, "failed to connect to 127.0.0.1:1");
    assert_eq!(text.ja, "送信できませんでした: failed to connect to 127.0.0.1:1");
    assert!(matches!(notes.steps.lock().unwrap()["send"], Memory::Fresh));
}

#[tokio::test]
async fn a_connection_that_breaks_after_sending_is_not_tried_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let accepted = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let count = accepted.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            let mut request = [0; 4096];
            tokio::io::AsyncReadExt::read(&mut stream, &mut request).await.unwrap();
        }
    });
    let host = Host { address, seen: Default::default() };
    let notes = Notes::default();
    let outcome =
        act(&of_template(ISOLATE, &host), &host_alert(), json!({}), &notes).await.unwrap();
    assert_eq!(outcome.items[0].state, ItemState::Unknown);
    assert_eq!(accepted.load(std::sync::atomic::Ordering::SeqCst), 1);
    assert!(matches!(notes.steps.lock().unwrap()["send"], Memory::Ended(Ending::Unknown { .. })));
}

#[tokio::test]
async fn a_dry_run_plans_and_sends_nothing() {
    let host = Host::new(|_, _| taken()).await;
    let notes = Notes { is_dry_run: true, ..Notes::default() };
    let outcome =
        act(&of_template(ISOLATE, &host), &host_alert(), json!({}), &notes).await.unwrap();
    assert!(host.seen().is_empty() && outcome.is_success);
    assert_eq!(outcome.items[0].state, ItemState::Planned);
    assert_eq!(
        outcome.message.en,
        "Isolate Endpoint: dry run, 1 of 1 would be sent.\nG-1: would be sent"
    );
    assert_eq!(
        outcome.message.ja,
        "エンドポイントを隔離: 試行のみ。1 件中 1 件を送信する予定です。\nG-1: 送信予定"
    );
    let history = notes.history.lock().unwrap();
    assert!(history.starts_with("planned send") && !history.contains("t0ps3cret"));
}

#[tokio::test]
async fn a_host_is_protected_by_any_of_its_names() {
    let host = Host::new(|_, _| taken()).await;
    for name in ["G-1", "NW-1"] {
        let notes =
            Notes { protected: vec![Entity::new(EntityKind::Host, name)], ..Notes::default() };
        let outcome =
            act(&of_template(ISOLATE, &host), &host_alert(), json!({}), &notes).await.unwrap();
        assert_eq!(outcome.items[0].state, ItemState::Protected, "{name}");
        assert_eq!(
            outcome.message.ja,
            "エンドポイントを隔離: 1 件とも完了しませんでした。\nG-1: 保護対象: サーバー"
        );
    }
    assert!(host.seen().is_empty());
}

#[tokio::test]
async fn one_request_for_several_is_not_sent_when_one_may_not_be() {
    let host = Host::new(|_, _| (200, json!({})).into()).await;
    let responder = responder(json!({
        "name": "block", "effect": "contains",
        "target": { "type": "ip", "value": "{{ ips }}" },
        "request": { "host": host.address.to_string(), "protocol": "http", "path": "/block", "body": { "ips": "{{ ips }}" } },
    }));
    let protected = vec![Entity::new(EntityKind::Ip, "192.0.2.1")];
    let notes = Notes { protected, ..Notes::default() };
    let record = json!({ "ips": ["192.0.2.1", "192.0.2.2", "no address"] });
    let outcome = act(&responder, &record, json!({}), &notes).await.unwrap();
    let states: Vec<_> = outcome.items.iter().map(|item| item.state).collect();
    assert_eq!(states, [ItemState::Protected, ItemState::Skipped, ItemState::Invalid]);
    assert!(host.seen().is_empty());
}

#[tokio::test]
async fn a_rule_over_the_body_decides_where_there_is_one() {
    let host = Host::new(|seen, _| {
        let is_good = seen.body.contains("good");
        (200, json!({ "ok": is_good, "why": "not today" })).into()
    })
    .await;
    let responder = responder(json!({
        "name": "rule", "effect": "writes",
        "request": { "host": host.address.to_string(), "protocol": "http", "path": "/", "body": { "v": "{{ v }}" } },
        "success": { "when": "{{ response.body.ok }}", "message": "{{ response.body.why }}" },
    }));
    assert!(
        act(&responder, &json!({ "v": "good" }), json!({}), &Notes::default())
            .await
            .unwrap()
            .is_success
    );
    let refused =
        act(&responder, &json!({ "v": "bad" }), json!({}), &Notes::default()).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("rule: {} refused the request with 200: not today", host.address)
    );
}

#[tokio::test]
async fn hostile_values_arrive_over_the_wire_as_they_are() {
    let host = Host::new(|_, _| (200, json!({})).into()).await;
    let responder = responder(json!({
        "name": "wire", "effect": "writes",
        "request": { "host": host.address.to_string(), "protocol": "http", "path": "/p/{{ v }}",
            "query": { "q": "{{ v }}" }, "body": [{ "v": "{{ v }}" }] },
    }));
    for value in [
        "\"}],{\"x\":1",
        "{{ secret }}{% x %}",
        "C:\\x\\\\",
        "a\r\nHost: x",
        "\u{202e}\u{0}\u{7f}",
        "../..",
    ] {
        let record = json!({ "v": value });
        let result = act(&responder, &record, json!({}), &Notes::default()).await;
        assert!(result.unwrap().is_success, "{value:?}");
        assert_eq!(host.seen().last().unwrap().json(), json!([{ "v": value }]));
        assert_eq!(host.seen().last().unwrap().headers["host"], host.address.to_string());
    }
}

#[tokio::test]
async fn a_megabyte_arrives_over_the_wire() {
    let host = Host::new(|_, _| (200, json!({})).into()).await;
    let responder = responder(json!({
        "name": "long", "effect": "writes",
        "request": { "host": host.address.to_string(), "protocol": "http", "path": "/", "body": { "v": "{{ v }}" } },
    }));
    let long = "\"\\{{".repeat(1 << 18);
    let outcome = act(&responder, &json!({ "v": long }), json!({}), &Notes::default()).await;
    assert!(outcome.unwrap().is_success);
    assert_eq!(host.seen()[0].json(), json!({ "v": long }));
}

#[tokio::test]
async fn what_takes_away_names_its_target_and_sends_to_that_only() {
    let host = Host::new(|_, _| (200, json!({})).into()).await;
    let with_body = |body: &str| {
        responder(json!({
            "name": "take", "effect": "contains",
            "request": { "host": host.address.to_string(), "protocol": "http", "path": "/", "body": { "v": body } },
        }))
    };
    let entity = || Entity::new(EntityKind::Host, "NW-1");
    for (body, is_sent) in [("{{ uid }}", false), ("{{ target }}", true)] {
        let responder = with_body(body);
        let input = model::action::Input { entities: vec![entity()], ..Default::default() };
        let budget = Box::new(crate::support::Ledger::default());
        let rights = [model::action::Right { key: responder.key(), budget }];
        let notes = Notes::default();
        let call =
            model::action::Call { action: "take", input: &input, rights: &rights, journal: &notes };
        let outcome =
            model::action::Responds::act(&responder.on(json!({ "uid": "x" })), &call).await;
        match outcome {
            Ok(outcome) => {
                assert!(is_sent && outcome.is_success && *notes.asked.lock().unwrap() == [entity()])
            }
            Err(halt) => {
                assert!(!is_sent && halt.to_string().starts_with("`target` is missing"), "{halt}")
            }
        }
    }
    assert_eq!(host.seen().len(), 1);
    assert_eq!(host.seen()[0].json(), json!({ "v": "NW-1" }));
}
