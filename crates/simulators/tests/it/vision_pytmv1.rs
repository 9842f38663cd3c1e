//! The fake Trend Vision One against the client that the vendor publishes.
//!
//! `cargo xtask test` installs it and says where; a run without it fails and says so.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};
use simulators::{Options, SimClock, Volume, simulator};
use tokio::net::TcpListener;

const CLIENT: &str = "../../tools/vision_one_client.py";
/// The client takes its proxy from these, whatever the host.
const PROXIES: [&str; 4] = ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"];

#[tokio::test]
async fn the_vendors_own_client_understands_every_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let faults = [("requests", "1000"), ("task_delay", "1s"), ("streams", "alerts")];
    let faults = faults.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let options =
        Options { seed: 3, volume: Volume::PerHour(30.0), faults, clock: SimClock::real() };
    let sim = simulator("trend_vision_one", options).unwrap();
    let server = tokio::spawn(sim.clone().serve(listener, std::future::pending()));

    let output = tokio::task::spawn_blocking(move || run(&url)).await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    server.abort();

    assert_eq!(told["alerts"], 10);
    assert_eq!(told["accepted"], json!([202, 202]));
    let task =
        |id: &str, action: &str| json!({ "id": id, "action": action, "status": "succeeded" });
    assert_eq!(
        told["tasks"],
        json!([
            task("00000041", "block"),
            task("00000042", "isolate"),
            task("00000043", "runCustomScript"),
        ])
    );
    assert_eq!(told["blocked"], json!(["203.0.113.200", "bad.example", "imported.example"]));
    assert_eq!((&told["mails"], &told["risk"]), (&json!(3), &json!("high")));

    let state = sim.state();
    assert_eq!(
        state["suspicious_objects"],
        json!([{ "type": "domain", "value": "bad.example", "description": "pytmv1" }])
    );
    assert_eq!(state["endpoints"].as_array().unwrap().len(), 1);
    let endpoint = &state["endpoints"][0];
    assert_eq!(
        (&endpoint["endpointName"], &endpoint["isolated"], &endpoint["effects"]),
        (&json!("TARN-DC-01"), &json!(true), &json!(1))
    );
    assert_eq!(state["scripts"][0]["parameter"], "-all");
    assert_eq!(state["sandbox"][0]["name"], "http://cdn.bad.example/a");
    assert_eq!(
        state["notes"],
        json!([{ "alertId": told["alert"], "id": 1, "content": "seen by pytmv1" }])
    );
    assert_eq!((&told["note"], &told["note_content"]), (&json!("1"), &json!("seen by pytmv1")));
}

fn run(url: &str) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join(CLIENT);
    let mut client = Command::new(python());
    client.arg(script).args([url, "sim-key", "TARN-DC-01"]);
    for name in PROXIES {
        client.env_remove(name);
    }
    client.output().unwrap()
}

#[expect(clippy::disallowed_methods, reason = "the test run says where its tools lie")]
fn python() -> std::ffi::OsString {
    std::env::var_os("TARN_PYTMV1_PYTHON").unwrap_or_else(|| {
        panic!("TARN_PYTMV1_PYTHON is not set: run `cargo xtask test`, or `cargo xtask pytmv1` and name its Python")
    })
}
