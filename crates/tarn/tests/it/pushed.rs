//! A stack from outside: a real server that is killed again and again, and a plain HTTP client that plays the
//! stack's.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::cloudtrail::stored;
use crate::support::process::{Server, pause, wait_until};

const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const ACCOUNT: &str = "111122223333";
/// Chunks and records in each.
const CHUNKS: usize = 40;
const RECORDS: usize = 50;
/// Where a server is held and killed while a push is being stored: in the order in which they are passed.
const FAILPOINTS: [&str; 4] = [
    "lake.before_commit",
    "lake.after_commit",
    "catalog.apply_push.before_commit",
    "catalog.apply_push.after_commit",
];
/// A random kill comes this long after a chunk was sent off.
const MOST_MS: u64 = 1_500;

#[test]
fn a_server_that_is_killed_between_pushes_loses_and_repeats_no_record() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let mut server = Server::start(place, &["--public-url", "https://tarn.example"], "");
    let offer = server.ask_json(&["cloudtrail", "link", "--region", "eu-west-1"]);
    assert_eq!(offer["parameters"]["ServiceUrl"], "https://tarn.example");
    let exchange = json!({
        "enrolment_code": offer["parameters"]["EnrolmentCode"], "token": TOKEN,
        "account_id": ACCOUNT, "region": "eu-west-1",
        "client_version": "0.1.0", "template_version": "0.1.0",
    });
    let enrol = |server: &Server| {
        let body = exchange.to_string();
        ask(server, "enrol", "", &[("Content-Type", "application/json")], body.as_bytes())
    };
    assert_eq!(enrol(&server).unwrap().0, 200);

    for chunk in 0..CHUNKS {
        if let Some(failpoint) = FAILPOINTS.get(chunk) {
            server.kill();
            server = killed_at(failpoint, place, chunk);
        } else if chunk % 8 == 7 {
            let after = Duration::from_millis(Uuid::new_v4().as_u128() as u64 % MOST_MS);
            let sending = send_off(&server, chunk);
            pause(after);
            server.kill();
            drop(sending);
            server = Server::start(place, &[], "");
        }
        let (status, counts) = pushed(&server, chunk);
        assert_eq!((status, &counts["served"]), (200, &json!(RECORDS)), "{counts}");
        assert_eq!(pushed(&server, chunk).1, counts, "the same push is answered the same");
    }
    // Its code was exchanged with this token before all the kills.
    assert_eq!(enrol(&server).unwrap().0, 200);

    let found = stored(&server);
    let distinct: BTreeSet<String> = found.iter().cloned().collect();
    let expected: BTreeSet<String> =
        (0..CHUNKS).flat_map(|chunk| (0..RECORDS).map(move |n| id(chunk, n))).collect();
    assert_eq!(found.len(), CHUNKS * RECORDS, "none is there twice");
    assert_eq!(distinct, expected);
    server.ask(&["lake", "verify"]);
    let stacks = server.ask_json(&["cloudtrail", "list"]);
    assert_eq!(stacks[0]["status"], "connected", "{stacks}");
    assert_eq!(stacks[0]["account_id"], ACCOUNT);
    println!("records={} stored={} stored_twice=0 lost=0", CHUNKS * RECORDS, found.len());
}

/// Starts a server that holds still in the middle of the push of a chunk, kills it there, and starts the next one.
fn killed_at(failpoint: &str, place: &Path, chunk: usize) -> Server {
    let mark = place.join("held");
    let armed = format!("{failpoint}=1*return(hold:{})", mark.display());
    let server = Server::start(place, &[], &armed);
    let sending = send_off(&server, chunk);
    wait_until(failpoint, || mark.exists());
    server.kill();
    std::fs::remove_file(&mark).unwrap();
    drop(sending);
    Server::start(place, &[], "")
}

fn id(chunk: usize, number: usize) -> String {
    format!("event-{chunk}-{number}")
}

fn body(chunk: usize) -> Vec<u8> {
    let record = |number| {
        json!({
            "eventVersion": "1.11", "eventTime": "2026-10-01T08:15:30Z",
            "eventSource": "ec2.amazonaws.com", "eventName": "RunInstances",
            "awsRegion": "eu-west-1", "eventID": id(chunk, number), "recipientAccountId": ACCOUNT,
        })
    };
    let body = json!({ "Records": (0..RECORDS).map(record).collect::<Vec<_>>() });
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body.to_string().as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn pushed(server: &Server, chunk: usize) -> (u16, Value) {
    let mut stream = send_off(server, chunk);
    answer(&mut stream).unwrap()
}

/// Sends a chunk and does not wait for the answer.
fn send_off(server: &Server, chunk: usize) -> TcpStream {
    let key = format!("chunk-{chunk}");
    let headers = [
        ("Idempotency-Key", key.as_str()),
        ("Content-Encoding", "gzip"),
        ("Tarn-Object", "s3://trail/AWSLogs/a.json.gz"),
    ];
    send(server, "records", TOKEN, &headers, &body(chunk))
}

fn ask(
    server: &Server,
    route: &str,
    token: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Option<(u16, Value)> {
    answer(&mut send(server, route, token, headers, body))
}

fn send(
    server: &Server,
    route: &str,
    token: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> TcpStream {
    let address = server.url().strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let mut head = format!(
        "POST /api/v1/forwarder/{route} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Content-Length: {}\r\n",
        body.len()
    );
    if !token.is_empty() {
        head.push_str(&format!("Authorization: Bearer {token}\r\n"));
    }
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(b"\r\n").unwrap();
    stream.write_all(body).unwrap();
    stream
}

fn answer(stream: &mut TcpStream) -> Option<(u16, Value)> {
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some((status, serde_json::from_str(body).ok()?))
}
