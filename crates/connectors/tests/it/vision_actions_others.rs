//! Trend Vision One's actions with shapes of their own: alerts, notes, the sandbox, look-ups.

use std::sync::{Arc, Mutex};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::action::ItemState;
use serde_json::{Value, json};

use crate::vision_actions::{Bench, KEY, act, entities, fatal, states, vision};
use crate::vision_actions_durable::alert;
use crate::vision_actions_odd::{fake, journal};

#[tokio::test]
async fn vision_actions_update_alerts_whatever_their_etags_look_like() {
    for etag in ["bare", "quoted", "weak"] {
        let bench = Bench::new(&[("etag", etag)]).await;
        let id = alert(&bench).await;
        let input = json!({
            "entities": [{ "type": "alert", "value": id }],
            "parameters": { "status": "closed", "investigation_result": "true positive" },
        });
        let outcome = bench.act("update_alert", input.clone()).await.unwrap();
        assert_eq!(
            outcome.message.en,
            format!("Successfully updated the following alerts in Trend Vision One:\n{id}")
        );
        assert_eq!(
            outcome.message.ja,
            format!("Trend Vision One で次のアラートを更新しました:\n{id}")
        );
        assert_eq!(
            outcome.result,
            json!({
                "items": [{ "type": "alert", "value": id, "state": "succeeded" }],
                "status": "Closed", "investigation_result": "True Positive",
            })
        );
        let changed = &bench.simulator.state()["alerts"][0];
        assert_eq!(
            (&changed["status"], &changed["investigationResult"]),
            (&json!("Closed"), &json!("True Positive"))
        );
        let journal = bench.journal.other_run("run-2");
        let again = act(&bench.url, &[KEY], &journal, "update_alert", input).await.unwrap();
        assert_eq!(states(&again), [ItemState::Already]);
        let words = "There was nothing to do for the following alerts in Trend Vision One:";
        assert_eq!(again.message.en, format!("{words}\n{id}"));
        assert!(journal.changes().is_empty());
    }
}

#[tokio::test]
async fn vision_actions_say_what_is_wrong_with_an_alert_or_an_update() {
    let bench = Bench::new(&[]).await;
    let input = json!({ "parameters": { "alert_id": "WB-0-20260101-00000", "status": "Closed" } });
    let outcome = bench.act("update_alert", input).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Failed]);
    assert!(
        outcome.message.en.contains("WB-0-20260101-00000 (request refused: 127.0.0.1:"),
        "{}",
        outcome.message.en
    );
    assert!(outcome.message.en.ends_with("\nNo alerts were updated in Trend Vision One."));
    let input = json!({ "parameters": { "alert_id": "WB-1" } });
    let (en, ja) = fatal(bench.act("update_alert", input).await);
    assert_eq!(
        en,
        "Error executing action \"Update Alert\". Reason: neither `status` nor `investigation_result` is given"
    );
    assert!(ja.starts_with("アクション「アラートの更新」の実行中にエラーが発生しました。理由: "));
}

/// An alert whose version moves under the hands of whoever changes it, so often.
async fn moving(times: usize) -> (String, Arc<Mutex<Vec<String>>>) {
    let state = Arc::new(Mutex::new((0, times)));
    fake(move |method, _, _| {
        let mut state = state.lock().unwrap();
        if method == "GET" {
            state.0 += 1;
            let tag = format!("W/\"v{}\"", state.0);
            return (200, vec![("etag", tag)], json!({ "status": "Open" }));
        }
        if state.1 > 0 {
            state.1 -= 1;
            let error = json!({ "error": { "code": "ConditionNotMet", "message": "moved", "number": 3090018 } });
            return (412, vec![], error);
        }
        (204, vec![], Value::Null)
    })
    .await
}

#[tokio::test]
async fn vision_actions_put_a_change_on_what_somebody_else_changed_once() {
    let input = || json!({ "parameters": { "alert_id": "WB-1", "status": "Closed" } });
    let (url, seen) = moving(1).await;
    let outcome = act(&url, &[KEY], &journal(), "update_alert", input()).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Succeeded]);
    let path = "/v3.0/workbench/alerts/WB-1";
    assert_eq!(
        *seen.lock().unwrap(),
        [
            format!("GET {path}"),
            format!("PATCH {path} \"v1\""),
            format!("GET {path}"),
            format!("PATCH {path} \"v2\""),
        ]
    );
    let (url, seen) = moving(2).await;
    let outcome = act(&url, &[KEY], &journal(), "update_alert", input()).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Failed]);
    assert!(outcome.items[0].detail.en.ends_with("answered 412: moved"), "{:?}", outcome.items);
    assert_eq!(seen.lock().unwrap().len(), 4);
}

#[tokio::test]
async fn vision_actions_add_notes_and_know_their_ids() {
    let bench = Bench::new(&[]).await;
    let id = alert(&bench).await;
    let input = json!({
        "entities": [{ "type": "alert", "value": id }, { "type": "alert", "value": "WB-none" }],
        "parameters": { "content": "見ました" },
    });
    let outcome = bench.act("add_note", input).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Succeeded, ItemState::Failed]);
    let note = &bench.simulator.state()["notes"][0];
    assert_eq!(outcome.result["items"][0]["note_id"], note["id"].to_string());
    assert_eq!(note["content"], "見ました");
    assert!(outcome.message.en.starts_with(&format!(
        "Successfully added a note to the following alerts in Trend Vision One:\n{id}\nAction wasn't able to add a note to"
    )));
}

#[tokio::test]
async fn vision_actions_hand_in_files_and_urls_and_tell_the_verdicts() {
    let bench = Bench::new(&[]).await;
    let urls =
        [("url", "http://cdn.bad.example/a"), ("url", "https://www.example.com/"), ("url", "x")];
    let outcome = bench.act("sandbox_submit_url", entities(&urls)).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Succeeded, ItemState::Succeeded, ItemState::Invalid]);
    assert_eq!(outcome.result["items"][0]["risk_level"], "high");
    let told: Vec<_> = outcome
        .enrichment
        .iter()
        .map(|about| (&*about.properties["TMV1_sandbox_risk"], about.is_suspicious))
        .collect();
    assert_eq!(told, [("high", true), ("noRisk", false)]);
    assert!(outcome.message.ja.starts_with("Trend Vision One で次の URL を分析しました:\n"));
    let eicar = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*";
    let input = json!({ "parameters": {
        "file_name": "請求書.doc", "content": STANDARD.encode(eicar), "document_password": "s3cr3t-word",
    } });
    let journal = bench.journal.other_run("run-2");
    let outcome = act(&bench.url, &[KEY], &journal, "sandbox_submit_file", input).await.unwrap();
    assert_eq!(
        outcome.message.en,
        "Successfully analyzed the following files in Trend Vision One:\n請求書.doc"
    );
    assert_eq!(outcome.result["items"][0]["risk_level"], "high");
    assert_eq!(bench.simulator.state()["sandbox"][2]["name"], "請求書.doc");
    let written = journal.everything();
    assert!(!written.contains("s3cr3t-word") && !written.contains(&STANDARD.encode("s3cr3t-word")));
    let input = json!({ "parameters": { "file_name": "a", "content": "%" } });
    let (en, _) = fatal(act(&bench.url, &[KEY], &journal, "sandbox_submit_file", input).await);
    assert_eq!(
        en,
        "Error executing action \"Submit File To Sandbox\". Reason: `content` is no file in base64"
    );
}

#[tokio::test]
async fn vision_actions_know_machines_by_name_guid_and_address() {
    let bench = Bench::new(&[]).await;
    let by_name = bench.act("get_endpoint", entities(&[("host", "tarn-dc-01")])).await.unwrap();
    let properties = &by_name.enrichment[0].properties;
    let guid = properties["TMV1_agent_guid"].to_uppercase();
    assert_eq!(properties["TMV1_isolation_status"], "off");
    let input = entities(&[
        ("host", &guid),
        ("ip", "198.51.100.10"),
        ("host", "経理-PC-07"),
        ("host", "o'neil"),
        ("ip", "1.2.3"),
        ("host", "NOWHERE"),
        ("url", "http://a.example/"),
    ]);
    let outcome = bench.act("get_endpoint", input).await.unwrap();
    use ItemState::{Failed, Invalid, Skipped, Succeeded};
    assert_eq!(
        states(&outcome),
        [Succeeded, Succeeded, Succeeded, Invalid, Invalid, Failed, Skipped]
    );
    let names: Vec<_> =
        outcome.enrichment.iter().map(|about| &*about.properties["TMV1_endpoint_name"]).collect();
    assert_eq!(names, ["TARN-DC-01", "TARN-DC-01", "経理-PC-07"]);
    assert!(outcome.message.en.starts_with(
        "Successfully retrieved information about the following endpoints from Trend Vision One:\n"
    ));
    let none = bench.act("get_endpoint", entities(&[("host", "NOWHERE")])).await.unwrap();
    assert_eq!(
        none.message.en,
        "Action wasn't able to retrieve information about the following endpoints from Trend Vision One:\n\
         NOWHERE (no such endpoint)\n\
         No endpoints were enriched using information from Trend Vision One."
    );
}

#[tokio::test]
async fn vision_actions_ping_tells_a_good_key_from_one_that_has_run_out() {
    let ok = "Successfully connected to the Trend Vision One instance with the provided connection parameters!";
    for (faults, is_success, start) in [
        (&[][..], true, ok),
        (&[("no_scope", "sim-key:response")][..], true, ok),
        (
            &[("expired", "sim-key")][..],
            false,
            "Failed to connect to the Trend Vision One! Error: ",
        ),
        (
            &[("keys", "other")][..],
            false,
            "Failed to connect to the Trend Vision One! Error: unknown key: ",
        ),
    ] {
        let bench = Bench::new(faults).await;
        let outcome = bench.act("ping", json!({})).await.unwrap();
        assert_eq!(outcome.is_success, is_success, "{faults:?}");
        assert!(outcome.message.en.starts_with(start), "{}", outcome.message.en);
        let is_warned = outcome.message.en.contains("The key lacks");
        assert_eq!(is_warned, faults.first().is_some_and(|(name, _)| *name == "no_scope"));
    }
}

#[tokio::test]
async fn vision_actions_are_declared_whole() {
    let vision = vision();
    let actions = &vision.manifest().actions;
    assert_eq!(actions.len(), 20);
    for spec in actions {
        jsonschema::validator_for(&spec.input_schema()).unwrap();
        jsonschema::validator_for(&spec.result).unwrap();
        let texts =
            spec.parameters.iter().flat_map(|parameter| [&parameter.title, &parameter.help]);
        for text in texts.chain([&spec.title, &spec.help]) {
            assert!(
                !text.en.is_empty() && !text.ja.is_empty() && text.en != text.ja,
                "{}",
                spec.name
            );
        }
        if let Some(reverse) = &spec.reverse {
            let reverse = vision.manifest().action(reverse).unwrap();
            assert_eq!(reverse.reverse.as_ref(), Some(&spec.name), "{}", spec.name);
            assert_eq!(reverse.entities, spec.entities, "{}", spec.name);
        }
        assert!(!spec.permissions.is_empty(), "{}", spec.name);
    }
}
