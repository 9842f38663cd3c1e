//! What actions change at the fake Trend Vision One, as its own routes and `/_sim/state` show it.

use std::time::Duration;

use serde_json::{Value, json};
use simulators::Simulator;

use crate::vision::{ALERTS, get, items, pages, send, sim, texts};
use crate::vision_actions::{BLOCK, INVOICE, ISOLATE, QUARANTINE, UNBLOCK, accepted, post};

const LIST: &str = "/v3.0/threatintel/suspiciousObjects";
const MAILS: &str = "/v3.0/search/emailActivities";
const RESTORE: &str = "/v3.0/response/endpoints/restore";

fn wait(sim: &Simulator) {
    sim.clock().advance(Duration::from_secs(2));
}

async fn status(sim: &Simulator, id: &str) -> String {
    let task = get(sim, &format!("/v3.0/response/tasks/{id}")).await.json();
    task["status"].as_str().unwrap().to_owned()
}

async fn isolation(sim: &Simulator, name: &str) -> Value {
    let filter = format!("endpointName eq '{name}'");
    let page =
        send(sim, "GET", "/v3.0/endpointSecurity/endpoints", &[("tmv1-filter", &filter)], "").await;
    page.json()["items"][0]["isolationStatus"].clone()
}

#[tokio::test]
async fn nothing_is_changed_before_anybody_acts() {
    let sim = sim(&[]);
    get(&sim, ALERTS).await;
    let state = sim.state();
    let names: Vec<_> = state.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "suspicious_objects",
            "endpoints",
            "mails",
            "accounts",
            "scripts",
            "collected_files",
            "terminated",
            "tasks",
            "sandbox",
            "alerts",
            "notes",
        ]
    );
    assert!(state.as_object().unwrap().values().all(|value| *value == json!([])), "{state}");
    assert_eq!(get(&sim, "/_sim/state").await.json(), state);
}

#[tokio::test]
async fn an_endpoint_is_isolated_when_its_task_has_ended_and_not_before() {
    let sim = sim(&[]);
    accepted(&sim, ISOLATE, json!({ "endpointName": "TARN-DC-01" })).await;
    assert_eq!(isolation(&sim, "TARN-DC-01").await, "off");
    assert_eq!(sim.state()["endpoints"], json!([]));
    wait(&sim);
    assert_eq!(isolation(&sim, "TARN-DC-01").await, "on");
    assert_eq!(isolation(&sim, "tarn-web-2").await, "off");
    let state = sim.state();
    let guid = state["endpoints"][0]["agentGuid"].as_str().unwrap().to_owned();
    let expected = json!([{ "agentGuid": guid, "endpointName": "TARN-DC-01", "isolated": true, "effects": 1 }]);
    assert_eq!(state["endpoints"], expected);
    // Any case of a GUID is the same machine.
    let restored = accepted(&sim, RESTORE, json!({ "agentGuid": guid.to_uppercase() })).await;
    wait(&sim);
    assert_eq!(status(&sim, &restored).await, "succeeded");
    let detail = get(&sim, &format!("/v3.0/endpointSecurity/endpoints/{}", guid.to_uppercase()))
        .await
        .json();
    assert_eq!(detail["isolationStatus"], "off");
    assert_eq!(sim.state()["endpoints"][0]["effects"], 2);
    let again = accepted(&sim, RESTORE, json!({ "agentGuid": guid })).await;
    wait(&sim);
    assert_eq!(status(&sim, &again).await, "failed", "only what was isolated is restored");
    assert_eq!(sim.state()["endpoints"][0]["effects"], 2);
}

#[tokio::test]
async fn what_alerts_and_techniques_name_can_be_acted_on() {
    let sim = sim(&[]);
    for page in pages(&sim, &format!("{ALERTS}?startDateTime=2026-03-02T07:00:00Z")).await {
        for alert in page["items"].as_array().unwrap() {
            let entities = alert["impactScope"]["entities"].as_array().unwrap();
            let host = entities.iter().find(|entity| entity["entityType"] == "host").unwrap();
            let guid = host["entityValue"]["guid"].as_str().unwrap();
            let found = get(&sim, &format!("/v3.0/endpointSecurity/endpoints/{guid}")).await.json();
            assert_eq!(found["endpointName"], host["entityValue"]["name"]);
            let indicators = alert["indicators"].as_array().unwrap();
            let message = indicators.iter().find(|found| found["type"] == "email_message_id");
            let mailbox = entities.iter().find(|entity| entity["entityType"] == "emailAddress");
            if let (Some(message), Some(mailbox)) = (message, mailbox) {
                let (id, mailbox) =
                    (message["value"].as_str().unwrap(), mailbox["entityValue"].as_str().unwrap());
                let query = format!("mailMsgId:\"{id}\" and mailbox:\"{mailbox}\"");
                let found = send(&sim, "GET", MAILS, &[("tmv1-query", &query)], "").await.json();
                assert_eq!(found["items"].as_array().unwrap().len(), 1, "{query}");
            }
        }
    }
    let techniques = items(&pages(&sim, "/v3.0/oat/detections?top=200").await);
    for endpoint in techniques.iter().filter_map(|technique| technique.get("endpoint")) {
        let guid = endpoint["agentGuid"].as_str().unwrap();
        assert_eq!(
            get(&sim, &format!("/v3.0/endpointSecurity/endpoints/{guid}")).await.status,
            200
        );
    }
}

#[tokio::test]
async fn objects_are_listed_when_added_and_only_those_are_removed() {
    let sim = sim(&[]);
    let url = json!({ "url": "http://bad.example/a", "description": "alert 7" });
    accepted(&sim, BLOCK, url.clone()).await;
    accepted(&sim, BLOCK, json!({ "domain": "tarn.example" })).await;
    assert_eq!(items(&pages(&sim, LIST).await).len(), 2, "what was imported before");
    wait(&sim);
    let listed = items(&pages(&sim, LIST).await);
    assert_eq!(listed.len(), 4);
    let filter = [("tmv1-filter", "url eq 'http://bad.example/a' and type eq 'url'")];
    let found = send(&sim, "GET", LIST, &filter, "").await.json()["items"].clone();
    assert_eq!(
        found,
        json!([{
            "url": "http://bad.example/a", "type": "url", "scanAction": "block", "riskLevel": "high",
            "inExceptionList": false, "lastModifiedDateTime": "2026-03-02T08:00:02Z",
            "expiredDateTime": "2026-04-01T08:00:02Z", "description": "alert 7",
        }])
    );
    assert!(listed.iter().any(|object| object["inExceptionList"] == true));
    assert_eq!(
        sim.state()["suspicious_objects"],
        json!([
            { "type": "url", "value": "http://bad.example/a", "description": "alert 7" },
            { "type": "domain", "value": "tarn.example", "description": null },
        ])
    );
    let removed = accepted(&sim, UNBLOCK, url).await;
    let imported = accepted(&sim, UNBLOCK, json!({ "domain": "imported.example" })).await;
    wait(&sim);
    assert_eq!(status(&sim, &removed).await, "succeeded");
    assert_eq!(status(&sim, &imported).await, "failed", "it was not added by the action");
    assert_eq!(items(&pages(&sim, LIST).await).len(), 3);
    for bad in ["top=10", "orderBy=colour", "startDateTime=x"] {
        assert_eq!(get(&sim, &format!("{LIST}?{bad}")).await.status, 400, "{bad}");
    }
    sim.clock().advance(Duration::from_secs(31 * 86_400));
    assert_eq!(items(&pages(&sim, LIST).await), Vec::<Value>::new(), "objects run out");
}

#[tokio::test]
async fn the_list_of_objects_is_paged_in_its_order() {
    let sim = sim(&[]);
    let blocks: Vec<Value> = (0..120).map(|n| json!({ "ip": format!("198.51.100.{n}") })).collect();
    post(&sim, BLOCK, &Value::from(blocks)).await;
    wait(&sim);
    let pages = pages(&sim, &format!("{LIST}?top=50&orderBy=lastModifiedDateTime%20asc")).await;
    assert_eq!(pages.len(), 3);
    let all = items(&pages);
    assert_eq!(all.len(), 122);
    assert!(texts(&all, "lastModifiedDateTime").is_sorted());
}

#[tokio::test]
async fn mails_are_moved_in_one_mailbox_or_in_all_and_deleted_ones_are_gone() {
    let sim = sim(&[]);
    accepted(&sim, QUARANTINE, json!({ "messageId": INVOICE })).await;
    wait(&sim);
    let (restore, delete) = ("/v3.0/response/emails/restore", "/v3.0/response/emails/delete");
    let keiri = json!({ "messageId": INVOICE, "mailBox": "KEIRI@tarn.example" });
    accepted(&sim, restore, keiri).await;
    accepted(&sim, delete, json!({ "uniqueId": "AAMkAD-4711-01" })).await;
    let untouched = accepted(&sim, restore, json!({ "uniqueId": "AAMkAD-0077-01" })).await;
    wait(&sim);
    assert_eq!(status(&sim, &untouched).await, "failed", "it is not in quarantine");
    let mail = |mailbox: &str, unique: &str, state: &str, effects: u64| {
        json!({
            "messageId": INVOICE, "mailBox": mailbox, "uniqueId": unique, "state": state, "effects": effects,
        })
    };
    assert_eq!(
        sim.state()["mails"],
        json!([
            mail("haruka.mori@tarn.example", "AAMkAD-4711-01", "deleted", 2),
            mail("lena.fischer@tarn.example", "AAMkAD-4711-02", "quarantined", 1),
            mail("keiri@tarn.example", "AAMkAD-4711-03", "delivered", 2),
        ])
    );
    let gone = post(&sim, QUARANTINE, &json!([{ "uniqueId": "AAMkAD-4711-01" }])).await.json();
    assert_eq!(gone[0]["body"]["error"]["message"], "Target not found.");
}

#[tokio::test]
async fn accounts_scripts_files_and_processes_show_what_was_done_to_them() {
    let sim = sim(&[]);
    let account = |step: &str| format!("/v3.0/response/domainAccounts/{step}");
    let lena = json!({ "accountName": "Lena.Fischer@tarn.example" });
    for step in ["disable", "signOut"] {
        accepted(&sim, &account(step), lena.clone()).await;
    }
    accepted(&sim, &account("resetPassword"), json!({ "accountName": "tarn\\h.mori" })).await;
    let host = |more: &[(&str, &str)]| {
        let mut item = json!({ "endpointName": "TARN-MAC-0031" });
        more.iter().for_each(|(name, value)| item[*name] = json!(value));
        item
    };
    let base = "/v3.0/response/endpoints";
    let sha1 = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
    accepted(
        &sim,
        &format!("{base}/runScript"),
        host(&[("fileName", "a.sh"), ("parameter", "-x")]),
    )
    .await;
    accepted(&sim, &format!("{base}/collectFile"), host(&[("filePath", "/tmp/a")])).await;
    accepted(&sim, &format!("{base}/terminateProcess"), host(&[("fileSha1", sha1)])).await;
    wait(&sim);
    let state = sim.state();
    assert_eq!(
        state["accounts"],
        json!([
            { "accountName": "lena.fischer@tarn.example", "enabled": false, "sign_outs": 1, "password_resets": 0 },
            { "accountName": "tarn\\h.mori", "enabled": true, "sign_outs": 0, "password_resets": 1 },
        ])
    );
    assert_eq!(state["scripts"][0]["fileName"], "a.sh");
    assert_eq!(state["scripts"][0]["parameter"], "-x");
    assert_eq!(state["collected_files"][0]["filePath"], "/tmp/a");
    assert_eq!(state["terminated"][0]["fileSha1"], sha1);
    for name in ["scripts", "collected_files", "terminated"] {
        assert_eq!(state[name].as_array().unwrap().len(), 1);
        assert_eq!(state[name][0]["endpointName"], "TARN-MAC-0031");
    }
    accepted(&sim, &account("enable"), lena).await;
    wait(&sim);
    assert_eq!(sim.state()["accounts"][0]["enabled"], true);
    assert_eq!(sim.state()["tasks"].as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn patched_alerts_and_notes_are_part_of_the_state() {
    let sim = sim(&[("updates", "off")]);
    let id = get(&sim, ALERTS).await.json()["items"][0]["id"].as_str().unwrap().to_owned();
    let target = format!("{ALERTS}/{id}");
    let close = r#"{"status":"Closed","investigationResult":"Noteworthy"}"#;
    assert_eq!(send(&sim, "PATCH", &target, &[], close).await.status, 204);
    let added = send(&sim, "POST", &format!("{target}/notes"), &[], r#"{"content":"seen"}"#).await;
    assert_eq!(added.status, 201);
    let etag = get(&sim, &target).await.headers["etag"].to_str().unwrap().to_owned();
    let state = sim.state();
    assert_eq!(
        state["alerts"],
        json!([{ "id": id, "status": "Closed", "investigationResult": "Noteworthy", "etag": etag }])
    );
    assert_eq!(state["notes"], json!([{ "alertId": id, "id": 1, "content": "seen" }]));
}

#[tokio::test]
async fn a_note_has_an_id_of_its_own_and_an_etag_for_every_content() {
    for (form, start) in [("bare", "\""), ("quoted", "\""), ("weak", "W/\"")] {
        let sim = sim(&[("updates", "off"), ("etag", form)]);
        let id = get(&sim, ALERTS).await.json()["items"][0]["id"].as_str().unwrap().to_owned();
        let notes = format!("{ALERTS}/{id}/notes");
        let add = async || {
            let added = send(&sim, "POST", &notes, &[], r#"{"content":"one"}"#).await;
            let place = added.headers["location"].to_str().unwrap().to_owned();
            place.rsplit('/').next().unwrap().to_owned()
        };
        let first = add().await;
        let note = format!("{notes}/{first}");
        let etag = get(&sim, &note).await.headers["etag"].to_str().unwrap().to_owned();
        let bare = etag.strip_prefix("W/").unwrap_or(&etag);
        assert!(etag.starts_with(start) && bare.matches('"').count() == 2, "{etag}");
        let edit = async |content: &str| {
            let body = json!({ "content": content }).to_string();
            send(&sim, "PATCH", &note, &[("if-match", &etag)], &body).await
        };
        assert_eq!(edit("two").await.status, 204);
        let stale = edit("six").await;
        assert_eq!(
            (stale.status.as_u16(), &stale.json()["error"]["number"]),
            (412, &json!(3_090_018))
        );
        let body = json!([{ "id": first.parse::<u64>().unwrap() }]).to_string();
        assert_eq!(send(&sim, "POST", &format!("{notes}/delete"), &[], &body).await.status, 204);
        assert_ne!(add().await, first, "ids are not given twice");
        assert_eq!(get(&sim, &format!("{notes}?dateTimeTarget=colour")).await.status, 400);
    }
}

#[tokio::test]
async fn mails_are_searched_in_the_colon_dialect() {
    let sim = sim(&[]);
    let ask = async |parameters: &str, query: &str| {
        send(&sim, "GET", &format!("{MAILS}{parameters}"), &[("tmv1-query", query)], "").await
    };
    for (query, expected) in [
        ("*", 8),
        ("mailMsgId:\"<invoice-4711@mx.bad.example>\"", 3),
        ("mailMsgId:*4711* and not mailbox:keiri@tarn.example", 2),
        ("mailFromAddresses:ceo.office@bad.example or msgUuid:AAMkAD-0009-01", 3),
        ("Rechnung", 0),
    ] {
        let page = ask("", query).await.json();
        assert_eq!(page["items"].as_array().unwrap().len(), expected, "{query}");
        assert_eq!(page["progressRate"], 100);
    }
    let newest = ask("", "*").await.json();
    let times: Vec<_> = newest["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|mail| mail["eventTime"].as_i64().unwrap())
        .collect();
    assert!(times.is_sorted_by(|a, b| a >= b));
    assert_eq!(ask("?mode=countOnly", "*").await.json(), json!({ "totalCount": 8 }));
    let late = ask("?startDateTime=2026-03-02T06:30:00Z&select=mailbox,uuid", "*").await.json();
    assert_eq!(late["items"].as_array().unwrap().len(), 1);
    assert_eq!(late["items"][0].as_object().unwrap().len(), 2);
    assert_eq!(get(&sim, MAILS).await.status, 400, "the header is required");
    for (parameters, query) in [("?top=7", "*"), ("?mode=fast", "*"), ("", "(")] {
        assert_eq!(ask(parameters, query).await.status, 400, "{parameters} {query}");
    }
}
