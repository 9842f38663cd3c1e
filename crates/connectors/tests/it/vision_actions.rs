//! Trend Vision One's actions against its simulator: every outcome with its words in both languages.

use std::sync::Arc;

use connectors::Registry;
use model::action::{ActionSpec, Call, Entity, EntityKind, Halt, Input, ItemState, Outcome, Right};
use model::connector::{Credential, OneOrMany, Settings};
use model::secret::Secret;
use model::vendor::{Connection, Integration};
use serde_json::{Value, json};
use simulators::{Options, SimClock, Simulator, Volume};
use tokio::net::TcpListener;

use crate::memory_journal::MemoryJournal;
use crate::support::{Ledger, parameters, time};

const KEY: &str = "sim-key";

pub(crate) fn vision() -> Arc<dyn Integration> {
    Registry::new().get("trend_vision_one").unwrap().clone()
}

pub(crate) fn spec(action: &str) -> ActionSpec {
    vision().manifest().action(action).unwrap().clone()
}

pub(crate) fn open(base_url: &str, keys: &[&str]) -> Arc<dyn Connection> {
    let keys = keys.iter().map(|key| Secret::new(*key)).collect();
    let settings = Settings {
        credential: Credential([("token".to_owned(), OneOrMany::Many(keys))].into()),
        parameters: parameters(json!({ "base_url": base_url })),
        content_types: vec!["alerts".to_owned()],
        verify_tls: true,
        proxy: None,
        extra_regions: Vec::new(),
    };
    vision().open(&settings).unwrap()
}

/// A simulator and the first life of a run that acts on it.
pub(crate) struct Bench {
    pub(crate) simulator: Simulator,
    pub(crate) url: String,
    pub(crate) journal: MemoryJournal,
}

impl Bench {
    pub(crate) async fn new(faults: &[(&str, &str)]) -> Self {
        let mut all = vec![("requests".to_owned(), "100000".to_owned())];
        all.extend(faults.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let clock = SimClock::manual(time("2026-03-02T08:00:00Z").as_millis());
        let options =
            Options { seed: 5, volume: Volume::PerHour(40.0), faults: all, clock: clock.clone() };
        let simulator = simulators::simulator("trend_vision_one", options).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(simulator.clone().serve(listener, std::future::pending()));
        Self { simulator, url, journal: MemoryJournal::new(&clock) }
    }

    pub(crate) async fn act(&self, action: &str, input: Value) -> Result<Outcome, Halt> {
        act(&self.url, &[KEY], &self.journal, action, input).await
    }

    /// POSTs that were sent to a path, whatever came of them.
    pub(crate) fn posts(&self, path: &str) -> usize {
        let requests = self.simulator.requests();
        requests.iter().filter(|sent| sent.method == "POST" && sent.path.ends_with(path)).count()
    }
}

/// Runs an action; a JSON result is always as it was declared.
pub(crate) async fn act(
    url: &str,
    keys: &[&str],
    journal: &MemoryJournal,
    action: &str,
    input: Value,
) -> Result<Outcome, Halt> {
    let spec = spec(action);
    let input: Input = serde_json::from_value(input).unwrap();
    let input = input.checked(&spec).unwrap();
    let connection = open(url, keys);
    let right =
        |key: &model::vendor::Key| Right { key: key.clone(), budget: Box::new(Ledger::default()) };
    let rights: Vec<Right> = connection.keys().iter().map(right).collect();
    let call = Call { action, input: &input, rights: &rights, journal };
    let outcome = connection.act(&call).await?;
    let schema = jsonschema::validator_for(&spec.result).unwrap();
    let problems: Vec<_> = schema.iter_errors(&outcome.result).map(|e| e.to_string()).collect();
    assert!(problems.is_empty(), "{action}: {problems:?} in {}", outcome.result);
    let declared = |name: &String| spec.enrichment.contains(name);
    assert!(outcome.enrichment.iter().all(|about| about.properties.keys().all(declared)));
    Ok(outcome)
}

pub(crate) fn entity(kind: EntityKind, value: &str) -> Entity {
    Entity::new(kind, value)
}

pub(crate) fn entities(list: &[(&str, &str)]) -> Value {
    let one = |(kind, value): &(&str, &str)| json!({ "type": kind, "value": value });
    json!({ "entities": list.iter().map(one).collect::<Vec<_>>() })
}

pub(crate) fn states(outcome: &Outcome) -> Vec<ItemState> {
    outcome.items.iter().map(|item| item.state).collect()
}

pub(crate) fn fatal(ended: Result<Outcome, Halt>) -> (String, String) {
    match ended {
        Err(Halt::Fatal(why)) => (why.en, why.ja),
        other => panic!("{other:?}"),
    }
}

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
        input: json!({}),
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
    let hold = model::action::journal::Patience {
        timeout: std::time::Duration::from_secs(1),
        ..model::action::Journal::patience(&other)
    };
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
    let (items, waiting) = bench.journal.progress_shown()[0].clone();
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
            "vendor outage: not taken after 5",
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
        (&[("approval", "approve:60s")][..], ItemState::Succeeded, "waits for approval"),
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
