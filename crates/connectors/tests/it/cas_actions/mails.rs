//! Mitigate Emails.

use model::action::ItemState::{self, *};
use serde_json::{Value, json};

use super::{World, assert_said, fatal, mailbox, states};

const ACTION: &str = "mitigate_emails";
const DONE: &str = "\nSuccessfully mitigated the following emails in {D}: ";
const FAILED: &str = "\nAction wasn’t able to mitigate the following emails in {D}: ";
const NONE: &str = "\nNo emails were mitigated in {D}.";
const DONE_JA: &str = "\n{D} で次のメールに対処しました: ";
const FAILED_JA: &str = "\n{D} で次のメールには対処できませんでした: ";
const NONE_JA: &str = "\n{D} で対処できたメールはありません。";

/// The known message of this number.
fn id(number: u32) -> String {
    format!("<sim-mail-{number}@mail.sender.example>")
}

fn asked(ids: &str, action: &str, service: &str) -> Value {
    json!({ "Message IDs": ids, "Mitigation Action": action, "Service": service })
}

/// Where the vendor's mails are now, by mailbox.
fn places(world: &World) -> Vec<(String, String)> {
    let text = |mail: &Value, name: &str| mail[name].as_str().unwrap().to_owned();
    let state = world.sim.state();
    let mails = state["mails"].as_array().unwrap().iter();
    mails
        .map(|mail| {
            assert_eq!(mail["effects"], 1);
            (text(mail, "mailbox"), text(mail, "state"))
        })
        .collect()
}

struct Case {
    ids: String,
    asked: (&'static str, &'static str),
    faults: &'static [(&'static str, &'static str)],
    is_success: bool,
    said: (String, String),
    states: &'static [ItemState],
}

fn cases() -> Vec<Case> {
    let done = |ids: &str| (format!("{DONE}{ids}"), format!("{DONE_JA}{ids}"));
    let some = |ids: &str, failed: &str| {
        (format!("{DONE}{ids}{FAILED}{failed}"), format!("{DONE_JA}{ids}{FAILED_JA}{failed}"))
    };
    let none = || (NONE.to_owned(), NONE_JA.to_owned());
    vec![
        Case {
            ids: format!("{},{},{}", id(0), id(4), id(0)),
            asked: ("Quarantine", "Exchange"),
            faults: &[],
            is_success: true,
            said: done(&format!("{}\n{}", id(0), id(4))),
            states: &[Succeeded, Succeeded],
        },
        Case {
            ids: format!("{},<nothing@x.example>,{},a b", id(3), id(0)),
            asked: ("Delete", "Gmail"),
            faults: &[],
            is_success: true,
            said: some(&id(3), &format!("<nothing@x.example>\n{}\na b", id(0))),
            states: &[Succeeded, Failed, Failed, Invalid],
        },
        Case {
            ids: "<nothing@x.example>".to_owned(),
            asked: ("Delete", "Exchange"),
            faults: &[],
            is_success: false,
            said: none(),
            states: &[Failed],
        },
        // A message is done when it is done in all of its mailboxes.
        Case {
            ids: format!("{},{}", id(0), id(1)),
            asked: ("Delete", "Exchange"),
            faults: &[("fail_items", "keiri@tarn.example")],
            is_success: true,
            said: some(&id(1), &id(0)),
            states: &[Failed, Succeeded],
        },
        Case {
            ids: format!("{},{}", id(0), id(9)),
            asked: ("Delete", "Exchange"),
            faults: &[("refuse_items", "haruka.mori@tarn.example")],
            is_success: false,
            said: none(),
            states: &[Failed, Failed],
        },
        // Pages, links without end, quota, outages.
        Case {
            ids: id(4),
            asked: ("Delete", "Exchange"),
            faults: &[("requests", "2"), ("unavailable_every", "4"), ("empty_polls", "2")],
            is_success: true,
            said: done(&id(4)),
            states: &[Succeeded],
        },
    ]
}

#[tokio::test]
async fn outcomes() {
    for case in cases() {
        let world = World::new(case.faults).await;
        let given = asked(&case.ids, case.asked.0, case.asked.1);
        let outcome = world.done(ACTION, &[], given).await;
        assert_said(&outcome, case.is_success, &case.said.0, &case.said.1);
        assert_eq!(states(&outcome), case.states, "{}", case.ids);
        for request in world.sim.requests() {
            let is_search = request.path.ends_with("/sweeping/mails");
            assert!(
                !is_search || request.query.contains("lastndays=90&limit=1000"),
                "{}",
                request.query
            );
        }
    }
}

#[tokio::test]
async fn a_message_is_mitigated_in_every_mailbox_that_holds_it() {
    let world = World::new(&[]).await;
    let outcome = world.done(ACTION, &[], asked(&id(4), "Quarantine", "Exchange")).await;
    let quarantined = |address: &str| (address.to_owned(), "quarantined".to_owned());
    assert_eq!(
        places(&world),
        [
            quarantined("s.okabe@tarn.example"),
            quarantined("haruka.mori@tarn.example"),
            quarantined("lena.fischer@tarn.example"),
        ]
    );
    assert_eq!(world.posts(), 1, "one request for all of them");
    assert_eq!(outcome.items[0].detail.en, "3 of 3 mailboxes");
    assert_eq!(outcome.items[0].detail.ja, "3 個中 3 個のメールボックス");
    let rows = &outcome.tables[0].rows;
    assert_eq!(rows.len(), 3);
    assert_eq!(rows[1], [&id(4), "haruka.mori@tarn.example", "succeeded", ""]);
    let told = outcome.result.as_array().unwrap();
    assert!(
        told.len() == 3 && told.iter().all(|record| record["action_type"] == "MAIL_QUARANTINE")
    );
}

#[tokio::test]
async fn a_failure_in_one_mailbox_is_told_with_its_mailbox() {
    let world = World::new(&[("fail_items", "keiri@tarn.example")]).await;
    let outcome = world.done(ACTION, &[], asked(&id(0), "Delete", "Exchange")).await;
    assert_eq!(
        outcome.items[0].detail.en,
        "1 of 2 mailboxes: The action for these mails failed. (error_code -999)"
    );
    let rows: Vec<_> = outcome.tables[0].rows.iter().map(|row| (&*row[1], &*row[2])).collect();
    assert_eq!(rows, [("haruka.mori@tarn.example", "succeeded"), ("keiri@tarn.example", "failed")]);
}

#[tokio::test]
async fn gmail_only_deletes_and_is_not_asked_for_more() {
    let world = World::new(&[]).await;
    let message = fatal(world.act(ACTION, &[], asked(&id(2), "Quarantine", "Gmail")).await);
    assert_eq!(
        message.en,
        "Error executing action TrendMicroCloudAppSecurity - Mitigate Emails. Reason: You can only delete emails in \
         gmail service."
    );
    assert_eq!(
        message.ja,
        "アクション「メールの対処」を実行できませんでした。理由: Gmail サービスではメールの削除のみ可能です"
    );
    assert!(world.sim.requests().is_empty());
    let deleted = world.done(ACTION, &[], json!({ "message_ids": id(2) })).await;
    assert!(deleted.is_success, "Gmail and Delete are the defaults");
    assert_eq!(places(&world), [("rafael.duarte@tarn.example".to_owned(), "deleted".to_owned())]);
}

#[tokio::test]
async fn a_mail_of_the_other_service_is_told_where_it_is() {
    let world = World::new(&[]).await;
    let outcome = world.done(ACTION, &[], asked(&id(0), "Delete", "Gmail")).await;
    assert_eq!(outcome.items[0].detail.en, "found in another service than gmail, in 2 mailboxes");
    assert_eq!(world.posts(), 0);
}

#[tokio::test]
async fn what_is_gone_already_is_a_success() {
    let mut world = World::new(&[]).await;
    world.done(ACTION, &[], asked(&id(0), "Delete", "Exchange")).await;
    world.next_run("run-2");
    let again = world.done(ACTION, &[], asked(&id(0), "Delete", "Exchange")).await;
    assert_eq!(states(&again), [Already]);
    assert_said(&again, true, &format!("{DONE}{}", id(0)), &format!("{DONE_JA}{}", id(0)));
}

#[tokio::test]
async fn a_message_with_a_protected_mailbox_is_left_alone() {
    let mut world = World::new(&[]).await;
    world.journal = world.journal.protecting(&[mailbox("Keiri@tarn.example")]);
    let ids = format!("{},{}", id(0), id(1));
    let outcome = world.done(ACTION, &[], asked(&ids, "Delete", "Exchange")).await;
    assert_eq!(states(&outcome), [Protected, Succeeded]);
    assert_eq!(outcome.items[0].detail.en, "keiri@tarn.example: protected by a test");
    let remark = "\nThe following are protected and were left alone: ";
    let remark_ja = "\n次のものは保護されているため、何も行っていません: ";
    assert_said(
        &outcome,
        true,
        &format!("{DONE}{}{remark}{}", id(1), id(0)),
        &format!("{DONE_JA}{}{remark_ja}{}", id(1), id(0)),
    );
    assert_eq!(places(&world), [("lena.fischer@tarn.example".to_owned(), "deleted".to_owned())]);
}

#[tokio::test]
async fn a_dry_run_searches_and_changes_nothing() {
    let mut world = World::new(&[]).await;
    world.journal = world.journal.dry();
    let outcome = world.done(ACTION, &[], asked(&id(4), "Delete", "Exchange")).await;
    assert_eq!(states(&outcome), [Planned]);
    assert_said(
        &outcome,
        true,
        &format!("\nDry run: nothing was sent. The action would work on the following: {}", id(4)),
        &format!("\nドライランのため、何も送信していません。次のものが対象になります: {}", id(4)),
    );
    assert_eq!((world.posts(), world.sim.requests().len()), (0, 1));
    let planned = world.journal.written().pop().unwrap();
    assert_eq!((planned.targets.len(), planned.request.body.as_array().unwrap().len()), (3, 3));
}
