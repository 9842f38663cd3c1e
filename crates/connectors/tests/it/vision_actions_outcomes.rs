//! Trend Vision One's actions against its simulator: every outcome with its words in both languages.

use std::time::Duration;

use model::action::journal::Patience;
use model::action::{ItemState, Journal};
use serde_json::{Value, json};

use crate::vision_actions::{Bench, KEY, act, entities, states};

/// One run: faults, action, input, and what comes of it.
struct Case {
    faults: &'static [(&'static str, &'static str)],
    action: &'static str,
    input: Value,
    is_success: bool,
    en: &'static str,
    ja: &'static str,
    items: Value,
}

async fn check(case: Case) {
    let bench = Bench::new(case.faults).await;
    let outcome = bench.act(case.action, case.input).await.unwrap();
    let name = case.action;
    assert_eq!(outcome.message.en, case.en, "{name}");
    assert_eq!(outcome.message.ja, case.ja, "{name}");
    assert_eq!(outcome.is_success, case.is_success, "{name}");
    assert_eq!(outcome.result, json!({ "items": case.items }), "{name}");
}

fn done(kind: &str, value: &str, task: &str) -> Value {
    json!({
        "type": kind, "value": value, "state": "succeeded", "task_id": task,
        "task_status": "succeeded",
    })
}

#[tokio::test]
async fn vision_actions_on_endpoints_tell_every_outcome() {
    let two = || entities(&[("host", "TARN-PC-0112"), ("host", "TARN-PC-0347")]);
    check(Case {
        faults: &[],
        action: "isolate_endpoint",
        input: two(),
        is_success: true,
        en: "Successfully isolated the following endpoints in Trend Vision One:\nTARN-PC-0112\nTARN-PC-0347",
        ja: "Trend Vision One で次のエンドポイントを隔離しました:\nTARN-PC-0112\nTARN-PC-0347",
        items: json!([done("host", "TARN-PC-0112", "00000041"), done("host", "TARN-PC-0347", "00000042")]),
    })
    .await;
    check(Case {
        faults: &[("unsupported", "TARN-PC-0347")],
        action: "isolate_endpoint",
        input: entities(&[
            ("host", "TARN-PC-0347"),
            ("host", "NOWHERE"),
            ("host", "TARN-PC-0112"),
            ("url", "http://a.example/"),
        ]),
        is_success: true,
        en: "Successfully isolated the following endpoints in Trend Vision One:\nTARN-PC-0112\n\
             Action wasn't able to isolate the following endpoints in Trend Vision One:\n\
             TARN-PC-0347 (Action not supported. Install or upgrade the agent program on the target endpoint.)\n\
             NOWHERE (Target not found.)\n\
             The following entities were skipped, as the action does not support their types:\n\
             http://a.example/",
        ja: "Trend Vision One で次のエンドポイントを隔離しました:\nTARN-PC-0112\n\
             Trend Vision One で次のエンドポイントを隔離できませんでした:\n\
             TARN-PC-0347 (Action not supported. Install or upgrade the agent program on the target endpoint.)\n\
             NOWHERE (Target not found.)\n\
             次のエンティティは、種類が対象外のためスキップされました:\nhttp://a.example/",
        items: json!([
            {
                "type": "host", "value": "TARN-PC-0347", "state": "failed",
                "detail": "Action not supported. Install or upgrade the agent program on the target endpoint.",
            },
            { "type": "host", "value": "NOWHERE", "state": "failed", "detail": "Target not found." },
            done("host", "TARN-PC-0112", "00000041"),
            { "type": "url", "value": "http://a.example/", "state": "skipped" },
        ]),
    })
    .await;
    check(Case {
        faults: &[("fail_targets", "TARN-PC-0112")],
        action: "isolate_endpoint",
        input: entities(&[("host", "TARN-PC-0112")]),
        is_success: false,
        en: "Action wasn't able to isolate the following endpoints in Trend Vision One:\n\
             TARN-PC-0112 (Internal server error.)\n\
             No endpoints were isolated in Trend Vision One.",
        ja: "Trend Vision One で次のエンドポイントを隔離できませんでした:\n\
             TARN-PC-0112 (Internal server error.)\n\
             Trend Vision One で隔離したエンドポイントはありません。",
        items: json!([{
            "type": "host", "value": "TARN-PC-0112", "state": "failed",
            "detail": "Internal server error.", "task_id": "00000041", "task_status": "failed",
        }]),
    })
    .await;
    check(Case {
        faults: &[],
        action: "isolate_endpoint",
        input: json!({ "parameters": { "description": "for nobody" } }),
        is_success: false,
        en: "No endpoints were isolated in Trend Vision One.",
        ja: "Trend Vision One で隔離したエンドポイントはありません。",
        items: json!([]),
    })
    .await;
}

#[tokio::test]
async fn vision_actions_follow_the_worst_target_of_a_name_that_stands_for_several() {
    let bench = Bench::new(&[]).await;
    let name = || entities(&[("host", "TARN-NB-1180")]);
    let known = bench.act("get_endpoint", name()).await.unwrap();
    let guids = &known.enrichment[0].properties["TMV1_agent_guid"];
    let second = guids.split(", ").nth(1).unwrap();
    bench.simulator.set_fault("fail_targets", second).unwrap();
    let outcome = bench.act("isolate_endpoint", name()).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Failed]);
    assert_eq!(outcome.items[0].detail.en, "TARN-NB-1180: Internal server error.");
    assert!(!outcome.is_success);
}

#[tokio::test]
async fn vision_actions_take_what_is_already_in_progress_for_accepted() {
    let bench = Bench::new(&[("task_delay", "60s")]).await;
    let other = bench.journal.other_run("run-2");
    let hold = Patience { timeout: Duration::from_secs(1), ..other.patience() };
    let input = || entities(&[("host", "TARN-PC-0112")]);
    let other = other.with_patience(hold);
    let first = act(&bench.url, &[KEY], &other, "isolate_endpoint", input()).await.unwrap();
    assert_eq!(states(&first), [ItemState::Expired]);
    assert_eq!(
        first.message.en,
        "Trend Vision One was not done in time with the following endpoints:\nTARN-PC-0112\n\
         No endpoints were isolated in Trend Vision One."
    );
    assert_eq!(
        first.message.ja,
        "Trend Vision One での次のエンドポイントの処理が時間内に完了しませんでした:\nTARN-PC-0112\n\
         Trend Vision One で隔離したエンドポイントはありません。"
    );
    let second = bench.act("isolate_endpoint", input()).await.unwrap();
    let (items, waiting) = bench.journal.progress_shown()[1].clone();
    assert_eq!(
        (items[0].state, &*items[0].detail.en),
        (ItemState::Accepted, "already in progress")
    );
    assert_eq!(
        waiting.ja,
        "Trend Vision One での次のエンドポイントの処理の完了を待っています:\nTARN-PC-0112 (すでに処理中です)"
    );
    assert_eq!(states(&second), [ItemState::Succeeded]);
    assert_eq!(second.items[0].handle, first.items[0].handle);
    assert_eq!(bench.simulator.state()["endpoints"][0]["effects"], 1);
}

#[tokio::test]
async fn vision_actions_on_objects_tell_every_outcome() {
    let sha1 = "9f2c4b7a1d0e8c6655aa33bb77cc99dd11ee22ff";
    check(Case {
        faults: &[],
        action: "add_to_block_list",
        input: entities(&[
            ("url", "http://cdn.bad.example/a"),
            ("domain", "bad.example"),
            ("ip", "203.0.113.66"),
            ("email_address", "a@bad.example"),
            ("hash", sha1),
            ("url", "no url"),
            ("hash", "abc"),
            ("host", "X"),
        ]),
        is_success: true,
        en: "Successfully added the following entities to the block list in Trend Vision One:\n\
             http://cdn.bad.example/a\nbad.example\n203.0.113.66\na@bad.example\n\
             9f2c4b7a1d0e8c6655aa33bb77cc99dd11ee22ff\n\
             Action wasn't able to add the following entities to the block list in Trend Vision One:\n\
             no url (is no absolute URL)\nabc (is no SHA-1 or SHA-256 digest)\n\
             The following entities were skipped, as the action does not support their types:\nX",
        ja: "Trend Vision One で次のエンティティをブロックリストに追加しました:\n\
             http://cdn.bad.example/a\nbad.example\n203.0.113.66\na@bad.example\n\
             9f2c4b7a1d0e8c6655aa33bb77cc99dd11ee22ff\n\
             Trend Vision One で次のエンティティをブロックリストに追加できませんでした:\n\
             no url (絶対 URL ではありません)\nabc (SHA-1 または SHA-256 ではありません)\n\
             次のエンティティは、種類が対象外のためスキップされました:\nX",
        items: json!([
            done("url", "http://cdn.bad.example/a", "00000041"),
            done("domain", "bad.example", "00000042"),
            done("ip", "203.0.113.66", "00000043"),
            done("email_address", "a@bad.example", "00000044"),
            done("hash", sha1, "00000045"),
            { "type": "url", "value": "no url", "state": "invalid", "detail": "is no absolute URL" },
            { "type": "hash", "value": "abc", "state": "invalid", "detail": "is no SHA-1 or SHA-256 digest" },
            { "type": "host", "value": "X", "state": "skipped" },
        ]),
    })
    .await;
    check(Case {
        faults: &[],
        action: "remove_from_block_list",
        input: entities(&[("domain", "imported.example")]),
        is_success: false,
        en: "Action wasn't able to remove the following entities from the block list in Trend Vision One:\n\
             imported.example (The object was not added by this action.)\n\
             No entities were removed from the block list in Trend Vision One.",
        ja: "Trend Vision One で次のエンティティをブロックリストから削除できませんでした:\n\
             imported.example (The object was not added by this action.)\n\
             Trend Vision One でブロックリストから削除したエンティティはありません。",
        items: json!([{
            "type": "domain", "value": "imported.example", "state": "failed",
            "detail": "The object was not added by this action.", "task_id": "00000041",
            "task_status": "failed",
        }]),
    })
    .await;
}

#[tokio::test]
async fn vision_actions_on_accounts_tell_every_outcome() {
    let accounts =
        || entities(&[("user", "tarn\\s.okabe"), ("email_address", "haruka.mori@tarn.example")]);
    for (action, en, ja) in [
        ("disable_account", "disabled", "を無効化"),
        ("enable_account", "enabled", "を有効化"),
        ("reset_password", "reset the password of", "のパスワードをリセット"),
    ] {
        let bench = Bench::new(&[]).await;
        let outcome = bench.act(action, accounts()).await.unwrap();
        let names = "tarn\\s.okabe\nharuka.mori@tarn.example";
        let expected =
            format!("Successfully {en} the following accounts in Trend Vision One:\n{names}");
        assert_eq!(outcome.message.en, expected);
        let expected = format!("Trend Vision One で次のアカウント{ja}しました:\n{names}");
        assert_eq!(outcome.message.ja, expected);
    }
    let bench = Bench::new(&[]).await;
    let outcome = bench.act("sign_out_account", accounts()).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Failed, ItemState::Succeeded], "on the premises not");
}

#[tokio::test]
async fn vision_actions_on_messages_tell_every_outcome() {
    let input = json!({
        "entities": [{ "type": "message_id", "value": "<invoice-4711@mx.bad.example>" }],
        "parameters": { "unique_ids": ["AAMkAD-0815-01", "aamkad-0815-01"], "description": "d" },
    });
    let bench = Bench::new(&[]).await;
    let outcome = bench.act("quarantine_message", input).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Succeeded, ItemState::Succeeded, ItemState::Failed]);
    assert_eq!(
        outcome.message.ja,
        "Trend Vision One で次のメッセージを隔離しました:\n<invoice-4711@mx.bad.example>\nAAMkAD-0815-01\n\
         Trend Vision One で次のメッセージを隔離できませんでした:\naamkad-0815-01 (Target not found.)"
    );
    assert_eq!(bench.simulator.state()["mails"].as_array().unwrap().len(), 4);
    let one = json!({ "parameters": {
        "message_ids": "<invoice-4711@mx.bad.example>", "mailbox": "keiri@tarn.example",
    } });
    let journal = bench.journal.other_run("run-2");
    let outcome = act(&bench.url, &[KEY], &journal, "restore_message", one.clone());
    assert_eq!(states(&outcome.await.unwrap()), [ItemState::Succeeded]);
    let outcome =
        act(&bench.url, &[KEY], &bench.journal.other_run("run-3"), "delete_message", one).await;
    assert_eq!(states(&outcome.unwrap()), [ItemState::Succeeded]);
    let state = bench.simulator.state();
    let places: Vec<_> =
        state["mails"].as_array().unwrap().iter().map(|mail| &mail["state"]).collect();
    assert_eq!(places, ["quarantined", "quarantined", "deleted", "quarantined"]);
}
