//! The actions of the fake Trend Vision One: what each item of a request is answered with.

use serde_json::{Value, json};
use simulators::Simulator;

use crate::client::Reply;
use crate::vision::{get, send, sim};

pub(crate) const ISOLATE: &str = "/v3.0/response/endpoints/isolate";
pub(crate) const BLOCK: &str = "/v3.0/response/suspiciousObjects";
pub(crate) const UNBLOCK: &str = "/v3.0/response/suspiciousObjects/delete";
pub(crate) const QUARANTINE: &str = "/v3.0/response/emails/quarantine";
pub(crate) const INVOICE: &str = "<invoice-4711@mx.bad.example>";
const COLLECT: &str = "/v3.0/response/endpoints/collectFile";
const TERMINATE: &str = "/v3.0/response/endpoints/terminateProcess";
const SCRIPT: &str = "/v3.0/response/endpoints/runScript";
const SIGN_OUT: &str = "/v3.0/response/domainAccounts/signOut";
const SHA1: &str = "da39a3ee5e6b4b0d3255bfef95601890afd80709";
const SHA256: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Posts to an action.
pub(crate) async fn post(sim: &Simulator, target: &str, body: &Value) -> Reply {
    send(sim, "POST", target, &[("content-type", "application/json")], &body.to_string()).await
}

/// Posts one item, and gives its result.
pub(crate) async fn act(sim: &Simulator, target: &str, item: Value) -> Value {
    let reply = post(sim, target, &json!([item])).await;
    assert_eq!(reply.status, 207, "{target}: {}", String::from_utf8_lossy(&reply.body));
    let results = reply.json();
    assert_eq!(results.as_array().unwrap().len(), 1);
    results[0].clone()
}

/// Posts one item that must be accepted, and gives the id of its task.
pub(crate) async fn accepted(sim: &Simulator, target: &str, item: Value) -> String {
    let result = act(sim, target, item).await;
    assert_eq!(result["status"], 202, "{result}");
    task_id(&result)
}

pub(crate) fn task_id(result: &Value) -> String {
    let location = result["headers"][0]["value"].as_str().unwrap();
    location.rsplit('/').next().unwrap().to_owned()
}

/// Status, code and message of a refused item.
fn refusal(result: &Value) -> (u64, String, String) {
    let error = &result["body"]["error"];
    let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
    (result["status"].as_u64().unwrap(), text("code"), text("message"))
}

fn bad(message: &str) -> (u64, String, String) {
    (400, "BadRequest".to_owned(), message.to_owned())
}

#[tokio::test]
async fn every_action_becomes_a_task_of_its_name() {
    let sim = sim(&[]);
    let host = json!({ "endpointName": "tarn-pc-0112", "description": "playbook 12" });
    let with = |more: Value| {
        let mut item = host.clone();
        more.as_object().unwrap().iter().for_each(|(name, value)| item[name] = value.clone());
        item
    };
    for (target, item, action) in [
        (ISOLATE, host.clone(), "isolate"),
        ("/v3.0/response/endpoints/restore", host.clone(), "restoreIsolate"),
        (COLLECT, with(json!({ "filePath": "C:\\x.exe" })), "collectFile"),
        (TERMINATE, with(json!({ "fileSha1": SHA1 })), "terminateProcess"),
        (SCRIPT, with(json!({ "fileName": "a.ps1", "parameter": "-x" })), "runCustomScript"),
        (BLOCK, json!({ "url": "http://bad.example/a", "description": "playbook 12" }), "block"),
        (UNBLOCK, json!({ "ip": "2001:db8::66", "description": "playbook 12" }), "restoreBlock"),
        (QUARANTINE, json!({ "messageId": INVOICE }), "quarantineMessage"),
        ("/v3.0/response/emails/restore", json!({ "messageId": INVOICE }), "restoreMessage"),
        ("/v3.0/response/emails/delete", json!({ "uniqueId": "AAMkAD-4711-02" }), "deleteMessage"),
        (
            "/v3.0/response/domainAccounts/disable",
            json!({ "accountName": "TARN\\h.mori" }),
            "disableAccount",
        ),
        (
            "/v3.0/response/domainAccounts/enable",
            json!({ "accountName": "tarn\\h.mori" }),
            "enableAccount",
        ),
        (SIGN_OUT, json!({ "accountName": "haruka.mori@tarn.example" }), "forceSignOut"),
        (
            "/v3.0/response/domainAccounts/resetPassword",
            json!({ "accountName": "tarn\\s.okabe" }),
            "resetPassword",
        ),
    ] {
        let description = item["description"].clone();
        let id = accepted(&sim, target, item).await;
        let task = get(&sim, &format!("/v3.0/response/tasks/{id}")).await.json();
        assert_eq!((task["action"].as_str(), &task["description"]), (Some(action), &description));
        assert_eq!(
            (task["status"].as_str(), task["account"].as_str()),
            (Some("queued"), Some("soc-api"))
        );
        assert_eq!(get(&sim, target).await.status, 405);
    }
}

#[tokio::test]
async fn items_that_break_a_rule_are_refused_in_the_vendors_words() {
    let sim = sim(&[]);
    let missing =
        |field: &str| bad(&format!("Invalid request - Required fields not found: {field}."));
    let form = |field: &str| bad(&format!("Invalid request - Invalid field format: {field}."));
    let unknown = || bad("Target not found.");
    let guid = "00000000-0000-4000-8000-000000000000";
    let host = "TARN-DC-01";
    let not_supported = (
        400,
        "NotSupported".to_owned(),
        "Action not supported. Install or upgrade the agent program on the target endpoint."
            .to_owned(),
    );
    for (target, item, expected) in [
        (ISOLATE, json!({}), missing("agentGuid or endpointName")),
        (ISOLATE, json!("TARN-DC-01"), form("item")),
        (ISOLATE, json!({ "agentGuid": guid, "endpointName": host }), form("endpointName")),
        (ISOLATE, json!({ "agentGuid": "x" }), form("agentGuid")),
        (ISOLATE, json!({ "endpointName": "" }), form("endpointName")),
        (ISOLATE, json!({ "endpointName": 7 }), form("endpointName")),
        (ISOLATE, json!({ "endpointName": "x".repeat(256) }), form("endpointName")),
        (
            ISOLATE,
            json!({ "endpointName": host, "description": "x".repeat(20_481) }),
            form("description"),
        ),
        (ISOLATE, json!({ "agentGuid": guid }), unknown()),
        (ISOLATE, json!({ "endpointName": "nobody" }), unknown()),
        (COLLECT, json!({ "endpointName": host }), missing("filePath")),
        (COLLECT, json!({ "endpointName": host, "filePath": "x".repeat(1_025) }), form("filePath")),
        (TERMINATE, json!({ "endpointName": host }), missing("fileSha1")),
        (TERMINATE, json!({ "endpointName": host, "fileSha1": "12" }), form("fileSha1")),
        (SCRIPT, json!({ "endpointName": host }), missing("fileName")),
        (
            BLOCK,
            json!({}),
            missing("url or domain or ip or senderMailAddress or fileSha1 or fileSha256"),
        ),
        (BLOCK, json!({ "url": "http://a.example/", "domain": "a.example" }), form("domain")),
        (BLOCK, json!({ "url": "no link" }), form("url")),
        (BLOCK, json!({ "url": format!("http://a.example/{}", "x".repeat(255)) }), form("url")),
        (BLOCK, json!({ "domain": "http://a.example/" }), form("domain")),
        (BLOCK, json!({ "ip": "300.1.1.1" }), form("ip")),
        (BLOCK, json!({ "senderMailAddress": "nobody" }), form("senderMailAddress")),
        (BLOCK, json!({ "fileSha1": SHA256 }), form("fileSha1")),
        (BLOCK, json!({ "fileSha256": SHA1 }), form("fileSha256")),
        (QUARANTINE, json!({ "mailBox": "keiri@tarn.example" }), missing("messageId or uniqueId")),
        (
            QUARANTINE,
            json!({ "messageId": INVOICE, "uniqueId": "AAMkAD-4711-01" }),
            form("uniqueId"),
        ),
        (QUARANTINE, json!({ "messageId": INVOICE, "mailBox": "" }), form("mailBox")),
        (
            QUARANTINE,
            json!({ "uniqueId": "AAMkAD-4711-01", "mailBox": "keiri@tarn.example" }),
            form("mailBox"),
        ),
        (QUARANTINE, json!({ "messageId": INVOICE.trim_matches(['<', '>']) }), unknown()),
        (QUARANTINE, json!({ "messageId": INVOICE, "mailBox": "o'neil@tarn.example" }), unknown()),
        (QUARANTINE, json!({ "uniqueId": "AAMkAD-0000-00" }), unknown()),
        (SIGN_OUT, json!({}), missing("accountName")),
        (SIGN_OUT, json!({ "accountName": "root" }), unknown()),
        (SIGN_OUT, json!({ "accountName": "tarn\\h.mori" }), not_supported),
    ] {
        let result = act(&sim, target, item.clone()).await;
        assert_eq!(refusal(&result), expected, "{target} {item}");
        assert!(result.get("headers").is_none());
    }
    assert_eq!(sim.state()["tasks"], json!([]), "nothing was begun");
}

#[tokio::test]
async fn results_stand_in_the_order_of_the_items() {
    let sim = sim(&[]);
    let items = json!([
        { "endpointName": "TARN-DC-01" }, { "endpointName": "nobody" }, { "endpointName": "TARN-DC-01" },
        { "endpointName": "tarn-web-2" },
    ]);
    let reply = post(&sim, ISOLATE, &items).await;
    let results = reply.json();
    let statuses: Vec<_> = results
        .as_array()
        .unwrap()
        .iter()
        .map(|result| result["status"].as_u64().unwrap())
        .collect();
    assert_eq!((reply.status.as_u16(), statuses), (207, vec![202, 400, 400, 202]));
    let location = "http://xdr.example/v3.0/xdr/response/tasks/00000041";
    let expected = json!([{ "name": "Operation-Location", "value": location }]);
    assert_eq!((&results[0]["headers"], &results[2]["headers"]), (&expected, &expected));
    assert_eq!(refusal(&results[2]), (400, "TaskError".to_owned(), "Task duplication.".to_owned()));
    assert_eq!(task_id(&results[3]), "00000042");
    assert_eq!(get(&sim, location).await.status, 404, "the segment is not the route's");
}

#[tokio::test]
async fn a_task_is_a_duplicate_only_while_the_first_one_is_open() {
    let sim = sim(&[("task_delay", "10s")]);
    let item = json!({ "endpointName": "TARN-DC-01" });
    let first = accepted(&sim, ISOLATE, item.clone()).await;
    let again = act(&sim, ISOLATE, item.clone()).await;
    assert_eq!((again["status"].as_u64(), task_id(&again)), (Some(400), first.clone()));
    accepted(&sim, "/v3.0/response/endpoints/restore", item.clone()).await;
    accepted(&sim, ISOLATE, json!({ "endpointName": "tarn-web-2" })).await;
    sim.clock().advance(std::time::Duration::from_secs(10));
    assert_ne!(accepted(&sim, ISOLATE, item).await, first);
    // One mailbox is covered by all mailboxes, and not the other way round.
    accepted(&sim, QUARANTINE, json!({ "uniqueId": "AAMkAD-4711-01" })).await;
    accepted(&sim, QUARANTINE, json!({ "messageId": INVOICE })).await;
    let part = json!({ "messageId": INVOICE, "mailBox": "keiri@tarn.example" });
    assert_eq!(act(&sim, QUARANTINE, part).await["status"], 400);
    // Another file of the same machine is another task.
    let file = |path: &str| json!({ "endpointName": "TARN-DC-01", "filePath": path });
    accepted(&sim, COLLECT, file("/a")).await;
    accepted(&sim, COLLECT, file("/b")).await;
    assert_eq!(act(&sim, COLLECT, file("/a")).await["status"], 400);
}

#[tokio::test]
async fn targets_and_items_are_refused_as_the_faults_ask() {
    let sim = sim(&[("unsupported", "TARN-DC-01"), ("out_of_scope", "o'neil@tarn.example")]);
    let host = json!({ "endpointName": "TARN-DC-01" });
    let refused = refusal(&act(&sim, ISOLATE, host.clone()).await);
    assert_eq!((refused.0, refused.1.as_str()), (400, "NotSupported"));
    let mail = json!({ "uniqueId": "AAMkAD-0815-02" });
    let scope = "Access denied. The target is not in the user's management scope.";
    let refused = refusal(&act(&sim, QUARANTINE, mail).await);
    assert_eq!(refused, (403, "AccessDenied".to_owned(), scope.to_owned()));
    for (value, status, code, message) in [
        ("permissions", 403, "AccessDenied", "Insufficient permissions."),
        ("feature", 403, "AccessDenied", "Feature disabled."),
        ("promotion", 403, "AccessDenied", "Promotion does not support response action."),
        ("not_found", 404, "NotFound", "Not found."),
        ("internal", 500, "InternalServerError", "Internal server error."),
    ] {
        sim.set_fault("refuse_items", value).unwrap();
        let refused = refusal(&act(&sim, ISOLATE, host.clone()).await);
        assert_eq!(refused, (status, code.to_owned(), message.to_owned()));
    }
}

#[tokio::test]
async fn requests_as_a_whole_are_refused_with_an_object() {
    let sim = sim(&[]);
    for body in [json!({ "endpointName": "TARN-DC-01" }), json!([]), json!("x")] {
        let refused = post(&sim, ISOLATE, &body).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.json()["error"]["code"]),
            (400, &json!("BadRequest"))
        );
    }
    let host = json!([{ "endpointName": "TARN-DC-01" }]);
    for (value, code) in
        [("400", "BadRequest"), ("403", "AccessDenied"), ("500", "InternalServerError")]
    {
        sim.set_fault("whole_failure", value).unwrap();
        let refused = post(&sim, ISOLATE, &host).await;
        assert_eq!(refused.status.as_u16().to_string(), value);
        assert_eq!(refused.json()["error"]["code"], code);
    }
    assert_eq!(sim.state()["tasks"], json!([]));
}

#[tokio::test]
async fn the_headers_of_an_item_take_the_asked_form() {
    let sim = sim(&[("public_url", "https://api.xdr.example/")]);
    let block = |name: &str| json!({ "domain": format!("{name}.example") });
    for (faults, expected) in [
        (
            [("location_path", "plain"), ("location_case", "lower")],
            json!([{ "name": "operation-location", "value": "https://api.xdr.example/v3.0/response/tasks/00000041" }]),
        ),
        (
            [("headers_as", "object"), ("location_case", "upper")],
            json!({ "OPERATION-LOCATION": "https://api.xdr.example/v3.0/response/tasks/00000042" }),
        ),
    ] {
        faults.iter().for_each(|(name, value)| sim.set_fault(name, value).unwrap());
        let result = act(&sim, BLOCK, block(faults[0].0)).await;
        assert_eq!(result["headers"], expected);
    }
}

#[tokio::test]
async fn each_action_needs_its_permissions_and_counts_by_its_endpoint() {
    let all = "a:response,b:isolation,c:mail_deletion,d:task_results,e:suspicious_objects,f:account_actions";
    let sim = sim(&[("no_scope", all)]);
    let ask = async |key: &str, method: &str, target: &str, body: &str| {
        let bearer = format!("Bearer {key}");
        send(&sim, method, target, &[("authorization", &bearer)], body).await.status.as_u16()
    };
    let host = r#"[{"endpointName":"TARN-DC-01"}]"#;
    let mail = r#"[{"uniqueId":"AAMkAD-0009-01"}]"#;
    let account = r#"[{"accountName":"tarn\\h.mori"}]"#;
    let object = r#"[{"domain":"a.example"}]"#;
    let delete = "/v3.0/response/emails/delete";
    let disable = "/v3.0/response/domainAccounts/disable";
    for (key, target, body, expected) in [
        ("a", ISOLATE, host, 403),
        ("b", ISOLATE, host, 403),
        ("c", ISOLATE, host, 207),
        ("c", delete, mail, 403),
        ("c", QUARANTINE, mail, 207),
        ("e", BLOCK, object, 403),
        ("b", BLOCK, object, 207),
        ("f", disable, account, 403),
        ("b", disable, account, 207),
    ] {
        assert_eq!(ask(key, "POST", target, body).await, expected, "{key} {target}");
    }
    let task = "/v3.0/response/tasks/00000041";
    assert_eq!(ask("d", "GET", task, "").await, 403, "may create and list, but not read");
    assert_eq!(ask("d", "GET", "/v3.0/response/tasks", "").await, 200);
    assert_eq!(ask("sim-key", "GET", task, "").await, 200);
    sim.set_fault("requests", "1").unwrap();
    let again = [ISOLATE, ISOLATE, QUARANTINE];
    let mut statuses = Vec::new();
    for target in again {
        statuses.push(ask("x", "POST", target, host).await);
        statuses.push(ask("sim-key", "POST", target, host).await);
    }
    assert_eq!(statuses[..2], [401, 207]);
    assert_eq!((statuses[3], statuses[5]), (429, 207), "each path has its own quota");
}
