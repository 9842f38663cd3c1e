//! Block lists of the fake Cloud App Security.

use serde_json::{Value, json};
use simulators::{Simulator, Volume};

use crate::client::{Reply, get, send, sim};

const BLOCKLIST: &str = "/v1/remediation/mails";

fn vendor(faults: &[(&str, &str)]) -> Simulator {
    sim(Volume::PerHour(6.0), faults)
}

async fn change(simulator: &Simulator, action: &str, rules: Value) -> Reply {
    let body = json!({ "action_type": action, "rules": rules }).to_string();
    send(&simulator.router(), "POST", BLOCKLIST, Some("sim-key"), &body).await
}

async fn rules(simulator: &Simulator) -> Value {
    let reply = get(simulator, BLOCKLIST).await;
    assert_eq!(reply.status, 200);
    let mut body = reply.json();
    assert_eq!((&body["code"], &body["message"]), (&json!(0), &json!("Get rules successfully.")));
    body["rules"].take()
}

#[tokio::test]
async fn entries_are_added_once_and_deleted_and_both_succeed_again() {
    let sim = vendor(&[]);
    let (sha1, sha256) = ("a1".repeat(20), "b2".repeat(32));
    let all = json!({ "senders": ["bad@x.example"], "urls": ["https://Pay.Bad.example/Login"],
        "filehashes": [sha1], "file256hashes": [sha256] });
    let expected = json!({ "senders": ["bad@x.example"], "urls": ["pay.bad.example/Login"],
        "filehashes": [sha1], "file256hashes": [sha256] });
    for _ in 0..2 {
        let added = change(&sim, "create", all.clone()).await;
        assert_eq!((added.status.as_u16(), added.code()), (200, 0));
        assert_eq!(added.json()["message"], "Add rules successfully.");
        assert_eq!(rules(&sim).await, expected);
        assert_eq!(sim.state()["blocklist"], expected);
    }
    let same = json!({ "senders": ["BAD@x.example"], "urls": ["pay.bad.example/Login"],
        "filehashes": [sha1.to_uppercase()] });
    assert_eq!(change(&sim, "create", same.clone()).await.status, 200);
    assert_eq!(rules(&sim).await, expected);
    for _ in 0..2 {
        assert_eq!(change(&sim, "delete", same.clone()).await.code(), 0);
        let left =
            json!({ "senders": [], "urls": [], "filehashes": [], "file256hashes": [sha256] });
        assert_eq!(rules(&sim).await, left);
    }
}

#[tokio::test]
async fn urls_are_rewritten_on_storage() {
    let sim = vendor(&[]);
    for url in ["https://Test.example.com", "http://test.example.com/", "test.example.com/a/"] {
        assert_eq!(change(&sim, "create", json!({ "urls": [url] })).await.status, 200, "{url}");
    }
    let stored = json!(["test.example.com", "test.example.com/a/"]);
    assert_eq!(rules(&sim).await["urls"], stored);
    sim.set_fault("trailing_slash", "on").unwrap();
    assert_eq!(rules(&sim).await["urls"], json!(["test.example.com/", "test.example.com/a/"]));
    let listed = json!({ "urls": ["test.example.com/"] });
    assert_eq!(change(&sim, "delete", listed).await.status, 200);
    assert_eq!(rules(&sim).await["urls"], json!(["test.example.com/a/"]));
}

#[tokio::test]
async fn a_list_holds_2048_entries_and_a_change_is_made_whole_or_not() {
    let sim = vendor(&[]);
    let senders = |from: usize, count: usize| -> Vec<String> {
        (from..from + count).map(|number| format!("s{number}@x.example")).collect()
    };
    let refused = change(&sim, "create", json!({ "senders": senders(0, 2_049) })).await;
    assert_eq!((refused.status.as_u16(), refused.code()), (400, -4_000_001));
    let full = change(&sim, "create", json!({ "senders": senders(0, 2_048) })).await;
    assert_eq!(full.status, 200);
    let over = json!({ "senders": ["one.more@x.example"], "urls": ["a.example"] });
    assert_eq!(change(&sim, "create", over).await.code(), -4_000_001);
    assert_eq!(rules(&sim).await["urls"], json!([]));
    let again = change(&sim, "create", json!({ "senders": senders(5, 10), "urls": ["a.example"] }));
    assert_eq!(again.await.status, 200, "what is there already takes no place");
}

#[tokio::test]
async fn wrong_changes_are_told_so() {
    let sim = vendor(&[]);
    for (action, rules) in [
        ("add", json!({ "senders": ["a@x.example"] })),
        ("create", json!({})),
        ("create", json!([])),
        ("create", Value::Null),
        ("create", json!({ "senders": [] })),
        ("create", json!({ "senders": Value::Null })),
        ("create", json!({ "senders": "a@x.example" })),
        ("create", json!({ "senders": ["x.example"] })),
        ("create", json!({ "senders": [1] })),
        ("create", json!({ "urls": [""] })),
        ("create", json!({ "urls": ["a b"] })),
        ("create", json!({ "urls": ["https://"] })),
        ("create", json!({ "filehashes": ["b2".repeat(32)] })),
        ("create", json!({ "file256hashes": ["a1".repeat(20)] })),
        ("delete", json!({ "filehashes": ["zz".repeat(20)] })),
    ] {
        let refused = change(&sim, action, rules.clone()).await;
        assert_eq!((refused.status.as_u16(), refused.code()), (400, -4_000_001), "{rules}");
    }
    let refused = send(&sim.router(), "POST", BLOCKLIST, Some("sim-key"), "nonsense").await;
    assert_eq!(refused.code(), -4_000_001);
    let empty = json!({ "senders": [], "urls": [], "filehashes": [], "file256hashes": [] });
    assert_eq!(sim.state()["blocklist"], empty);
}

#[tokio::test]
async fn empty_and_unknown_lists_have_several_looks() {
    let sim = vendor(&[("absent_lists", "file256hashes")]);
    let old = json!({ "senders": [], "urls": [], "filehashes": [] });
    assert_eq!(rules(&sim).await, old);
    let unknown = json!({ "file256hashes": ["b2".repeat(32)] });
    assert_eq!(change(&sim, "create", unknown).await.status, 400);
    let mixed = json!({ "senders": ["a@x.example"], "file256hashes": ["b2".repeat(32)] });
    assert_eq!(change(&sim, "create", mixed).await.status, 200);
    assert_eq!(sim.state()["blocklist"]["file256hashes"], json!([]));
    sim.set_fault("empty_lists", "null").unwrap();
    let nulls = json!({ "senders": ["a@x.example"], "urls": null, "filehashes": null });
    assert_eq!(rules(&sim).await, nulls);
    sim.set_fault("empty_lists", "absent").unwrap();
    assert_eq!(rules(&sim).await, json!({ "senders": ["a@x.example"] }));
    sim.set_fault("blocklist_status", "201").unwrap();
    assert_eq!(change(&sim, "create", json!({ "urls": ["a.example"] })).await.status, 201);
}
