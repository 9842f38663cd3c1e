//! Ping, and the ways in which nothing at all can be done: keys, rights, network, outages.

use model::action::Entity;
use serde_json::{Value, json};

use super::{World, act, assert_said, fatal, none, run, url};
use crate::support::open;

/// Every action with an input, and how its failures begin in both languages.
fn actions() -> Vec<(&'static str, Vec<Entity>, Value, [&'static str; 2])> {
    let entities = || vec![url("http://a.example")];
    let mails = json!({ "message_ids": "<sim-mail-2@mail.sender.example>" });
    let accounts = json!({ "email_addresses": "a@tarn.example" });
    vec![
        (
            "ping",
            vec![],
            none(),
            [
                "Failed to connect to the Trend Micro Cloud App Security! Error: ",
                "Trend Micro Cloud App Security に接続できませんでした。エラー: ",
            ],
        ),
        (
            "add_entities_to_blocklist",
            entities(),
            none(),
            [
                "Error executing action TrendMicroCloudAppSecurity - Add Entities To Blocklist. Reason: ",
                "アクション「ブロックリストに追加」を実行できませんでした。理由: ",
            ],
        ),
        (
            "remove_entities_from_blocklist",
            entities(),
            none(),
            [
                "Error executing action TrendMicroCloudAppSecurity - Remove Entities From Blocklist. Reason: ",
                "アクション「ブロックリストから削除」を実行できませんでした。理由: ",
            ],
        ),
        (
            "list_blocklist",
            vec![],
            none(),
            [
                "Error executing action TrendMicroCloudAppSecurity - List Blocklist. Reason: ",
                "アクション「ブロックリストの一覧」を実行できませんでした。理由: ",
            ],
        ),
        (
            "enrich_entities",
            entities(),
            none(),
            [
                "Error executing action Trend Micro Cloud App Security - Enrich Entities. Reason: ",
                "アクション「エンティティの情報付加」を実行できませんでした。理由: ",
            ],
        ),
        (
            "entity_email_search",
            entities(),
            none(),
            [
                "Error executing action TrendMicroCloudAppSecurity - Entity Email Search. Reason: ",
                "アクション「エンティティに関連するメールの検索」を実行できませんでした。理由: ",
            ],
        ),
        (
            "mitigate_emails",
            vec![],
            mails,
            [
                "Error executing action TrendMicroCloudAppSecurity - Mitigate Emails. Reason: ",
                "アクション「メールの対処」を実行できませんでした。理由: ",
            ],
        ),
        (
            "mitigate_accounts",
            vec![],
            accounts,
            [
                "Error executing action Trend Micro Cloud App Security - Mitigate Accounts. Reason: ",
                "アクション「アカウントの対処」を実行できませんでした。理由: ",
            ],
        ),
    ]
}

#[tokio::test]
async fn ping_connects() {
    let world = World::new(&[]).await;
    let outcome = world.done("ping", &[], none()).await;
    assert_said(
        &outcome,
        true,
        "Successfully connected to the {D} instance with the provided connection parameters!",
        "指定された接続パラメータで {D} に接続できました。",
    );
    assert_eq!(world.sim.requests()[0].query, "limit=1");
}

#[tokio::test]
async fn failures_are_told_whole_by_every_action() {
    let answered = |status: &str| format!("answered {status}");
    for (faults, en, ja, answer) in [
        (
            &[("keys", "other")][..],
            "unknown key",
            "キーが登録されていません",
            answered("401: Authentication token not found"),
        ),
        (
            &[("expired", "sim-key")],
            "expired key",
            "キーの有効期限が切れています",
            answered("401: Authentication token expired"),
        ),
        (
            &[("scopes", "sim-key:log_retrieval")],
            "missing permission",
            "権限が不足しています",
            answered("403: No permission for this request"),
        ),
    ] {
        for (action, entities, parameters, [before, before_ja]) in actions() {
            let world = World::new(faults).await;
            let message = fatal(world.act(action, &entities, parameters).await);
            let host = world.connection.keys()[0].host.clone();
            assert_eq!(message.en, format!("{before}{en}: {host} {answer}."), "{action}");
            assert_eq!(message.ja, format!("{before_ja}{ja}: {host} {answer}"), "{action}");
            assert_eq!(world.sim.requests().len(), 1, "{action}");
        }
    }
}

#[tokio::test]
async fn outages_are_waited_for_and_then_told() {
    for (action, entities, parameters, [before, before_ja]) in actions() {
        let world = World::new(&[("outage", "on")]).await;
        let model::action::Text { en, ja } = fatal(world.act(action, &entities, parameters).await);
        assert!(en.starts_with(&format!("{before}vendor outage: ")), "{action}: {en}");
        assert!(en.ends_with(" answered 503: Service temporarily unavailable."), "{action}: {en}");
        assert!(ja.starts_with(before_ja), "{action}: {ja}");
        assert_eq!(world.sim.requests().len(), 5, "{action}");
    }
}

#[tokio::test]
async fn a_second_key_acts_where_the_first_may_not() {
    let world = World::new(&[("keys", "a,b"), ("scopes", "a:log_retrieval")]).await;
    let host = world.connection.keys()[0].host.clone();
    let settings = crate::support::settings(&format!("http://{host}"), &["a", "b"]);
    let connection = crate::support::cas().open(&settings).unwrap();
    let given = json!({ "email_addresses": "a@tarn.example" });
    let outcome = act(&*connection, &world.journal, "mitigate_accounts", &[], given).await.unwrap();
    assert!(outcome.is_success);
    assert_eq!(world.accepted()[0].credential.as_deref(), Some("b"));
}

#[tokio::test]
async fn a_host_that_is_not_there_is_told_by_every_action() {
    for (action, entities, parameters, [before, _]) in actions() {
        let connection = open("http://127.0.0.1:9");
        let message = fatal(act(&*connection, &run(), action, &entities, parameters).await);
        assert_eq!(
            message.en,
            format!("{before}host not reachable: failed to connect to 127.0.0.1:9."),
            "{action}"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_a_key_is_not_sent() {
    let world = World::new(&[]).await;
    let host = world.connection.keys()[0].host.clone();
    let settings = crate::support::settings(&format!("http://{host}"), &["with space"]);
    let connection = crate::support::cas().open(&settings).unwrap();
    let message = fatal(act(&*connection, &world.journal, "ping", &[], none()).await);
    assert_eq!(
        message.en,
        "Failed to connect to the Trend Micro Cloud App Security! Error: malformed key: the key has white space in \
         it."
    );
    assert!(world.sim.requests().is_empty());
}

#[tokio::test]
async fn a_page_that_is_not_the_vendors_is_no_connection() {
    let world = World::new(&[("wrong_type", "on")]).await;
    let message = fatal(world.act("ping", &[], none()).await);
    let host = world.connection.keys()[0].host.clone();
    assert_eq!(
        message.en,
        format!(
            "Failed to connect to the Trend Micro Cloud App Security! Error: unreadable answer: {host} answered 200: \
             the answer is not the vendor's JSON."
        )
    );
}
