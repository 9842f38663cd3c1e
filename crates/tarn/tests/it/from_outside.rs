//! The promise from outside: real processes, and only the simulator's own books as witness.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use sha2::{Digest, Sha256};

/// How long the whole backfill may take before the test gives up.
const PATIENCE: Duration = Duration::from_secs(180);
/// The streams that the connector selects.
const STREAMS: [&str; 4] =
    ["exchange/dlp", "exchange/ransomware", "sharepoint/dlp", "sharepoint/ransomware"];

#[test]
fn every_held_record_is_in_the_lake_once_with_its_bytes_and_nothing_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let vendor = free_address();
    let _simulator = Process::start(
        place.path(),
        "simulator",
        &[
            "simulate",
            "trend_micro_cas",
            "--listen",
            &vendor,
            "--events",
            "24000",
            "--fault",
            "window=2s",
        ],
    );
    wait_until("the simulator listens", || TcpStream::connect(&vendor).is_ok());
    let mut server = Process::serve(place.path());
    let file = place.path().join("connectors.yaml");
    std::fs::write(&file, document(&vendor)).unwrap();
    let planned = server.ask(&["connector", "apply", "-f", file.to_str().unwrap()]);
    assert!(planned.contains("経理 CAS"), "{planned}");

    wait_until("some rows are stored", || stored(&server) > 500);
    // Killed in the middle of its backfill, inside a window of the quota, and started again.
    server.0.kill().unwrap();
    server.0.wait().unwrap();
    let server = Process::serve(place.path());
    wait_until("everything open is read", || {
        let status: Value = serde_json::from_str(&server.ask(&[
            "connector",
            "status",
            "経理 CAS",
            "--format",
            "json",
        ]))
        .unwrap();
        let streams = status["streams"].as_array().unwrap();
        streams.len() == STREAMS.len()
            && streams.iter().all(|stream| {
                stream["state"] == "ok" && stream["open"].as_array().unwrap().is_empty()
            })
    });
    let verified = server.ask(&["lake", "verify"]);
    assert!(verified.contains("nothing is missing, nothing is stored twice"), "{verified}");
    compare(&server, &vendor);
}

/// Compares the lake with what the simulator holds, served and refused.
fn compare(server: &Process, vendor: &str) {
    let rows = server.ask(&[
        "query",
        "--lang",
        "sql",
        "--format",
        "ndjson",
        "SELECT metadata.uid AS id, raw_data FROM events",
    ]);
    let mut lake: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in rows.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        let digest = hex::encode(Sha256::digest(row["raw_data"].as_str().unwrap()));
        lake.entry(row["id"].as_str().unwrap().to_owned()).or_default().push(digest);
    }
    let held: Value = get(vendor, "/_sim/held?with=sha256");
    let mut count = 0;
    for stream in STREAMS {
        for record in held["streams"][stream].as_array().unwrap() {
            let digests = lake.get(record["id"].as_str().unwrap());
            assert_eq!(
                digests,
                Some(&vec![record["sha256"].as_str().unwrap().to_owned()]),
                "{record} of {stream}"
            );
            count += 1;
        }
    }
    let served: Value = get(vendor, "/_sim/served");
    let served: BTreeSet<&str> = served["streams"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|ids| ids.as_array().unwrap())
        .map(|id| id.as_str().unwrap())
        .collect();
    assert!(lake.keys().all(|id| served.contains(id.as_str())), "rows that were never served");
    let requests: Value = get(vendor, "/_sim/requests");
    let requests = requests.as_array().unwrap();
    let refused = requests.iter().filter(|request| request["status"] == 429).count();
    assert_eq!(refused, 0, "requests were refused");
    assert!(count > 1_500, "only {count} records were held");
    println!("held {count}, stored {}, requests {}, refused {refused}", lake.len(), requests.len());
}

fn document(vendor: &str) -> String {
    format!(
        "connectors:\n  - name: 経理 CAS\n    integration: trend_micro_cas\n    credential: {{ api_keys: [\"env:CAS_KEY\"] }}\n    \
         parameters: {{ base_url: \"http://{vendor}\", services: [exchange, sharepoint], events: [dlp, ransomware] }}\n    \
         quota: {{ requests: 20, per: 2s }}\n    interval: 5s\n"
    )
}

fn stored(server: &Process) -> u64 {
    let status: Value =
        serde_json::from_str(&server.ask(&["connector", "status", "経理 CAS", "--format", "json"]))
            .unwrap();
    status["counts"]["stored"].as_u64().unwrap()
}

/// A process of the binary, its output in files, killed at the end.
struct Process(Child, String, String);

impl Process {
    fn start(place: &Path, name: &str, arguments: &[&str]) -> Self {
        let output = |kind: &str| {
            File::options().create(true).append(true).open(output_of(place, name, kind)).unwrap()
        };
        let child = Command::new(env!("CARGO_BIN_EXE_tarn"))
            .args(arguments)
            .current_dir(place)
            .stdin(Stdio::null())
            .stdout(output("out"))
            .stderr(output("err"))
            .spawn()
            .unwrap();
        Self(child, String::new(), String::new())
    }

    /// A server on a data directory in this place; its first token is read where it was printed.
    fn serve(place: &Path) -> Self {
        let address = free_address();
        let data = place.join("data");
        let mut server = Self::start(
            place,
            "server",
            &["serve", "--data-dir", data.to_str().unwrap(), "--listen", &address],
        );
        wait_until("the server listens", || TcpStream::connect(&address).is_ok());
        let printed = std::fs::read_to_string(output_of(place, "server", "err")).unwrap();
        let token = printed.split_whitespace().find(|word| word.starts_with("tarn_")).unwrap();
        (server.1, server.2) = (format!("http://{address}"), token.to_owned());
        server
    }

    /// Runs a command against this server; answers its standard output.
    fn ask(&self, arguments: &[&str]) -> String {
        let ran = Command::new(env!("CARGO_BIN_EXE_tarn"))
            .args(arguments)
            .args(["--server", &self.1, "--token", &self.2])
            .env("CAS_KEY", "sim-key")
            .output()
            .unwrap();
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn output_of(place: &Path, name: &str, kind: &str) -> PathBuf {
    place.join(format!("{name}.{kind}"))
}

fn free_address() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string()
}

fn get(address: &str, path: &str) -> Value {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    serde_json::from_str(body).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "other processes run in real time")]
fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let started = Instant::now();
    while !condition() {
        assert!(started.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}
