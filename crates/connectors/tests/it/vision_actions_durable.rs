//! Trend Vision One's actions over crashes and lost answers: nothing is done twice, nothing is forgotten.

use model::action::{Halt, ItemState};
use serde_json::json;

use crate::memory_journal::Stop;
use crate::vision_actions::{Bench, KEY, act, entities, states};

/// Runs an action that stops at every write in turn, and once more to its end.
async fn stopped_everywhere(
    faults: &[(&str, &str)],
    action: &str,
    input: serde_json::Value,
    ends: &[ItemState],
    holds: impl Fn(&Bench, &str),
) {
    for number in 0..200 {
        let mut is_through = true;
        for stop in [Stop::Before(number), Stop::After(number)] {
            let bench = Bench::new(faults).await;
            let first = bench.journal.next_life().stopping(stop);
            let ended = act(&bench.url, &[KEY], &first, action, input.clone()).await;
            if first.is_over() {
                assert!(matches!(ended, Err(Halt::Stopped)), "{stop:?}: {ended:?}");
                is_through = false;
            }
            let second = bench.journal.next_life();
            let outcome = act(&bench.url, &[KEY], &second, action, input.clone()).await.unwrap();
            let is_good = outcome.items.iter().all(|item| ends.contains(&item.state));
            assert!(is_good, "{stop:?}: {:?}", outcome.items);
            holds(&bench, &format!("{stop:?}"));
        }
        if is_through {
            assert!(number > 3, "the run writes more than {number} times");
            return;
        }
    }
    panic!("the run never ends");
}

#[tokio::test]
async fn vision_actions_isolate_once_wherever_the_process_dies() {
    let input = entities(&[("host", "TARN-PC-0112"), ("host", "TARN-PC-0347")]);
    stopped_everywhere(&[], "isolate_endpoint", input, &[ItemState::Succeeded], |bench, stop| {
        assert_eq!(bench.posts("/isolate"), 1, "{stop}");
        let state = bench.simulator.state();
        let effects: Vec<_> =
            state["endpoints"].as_array().unwrap().iter().map(|fate| &fate["effects"]).collect();
        assert_eq!(effects, [1, 1], "{stop}");
    })
    .await;
}

#[tokio::test]
async fn vision_actions_write_a_note_once_wherever_the_process_dies() {
    let bench = Bench::new(&[]).await;
    let id = alert(&bench).await;
    let input = json!({ "parameters": { "alert_id": id, "content": "seen" } });
    stopped_everywhere(&[], "add_note", input, &[ItemState::Succeeded], |bench, stop| {
        assert_eq!(bench.posts("/notes"), 1, "{stop}");
        assert_eq!(bench.simulator.state()["notes"].as_array().unwrap().len(), 1, "{stop}");
    })
    .await;
}

#[tokio::test]
async fn vision_actions_isolate_once_when_an_answer_is_lost_and_the_process_dies() {
    let faults = [("lose_answer", "1"), ("unsupported", "TARN-DC-01")];
    let input = entities(&[("host", "TARN-PC-0112"), ("host", "TARN-DC-01")]);
    let ends = [ItemState::Succeeded, ItemState::Failed];
    stopped_everywhere(&faults, "isolate_endpoint", input, &ends, |bench, stop| {
        let state = bench.simulator.state();
        assert_eq!(state["endpoints"].as_array().unwrap().len(), 1, "{stop}");
        assert_eq!(state["endpoints"][0]["effects"], 1, "{stop}");
        assert_eq!(state["tasks"].as_array().unwrap().len(), 1, "{stop}");
    })
    .await;
}

#[tokio::test]
async fn vision_actions_change_an_alert_once_wherever_the_process_dies() {
    let bench = Bench::new(&[]).await;
    let id = alert(&bench).await;
    let input = json!({ "parameters": { "alert_id": id, "status": "Closed" } });
    stopped_everywhere(&[], "update_alert", input, &[ItemState::Succeeded], |bench, stop| {
        let requests = bench.simulator.requests();
        let patches = requests.iter().filter(|sent| sent.method == "PATCH").count();
        assert_eq!(patches, 1, "{stop}");
        assert_eq!(bench.simulator.state()["alerts"][0]["status"], "Closed", "{stop}");
    })
    .await;
}

#[tokio::test]
async fn vision_actions_never_hand_in_twice_wherever_the_process_dies() {
    let input = entities(&[("url", "http://cdn.bad.example/a")]);
    let ends = [ItemState::Succeeded, ItemState::Unknown];
    stopped_everywhere(&[], "sandbox_submit_url", input, &ends, |bench, stop| {
        assert!(bench.posts("/analyze") <= 1, "{stop}");
    })
    .await;
}

/// The newest alert's id.
pub(crate) async fn alert(bench: &Bench) -> String {
    let held = bench.simulator.held();
    let alerts = held.iter().find(|stream| stream.stream.contains("alerts")).unwrap();
    alerts.ids.last().unwrap().clone()
}

#[tokio::test]
async fn vision_actions_find_their_tasks_when_the_answer_is_lost() {
    let bench = Bench::new(&[("lose_answer", "1")]).await;
    let input = entities(&[("host", "TARN-PC-0112"), ("host", "TARN-NB-1180")]);
    let outcome = bench.act("isolate_endpoint", input).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Succeeded; 2]);
    assert_eq!(bench.posts("/isolate"), 1);
}

#[tokio::test]
async fn vision_actions_ask_again_for_the_refusals_that_were_lost_with_the_answer() {
    let bench = Bench::new(&[("lose_answer", "1"), ("unsupported", "TARN-DC-01")]).await;
    let input = entities(&[("host", "TARN-PC-0112"), ("host", "NOWHERE"), ("host", "TARN-DC-01")]);
    let outcome = bench.act("isolate_endpoint", input).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Succeeded, ItemState::Failed, ItemState::Failed]);
    assert_eq!(outcome.items[1].detail.en, "Target not found.");
    assert!(outcome.items[2].detail.en.starts_with("Action not supported."));
    assert_eq!(bench.posts("/isolate"), 2);
    assert_eq!(bench.journal.changes(), ["post", "post/again"]);
    assert_eq!(bench.simulator.state()["endpoints"][0]["effects"], 1);
}

#[tokio::test]
async fn vision_actions_do_not_take_the_task_of_another_run_for_their_own() {
    let bench = Bench::new(&[("task_delay", "20m")]).await;
    let input = || entities(&[("host", "TARN-PC-0112")]);
    let other = bench.journal.other_run("run-2");
    let first = other.stopping(Stop::Before(7));
    let ended = act(&bench.url, &[KEY], &first, "isolate_endpoint", input()).await;
    assert!(matches!(ended, Err(Halt::Stopped)));
    assert_eq!(bench.posts("/isolate"), 1);
    // The answer that is lost was "Task duplication.", so that the vendor has no task of this run.
    bench.simulator.set_fault("lose_answer", "1").unwrap();
    let outcome = bench.act("isolate_endpoint", input()).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Succeeded]);
    assert_eq!(bench.posts("/isolate"), 3, "sent again, and answered that it is in progress");
    assert_eq!(bench.simulator.state()["endpoints"][0]["effects"], 1);
}

#[tokio::test]
async fn vision_actions_say_that_nobody_knows_what_became_of_a_lost_submission() {
    let bench = Bench::new(&[("lose_answer", "1")]).await;
    let input = entities(&[("url", "http://cdn.bad.example/a")]);
    let outcome = bench.act("sandbox_submit_url", input).await.unwrap();
    assert_eq!(states(&outcome), [ItemState::Unknown]);
    assert!(!outcome.is_success);
    assert!(
        outcome.message.en.starts_with(
            "It is not known what became of the following URLs in Trend Vision One:\nhttp://cdn.bad.example/a ("
        ),
        "{}", outcome.message.en
    );
    assert_eq!(bench.posts("/analyze"), 1);
}
