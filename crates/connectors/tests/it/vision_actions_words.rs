//! The words of each of Trend Vision One's actions, whole, in both languages.

use serde_json::json;

use crate::vision_actions::{Bench, KEY, act, entities, spec};

/// An action, what it runs on with which parameters, and its own words: verb, past, nouns with their place, and
/// the sentence when nothing succeeded; then the Japanese nouns, stem and sentence.
type Own = (
    &'static str,
    (&'static str, &'static str, &'static str),
    [&'static str; 4],
    [&'static str; 3],
);

const HOST: &str = "TARN-PC-0112";
const DIGEST: &str = "9f2c4b7a1d0e8c6655aa33bb77cc99dd11ee22ff";
const MACHINES: &str = "endpoints in Trend Vision One";
const PEOPLE: &str = "accounts in Trend Vision One";
const MAILS: &str = "messages in Trend Vision One";

const ALL: &[Own] = &[
    (
        "isolate_endpoint",
        ("host", HOST, "{}"),
        ["isolate", "isolated", MACHINES, "No endpoints were isolated in Trend Vision One."],
        ["エンドポイント", "を隔離", "隔離したエンドポイントはありません。"],
    ),
    (
        "restore_endpoint",
        ("host", HOST, "{}"),
        [
            "restore the connection of",
            "restored the connection of",
            MACHINES,
            "No endpoints were reconnected in Trend Vision One.",
        ],
        ["エンドポイント", "の接続を復旧", "接続を復旧したエンドポイントはありません。"],
    ),
    (
        "collect_file",
        ("host", HOST, r#"{"file_path": "/a"}"#),
        [
            "collect the file from",
            "collected the file from",
            MACHINES,
            "No files were collected in Trend Vision One.",
        ],
        ["エンドポイント", "からファイルを収集", "収集したファイルはありません。"],
    ),
    (
        "terminate_process",
        ("host", HOST, r#"{"file_sha1": "9f2c4b7a1d0e8c6655aa33bb77cc99dd11ee22ff"}"#),
        [
            "terminate the process on",
            "terminated the process on",
            MACHINES,
            "No processes were terminated in Trend Vision One.",
        ],
        ["エンドポイント", "でプロセスを終了", "終了したプロセスはありません。"],
    ),
    (
        "run_script",
        ("host", HOST, r#"{"script_name": "a.ps1"}"#),
        [
            "run the script on",
            "ran the script on",
            MACHINES,
            "No scripts were run in Trend Vision One.",
        ],
        ["エンドポイント", "でスクリプトを実行", "実行したスクリプトはありません。"],
    ),
    (
        "disable_account",
        ("user", "haruka.mori@tarn.example", "{}"),
        ["disable", "disabled", PEOPLE, "No accounts were disabled in Trend Vision One."],
        ["アカウント", "を無効化", "無効化したアカウントはありません。"],
    ),
    (
        "enable_account",
        ("user", "haruka.mori@tarn.example", "{}"),
        ["enable", "enabled", PEOPLE, "No accounts were enabled in Trend Vision One."],
        ["アカウント", "を有効化", "有効化したアカウントはありません。"],
    ),
    (
        "sign_out_account",
        ("user", "haruka.mori@tarn.example", "{}"),
        ["sign out", "signed out", PEOPLE, "No accounts were signed out in Trend Vision One."],
        ["アカウント", "を強制サインアウト", "強制サインアウトしたアカウントはありません。"],
    ),
    (
        "reset_password",
        ("user", "haruka.mori@tarn.example", "{}"),
        [
            "reset the password of",
            "reset the password of",
            PEOPLE,
            "No passwords were reset in Trend Vision One.",
        ],
        [
            "アカウント",
            "のパスワードをリセット",
            "パスワードをリセットしたアカウントはありません。",
        ],
    ),
    (
        "quarantine_message",
        ("message_id", "<news-9@list.storage.example>", "{}"),
        ["quarantine", "quarantined", MAILS, "No messages were quarantined in Trend Vision One."],
        ["メッセージ", "を隔離", "隔離したメッセージはありません。"],
    ),
    (
        "restore_message",
        ("message_id", "<news-9@list.storage.example>", "{}"),
        ["restore", "restored", MAILS, "No messages were restored in Trend Vision One."],
        ["メッセージ", "を復元", "復元したメッセージはありません。"],
    ),
    (
        "delete_message",
        ("message_id", "<news-9@list.storage.example>", "{}"),
        ["delete", "deleted", MAILS, "No messages were deleted in Trend Vision One."],
        ["メッセージ", "を削除", "削除したメッセージはありません。"],
    ),
    (
        "add_to_block_list",
        ("domain", "bad.example", "{}"),
        [
            "add",
            "added",
            "entities to the block list in Trend Vision One",
            "No entities were added to the block list in Trend Vision One.",
        ],
        [
            "エンティティ",
            "をブロックリストに追加",
            "ブロックリストに追加したエンティティはありません。",
        ],
    ),
    (
        "remove_from_block_list",
        ("domain", "bad.example", "{}"),
        [
            "remove",
            "removed",
            "entities from the block list in Trend Vision One",
            "No entities were removed from the block list in Trend Vision One.",
        ],
        [
            "エンティティ",
            "をブロックリストから削除",
            "ブロックリストから削除したエンティティはありません。",
        ],
    ),
];

/// What must have been done before an action can do anything.
const BEFORE: [(&str, &str); 3] = [
    ("restore_endpoint", "isolate_endpoint"),
    ("restore_message", "quarantine_message"),
    ("remove_from_block_list", "add_to_block_list"),
];

#[tokio::test]
async fn vision_actions_each_have_their_own_words() {
    for (action, (kind, value, parameters), [verb, past, nouns, none], ja) in ALL {
        let [ja_nouns, ja_stem, ja_none] = ja;
        let mut input = entities(&[(kind, value)]);
        input["parameters"] = serde_json::from_str(parameters).unwrap();
        let bench = Bench::new(&[("refuse_items", "feature")]).await;
        let refused = bench.act(action, input.clone()).await.unwrap();
        assert_eq!(
            refused.message.en,
            format!(
                "Action wasn't able to {verb} the following {nouns}:\n{value} (Feature disabled.)\n{none}"
            )
        );
        assert_eq!(
            refused.message.ja,
            format!(
                "Trend Vision One で次の{ja_nouns}{ja_stem}できませんでした:\n{value} (Feature disabled.)\n\
                 Trend Vision One で{ja_none}"
            )
        );
        assert!(!refused.is_success, "{action}");

        bench.simulator.set_fault("refuse_items", "off").unwrap();
        if let Some((_, before)) = BEFORE.iter().find(|(known, _)| known == action) {
            let journal = bench.journal.other_run("before");
            let done = act(&bench.url, &[KEY], &journal, before, input.clone()).await.unwrap();
            assert!(done.is_success, "{before}");
        }
        let journal = bench.journal.other_run("run-2");
        let done = act(&bench.url, &[KEY], &journal, action, input).await.unwrap();
        assert_eq!(done.message.en, format!("Successfully {past} the following {nouns}:\n{value}"));
        assert_eq!(
            done.message.ja,
            format!("Trend Vision One で次の{ja_nouns}{ja_stem}しました:\n{value}")
        );
        assert!(done.is_success, "{action}");

        let journal = bench.journal.other_run("run-3");
        let mut only = entities(&[("aws_principal", "arn:aws:iam::1:user/a")]);
        if let Some(parameters) =
            spec(action).parameters.iter().find(|parameter| parameter.required)
        {
            only["parameters"] = json!({ &*parameters.name: DIGEST });
        }
        let skipped = act(&bench.url, &[KEY], &journal, action, only).await.unwrap();
        assert_eq!(
            skipped.message.en,
            format!(
                "The following entities were skipped, as the action does not support their types:\n\
                 arn:aws:iam::1:user/a\n{none}"
            )
        );
        assert!(!skipped.is_success && journal.changes().is_empty(), "{action}");
    }
}
