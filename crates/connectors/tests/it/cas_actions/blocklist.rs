//! Adding to, removing from and showing the block list.

use model::action::Entity;
use model::action::ItemState::{self, *};
use serde_json::{Value, json};

use super::{World, assert_said, hash, host, mailbox, none, states, url, user};

const ADD: &str = "add_entities_to_blocklist";
const REMOVE: &str = "remove_entities_from_blocklist";

const ALREADY: &str = "\nThe following entities are already a part of blocklist in {D}: ";
const NONE: &str = "\nNo entities were added using information from {D}.";
const DONE: &str = "\nSuccessfully added the following entities to blocklist in {D}: ";
const FAILED: &str = "\nAction wasn't able to add the following entities to blocklist in {D}: ";
const ALREADY_JA: &str = "\n次のエンティティはすでに {D} のブロックリストにあります: ";
const NONE_JA: &str = "\n{D} のブロックリストに追加されたエンティティはありません。";
const DONE_JA: &str = "\n次のエンティティを {D} のブロックリストに追加しました: ";
const FAILED_JA: &str = "\n次のエンティティは {D} のブロックリストに追加できませんでした: ";

fn sha1() -> String {
    "a1".repeat(20)
}

fn sha256() -> String {
    "b2".repeat(32)
}

/// One of each kind, in every form that the lists take.
fn all() -> Vec<Entity> {
    vec![
        url("https://Pay.Bad.example/Login"),
        hash(&sha1()),
        hash(&sha256()),
        mailbox("bad@x.example"),
        user("worse@x.example"),
    ]
}

fn values(entities: &[Entity]) -> String {
    entities.iter().map(|entity| &*entity.value).collect::<Vec<_>>().join("\n")
}

struct Case {
    /// What is on the list before.
    before: Vec<Entity>,
    entities: Vec<Entity>,
    faults: &'static [(&'static str, &'static str)],
    is_success: bool,
    said: (String, String),
    states: Vec<ItemState>,
}

fn none_added() -> (String, String) {
    (NONE.to_owned(), NONE_JA.to_owned())
}

fn plain_cases() -> Vec<Case> {
    vec![
        Case {
            before: vec![],
            entities: all(),
            faults: &[("blocklist_status", "201"), ("empty_lists", "absent")],
            is_success: true,
            said: (format!("{DONE}{}", values(&all())), format!("{DONE_JA}{}", values(&all()))),
            states: vec![Succeeded; 5],
        },
        // Everything at once: there already, new, malformed, and of no kind that the list has.
        Case {
            before: vec![url("http://a.example"), mailbox("bad@x.example")],
            entities: vec![
                url("https://A.example/"),
                user("BAD@x.example"),
                url("http://b.example/x"),
                url("no url"),
                hash("d41d8cd98f00b204e9800998ecf8427e"),
                host("pc-1"),
                user("CORP\\bad"),
            ],
            faults: &[("trailing_slash", "on")],
            is_success: true,
            said: (
                format!(
                    "{ALREADY}https://A.example/\nBAD@x.example.{DONE}http://b.example/x{FAILED}no url\n\
                     d41d8cd98f00b204e9800998ecf8427e"
                ),
                format!(
                    "{ALREADY_JA}https://A.example/\nBAD@x.example{DONE_JA}http://b.example/x{FAILED_JA}no url\n\
                     d41d8cd98f00b204e9800998ecf8427e"
                ),
            ),
            states: vec![Already, Already, Succeeded, Invalid, Invalid, Skipped, Skipped],
        },
        Case {
            before: all(),
            entities: all(),
            faults: &[],
            is_success: true,
            said: (
                format!("{ALREADY}{}.", values(&all())),
                format!("{ALREADY_JA}{}", values(&all())),
            ),
            states: vec![Already; 5],
        },
        Case {
            before: vec![],
            entities: vec![host("pc-1")],
            faults: &[],
            is_success: false,
            said: none_added(),
            states: vec![Skipped],
        },
        Case {
            before: vec![],
            entities: vec![url("no url"), mailbox("nobody")],
            faults: &[],
            is_success: false,
            said: none_added(),
            states: vec![Invalid, Invalid],
        },
    ]
}

/// The vendor refuses, forgets, and does not answer.
fn hard_cases() -> Vec<Case> {
    vec![
        // One bad entry refuses a request whole; the others are sent again without it.
        Case {
            before: vec![],
            entities: all(),
            faults: &[("refuse_items", "bad@x.example")],
            is_success: true,
            said: (
                format!(
                    "{DONE}https://Pay.Bad.example/Login\n{}\n{}\nworse@x.example{FAILED}bad@x.example",
                    sha1(),
                    sha256()
                ),
                format!(
                    "{DONE_JA}https://Pay.Bad.example/Login\n{}\n{}\nworse@x.example{FAILED_JA}bad@x.example",
                    sha1(),
                    sha256()
                ),
            ),
            states: vec![Succeeded, Succeeded, Succeeded, Failed, Succeeded],
        },
        Case {
            before: vec![],
            entities: vec![url("http://a.example"), url("http://b.example")],
            faults: &[("refuse_items", "a.example,b.example")],
            is_success: false,
            said: none_added(),
            states: vec![Failed, Failed],
        },
        // An older deployment takes digests that it has no list for, and forgets them.
        Case {
            before: vec![],
            entities: vec![hash(&sha1()), hash(&sha256())],
            faults: &[("absent_lists", "file256hashes")],
            is_success: true,
            said: (
                format!("{DONE}{}{FAILED}{}", sha1(), sha256()),
                format!("{DONE_JA}{}{FAILED_JA}{}", sha1(), sha256()),
            ),
            states: vec![Succeeded, Failed],
        },
        Case {
            before: vec![],
            entities: vec![url("http://a.example")],
            faults: &[("lose_answer", "1")],
            is_success: true,
            said: (format!("{DONE}http://a.example"), format!("{DONE_JA}http://a.example")),
            states: vec![Succeeded],
        },
    ]
}

#[tokio::test]
async fn outcomes() {
    for case in plain_cases().into_iter().chain(hard_cases()) {
        let mut world = World::new(&[]).await;
        if !case.before.is_empty() {
            world.done(ADD, &case.before, none()).await;
            world.next_run("run-2");
        }
        for (name, value) in case.faults {
            world.sim.set_fault(name, value).unwrap();
        }
        let (accepted, sent) = (world.accepted().len(), world.posts());
        let outcome = world.done(ADD, &case.entities, none()).await;
        assert_said(&outcome, case.is_success, &case.said.0, &case.said.1);
        assert_eq!(states(&outcome), case.states);
        let is_new = case.states.contains(&Succeeded);
        if !case.faults.iter().any(|(name, _)| *name == "refuse_items") {
            assert_eq!(
                world.accepted().len() - accepted,
                usize::from(is_new),
                "one request for all"
            );
            assert_eq!(world.posts() - sent, usize::from(is_new));
        }
    }
}

#[tokio::test]
async fn what_is_added_is_at_the_vendor_and_is_removed_again() {
    let mut world = World::new(&[]).await;
    world.done(ADD, &all(), none()).await;
    let stored = json!({
        "senders": ["bad@x.example", "worse@x.example"], "urls": ["pay.bad.example/Login"],
        "filehashes": [sha1()], "file256hashes": [sha256()],
    });
    assert_eq!(world.sim.state()["blocklist"], stored);
    world.next_run("run-2");
    let removed =
        [&all()[..], &[url("http://other.example/"), host("pc-1"), url("no url")]].concat();
    let outcome = world.done(REMOVE, &removed, none()).await;
    assert_said(
        &outcome,
        true,
        &format!(
            "\nThe following entities are not a part of blocklist in {{D}}: http://other.example/.\nSuccessfully \
             removed the following entities from blocklist in {{D}}: {}\nAction wasn't able to remove the following \
             entities from blocklist in {{D}}: no url",
            values(&all())
        ),
        &format!(
            "\n次のエンティティは {{D}} のブロックリストにありません: http://other.example/\n次のエンティティを {{D}} のブロックリストから削除しました: {}\n次のエンティティは {{D}} のブロックリストから削除できませんでした: no url",
            values(&all())
        ),
    );
    let empty = json!({ "senders": [], "urls": [], "filehashes": [], "file256hashes": [] });
    assert_eq!(world.sim.state()["blocklist"], empty);
    world.next_run("run-3");
    let nothing = world.done(REMOVE, &[host("pc-1")], none()).await;
    assert_said(
        &nothing,
        false,
        "\nNo entities were removed using information from {D}.",
        "\n{D} のブロックリストから削除されたエンティティはありません。",
    );
}

#[tokio::test]
async fn the_list_is_shown() {
    let mut world = World::new(&[("empty_lists", "null")]).await;
    let empty = world.done("list_blocklist", &[], none()).await;
    assert_said(&empty, true, "The blocklist of {D} is empty.", "{D} のブロックリストは空です。");
    assert!(empty.tables.is_empty());
    world.next_run("run-2");
    world.done(ADD, &all(), none()).await;
    world.next_run("run-3");
    let outcome = world.done("list_blocklist", &[], none()).await;
    assert_said(
        &outcome,
        true,
        "The blocklist of {D} has 5 entries.",
        "{D} のブロックリストには 5 件の項目があります。",
    );
    assert_eq!(outcome.result, world.sim.state()["blocklist"]);
    assert_eq!(outcome.tables[0].rows[2], ["urls", "pay.bad.example/Login"]);
}

#[tokio::test]
async fn a_list_takes_2048_entries_and_the_rest_is_told_why_not() {
    let mut world = World::new(&[]).await;
    let many: Vec<_> =
        (0..2_047).map(|number| url(&format!("http://h{number}.example/"))).collect();
    assert!(world.done(ADD, &many, none()).await.is_success);
    assert_eq!(world.posts(), 1);
    world.next_run("run-2");
    let more = [url("http://x.example"), url("http://y.example"), mailbox("a@b.example")];
    let outcome = world.done(ADD, &more, none()).await;
    assert_eq!(states(&outcome), [Succeeded, Failed, Succeeded]);
    assert_eq!(
        outcome.items[1].detail.en,
        "the list `urls` takes 2048 entries at most: remove some first"
    );
    assert_eq!(world.sim.state()["blocklist"]["urls"].as_array().unwrap().len(), 2_048);
}

#[tokio::test]
async fn entities_that_are_one_entry_are_sent_once() {
    let world = World::new(&[]).await;
    let twins = [url("http://a.example"), url("https://a.example/"), url("https://a.example/x")];
    let outcome = world.done(ADD, &twins, none()).await;
    assert_eq!(states(&outcome), [Succeeded; 3]);
    let sent: Value = world.accepted()[0].body.clone().unwrap();
    assert_eq!(sent["rules"], json!({ "urls": ["http://a.example", "https://a.example/x"] }));
}

#[tokio::test]
async fn dry_runs_and_protected_entities_change_nothing() {
    let mut world = World::new(&[]).await;
    world.journal = world.journal.dry().protecting(&[mailbox("boss@x.example")]);
    let entities = [url("http://a.example"), mailbox("boss@x.example")];
    let outcome = world.done(ADD, &entities, none()).await;
    assert_eq!(states(&outcome), [Planned, Protected]);
    assert_said(
        &outcome,
        true,
        "\nDry run: nothing was sent. The action would work on the following: http://a.example\nThe following are \
         protected and were left alone: boss@x.example",
        "\nドライランのため、何も送信していません。次のものが対象になります: http://a.example\n次のものは保護されているため、何も行っていません: boss@x.example",
    );
    assert_eq!(world.posts(), 0);
}
