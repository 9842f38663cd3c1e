//! Requests of which only a part is known: of a batch, or of several requests.

use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::Method;
use model::action::ItemState;
use serde_json::{Value, json};

use super::odd::{Answering, accounts, fake, results};
use super::{act, none, run, states, url};

#[tokio::test]
async fn a_batch_that_is_listed_in_part_is_waited_for() {
    static LOOKS: AtomicUsize = AtomicUsize::new(0);
    // Looks are 5 s apart, and the seventh is the first after the time to settle.
    let slow: Answering = |method, path, _| match *method {
        Method::POST => (500, "oops".to_owned()),
        _ if path.contains("limit=1") => (200, results(&[])),
        _ if path.contains("batch_id=") => (200, results(&["Success", "Success"])),
        _ => match LOOKS.fetch_add(1, Ordering::SeqCst) + 1 {
            0..=6 => (200, results(&[])),
            7..=8 => (200, results(&["Created"])),
            _ => (200, results(&["Created", "Created"])),
        },
    };
    let (states, sent, _) = accounts(slow).await;
    assert_eq!((states, sent), (vec![ItemState::Succeeded; 2], 1));
}

#[tokio::test]
async fn a_batch_that_stays_a_part_is_followed_and_nothing_is_sent_twice() {
    let dropping: Answering = |method, path, _| match *method {
        Method::POST => (500, "oops".to_owned()),
        _ if path.contains("limit=1") => (200, results(&[])),
        _ => (200, results(&["Success"])),
    };
    let (states, sent, _) = accounts(dropping).await;
    assert_eq!((states, sent), (vec![ItemState::Succeeded, ItemState::Expired], 1));
}

#[tokio::test]
async fn what_was_accepted_before_the_key_was_revoked_is_followed() {
    let revoked: Answering = |method, path, posts| match (method == Method::POST, posts) {
        (true, 1) => (201, r#"{"code":0,"batch_id":"B1"}"#.to_owned()),
        (true, _) => (403, r#"{"code":-4030001,"msg":"revoked"}"#.to_owned()),
        _ if path.contains("batch_id=") => {
            let record = |number: usize| {
                json!({ "batch_id": "B1", "action_type": "ACCOUNT_DISABLE", "status": "Success",
                    "account_user_email": format!("u{number}@tarn.example") })
            };
            let records: Value = (0..100).map(record).collect();
            (200, json!({ "actions": records, "next_link": null }).to_string())
        }
        _ => (200, results(&[])),
    };
    let (connection, posts) = fake(revoked).await;
    let addresses: Vec<String> = (0..150).map(|number| format!("u{number}@tarn.example")).collect();
    let given = json!({ "email_addresses": addresses });
    let journal = run();
    let outcome = act(&*connection, &journal, "mitigate_accounts", &[], given).await.unwrap();
    let count = |state| outcome.items.iter().filter(|item| item.state == state).count();
    assert_eq!((count(ItemState::Succeeded), count(ItemState::Failed)), (100, 50));
    assert!(outcome.items[149].detail.en.contains("revoked"));
    assert_eq!(*posts.lock().unwrap(), 2);
    let shown = &journal.progress_shown()[0].0;
    assert_eq!((shown[0].state, shown[149].state), (ItemState::Accepted, ItemState::Pending));
}

#[tokio::test]
async fn what_was_blocked_before_the_key_was_revoked_is_told() {
    let revoked: Answering = |method, _, posts| match (method == Method::POST, posts) {
        // One entry is bad, so the request is halved.
        (true, 1) => (400, r#"{"code":-4000001,"msg":"bad entry"}"#.to_owned()),
        (true, 2) => (201, r#"{"code":0}"#.to_owned()),
        (true, _) => (403, r#"{"code":-4030001,"msg":"revoked"}"#.to_owned()),
        _ => (200, r#"{"code":0,"rules":{"urls":[]}}"#.to_owned()),
    };
    let (connection, _) = fake(revoked).await;
    let entities = [url("http://a.example"), url("http://b.example")];
    let journal = run();
    let outcome =
        act(&*connection, &journal, "add_entities_to_blocklist", &entities, none()).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Succeeded, ItemState::Failed]);
    assert_eq!(journal.progress_shown()[0].0[0].state, ItemState::Succeeded);
}
