//! Entity Email Search.

use std::collections::BTreeSet;

use model::action::ItemState::*;
use model::action::{Entity, EntityKind};
use serde_json::json;

use super::{World, assert_said, fatal, hash, host, mailbox, states, url, user};

const ACTION: &str = "entity_email_search";
const FOUND: &str =
    "Successfully returned information about emails related to the provided entities in {D}.";
const FOUND_JA: &str = "{D} で、指定されたエンティティに関連するメールの情報を取得しました。";
const NONE: &str = "No information about emails related to entities were found in {D}.";
const NONE_JA: &str = "{D} に、エンティティに関連するメールの情報は見つかりませんでした。";

fn of(kind: EntityKind, value: &str) -> Entity {
    Entity::new(kind, value)
}

#[tokio::test]
async fn every_kind_of_entity_finds_its_mails() {
    let (sha1, sha256) = ("10".repeat(20), "12".repeat(32));
    for (entity, found) in [
        (url("http://pay.bad.example/login"), &["AAMkSIM00000-0=", "AAMkSIM00000-1="][..]),
        (hash(&sha1), &["AAMkSIM00000-0=", "AAMkSIM00000-1="]),
        (hash(&sha256), &["AAMkSIM00002-0="]),
        (mailbox("rafael.duarte@tarn.example"), &["AAMkSIM00002-0="]),
        (user("o'neil@tarn.example"), &[]),
        (user("yuto.kanda@jp.tarn.example"), &["AAMkSIM00005-0="]),
        (of(EntityKind::EmailSubject, "【重要】パスワード再設定のお願い"), &["AAMkSIM00005-0="]),
        (
            of(EntityKind::EmailSubject, "Urgent: wire transfer"),
            &["AAMkSIM00003-0=", "AAMkSIM00003-1="],
        ),
        (of(EntityKind::EmailSubject, "transfer wire"), &[]),
        (of(EntityKind::FileName, "parcel.js"), &["AAMkSIM00002-0="]),
        (of(EntityKind::Ip, "198.51.100.7"), &["AAMkSIM00001-0="]),
        (url("https://cdn.files-drop.example/parcel?id=77&lang=pt"), &["AAMkSIM00002-0="]),
    ] {
        let world = World::new(&[]).await;
        let outcome = world.done(ACTION, std::slice::from_ref(&entity), json!({})).await;
        let mails = outcome.result.as_array().unwrap();
        let ids: Vec<_> =
            mails.iter().map(|mail| mail["mail_unique_id"].as_str().unwrap()).collect();
        assert_eq!(ids, found, "{entity}");
        let (en, ja) = if found.is_empty() { (NONE, NONE_JA) } else { (FOUND, FOUND_JA) };
        assert_said(&outcome, !found.is_empty(), en, ja);
        assert_eq!(states(&outcome), [if found.is_empty() { Failed } else { Succeeded }]);
        assert_eq!(outcome.tables.iter().map(|table| table.rows.len()).sum::<usize>(), found.len());
    }
}

#[tokio::test]
async fn a_mail_that_several_entities_lead_to_is_told_once() {
    let world = World::new(&[]).await;
    let entities = [
        url("http://pay.bad.example/login"),
        host("pc-1"),
        user("CORP\\a"),
        mailbox("keiri@tarn.example"),
        url("no url"),
        hash("abc"),
        of(EntityKind::Ip, "999.1.1.1"),
        of(EntityKind::FileName, "*.js"),
    ];
    let outcome = world.done(ACTION, &entities, json!({})).await;
    assert_eq!(
        states(&outcome),
        [Succeeded, Skipped, Skipped, Succeeded, Invalid, Invalid, Invalid, Failed]
    );
    assert!(outcome.items[7].detail.en.contains("answered 400"), "{:?}", outcome.items[7]);
    assert_eq!(outcome.result.as_array().unwrap().len(), 2);
    assert_said(&outcome, true, FOUND, FOUND_JA);
    let record = &outcome.result[0];
    assert_eq!(record["mail_message_subject"], "Invoice 8841");
    assert_eq!(record["mail_attachments"][0]["file_name"], "inv.pdf");
    assert_eq!(
        outcome.tables[0].rows[0][1..4],
        ["haruka.mori@tarn.example", "billing@sender.example", "Invoice 8841"]
    );
}

#[tokio::test]
async fn the_cap_is_kept_exactly_over_pages_and_entities() {
    let faults = [
        ("mails", "3000"),
        ("link_end", "mixed"),
        ("empty_page_with_link", "2"),
        ("unavailable_every", "5"),
    ];
    for (most, requests) in [(1, 1), (999, 1), (1_000, 1), (1_001, 2), (2_500, 3)] {
        let world = World::new(&faults[..1]).await;
        let entities = [of(EntityKind::Ip, "198.51.100.0/24"), mailbox("haruka.mori@tarn.example")];
        let parameters = json!({ "max_days_backwards": 90, "max_emails_to_return": most });
        let outcome = world.done(ACTION, &entities, parameters).await;
        let mails = outcome.result.as_array().unwrap();
        let ids: BTreeSet<_> =
            mails.iter().map(|mail| mail["mail_unique_id"].as_str().unwrap()).collect();
        assert_eq!((mails.len(), ids.len()), (most, most));
        assert_eq!(states(&outcome), [Succeeded, Skipped]);
        let asked = world.sim.requests();
        assert_eq!(asked.len(), requests, "{most}");
        for request in &asked {
            let limit =
                request.query.split('&').find_map(|pair| pair.strip_prefix("limit=")).unwrap();
            assert!((1..=1_000).contains(&limit.parse::<usize>().unwrap()), "{limit}");
            assert!(request.query.contains("lastndays=90"));
        }
    }
    let world = World::new(&faults).await;
    let parameters = json!({ "max_days_backwards": 90, "max_emails_to_return": 2_500 });
    let outcome = world.done(ACTION, &[of(EntityKind::Ip, "198.51.100.0/24")], parameters).await;
    assert_eq!(outcome.result.as_array().unwrap().len(), 2_500);
}

#[tokio::test]
async fn numbers_have_the_known_defaults_and_limits() {
    let world = World::new(&[("mails", "400")]).await;
    let everything = [of(EntityKind::Ip, "198.51.100.0/24")];
    for (given, days, most) in [
        (json!({}), 30, 100),
        (json!({ "Max Days Backwards": "1", "Max Emails To Return": "0" }), 1, 100),
        (json!({ "max_days_backwards": 90, "max_emails_to_return": -5 }), 90, 100),
    ] {
        world.done(ACTION, &everything, given).await;
        let query = world.sim.requests().pop().unwrap().query;
        assert!(query.ends_with(&format!("lastndays={days}&limit={most}")), "{query}");
    }
    let asked = world.sim.requests().len();
    for days in [91, 0, -1, i64::MAX] {
        let message =
            fatal(world.act(ACTION, &everything, json!({ "max_days_backwards": days })).await);
        assert_eq!(
            message.en,
            "Error executing action \"Entity Email Search\". Reason: \"Max Days Backwards\" should be in range from 1 \
             to 90."
        );
        assert_eq!(
            message.ja,
            "アクション「エンティティに関連するメールの検索」を実行できませんでした。理由: 「遡る最大日数」は 1～90 の範囲で指定してください。"
        );
    }
    assert_eq!(world.sim.requests().len(), asked, "nothing was sent");
}

#[tokio::test]
async fn a_link_that_leads_away_or_in_a_circle_is_not_followed() {
    for (fault, value, words) in [
        ("link_host", "evil.example", "next link to a foreign host"),
        ("link_repeat", "1", "paging in a circle"),
    ] {
        let world = World::new(&[("mails", "3000"), (fault, value)]).await;
        let entities = [of(EntityKind::Ip, "198.51.100.0/24"), url("http://pay.bad.example/login")];
        let parameters = json!({ "max_days_backwards": 90, "max_emails_to_return": 3_500 });
        let outcome = world.done(ACTION, &entities, parameters).await;
        assert_eq!(states(&outcome), [Failed, Succeeded]);
        assert!(outcome.items[0].detail.en.starts_with(words), "{:?}", outcome.items[0].detail);
        assert!(outcome.is_success, "what was found before is told");
    }
}
