//! Mitigate Accounts.

use std::time::Duration;

use model::action::ItemState::{self, *};
use model::action::journal::Patience;
use serde_json::{Value, json};

use super::{World, assert_said, mailbox, states};
use crate::memory_journal::PROTECTED;

const ACTION: &str = "mitigate_accounts";
const DONE: &str = "\nSuccessfully mitigated the following accounts in {D}: ";
const FAILED: &str = "\nAction wasn't able to mitigate the following accounts in {D}: ";
const NONE: &str = "\nNo accounts were mitigated in {D}.";
const DONE_JA: &str = "\n{D} で次のアカウントに対処しました: ";
const FAILED_JA: &str = "\n{D} で次のアカウントには対処できませんでした: ";
const NONE_JA: &str = "\n{D} で対処できたアカウントはありません。";

fn asked(action: &str, addresses: &str) -> Value {
    json!({ "Mitigation Action": action, "Email Addresses": addresses })
}

struct Case {
    addresses: &'static str,
    faults: &'static [(&'static str, &'static str)],
    is_success: bool,
    said: (String, String),
    states: &'static [ItemState],
    /// The statuses that the vendor told.
    told: &'static [&'static str],
}

/// What is said of these that were done and these that were not; of none done when both are empty.
fn said(done: &str, failed: &str) -> (String, String) {
    let part = |sentence: &str, ids: &str| match ids {
        "" => String::new(),
        ids => format!("{sentence}{ids}"),
    };
    if done.is_empty() && failed.is_empty() {
        return (NONE.to_owned(), NONE_JA.to_owned());
    }
    (part(DONE, done) + &part(FAILED, failed), part(DONE_JA, done) + &part(FAILED_JA, failed))
}

fn plain_cases() -> Vec<Case> {
    vec![
        Case {
            addresses: "a@tarn.example, b@tarn.example",
            faults: &[],
            is_success: true,
            said: said("a@tarn.example\nb@tarn.example", ""),
            states: &[Succeeded, Succeeded],
            told: &["Success", "Success"],
        },
        Case {
            addresses: "nobody,a@tarn.example,ghost@tarn.example",
            faults: &[],
            is_success: true,
            said: said("a@tarn.example", "nobody\nghost@tarn.example"),
            states: &[Invalid, Succeeded, Failed],
            told: &["Success", "Failed"],
        },
        Case {
            addresses: "a@tarn.example,A@TARN.example",
            faults: &[],
            is_success: true,
            said: said("a@tarn.example", ""),
            states: &[Succeeded],
            told: &["Success"],
        },
        Case {
            addresses: "ghost@tarn.example,nobody",
            faults: &[],
            is_success: false,
            said: said("", ""),
            states: &[Failed, Invalid],
            told: &["Failed"],
        },
        Case {
            addresses: "nobody, A <a@tarn.example>",
            faults: &[],
            is_success: false,
            said: said("", ""),
            states: &[Invalid, Invalid],
            told: &[],
        },
    ]
}

/// The vendor refuses, hides, is slow, throttles and fails.
fn hard_cases() -> Vec<Case> {
    vec![
        // One bad element refuses a request whole; the others are sent again without it.
        Case {
            addresses: "a@tarn.example,odd@tarn.example,b@tarn.example",
            faults: &[("refuse_items", "odd@tarn.example")],
            is_success: true,
            said: said("a@tarn.example\nb@tarn.example", "odd@tarn.example"),
            states: &[Succeeded, Failed, Succeeded],
            told: &["Success", "Success"],
        },
        // No actions are not done; nor is a batch that is not known yet.
        Case {
            addresses: "a@tarn.example",
            faults: &[("empty_polls", "3"), ("action_delay", "40s"), ("status_lag", "8s")],
            is_success: true,
            said: said("a@tarn.example", ""),
            states: &[Succeeded],
            told: &["Success"],
        },
        Case {
            addresses: "a@tarn.example",
            faults: &[("executed_skew", "-3s"), ("status_unknown", "empty"), ("status_lag", "8s")],
            is_success: true,
            said: said("a@tarn.example", ""),
            states: &[Succeeded],
            told: &["Success"],
        },
        // Throttling and failures on the way hurt nobody.
        Case {
            addresses: "a@tarn.example",
            faults: &[("requests", "1"), ("unavailable_every", "3"), ("action_delay", "4m")],
            is_success: true,
            said: said("a@tarn.example", ""),
            states: &[Succeeded],
            told: &["Success"],
        },
    ]
}

#[tokio::test]
async fn outcomes() {
    for case in plain_cases().into_iter().chain(hard_cases()) {
        let world = World::new(case.faults).await;
        let outcome = world.done(ACTION, &[], asked("Disable Account", case.addresses)).await;
        assert_said(&outcome, case.is_success, &case.said.0, &case.said.1);
        assert_eq!(states(&outcome), case.states, "{}", case.addresses);
        let told = outcome.result.as_array().unwrap().iter();
        assert_eq!(told.map(|record| &record["status"]).collect::<Vec<_>>(), case.told);
        if case.told.is_empty() {
            assert!(world.sim.requests().is_empty(), "nothing is sent for nobody");
        }
        for item in &outcome.items {
            assert_eq!(
                item.handle.is_some(),
                matches!(item.state, Succeeded) || item.entity.value.starts_with("ghost")
            );
        }
    }
}

#[tokio::test]
async fn every_action_is_the_vendors() {
    for (action, member, shown) in [
        ("Disable Account", "disabled", json!(true)),
        ("enable mfa", "mfa_enabled", json!(true)),
        ("Reset Password", "password_resets", json!(1)),
        ("Revoke Sign In Sessions", "sessions_revoked", json!(1)),
    ] {
        let world = World::new(&[]).await;
        let outcome = world.done(ACTION, &[], asked(action, "a@tarn.example")).await;
        assert!(outcome.is_success, "{action}");
        assert_eq!(world.sim.state()["accounts"][0][member], shown, "{action}");
    }
}

#[tokio::test]
async fn what_was_so_before_is_a_success() {
    let mut world = World::new(&[]).await;
    world.done(ACTION, &[], asked("Disable Account", "a@tarn.example")).await;
    world.next_run("run-2");
    let again = world.done(ACTION, &[], json!({ "email_addresses": ["a@tarn.example"] })).await;
    assert_said(
        &again,
        true,
        &format!("{DONE}a@tarn.example"),
        &format!("{DONE_JA}a@tarn.example"),
    );
    assert_eq!(states(&again), [Already]);
}

#[tokio::test]
async fn it_waits_for_every_account_and_shows_how_far_it_is() {
    let world = World::new(&[("action_delay", "30s")]).await;
    world.done(ACTION, &[], asked("Disable Account", "a@tarn.example,b@tarn.example,nobody")).await;
    let shown = world.journal.progress_shown();
    let (items, first) = &shown[0];
    assert_eq!(
        first.en,
        "\nSuccessfully initiated mitigation process for the following accounts in Trend Micro Cloud App \
         Security: a@tarn.example, b@tarn.example. Waiting for mitigation actions to finish...\nAction wasn't able \
         to mitigate the following accounts in Trend Micro Cloud App Security: nobody."
    );
    assert_eq!(
        first.ja,
        "\nTrend Micro Cloud App Security で次のアカウントへの対処を開始しました: a@tarn.example, \
         b@tarn.example。完了を待っています...\nTrend Micro Cloud App Security で次のアカウントには対処できませんでした: nobody"
    );
    assert_eq!(
        items.iter().map(|item| item.state).collect::<Vec<_>>(),
        [Accepted, Accepted, Invalid]
    );
    assert!(shown.len() > 5, "{}", shown.len());
    assert!(
        shown[1..].iter().all(|(_, text)| text.en == "Waiting for mitigation actions to finish...")
    );
}

#[tokio::test]
async fn what_does_not_end_is_accepted_and_not_done() {
    let mut world = World::new(&[("status_stuck", "on")]).await;
    let (poll, settle) = (Duration::from_secs(5), Duration::from_secs(30));
    let patience = Patience { poll, settle, timeout: Duration::from_secs(60) };
    world.journal = world.journal.with_patience(patience);
    let outcome = world.done(ACTION, &[], asked("Disable Account", "a@tarn.example")).await;
    assert_eq!(states(&outcome), [Expired]);
    assert_said(
        &outcome,
        false,
        &format!(
            "{NONE}\nThe vendor accepted the following and was not done with them when the time was over: \
             a@tarn.example"
        ),
        &format!(
            "{NONE_JA}\n次のものは受け付けられましたが、待ち時間内に完了しませんでした: a@tarn.example"
        ),
    );
}

#[tokio::test]
async fn a_dry_run_sends_nothing() {
    let mut world = World::new(&[]).await;
    world.journal = world.journal.dry();
    let outcome = world.done(ACTION, &[], asked("Reset Password", "a@tarn.example,nobody")).await;
    assert_eq!(states(&outcome), [Planned, Invalid]);
    assert_said(
        &outcome,
        true,
        &format!(
            "{FAILED}nobody\nDry run: nothing was sent. The action would work on the following: a@tarn.example"
        ),
        &format!(
            "{FAILED_JA}nobody\nドライランのため、何も送信していません。次のものが対象になります: a@tarn.example"
        ),
    );
    assert_eq!(world.posts(), 0);
    let planned: Vec<_> =
        world.journal.written().into_iter().filter(|written| written.is_planned).collect();
    assert_eq!(planned.len(), 1);
    assert_eq!(planned[0].request.body[0]["action_type"], "ACCOUNT_RESET_PASSWORD");
}

#[tokio::test]
async fn protected_accounts_and_those_over_the_cap_are_left_alone() {
    let mut world = World::new(&[]).await;
    world.journal = world.journal.protecting(&[mailbox("CEO@tarn.example")]).with_cap(1);
    let addresses = "ceo@tarn.example,a@tarn.example,b@tarn.example";
    let outcome = world.done(ACTION, &[], asked("Disable Account", addresses)).await;
    assert_eq!(states(&outcome), [Protected, Succeeded, OverCap]);
    assert_eq!(outcome.items[0].detail.en, PROTECTED);
    assert_said(
        &outcome,
        true,
        &format!(
            "{DONE}a@tarn.example\nThe following are protected and were left alone: ceo@tarn.example\nThe following \
             were left alone because the action's cap for the hour is reached: b@tarn.example"
        ),
        &format!(
            "{DONE_JA}a@tarn.example\n次のものは保護されているため、何も行っていません: ceo@tarn.example\n1 時間あたりの上限に達したため、次のものには何も行っていません: b@tarn.example"
        ),
    );
    let sent = world.accepted();
    assert_eq!(sent.len(), 1);
    assert_eq!(sent[0].body.as_ref().unwrap().as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn many_accounts_go_in_requests_of_a_hundred() {
    let world = World::new(&[]).await;
    let addresses: Vec<_> = (0..205).map(|number| format!("u{number}@tarn.example")).collect();
    let outcome = world.done(ACTION, &[], json!({ "email_addresses": addresses })).await;
    assert!(states(&outcome).iter().all(|state| *state == Succeeded));
    let sizes =
        world.accepted().into_iter().map(|post| post.body.unwrap().as_array().unwrap().len());
    assert_eq!(sizes.collect::<Vec<_>>(), [100, 100, 5]);
    assert_eq!(world.journal.changes(), ["post/1", "post/2", "post/3"]);
}
