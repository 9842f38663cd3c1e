//! The tasks of the fake Trend Vision One.

use std::time::Duration;

use serde_json::{Value, json};
use simulators::Simulator;

use crate::vision::{get, items, pages, sim};
use crate::vision_actions::{BLOCK, INVOICE, ISOLATE, QUARANTINE, accepted, act, post, task_id};

const TASKS: &str = "/v3.0/response/tasks";

async fn task(sim: &Simulator, id: &str) -> Value {
    let reply = get(sim, &format!("{TASKS}/{id}")).await;
    assert_eq!(reply.status, 200);
    reply.json()
}

async fn status(sim: &Simulator, id: &str) -> String {
    task(sim, id).await["status"].as_str().unwrap().to_owned()
}

fn wait(sim: &Simulator, seconds: u64) {
    sim.clock().advance(Duration::from_secs(seconds));
}

fn host(name: &str) -> Value {
    json!({ "endpointName": name })
}

#[tokio::test]
async fn a_task_goes_its_way_by_the_clock() {
    let sim = sim(&[("task_delay", "10s")]);
    let id = accepted(&sim, ISOLATE, host("TARN-DC-01")).await;
    assert_eq!(id, "00000041");
    let queued = task(&sim, &id).await;
    assert_eq!(
        (&queued["status"], &queued["createdDateTime"]),
        (&json!("queued"), &json!("2026-03-02T08:00:00Z"))
    );
    wait(&sim, 5);
    let running = task(&sim, &id).await;
    assert_eq!(
        (&running["status"], &running["lastActionDateTime"]),
        (&json!("running"), &json!("2026-03-02T08:00:05Z"))
    );
    wait(&sim, 60);
    let ended = task(&sim, &id).await;
    assert_eq!(
        (&ended["status"], &ended["lastActionDateTime"]),
        (&json!("succeeded"), &json!("2026-03-02T08:00:10Z"))
    );
    assert_eq!(ended["endpointName"], "TARN-DC-01");
    assert!(ended["agentGuid"].is_string() && ended.get("error").is_none());
    let unknown = get(&sim, &format!("{TASKS}/41")).await;
    assert_eq!(
        (unknown.status.as_u16(), &unknown.json()["error"]["code"]),
        (404, &json!("NotFound"))
    );
}

#[tokio::test]
async fn an_approver_decides_when_the_fault_says() {
    let sim = sim(&[("approval", "approve:1m")]);
    let approved = accepted(&sim, ISOLATE, host("TARN-DC-01")).await;
    sim.set_fault("approval", "reject").unwrap();
    let rejected = accepted(&sim, ISOLATE, host("tarn-web-2")).await;
    sim.set_fault("approval", "wait").unwrap();
    let waiting = accepted(&sim, ISOLATE, host("TARN-MAC-0031")).await;
    for id in [&approved, &rejected, &waiting] {
        assert_eq!(status(&sim, id).await, "pendingApproval");
    }
    wait(&sim, 3_600);
    assert_eq!(status(&sim, &approved).await, "succeeded");
    assert_eq!(status(&sim, &rejected).await, "rejected");
    assert_eq!(status(&sim, &waiting).await, "pendingApproval");
    sim.set_fault("approval", "approve:0").unwrap();
    assert_eq!(status(&sim, &waiting).await, "queued");
    wait(&sim, 2);
    assert_eq!(status(&sim, &waiting).await, "succeeded");
    let isolated = sim.state()["endpoints"].as_array().unwrap().len();
    assert_eq!(isolated, 2, "what was rejected did nothing");
}

#[tokio::test]
async fn tasks_stay_where_the_faults_hold_them_and_show_what_nobody_knows() {
    let sim = sim(&[("stuck_tasks", "queued")]);
    let queued = accepted(&sim, ISOLATE, host("TARN-DC-01")).await;
    sim.set_fault("stuck_tasks", "on").unwrap();
    let running = accepted(&sim, ISOLATE, host("tarn-web-2")).await;
    wait(&sim, 86_400);
    assert_eq!(
        (status(&sim, &queued).await.as_str(), status(&sim, &running).await.as_str()),
        ("queued", "running")
    );
    sim.set_fault("task_unknown_status", "notStarted").unwrap();
    assert_eq!(status(&sim, &queued).await, "notStarted");
    sim.set_fault("stuck_tasks", "off").unwrap();
    assert_eq!(status(&sim, &running).await, "notStarted");
    wait(&sim, 2);
    assert_eq!(status(&sim, &running).await, "succeeded");
}

#[tokio::test]
async fn tasks_fail_for_their_targets_and_one_over_several_when_all_fail() {
    let sim = sim(&[("fail_targets", "TARN-DC-01,keiri@tarn.example,AAMkAD-0077-01")]);
    let alone = accepted(&sim, ISOLATE, host("tarn-dc-01")).await;
    let some = accepted(&sim, QUARANTINE, json!({ "messageId": INVOICE })).await;
    let all = accepted(&sim, QUARANTINE, json!({ "uniqueId": "AAMkAD-0077-01" })).await;
    wait(&sim, 2);
    let expected =
        json!({ "code": "TaskError", "number": 4_009_999, "message": "Internal server error." });
    let alone = task(&sim, &alone).await;
    assert_eq!((&alone["status"], &alone["error"]), (&json!("failed"), &expected));
    let some = task(&sim, &some).await;
    let inner: Vec<_> = some["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["status"].as_str().unwrap())
        .collect();
    assert_eq!(
        (&some["status"], inner),
        (&json!("succeeded"), vec!["succeeded", "succeeded", "failed"])
    );
    assert_eq!((some.get("error"), &some["tasks"][2]["error"]), (None, &expected));
    assert_eq!(task(&sim, &all).await["status"], "failed");
}

#[tokio::test]
async fn each_action_shows_its_own_fields() {
    let sim = sim(&[]);
    let mail = accepted(&sim, QUARANTINE, json!({ "messageId": INVOICE })).await;
    let account = json!({ "accountName": "lena.fischer@tarn.example" });
    let account = accepted(&sim, "/v3.0/response/domainAccounts/disable", account).await;
    let block = accepted(&sim, BLOCK, json!({ "senderMailAddress": "a@b.example" })).await;
    let many = accepted(&sim, ISOLATE, host("TARN-NB-1180")).await;
    let file = json!({ "endpointName": "TARN-NB-1180", "filePath": "/tmp/.x/i" });
    let file = accepted(&sim, "/v3.0/response/endpoints/collectFile", file).await;
    assert!(task(&sim, &file).await.get("fileSha1").is_none(), "not before its end");
    wait(&sim, 2);
    let mail = task(&sim, &mail).await;
    assert_eq!(
        mail["tasks"][2],
        json!({
            "messageId": INVOICE, "mailBox": "keiri@tarn.example", "messageSubject": "Rechnung 4711",
            "uniqueId": "AAMkAD-4711-03", "organizationId": "0f7c2a52-7a0e-4c0f-9d7a-1f6c2b6f9a11",
            "status": "succeeded", "lastActionDateTime": "2026-03-02T08:00:02Z",
        })
    );
    let account = task(&sim, &account).await;
    let directories: Vec<_> = account["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| task["iam"].as_str().unwrap())
        .collect();
    assert_eq!(directories, ["AAD", "OPAD"]);
    assert_eq!(task(&sim, &block).await["senderMailAddress"], "a@b.example");
    let many = task(&sim, &many).await;
    assert_eq!(
        (&many["action"], many["tasks"].as_array().unwrap().len()),
        (&json!("isolateForMultiple"), 2)
    );
    let file = task(&sim, &file).await;
    assert_eq!((&file["filePath"], file["fileSize"].as_u64()), (&json!("/tmp/.x/i"), Some(9)));
    for name in
        ["fileSha1", "fileSha256", "resourceLocation", "expiredDateTime", "password", "agentGuid"]
    {
        assert!(file[name].is_string(), "{name}");
    }
}

#[tokio::test]
async fn tasks_are_listed_by_filter_window_and_page() {
    let sim = sim(&[]);
    let blocks: Vec<Value> =
        (0..60).map(|n| json!({ "domain": format!("d{n}.example") })).collect();
    assert_eq!(post(&sim, BLOCK, &Value::from(blocks)).await.status, 207);
    wait(&sim, 60);
    accepted(&sim, ISOLATE, host("TARN-DC-01")).await;
    let all = items(&pages(&sim, &format!("{TASKS}?top=50")).await);
    assert_eq!((all.len(), &all[0]["id"]), (61, &json!("00000101")));
    for (query, expected) in [
        ("filter=id%20eq%20'00000041'%20or%20id%20eq%20'00000043'", 2),
        ("filter=status%20eq%20'succeeded'&top=200", 60),
        ("filter=action%20eq%20'isolate'", 1),
        ("filter=account%20eq%20'nobody'", 0),
        ("startDateTime=2026-03-02T08:01:00Z", 1),
        ("endDateTime=2026-03-02T08:00:01Z&dateTimeTarget=lastActionDateTime", 0),
        ("endDateTime=2026-03-02T08:00:01Z&top=200", 60),
    ] {
        let page = get(&sim, &format!("{TASKS}?{query}")).await.json();
        assert_eq!(page["items"].as_array().unwrap().len(), expected, "{query}");
    }
    for bad in [
        "filter=colour%20eq%20'red'",
        "top=10",
        "dateTimeTarget=updatedDateTime",
        "startDateTime=2025-03-02T08:01:00Z",
        "startDateTime=2026-03-02T08:00:00.000Z",
    ] {
        assert_eq!(get(&sim, &format!("{TASKS}?{bad}")).await.status, 400, "{bad}");
    }
}

#[tokio::test]
async fn scans_are_one_task_answered_by_a_header_and_only_they_are_canceled() {
    let sim = sim(&[]);
    let scan = "/v3.0/response/endpoints/startMalwareScan";
    let body = json!({ "endpoints": [host("TARN-DC-01"), host("tarn-web-2")] });
    let started = post(&sim, scan, &body).await;
    assert_eq!((started.status.as_u16(), started.body.len()), (202, 0));
    let location = started.headers["operation-location"].to_str().unwrap().to_owned();
    assert_eq!(location, "http://xdr.example/v3.0/response/tasks/RM-20260302-00001");
    let task = get(&sim, &location).await.json();
    assert_eq!(task["tasks"].as_array().unwrap().len(), 2);
    assert_eq!(post(&sim, scan, &body).await.json()["error"]["code"], "TaskError");
    assert_eq!(post(&sim, scan, &json!([host("TARN-DC-01")])).await.status, 400);
    let isolation = accepted(&sim, ISOLATE, host("TARN-DC-01")).await;
    assert_eq!(isolation, "00000041", "scans are counted by themselves");
    let cancel = format!("{TASKS}/cancel");
    let canceled = act(&sim, &cancel, json!({ "id": "RM-20260302-00001" })).await;
    assert_eq!(
        (canceled["status"].as_u64(), task_id(&canceled).as_str()),
        (Some(202), "RM-20260302-00001")
    );
    assert_eq!(status(&sim, "RM-20260302-00001").await, "canceled");
    for (item, expected) in [
        (json!({ "id": "RM-20260302-00001" }), 400),
        (json!({ "id": isolation }), 400),
        (json!({ "id": "99" }), 404),
        (json!({ "id": 41 }), 400),
        (json!({}), 400),
    ] {
        assert_eq!(act(&sim, &cancel, item.clone()).await["status"], expected, "{item}");
    }
    wait(&sim, 60);
    assert_eq!(status(&sim, &isolation).await, "succeeded");
    assert_eq!(status(&sim, "RM-20260302-00001").await, "canceled");
}
