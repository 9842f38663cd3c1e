//! Crashes and lost answers: a run that is stopped at any write, and started again, asks the vendor for
//! everything exactly once.

use model::action::{Entity, Halt, ItemState, Outcome};
use serde_json::{Value, json};

use super::{World, act, host, mailbox, none, states, url};
use crate::memory_journal::{MemoryJournal, Stop};

/// More writes than any of these runs makes.
const ENOUGH: usize = 200;

/// An action to be stopped, and the members of the vendor's state that count its effects.
struct Subject {
    action: &'static str,
    entities: Vec<Entity>,
    parameters: Value,
    effects: fn(&Value) -> Vec<u64>,
    accepted: usize,
}

fn subjects() -> Vec<Subject> {
    let accounts = |state: &Value| {
        let accounts = state["accounts"].as_array().unwrap().iter();
        accounts.map(|account| account["password_resets"].as_u64().unwrap()).collect()
    };
    let mails = |state: &Value| {
        let mails = state["mails"].as_array().unwrap().iter();
        mails.map(|mail| mail["effects"].as_u64().unwrap()).collect()
    };
    let blocked = |state: &Value| {
        let urls = state["blocklist"]["urls"].as_array().unwrap();
        vec![1; urls.len()]
    };
    let ids = [0, 4, 7].map(|number| format!("<sim-mail-{number}@mail.sender.example>"));
    vec![
        Subject {
            action: "mitigate_accounts",
            entities: Vec::new(),
            parameters: json!({
                "email_addresses": "a@tarn.example,nobody,b@tarn.example",
                "mitigation_action": "Reset Password",
            }),
            effects: accounts,
            accepted: 1,
        },
        Subject {
            action: "mitigate_emails",
            entities: Vec::new(),
            parameters: json!({
                "message_ids": ids, "mitigation_action": "Quarantine", "service": "Exchange",
            }),
            effects: mails,
            accepted: 1,
        },
        Subject {
            action: "add_entities_to_blocklist",
            entities: vec![url("http://a.example"), url("http://b.example/x"), host("pc-1")],
            parameters: none(),
            effects: blocked,
            accepted: 1,
        },
    ]
}

async fn run(world: &World, journal: &MemoryJournal, subject: &Subject) -> Result<Outcome, Halt> {
    let Subject { action, entities, parameters, .. } = subject;
    act(&*world.connection, journal, action, entities, parameters.clone()).await
}

/// Stops a run at every write, or at every so many of them, starts it again, and compares with a run that nothing disturbed.
async fn stop_at_every(step: usize, subject: &Subject, faults: &[(&str, &str)]) {
    let calm = World::new(&[]).await;
    let expected = run(&calm, &calm.journal, subject).await.unwrap();
    let effects = (subject.effects)(&calm.sim.state());
    assert!(!effects.is_empty() && effects.iter().all(|count| *count == 1));
    for stop in [Stop::Before as fn(usize) -> Stop, Stop::After] {
        let mut stopped = 0;
        for number in (0..ENOUGH).step_by(step) {
            let world = World::new(faults).await;
            let first = MemoryJournal::new(world.sim.clock()).stopping(stop(number));
            let ended = run(&world, &first, subject).await;
            let outcome = if first.is_over() {
                assert!(matches!(ended, Err(Halt::Stopped)), "{:?}: {ended:?}", stop(number));
                stopped += 1;
                run(&world, &first.next_life(), subject).await.unwrap()
            } else {
                ended.unwrap()
            };
            let place = format!("{}, {:?}, {faults:?}", subject.action, stop(number));
            assert_eq!(outcome.message, expected.message, "{place}");
            assert_eq!(states(&outcome), states(&expected), "{place}");
            assert_eq!(world.accepted().len(), subject.accepted, "{place}");
            assert_eq!((subject.effects)(&world.sim.state()), effects, "{place}");
            if !first.is_over() {
                break;
            }
        }
        assert!((5..ENOUGH).contains(&(stopped * step)), "{}: {stopped}", subject.action);
    }
}

#[tokio::test]
async fn a_run_that_is_stopped_anywhere_does_everything_once() {
    for subject in subjects() {
        stop_at_every(1, &subject, &[]).await;
    }
}

#[tokio::test]
async fn so_it_does_when_the_answer_is_lost() {
    for subject in subjects() {
        stop_at_every(1, &subject, &[("lose_answer", "1")]).await;
    }
}

#[tokio::test]
async fn so_it_does_when_the_vendor_is_slow_to_show_it_and_often_down() {
    let faults = [
        ("lose_answer", "1"),
        ("status_lag", "10s"),
        ("unavailable_every", "5"),
        ("action_delay", "10s"),
    ];
    for subject in subjects() {
        stop_at_every(3, &subject, &faults).await;
    }
}

#[tokio::test]
async fn a_run_that_is_stopped_again_and_again_comes_to_its_end() {
    for subject in subjects() {
        let world = World::new(&[]).await;
        let mut journal = MemoryJournal::new(world.sim.clock());
        let mut lives = 1;
        let outcome = loop {
            // Each life gets a little further than the one before.
            journal = journal.next_life().stopping(Stop::After(lives / 2));
            match run(&world, &journal, &subject).await {
                Ok(outcome) => break outcome,
                Err(Halt::Stopped) => lives += 1,
                Err(other) => panic!("{other:?}"),
            }
        };
        assert!(lives > 5 && outcome.is_success);
        assert_eq!(world.accepted().len(), subject.accepted);
        assert!((subject.effects)(&world.sim.state()).iter().all(|count| *count == 1));
    }
}

#[tokio::test]
async fn two_runs_that_ask_for_the_same_have_a_batch_each() {
    let mut world = World::new(&[("action_delay", "1m")]).await;
    let parameters =
        json!({ "email_addresses": "a@tarn.example", "mitigation_action": "Reset Password" });
    let first = world.done("mitigate_accounts", &[], parameters.clone()).await;
    world.next_run("run-2");
    world.sim.set_fault("lose_answer", "1").unwrap();
    let second = world.done("mitigate_accounts", &[], parameters).await;
    assert!(first.items[0].handle.is_some() && first.items[0].handle != second.items[0].handle);
    assert_eq!(world.accepted().len(), 2);
    assert_eq!(world.sim.state()["accounts"][0]["password_resets"], 2);
}

#[tokio::test]
async fn a_request_that_the_vendor_never_took_is_sent_again_after_it_was_asked() {
    for stop in [Stop::After, Stop::Before] {
        // Every write in turn; the request itself is cut off with the process.
        for number in 0..14 {
            let world = World::new(&[("status_unknown", "empty")]).await;
            let first = MemoryJournal::new(world.sim.clock()).stopping(stop(number));
            let parameters = json!({ "email_addresses": "a@tarn.example" });
            let ended =
                act(&*world.connection, &first, "mitigate_accounts", &[], parameters.clone()).await;
            if !first.is_over() {
                assert!(ended.unwrap().is_success);
                continue;
            }
            let before = world.accepted().len();
            let next = first.next_life();
            let outcome =
                act(&*world.connection, &next, "mitigate_accounts", &[], parameters).await.unwrap();
            assert_eq!(states(&outcome), [ItemState::Succeeded]);
            assert!(before <= 1 && world.accepted().len() == 1, "{:?}", stop(number));
        }
    }
}

#[tokio::test]
async fn what_the_vendor_no_longer_tells_is_not_sent_again() {
    let world = World::new(&[]).await;
    let parameters = json!({ "email_addresses": "a@tarn.example" });
    // Sent, and the process ended before it heard the answer.
    let first = MemoryJournal::new(world.sim.clock()).stopping(Stop::Before(5));
    let ended = act(&*world.connection, &first, "mitigate_accounts", &[], parameters.clone()).await;
    assert!(matches!(ended, Err(Halt::Stopped)));
    assert_eq!(world.accepted().len(), 1);
    world.sim.clock().advance(std::time::Duration::from_secs(80 * 3600));
    let outcome = act(&*world.connection, &first.next_life(), "mitigate_accounts", &[], parameters)
        .await
        .unwrap();
    assert_eq!(states(&outcome), [ItemState::Unknown]);
    assert!(outcome.items[0].detail.en.contains("72 hours"), "{:?}", outcome.items[0].detail);
    assert_eq!(world.accepted().len(), 1);
    assert!(!outcome.is_success);
}

#[tokio::test]
async fn the_journal_never_holds_the_key() {
    let world = World::new(&[]).await;
    world.done("mitigate_accounts", &[], json!({ "email_addresses": "a@tarn.example" })).await;
    world.done("enrich_entities", &[mailbox("a@tarn.example")], none()).await;
    let written = world.journal.everything();
    assert!(written.contains("Bearer") && !written.contains("sim-key"));
    assert!(world.journal.endings().iter().any(|(step, _)| step == "post/1"));
}
