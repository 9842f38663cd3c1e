//! The sandbox of the fake Trend Vision One.

use std::time::Duration;

use serde_json::{Value, json};
use simulators::Simulator;

use crate::client::Reply;
use crate::vision::{get, send, sim};
use crate::vision_actions::{post, task_id};

const FILES: &str = "/v3.0/sandbox/files/analyze";
const URLS: &str = "/v3.0/sandbox/urls/analyze";
const FORM: [(&str, &str); 1] = [("content-type", "multipart/form-data; boundary=\"x7\"")];

fn form(name: &str, content: &str) -> String {
    format!(
        "--x7\r\nContent-Disposition: form-data; name=\"arguments\"\r\n\r\nLXg=\r\n\
         --x7\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"a.exe\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n{content}\r\n--x7--\r\n"
    )
}

async fn file(sim: &Simulator, content: &str) -> Reply {
    send(sim, "POST", FILES, &FORM, &form("file", content)).await
}

async fn analysis(sim: &Simulator, id: &str) -> (Value, Reply) {
    let task = get(sim, &format!("/v3.0/sandbox/tasks/{id}")).await.json();
    (task, get(sim, &format!("/v3.0/sandbox/analysisResults/{id}")).await)
}

#[tokio::test]
async fn a_file_is_analysed_by_the_clock() {
    let sim = sim(&[("approval", "wait")]);
    let taken = file(&sim, "abc").await;
    assert_eq!(taken.status, 202);
    let body = taken.json();
    let id = body["id"].as_str().unwrap().to_owned();
    assert_eq!(body["digest"]["md5"], "900150983cd24fb0d6963f7d28e17f72");
    assert_eq!(body["digest"]["sha1"], "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert_eq!(body["arguments"], "LXg=");
    let location = taken.headers["operation-location"].to_str().unwrap();
    assert_eq!(location, format!("http://xdr.example/v3.0/sandbox/tasks/{id}"));
    let (task, result) = analysis(&sim, &id).await;
    assert_eq!((&task["status"], &task["action"]), (&json!("running"), &json!("analyzeFile")));
    assert_eq!((task.get("resourceLocation"), result.status.as_u16()), (None, 404));
    sim.clock().advance(Duration::from_secs(2));
    let (task, result) = analysis(&sim, &id).await;
    assert_eq!(task["status"], "succeeded", "nobody has to approve it");
    assert_eq!(task["lastActionDateTime"], "2026-03-02T08:00:02Z");
    let place = task["resourceLocation"].as_str().unwrap();
    assert_eq!(get(&sim, place).await.json(), result.json());
    let result = result.json();
    assert_eq!((&result["riskLevel"], &result["type"]), (&json!("noRisk"), &json!("file")));
    assert_eq!((&result["digest"], &result["arguments"]), (&body["digest"], &json!("LXg=")));
    assert_eq!((&result["detectionNames"], &result["threatTypes"]), (&json!([]), &json!([])));
    assert_eq!(sim.state()["sandbox"][0]["name"], "a.exe");
    assert_eq!(get(&sim, "/v3.0/sandbox/tasks/nothing").await.status, 404);
}

#[tokio::test]
async fn risk_comes_from_what_is_handed_in_or_from_the_fault() {
    let sim = sim(&[("task_delay", "0")]);
    let risk = async |id: &Value| {
        let (_, result) = analysis(&sim, id.as_str().unwrap()).await;
        result.json()["riskLevel"].as_str().unwrap().to_owned()
    };
    let test_file = file(&sim, "X5O!P%@AP EICAR-STANDARD-ANTIVIRUS-TEST-FILE!").await.json();
    assert_eq!(risk(&test_file["id"]).await, "high");
    let urls = json!([
        { "url": "http://cdn.bad.example/a" }, { "url": "http://[2001:db8::66]/" },
        { "url": "https://good.example/" }, { "url": "https://notbad.example/" },
    ]);
    let results = post(&sim, URLS, &urls).await.json();
    for (place, expected) in ["high", "high", "noRisk", "noRisk"].iter().enumerate() {
        assert_eq!(risk(&results[place]["body"]["id"]).await, *expected, "{place}");
    }
    for value in ["low", "medium", "noRisk"] {
        sim.set_fault("sandbox_risk", value).unwrap();
        assert_eq!(risk(&test_file["id"]).await, value);
    }
}

#[tokio::test]
async fn urls_are_answered_one_by_one() {
    let sim = sim(&[("fail_targets", "https://broken.example/")]);
    let urls = json!([{ "url": "https://broken.example/" }, { "url": "no link" }, {}]);
    let reply = post(&sim, URLS, &urls).await;
    let results = reply.json();
    assert_eq!(reply.status, 207);
    let id = results[0]["body"]["id"].as_str().unwrap().to_owned();
    assert_eq!((results[0]["status"].as_u64(), task_id(&results[0])), (Some(202), id.clone()));
    assert_eq!(results[0]["body"]["url"], "https://broken.example/");
    assert_eq!(results[0]["body"]["digest"]["sha256"].as_str().map(str::len), Some(64));
    let message =
        |place: usize| results[place]["body"]["error"]["message"].as_str().unwrap().to_owned();
    assert_eq!(message(1), "Invalid request - Invalid field format: url.");
    assert_eq!(message(2), "Invalid request - Required fields not found: url.");
    sim.clock().advance(Duration::from_secs(2));
    let (task, result) = analysis(&sim, &id).await;
    assert_eq!((&task["status"], &task["action"]), (&json!("failed"), &json!("analyzeUrl")));
    assert_eq!(
        (task["error"]["code"].as_str(), result.status.as_u16()),
        (Some("InternalServerError"), 404)
    );
}

#[tokio::test]
async fn what_is_no_form_with_a_file_is_refused() {
    let sim = sim(&[]);
    let plain = [("content-type", "application/json")];
    assert_eq!(send(&sim, "POST", FILES, &plain, &form("file", "x")).await.status, 400);
    assert_eq!(send(&sim, "POST", FILES, &FORM, &form("other", "x")).await.status, 400);
    assert_eq!(send(&sim, "POST", FILES, &FORM, "x").await.status, 400);
    assert_eq!(file(&sim, &"x".repeat(1_100_000)).await.status, 413);
    assert_eq!(sim.state()["sandbox"], json!([]));
}
