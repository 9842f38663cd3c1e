//! What Trend Vision One's actions do not do: without a key, for the protected, in a dry run, before an approval.

use model::action::{EntityKind, ItemState};
use serde_json::json;

use crate::vision_actions::{Bench, KEY, act, entities, entity, fatal, states};

#[tokio::test]
async fn vision_actions_that_cannot_be_run_at_all_say_so_in_both_languages() {
    let input = || entities(&[("host", "TARN-PC-0112")]);
    let closed = "http://127.0.0.1:1";
    for (faults, key, words, ja) in [
        (&[][..], "wrong", "unknown key: ", "キーが登録されていません: "),
        (
            &[("no_scope", "sim-key:isolation")][..],
            KEY,
            "missing permission: ",
            "権限が不足しています: ",
        ),
        (&[("whole_failure", "400")][..], KEY, "request refused: ", "要求が拒否されました: "),
        (
            &[("whole_failure", "500")][..],
            KEY,
            "vendor outage: not taken after 2",
            "ベンダー側で障害が発生しています: ",
        ),
        (&[][..], "a b", "malformed key: ", "キーの形式が正しくありません: "),
    ] {
        let bench = Bench::new(faults).await;
        let ended = act(&bench.url, &[key], &bench.journal, "isolate_endpoint", input()).await;
        let (en, in_ja) = fatal(ended);
        let start = format!("Error executing action \"Isolate Endpoint\". Reason: {words}");
        assert!(en.starts_with(&start), "{en}");
        let start =
            format!("アクション「エンドポイントの隔離」の実行中にエラーが発生しました。理由: {ja}");
        assert!(in_ja.starts_with(&start), "{in_ja}");
        assert_eq!(bench.simulator.state()["endpoints"], json!([]));
    }
    let bench = Bench::new(&[]).await;
    let (en, _) = fatal(act(closed, &[KEY], &bench.journal, "isolate_endpoint", input()).await);
    assert!(en.contains("Reason: host not reachable: "), "{en}");
    // A pool with one good key can act.
    let pool = ["a b", KEY];
    let journal = bench.journal.other_run("r2");
    let outcome = act(&bench.url, &pool, &journal, "isolate_endpoint", input());
    assert!(outcome.await.unwrap().is_success);
    let pool = ["wrong", KEY];
    let journal = bench.journal.other_run("r3");
    let outcome = act(&bench.url, &pool, &journal, "restore_endpoint", input());
    assert!(outcome.await.unwrap().is_success);
}

#[tokio::test]
async fn vision_actions_leave_the_protected_alone_and_send_nothing_in_a_dry_run() {
    let bench = Bench::new(&[]).await;
    let protected = [entity(EntityKind::Host, "tarn-dc-01")];
    let input =
        || entities(&[("host", "TARN-DC-01"), ("host", "TARN-PC-0112"), ("host", "TARN-PC-0347")]);
    let journal = bench.journal.other_run("dry").protecting(&protected).dry();
    let outcome = act(&bench.url, &[KEY], &journal, "isolate_endpoint", input()).await.unwrap();
    assert_eq!(
        outcome.message.en,
        "Dry run: nothing was sent.\n\
         Action would isolate the following endpoints in Trend Vision One:\nTARN-PC-0112\nTARN-PC-0347\n\
         Nothing was sent for the following endpoints:\nTARN-DC-01 (protected by a test)"
    );
    assert_eq!(
        outcome.message.ja,
        "ドライラン: 何も送信されていません。\n\
         実行すると Trend Vision One で次のエンドポイントを隔離します:\nTARN-PC-0112\nTARN-PC-0347\n\
         次のエンドポイントには何も送信されていません:\nTARN-DC-01 (protected by a test)"
    );
    assert!(outcome.is_success);
    assert_eq!(journal.changes(), ["post"]);
    assert!(bench.simulator.requests().is_empty());
    let journal = bench.journal.other_run("capped").protecting(&protected).with_cap(1);
    let outcome = act(&bench.url, &[KEY], &journal, "isolate_endpoint", input()).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Protected, ItemState::Succeeded, ItemState::OverCap]);
    let sent = &bench.simulator.requests()[0];
    assert_eq!(sent.body.as_ref().unwrap().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn vision_actions_wait_for_approvers_and_for_words_that_nobody_knows() {
    for (faults, state, detail) in [
        (&[("approval", "approve:60s")][..], ItemState::Succeeded, ""),
        (&[("approval", "reject:60s")][..], ItemState::Failed, "an approver rejected it"),
        (
            &[("task_delay", "60s"), ("task_unknown_status", "notStarted")][..],
            ItemState::Succeeded,
            "",
        ),
    ] {
        let bench = Bench::new(faults).await;
        let input = entities(&[("host", "TARN-PC-0112")]);
        let outcome = bench.act("isolate_endpoint", input).await.unwrap();
        assert_eq!(states(&outcome), [state], "{faults:?}");
        assert_eq!(outcome.items[0].detail.en, detail, "{faults:?}");
        let waited = bench.journal.progress_shown().into_iter().any(|(items, message)| {
            items[0].detail.en == "waits for approval" && message.ja.contains("承認待ちです")
        });
        assert_eq!(waited, faults[0].0 == "approval");
    }
    let bench = Bench::new(&[("approval", "wait")]).await;
    let outcome =
        bench.act("isolate_endpoint", entities(&[("host", "TARN-PC-0112")])).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Expired]);
    assert!(
        outcome.message.en.contains("TARN-PC-0112 (waits for approval)"),
        "{:?}",
        outcome.message
    );
}

#[tokio::test]
async fn vision_actions_read_item_headers_in_every_form() {
    for faults in [
        &[("headers_as", "object")][..],
        &[("location_case", "lower")][..],
        &[("location_case", "upper"), ("location_path", "plain"), ("headers_as", "object")][..],
    ] {
        let bench = Bench::new(faults).await;
        let hosts: Vec<(&str, &str)> = vec![("host", "TARN-PC-0112"), ("host", "TARN-DC-01")];
        let outcome = bench.act("isolate_endpoint", entities(&hosts)).await.unwrap();
        assert_eq!(states(&outcome), [ItemState::Succeeded; 2], "{faults:?}");
    }
}

#[tokio::test]
async fn vision_actions_with_files_processes_and_scripts_tell_what_came_of_them() {
    let bench = Bench::new(&[]).await;
    let hosts = json!([{ "type": "host", "value": "TARN-PC-0112" }]);
    let input = json!({ "entities": hosts, "parameters": { "file_path": "C:\\a.bin" } });
    let outcome = bench.act("collect_file", input).await.unwrap();
    let item = &outcome.result["items"][0];
    assert_eq!(item["resource_location"], "https://storage.example/collected/00000041.7z");
    assert_eq!(item["file_path"], "C:\\a.bin");
    assert!(!format!("{outcome:?}").contains("pw-00000041"));
    assert!(!bench.journal.everything().contains("pw-00000041"), "the history masks it");
    let digest = "9f2c4b7a1d0e8c6655aa33bb77cc99dd11ee22ff";
    let input =
        json!({ "entities": hosts, "parameters": { "file_sha1": digest, "file_name": "a.exe" } });
    let journal = bench.journal.other_run("r2");
    let outcome = act(&bench.url, &[KEY], &journal, "terminate_process", input).await.unwrap();
    assert_eq!(
        outcome.message.en,
        "Successfully terminated the process on the following endpoints in Trend Vision One:\nTARN-PC-0112"
    );
    let input = json!({ "entities": hosts, "parameters": { "script_name": "a.ps1", "parameters": "-x 1" } });
    let journal = bench.journal.other_run("r3");
    let outcome = act(&bench.url, &[KEY], &journal, "run_script", input).await.unwrap();
    assert_eq!(
        outcome.message.ja,
        "Trend Vision One で次のエンドポイントでスクリプトを実行しました:\nTARN-PC-0112"
    );
    let state = bench.simulator.state();
    assert_eq!(state["terminated"][0]["fileName"], "a.exe");
    assert_eq!(state["scripts"][0]["parameter"], "-x 1");
    let input = json!({ "entities": hosts, "parameters": { "file_sha1": "x" } });
    let (_, ja) = fatal(act(&bench.url, &[KEY], &journal, "terminate_process", input).await);
    assert_eq!(
        ja,
        "アクション「プロセスの終了」の実行中にエラーが発生しました。理由: `file_sha1` が 40 桁の 16 進数の SHA-1 ではありません"
    );
}
