//! Enrich Entities.

use std::collections::BTreeMap;

use model::action::ItemState::*;
use serde_json::{Value, json};

use super::{World, assert_said, hash, host, mailbox, none, states, url, user};

const ACTION: &str = "enrich_entities";

async fn blocking(entities: &[model::action::Entity]) -> World {
    let mut world = World::new(&[]).await;
    world.done("add_entities_to_blocklist", entities, none()).await;
    world.next_run("run-2");
    world
}

#[tokio::test]
async fn blocked_entities_are_told_from_the_others_one_by_one() {
    let sha256 = "b2".repeat(32);
    let world =
        blocking(&[url("http://pay.bad.example/login"), hash(&sha256), mailbox("bad@x.example")])
            .await;
    let entities = [
        mailbox("good@x.example"),
        url("https://PAY.bad.example/other"),
        url("http://pay.bad.example/login"),
        url("http://bad.example/"),
        hash(&sha256.to_uppercase()),
        user("BAD@x.example"),
        url("no url"),
        host("pc-1"),
    ];
    let outcome = world.done(ACTION, &entities, none()).await;
    let found = format!(
        "https://PAY.bad.example/other\nhttp://pay.bad.example/login\n{}\nBAD@x.example",
        sha256.to_uppercase()
    );
    let missed = "good@x.example\nhttp://bad.example/\nno url";
    assert_said(
        &outcome,
        true,
        &format!(
            "Successfully retrieved information about the following entities from {{D}}: {found}\nAction wasn't able \
             to retrieve information about the following entities from {{D}}: {missed}"
        ),
        &format!(
            "{{D}} から次のエンティティの情報を取得しました: {found}\n{{D}} から次のエンティティの情報は取得できませんでした: {missed}"
        ),
    );
    assert_eq!(
        states(&outcome),
        [Failed, Succeeded, Succeeded, Failed, Succeeded, Succeeded, Invalid, Skipped]
    );
    assert_eq!(
        outcome.result,
        json!({
            "blocked_urls": ["https://PAY.bad.example/other", "http://pay.bad.example/login"],
            "blocked_hashes": [sha256.to_uppercase()], "blocked_senders": ["BAD@x.example"],
        })
    );
    let properties = |blocked: &str, kind: Option<&str>| {
        let mut properties = BTreeMap::from([("TMCAS_blocked".to_owned(), blocked.to_owned())]);
        properties.extend(kind.map(|kind| ("TMCAS_match".to_owned(), kind.to_owned())));
        properties
    };
    let learned: Vec<_> = outcome.enrichment.iter().map(|one| one.properties.clone()).collect();
    // One that is not blocked says nothing about those after it.
    assert_eq!(
        learned,
        [
            properties("False", None),
            properties("True", Some("host")),
            properties("True", Some("exact")),
            properties("False", None),
            properties("True", Some("exact")),
            properties("True", Some("exact")),
        ]
    );
    for one in &outcome.enrichment {
        assert_eq!(one.is_suspicious, one.properties["TMCAS_blocked"] == "True");
    }
    assert_eq!(world.sim.requests().len(), 3, "one question for all");
}

#[tokio::test]
async fn all_blocked_have_no_second_sentence() {
    let world = blocking(&[mailbox("bad@x.example")]).await;
    let outcome = world.done(ACTION, &[user("bad@x.example"), host("pc-1")], none()).await;
    assert_said(
        &outcome,
        true,
        "Successfully retrieved information about the following entities from {D}: bad@x.example",
        "{D} から次のエンティティの情報を取得しました: bad@x.example",
    );
    assert_eq!(outcome.result, json!({ "blocked_senders": ["bad@x.example"] }));
}

#[tokio::test]
async fn none_blocked_is_no_success() {
    let world = World::new(&[("empty_lists", "absent")]).await;
    for entities in [
        vec![url("http://a.example"), user("a@b.example")],
        vec![host("pc-1")],
        vec![url("no url")],
    ] {
        let outcome = world.done(ACTION, &entities, none()).await;
        assert_said(
            &outcome,
            false,
            "No entities were enriched using information from {D}.",
            "{D} の情報を付加できたエンティティはありません。",
        );
        assert_eq!(outcome.result, Value::Null);
        assert!(outcome.enrichment.iter().all(|one| one.properties["TMCAS_blocked"] == "False"));
    }
    assert_eq!(world.sim.requests().len(), 1, "nothing is asked for nobody");
}
