//! Two processes that append to one lake at the same moment: each record is stored once, and the one
//! that came second says so.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::support::process::{Process, Server, wait_until};

const SOURCE: &str = "trend_micro_cas.security_events";
const RECORDS: u64 = 400;

/// Mail events of one class, so that a group is one commit.
fn records(place: &Path) -> PathBuf {
    let record = |n: u64| {
        json!({
            "service": "Exchange Online", "event": "security_risk_scan", "log_item_id": format!("item-{n}"),
            "message": {"security_risk_name": "EICAR", "detection_time": "2026-03-02T08:00:00.000Z",
                "mail_message_subject": format!("mail {n}"), "mail_message_recipient": ["a@example.com"]},
        })
        .to_string()
    };
    let path = place.join("records.ndjson");
    std::fs::write(&path, (0..RECORDS).map(|n| record(n) + "\n").collect::<String>()).unwrap();
    path
}

fn hold_before_commit(mark: &Path) -> String {
    format!("lake.before_commit=1*return(hold:{})", mark.display())
}

/// Starts an import into the shared lake that holds still between lookup and commit.
fn ingest(place: &Path, name: &str, file: &Path) -> (Process, PathBuf) {
    let mark = place.join(format!("{name}.held"));
    let (data, file) = (format!("data-{name}"), file.to_str().unwrap());
    let arguments = ["ingest", "--data-dir", &data, "--lake", "lake", "--source", SOURCE, file];
    (Process::start(place, name, &arguments, &hold_before_commit(&mark)), mark)
}

/// What an import printed: its ledger line and what else it said.
fn printed(place: &Path, name: &str) -> (Value, String) {
    let read = |kind: &str| std::fs::read_to_string(place.join(format!("{name}.{kind}"))).unwrap();
    let line = read("out");
    let counts = line.split_whitespace().map(|pair| {
        let (key, value) = pair.split_once('=').unwrap();
        (key.to_owned(), Value::from(value.parse::<u64>().unwrap()))
    });
    (Value::Object(counts.collect()), read("err"))
}

fn count(counts: &Value, key: &str) -> u64 {
    counts[key].as_u64().unwrap()
}

#[test]
fn two_imports_at_the_same_moment_store_each_record_once_and_count_one_conflict() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let file = records(place);
    let (one, first) = ingest(place, "one", &file);
    let (two, second) = ingest(place, "two", &file);
    wait_until("both have looked up", || first.exists() && second.exists());
    std::fs::remove_file(first).unwrap();
    std::fs::remove_file(second).unwrap();
    assert!(one.wait().success() && two.wait().success());

    let (one, one_said) = printed(place, "one");
    let (two, two_said) = printed(place, "two");
    let sum = |key: &str| count(&one, key) + count(&two, key);
    assert_eq!((sum("served"), sum("stored"), sum("duplicate")), (2 * RECORDS, RECORDS, RECORDS));
    assert_eq!((one_said + &two_said).matches("conflicts=1").count(), 1);
    verify(place, "data-one");
    verify(place, "data-two");
}

#[test]
fn an_import_beside_a_running_server_stores_each_record_once() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let file = records(place);
    let mark = place.join("server.held");
    let server = Server::start(place, &["--lake", "lake"], &hold_before_commit(&mark));
    let sent = ["ingest", "--server", server.url(), "--token", server.token(), "--source", SOURCE];
    let arguments = [&sent[..], &[file.to_str().unwrap()]].concat();
    let sender = Process::start(place, "sender", &arguments, "");
    let (beside, second) = ingest(place, "beside", &file);
    wait_until("both have looked up", || mark.exists() && second.exists());
    std::fs::remove_file(mark).unwrap();
    std::fs::remove_file(second).unwrap();
    assert!(sender.wait().success() && beside.wait().success());

    let (sent, sent_said) = printed(place, "sender");
    let (beside, beside_said) = printed(place, "beside");
    let sum = |key: &str| count(&sent, key) + count(&beside, key);
    assert_eq!((sum("served"), sum("stored"), sum("duplicate")), (2 * RECORDS, RECORDS, RECORDS));
    assert_eq!((sent_said + &beside_said).matches("conflicts=1").count(), 1);
    let verified = server.ask(&["lake", "verify"]);
    assert!(verified.contains("nothing is missing, nothing is stored twice"), "{verified}");
    drop(server);
    verify(place, "data-beside");
}

fn verify(place: &Path, data: &str) {
    let arguments = ["lake", "verify", "--data-dir", data, "--lake", "lake"];
    let verified = Process::start(place, "verify", &arguments, "").wait();
    let printed = std::fs::read_to_string(place.join("verify.out")).unwrap();
    assert!(verified.success(), "{printed}");
    assert!(printed.contains("nothing is missing, nothing is stored twice"), "{printed}");
}
