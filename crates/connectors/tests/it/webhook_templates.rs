//! The five templates of Trend Vision One: their own tests, and every outcome of each in both languages.

use connectors::Registry;
use connectors::webhook::{run_tests, templates};
use model::action::{Halt, ItemState, Outcome};
use serde_json::{Value, json};

use crate::webhook::{Host, Notes, Says, act, alert, of_template};

const TASKS: &str = "https://api.xdr.trendmicro.com/v3.0/xdr/response/tasks";

/// A template, a record for it, the target and the path, and the titles.
struct Case {
    template: &'static str,
    record: Value,
    target: &'static str,
    path: &'static str,
    title: (&'static str, &'static str),
    missing: &'static str,
}

fn cases() -> Vec<Case> {
    let host = json!({ "id": "WB-1", "impactScope": { "entities": [
        { "entityType": "host", "provenance": ["Alert"], "entityValue": { "guid": "G-1", "name": "NW-1" } },
    ] } });
    let url = json!({ "id": "WB-1", "indicators": [{ "type": "url", "value": "https://evil.example/" }] });
    let mail = json!({ "id": "WB-1", "indicators": [{ "type": "email_message_id", "value": "<9@x>" }],
        "impactScope": { "entities": [{ "entityType": "emailAddress", "entityValue": "y@kawa.example" }] } });
    let hosts = "fields `tmv1.host_guid`, `tmv1.host_name` are empty in this record";
    let block = "fields `tmv1.ioc_domain`, `tmv1.ioc_ip`, `tmv1.ioc_sender`, `tmv1.ioc_sha1`, `tmv1.ioc_sha256`, `tmv1.ioc_url` are empty in this record";
    vec![
        Case {
            template: "Trend Vision One Add To Block List",
            record: url.clone(),
            target: "https://evil.example/",
            path: "/v3.0/response/suspiciousObjects",
            title: ("Add To Block List", "ブロックリストに追加"),
            missing: block,
        },
        Case {
            template: "Trend Vision One Isolate Endpoint",
            record: host.clone(),
            target: "G-1",
            path: "/v3.0/response/endpoints/isolate",
            title: ("Isolate Endpoint", "エンドポイントを隔離"),
            missing: hosts,
        },
        Case {
            template: "Trend Vision One Quarantine Email Message",
            record: mail,
            target: "<9@x>",
            path: "/v3.0/response/emails/quarantine",
            title: ("Quarantine Email Message", "メールメッセージを隔離"),
            missing: "fields `tmv1.message_id`, `tmv1.message_unique_id` are empty in this record",
        },
        Case {
            template: "Trend Vision One Remove From Block List",
            record: url,
            target: "https://evil.example/",
            path: "/v3.0/response/suspiciousObjects/delete",
            title: ("Remove From Block List", "ブロックリストから削除"),
            missing: block,
        },
        Case {
            template: "Trend Vision One Restore Endpoint Connection",
            record: host,
            target: "G-1",
            path: "/v3.0/response/endpoints/restore",
            title: ("Restore Endpoint Connection", "エンドポイントの接続を復元"),
            missing: hosts,
        },
    ]
}

fn location(task: &str) -> Value {
    json!([{ "name": "Operation-Location", "value": format!("{TASKS}/{task}") }])
}

fn refusal(status: u16, code: &str, message: &str) -> Value {
    json!({ "status": status, "body": { "error": { "code": code, "message": message } } })
}

/// Runs a case against a host that gives this answer to the change and these to the questions.
async fn ran(
    case: &Case,
    record: &Value,
    change: (u16, Value),
    polls: Vec<Value>,
) -> (Result<Outcome, Halt>, Host, Notes) {
    let host = Host::new(move |seen, before| match seen.method.as_str() {
        "GET" => (200, polls[(before - 1).min(polls.len() - 1)].clone()).into(),
        _ => (change.0, change.1.clone()).into(),
    })
    .await;
    let notes = Notes::default();
    let outcome = act(&of_template(case.template, &host), &alert(record), json!({}), &notes).await;
    (outcome, host, notes)
}

fn assert_said(outcome: &Outcome, case: &Case, english: &str, japanese: &str, line: (&str, &str)) {
    let (en, ja) = case.title;
    assert_eq!(outcome.message.en, format!("{en}: {english}\n{}: {}", case.target, line.0));
    assert_eq!(outcome.message.ja, format!("{ja}: {japanese}\n{}: {}", case.target, line.1));
}

#[test]
fn every_template_passes_its_own_tests_and_names_only_known_fields() {
    let sources = Registry::new().sources();
    let templates = templates();
    assert_eq!(templates.len(), 5);
    for template in &templates {
        let document = template.sample().unwrap();
        assert_eq!(document.check(&sources), Ok(()), "{}", template.template);
        let report = run_tests(&document, &sources);
        let failed: Vec<_> = report.tests.iter().filter(|test| test.difference.is_some()).collect();
        assert!(report.tests.len() >= 4 && failed.is_empty(), "{}: {failed:#?}", template.template);
    }
}

#[tokio::test]
async fn accepted_work_is_followed_to_its_end_through_every_state() {
    for case in cases() {
        let item = json!([{ "status": 202, "headers": location("00000041") }]);
        let states = ["queued", "running", "pendingApproval", "someNewState", "succeeded"];
        let polls = states.map(|status| json!({ "id": "00000041", "status": status })).to_vec();
        let (outcome, host, notes) = ran(&case, &case.record, (207, item), polls).await;
        let outcome = outcome.unwrap();
        assert!(outcome.is_success);
        assert_eq!(outcome.items[0].state, ItemState::Succeeded);
        assert_said(
            &outcome,
            &case,
            "done for 1 of 1.",
            "1 件中 1 件が完了しました。",
            ("done [00000041]", "完了 [00000041]"),
        );
        let seen = host.seen();
        assert_eq!(seen.len(), 6);
        assert_eq!((seen[0].method.as_str(), seen[0].path.as_str()), ("POST", case.path));
        assert_eq!(seen[0].headers["authorization"], "Bearer t0ps3cret");
        assert_eq!(seen[0].headers["content-type"], "application/json;charset=utf-8");
        assert_eq!(seen[1].path, "/v3.0/response/tasks/00000041");
        let history = notes.history.lock().unwrap();
        assert!(!history.contains("t0ps3cret") && history.contains("Bearer ********"));
        let progress = notes.progress.lock().unwrap();
        assert!(
            progress
                .iter()
                .any(|text| text.en.contains("accepted, not done yet: pendingApproval [00000041]"))
        );
        assert!(
            progress
                .iter()
                .any(|text| text.ja.contains("受付済み (処理中): pendingApproval [00000041]"))
        );
    }
}

#[tokio::test]
async fn headers_of_an_item_may_be_an_object_of_any_case() {
    let case = &cases()[1];
    let item = json!([{ "status": 202, "headers": { "operation-LOCATION": "https://x/v3.0/response/tasks/RM-20261104-00001?x=1" } }]);
    let polls = vec![json!({ "status": "succeeded", "tasks": [{ "status": "succeeded" }] })];
    let (outcome, host, _) = ran(case, &case.record, (207, item), polls).await;
    assert!(outcome.unwrap().is_success);
    assert_eq!(host.seen()[1].path, "/v3.0/response/tasks/RM-20261104-00001");
}

#[tokio::test]
async fn a_duplicate_is_followed_to_the_task_that_runs() {
    for case in cases() {
        let mut item = refusal(400, "TaskError", "Task duplication.");
        item["headers"] = location("00000038");
        let polls = vec![json!({ "status": "running" }), json!({ "status": "succeeded" })];
        let (outcome, host, notes) = ran(&case, &case.record, (207, json!([item])), polls).await;
        let outcome = outcome.unwrap();
        assert!(outcome.is_success);
        assert_said(
            &outcome,
            &case,
            "done for 1 of 1.",
            "1 件中 1 件が完了しました。",
            ("done [00000038]", "完了 [00000038]"),
        );
        assert_eq!(host.seen()[1].path, "/v3.0/response/tasks/00000038");
        let first = notes.progress.lock().unwrap()[0].clone();
        assert!(
            first.en.contains("accepted, not done yet: Task duplication. [00000038]"),
            "{}",
            first.en
        );
    }
}

#[tokio::test]
async fn a_refused_item_says_why_in_the_vendors_words() {
    for case in cases() {
        for words in [
            "Target not found.",
            "Invalid request - Invalid field format: url.",
            "Insufficient permissions.",
        ] {
            let item = json!([refusal(400, "BadRequest", words)]);
            let (outcome, host, _) = ran(&case, &case.record, (207, item), vec![Value::Null]).await;
            let outcome = outcome.unwrap();
            assert!(!outcome.is_success);
            assert_eq!(outcome.items[0].state, ItemState::Failed);
            assert_said(
                &outcome,
                &case,
                "done for none of 1.",
                "1 件とも完了しませんでした。",
                (&format!("failed: {words}"), &format!("失敗: {words}")),
            );
            assert_eq!(host.seen().len(), 1);
        }
    }
}

#[tokio::test]
async fn a_task_that_fails_or_fails_in_part_is_a_failure() {
    let ends = [
        (json!({ "status": "failed", "error": { "message": "Agent offline." } }), "Agent offline."),
        (json!({ "status": "rejected" }), "rejected"),
        (json!({ "status": "canceled" }), "canceled"),
        (
            json!({ "status": "succeeded", "tasks": [{ "status": "succeeded" },
            { "status": "failed", "error": { "message": "No such message." } }] }),
            "No such message.",
        ),
    ];
    for case in cases() {
        for (end, words) in &ends {
            let item = json!([{ "status": 202, "headers": location("00000041") }]);
            let (outcome, ..) = ran(&case, &case.record, (207, item), vec![end.clone()]).await;
            let outcome = outcome.unwrap();
            assert!(!outcome.is_success);
            assert_said(
                &outcome,
                &case,
                "done for none of 1.",
                "1 件とも完了しませんでした。",
                (&format!("failed: {words} [00000041]"), &format!("失敗: {words} [00000041]")),
            );
        }
    }
}

#[tokio::test]
async fn a_task_that_never_ends_is_given_up_in_time() {
    for case in cases() {
        let item = json!([{ "status": 202, "headers": location("00000041") }]);
        let polls = vec![json!({ "status": "pendingApproval" })];
        let (outcome, ..) = ran(&case, &case.record, (207, item), polls).await;
        let outcome = outcome.unwrap();
        assert_eq!(outcome.items[0].state, ItemState::Expired);
        assert_said(
            &outcome,
            &case,
            "done for none of 1.",
            "1 件とも完了しませんでした。",
            (
                "not done in time: pendingApproval [00000041]",
                "時間内に完了せず: pendingApproval [00000041]",
            ),
        );
    }
}

#[tokio::test]
async fn a_record_without_the_field_sends_nothing() {
    for case in cases() {
        let record =
            json!({ "id": "WB-1", "indicators": [{ "type": "command_line", "value": "x" }] });
        let (outcome, host, _) = ran(&case, &record, (207, json!([])), vec![Value::Null]).await;
        let Err(Halt::Fatal(text)) = outcome else { panic!("{outcome:?}") };
        assert!(text.en.starts_with(case.missing), "{}", text.en);
        assert!(text.ja.starts_with("このレコードではフィールド "), "{}", text.ja);
        assert!(host.seen().is_empty());
    }
}

#[tokio::test]
async fn a_refusal_of_the_whole_request_stops_the_run() {
    for case in cases() {
        let body =
            json!({ "error": { "code": "AccessDenied", "message": "Insufficient permissions." } });
        let (outcome, host, _) = ran(&case, &case.record, (403, body), vec![Value::Null]).await;
        let Err(Halt::Fatal(text)) = outcome else { panic!("{outcome:?}") };
        let (en, ja) = case.title;
        let address = host.address;
        assert_eq!(
            text.en,
            format!("{en}: {address} refused the request with 403: Insufficient permissions.")
        );
        assert_eq!(
            text.ja,
            format!("{ja}: {address} が要求を拒否しました (403): Insufficient permissions.")
        );
        assert_eq!(host.seen().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_fails_behind_the_request_needs_a_person() {
    for case in cases() {
        let body = json!({ "error": { "code": "InternalServerError", "message": "Internal server error." } });
        let (outcome, host, _) = ran(&case, &case.record, (500, body), vec![Value::Null]).await;
        let outcome = outcome.unwrap();
        assert_eq!(outcome.items[0].state, ItemState::Unknown);
        let words = format!("{} answered 500: Internal server error.", host.address);
        assert_said(
            &outcome,
            &case,
            "sent, not confirmable: needs a person.",
            "送信しましたが、結果を確認できません。担当者の確認が必要です。",
            (&format!("sent, not confirmed: {words}"), &format!("送信済み (結果は不明): {words}")),
        );
        assert_eq!(host.changes(), 1);
    }
}

#[tokio::test]
async fn some_of_several_targets_is_told_as_such() {
    let host = Host::new(|seen, _| match seen.method.as_str() {
        "GET" => Says(200, Vec::new(), json!({ "status": "succeeded" })),
        _ => (207, json!([
            { "status": 202, "headers": location("1") }, refusal(400, "BadRequest", "Invalid field format: url."),
            { "status": 202, "headers": location("3") },
        ])).into(),
    })
    .await;
    let responder = crate::webhook::responder(json!({
        "name": "all urls", "template": "Trend Vision One Add To Block List", "auth": { "token": "t0ps3cret" },
        "target": { "type": "url", "value": "{{ tmv1.ioc_url_list }}" },
        "request": { "host": host.address.to_string(), "protocol": "http",
            "body": [{ "$for": "u in targets", "$item": { "url": "{{ u }}" } }] },
    }));
    let urls =
        ["https://a.example/", "https://b.example/", "https://c.example/", "https://safe.example/"];
    let record = json!({ "indicators": [{ "type": "url", "value": urls }] });
    let protected = vec![model::action::Entity::new(model::action::EntityKind::Url, urls[3])];
    let notes = Notes { protected, ..Notes::default() };
    let outcome = act(&responder, &alert(&record), json!({}), &notes).await.unwrap();
    assert!(!outcome.is_success);
    assert_eq!(
        host.seen()[0].json(),
        json!(urls[..3].iter().map(|url| json!({ "url": url })).collect::<Vec<_>>())
    );
    assert_eq!(
        outcome.message.en,
        "Add To Block List: only done for 2 of 4.\n\
         https://a.example/: done [1]\n\
         https://b.example/: failed: Invalid field format: url.\n\
         https://c.example/: done [3]\n\
         https://safe.example/: protected: a server"
    );
    assert_eq!(
        outcome.message.ja,
        "ブロックリストに追加: 4 件中 2 件だけが完了しました。\n\
         https://a.example/: 完了 [1]\n\
         https://b.example/: 失敗: Invalid field format: url.\n\
         https://c.example/: 完了 [3]\n\
         https://safe.example/: 保護対象: サーバー"
    );
}
