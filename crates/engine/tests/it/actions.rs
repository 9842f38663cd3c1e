//! Runs of actions against a vendor with state: what they do, what keeps them from it, and what the history tells.

use std::time::Duration;

use engine::actions::history::{Asker, RunFilter, RunView};
use engine::actions::wish::{Options, Wish};
use engine::error::{EngineError, ErrorKind};
use model::action::{Entity, EntityKind, Input, Locale, RunState};
use model::hint::Hint as _;
use model::ids::RunId;
use serde_json::{Value, json};
use simulators::{Simulator, Volume};

use crate::gap_repair::assert_complete;
use crate::world::{World, connector, tenant};

const ADD: &str = "trend_micro_cas.add_entities_to_blocklist";
const REMOVE: &str = "trend_micro_cas.remove_entities_from_blocklist";
const ACCOUNTS: &str = "trend_micro_cas.mitigate_accounts";

/// A vendor without records, and a connector that may act there.
async fn acting(faults: &[(&str, &str)]) -> (World, Simulator) {
    let world = World::open().await;
    let (vendor, url) = world.vendor(Volume::Events(0), faults).await;
    world.apply(&connector("cas", &url, "sim-key", "")).await;
    (world, vendor)
}

fn wish(action: &str, input: Value) -> Wish {
    Wish {
        action: action.to_owned(),
        input: serde_json::from_value(input).unwrap(),
        actor: "mina".to_owned(),
        ..Wish::default()
    }
}

fn urls(urls: &[&str]) -> Value {
    let entities: Vec<_> = urls.iter().map(|url| Entity::new(EntityKind::Url, *url)).collect();
    json!({ "entities": entities })
}

impl World {
    /// Runs something to its end.
    async fn run(&self, wish: Wish) -> RunView {
        let id = self.app.begin_run(wish).await.unwrap();
        self.ended(id).await
    }

    async fn ended(&self, id: RunId) -> RunView {
        self.during(self.app.run_rests(id)).await;
        self.app.action_run(&tenant(), id, Locale::En).await.unwrap()
    }

    async fn refused(&self, wish: Wish) -> EngineError {
        self.app.begin_run(wish).await.unwrap_err()
    }
}

fn posts(vendor: &Simulator) -> usize {
    vendor.requests().iter().filter(|request| request.method == "POST").count()
}

#[tokio::test]
async fn the_history_tells_who_asked_what_and_every_request_without_the_key() {
    let (world, vendor) = acting(&[]).await;
    let asked = Wish {
        origin: serde_json::from_value(json!({ "record": "uid-1", "note": "T-7" })).unwrap(),
        ..wish(ADD, urls(&["http://bad.example/a"]))
    };
    let run = world.run(asked).await;
    assert_eq!(run.state, RunState::Succeeded);
    assert_eq!(run.is_success, Some(true));
    assert_eq!(
        run.message,
        "\nSuccessfully added the following entities to blocklist in Trend Micro Cloud App \
         Security: http://bad.example/a"
    );
    assert_eq!((run.actor.as_str(), run.connector.as_str()), ("mina", "cas"));
    assert_eq!(run.origin.record.as_deref(), Some("uid-1"));
    let steps = run.steps.unwrap();
    let change = steps.iter().find(|step| step.is_change).unwrap();
    let request = change.request.as_ref().unwrap();
    assert_eq!(request["body"]["rules"]["urls"], json!(["http://bad.example/a"]));
    assert_eq!(request["headers"]["authorization"], "Bearer ********");
    assert_eq!(change.attempts.len(), 1);
    assert_eq!(change.attempts[0].ending.as_ref().unwrap()["kind"], "answered");
    assert!(change.idempotency_key.starts_with(&run.id.to_string()));
    assert!(!serde_json::to_string(&steps).unwrap().contains("sim-key"));
    assert_eq!(vendor.state()["blocklist"]["urls"], json!(["bad.example/a"]));
    let japanese = world.app.action_run(&tenant(), run.id, Locale::Ja).await.unwrap();
    assert!(japanese.message.contains("ブロックリスト"), "{}", japanese.message);
}

#[tokio::test]
async fn the_same_wish_under_one_key_is_one_run_and_another_is_refused() {
    let (world, vendor) = acting(&[]).await;
    let keyed =
        |urls_: &[&str]| Wish { idempotency_key: Some("k1".to_owned()), ..wish(ADD, urls(urls_)) };
    let first = world.run(keyed(&["http://bad.example/a"])).await;
    let again = world.app.begin_run(keyed(&["http://bad.example/a"])).await.unwrap();
    assert_eq!(first.id, again);
    assert_eq!(posts(&vendor), 1);
    let other = world.refused(keyed(&["http://bad.example/b"])).await;
    assert_eq!(other.kind(), ErrorKind::Conflict);
    assert!(other.to_string().contains(&first.id.to_string()), "{other}");
}

#[tokio::test]
async fn what_cannot_be_run_is_refused_before_anything_is_written_or_sent() {
    let (world, vendor) = acting(&[]).await;
    let url = "http://127.0.0.1:1";
    world.apply(&connector("second", url, "sim-key", "    enabled: false\n")).await;
    let one = |wish: Wish| Wish { connector: Some("cas".to_owned()), ..wish };
    for (wish, problem) in [
        (wish("trend_micro_cas.fly", json!({})), "no action `trend_micro_cas.fly`"),
        (wish(ADD, urls(&["http://a.example/"])), "several connectors"),
        (Wish { connector: Some("x".to_owned()), ..wish(ADD, urls(&["u"])) }, "no connector `x`"),
        (one(wish(ADD, json!({}))), "`entities` is empty"),
        (one(wish(ACCOUNTS, json!({}))), "`parameters.email_addresses` is missing"),
        (
            one(wish(
                ACCOUNTS,
                json!({ "parameters": { "email_addresses": "a@x.example", "mitigation_action": "Fire" } }),
            )),
            "`parameters.mitigation_action` is not a possible value",
        ),
        (
            one(Wish {
                options: Options {
                    timeout: Some(Duration::from_secs(15 * 86_400)),
                    ..Options::default()
                },
                ..wish(ADD, urls(&["http://a.example/"]))
            }),
            "`options.timeout`",
        ),
    ] {
        let error = world.refused(wish).await;
        assert!(error.to_string().contains(problem), "{error}: {problem}");
        assert!(error.hint().is_some(), "{error}");
    }
    let filter = RunFilter { tenant: Some(tenant()), limit: 10, ..RunFilter::default() };
    assert!(world.app.action_runs(&filter, Locale::En).await.unwrap().is_empty());
    assert_eq!(posts(&vendor), 0);
}

#[tokio::test]
async fn a_run_is_taken_back_on_what_it_changed_and_only_once_there_is_something() {
    let (world, vendor) = acting(&[]).await;
    world.run(wish(ADD, urls(&["http://old.example/"]))).await;
    let run = world.run(wish(ADD, urls(&["http://old.example/", "http://new.example/"]))).await;
    assert_eq!(run.reverse.as_deref(), Some(REMOVE));
    let reverse = world.app.revert_run(&tenant(), run.id, false, Asker::once("ito")).await.unwrap();
    let reverse = world.ended(reverse).await;
    assert_eq!(reverse.action, REMOVE);
    assert_eq!((reverse.reverse_of, reverse.actor.as_str()), (Some(run.id), "ito"));
    assert_eq!(reverse.input.entities, [Entity::new(EntityKind::Url, "http://new.example/")]);
    assert_eq!(vendor.state()["blocklist"]["urls"], json!(["old.example"]));

    let asked = world.run(wish("trend_micro_cas.ping", json!({}))).await;
    let error =
        world.app.revert_run(&tenant(), asked.id, false, Asker::once("ito")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
}

#[tokio::test]
async fn a_failed_run_is_repeated_as_it_was_or_edited() {
    let (world, vendor) = acting(&[("refuse_items", "http://worse.example/")]).await;
    let run = world.run(wish(ADD, urls(&["http://bad.example/", "http://worse.example/"]))).await;
    assert_eq!(run.state, RunState::Partial);
    vendor.set_fault("refuse_items", "").unwrap();
    let again = world.app.retry_run(&tenant(), run.id, None, Asker::once("ito")).await.unwrap();
    let again = world.ended(again).await;
    assert_eq!(again.state, RunState::Succeeded);
    assert_eq!(again.retry_of, Some(run.id));
    assert_eq!(again.input.entities, [Entity::new(EntityKind::Url, "http://worse.example/")]);
    let edited: Input = serde_json::from_value(urls(&["http://other.example/"])).unwrap();
    let other =
        world.app.retry_run(&tenant(), run.id, Some(edited), Asker::once("ito")).await.unwrap();
    assert_eq!(world.ended(other).await.state, RunState::Succeeded);
    let listed = vendor.state()["blocklist"]["urls"].clone();
    assert_eq!(listed, json!(["bad.example", "worse.example", "other.example"]));
}

#[tokio::test]
async fn protected_entities_and_what_is_over_the_cap_are_not_sent() {
    let (world, vendor) = acting(&[]).await;
    let app = &world.app;
    app.protect(&tenant(), EntityKind::EmailAddress, "*@Board.example", "the board", "ito")
        .await
        .unwrap();
    app.set_cap(&tenant(), ACCOUNTS, Some(2), "ito").await.unwrap();
    let accounts =
        |list: &str| wish(ACCOUNTS, json!({ "parameters": { "email_addresses": list } }));

    let dry = Wish { is_dry_run: true, ..accounts("a@x.example") };
    let dry = world.run(dry).await;
    assert_eq!(dry.state, RunState::Planned);
    let planned = dry.steps.unwrap();
    let planned = planned.iter().find(|step| step.is_change).unwrap().request.clone().unwrap();
    assert_eq!(planned["body"][0]["account_user_email"], "a@x.example");
    assert_eq!(posts(&vendor), 0, "a dry run sends nothing and counts nothing");

    let run =
        world.run(accounts("a@x.example, Chair@board.example, b@x.example, c@x.example")).await;
    assert_eq!(run.state, RunState::Partial);
    let states: Vec<_> =
        run.items.as_array().unwrap().iter().map(|item| item["state"].clone()).collect();
    assert_eq!(states, ["succeeded", "protected", "succeeded", "over_cap"]);
    assert_eq!(run.items[1]["detail"], "protected by ito: the board");
    assert_eq!(run.items[3]["detail"], "the cap of 2 per hour is reached");
    let disabled = vendor.state()["accounts"].as_array().unwrap().len();
    assert_eq!(disabled, 2);

    let next = world.run(accounts("d@x.example")).await;
    assert_eq!(next.state, RunState::Failed);
    world.pass(Duration::from_secs(3600)).await;
    assert_eq!(world.run(accounts("d@x.example")).await.state, RunState::Succeeded);
    app.unprotect(&tenant(), &Entity::new(EntityKind::EmailAddress, "*@board.example"), "ito")
        .await
        .unwrap();
    assert_eq!(world.run(accounts("chair@board.example")).await.state, RunState::Succeeded);
}

#[tokio::test]
async fn a_run_expires_when_the_vendor_is_never_done_and_says_so_before() {
    let (world, _vendor) = acting(&[("status_stuck", "on")]).await;
    let patient = Wish {
        options: Options { timeout: Some(Duration::from_secs(600)), ..Options::default() },
        ..wish(ACCOUNTS, json!({ "parameters": { "email_addresses": "a@x.example" } }))
    };
    let id = world.app.begin_run(patient).await.unwrap();
    world.pass(Duration::from_secs(60)).await;
    let own = tenant();
    let view = || world.app.action_run(&own, id, Locale::En);
    let under_way = view().await.unwrap();
    assert_eq!((under_way.state, under_way.is_success), (RunState::InProgress, None));
    assert_eq!(under_way.items[0]["state"], "accepted");
    world.pass(Duration::from_secs(500)).await;
    assert_eq!(view().await.unwrap().state, RunState::Expiring);
    let ended = world.ended(id).await;
    assert_eq!((ended.state, ended.is_success), (RunState::Expired, Some(false)));
}

#[tokio::test]
async fn a_stopped_run_ends_and_says_what_nobody_follows_any_more() {
    let (world, _vendor) = acting(&[("status_stuck", "on")]).await;
    let asked = wish(ACCOUNTS, json!({ "parameters": { "email_addresses": "a@x.example" } }));
    let id = world.app.begin_run(asked).await.unwrap();
    world.pass(Duration::from_secs(60)).await;
    world.app.cancel_run(&tenant(), id, "ito").await.unwrap();
    let ended = world.ended(id).await;
    assert_eq!(ended.state, RunState::Cancelled);
    assert_eq!(ended.items[0]["state"], "unknown");
    assert!(world.app.cancel_run(&tenant(), id, "ito").await.is_err());
}

#[tokio::test]
async fn an_action_begins_within_one_window_while_collection_uses_the_whole_quota() {
    let window = Duration::from_secs(60);
    let world = World::open().await;
    let (vendor, url) = world.vendor(Volume::Events(1_000_000), &[]).await;
    let quota = "    quota: { requests: 20, per: 60s }\n    backfill: 72h\n";
    world.apply(&connector("cas", &url, "sim-key", quota)).await;
    world.app.start().await.unwrap();
    world.pass(Duration::from_secs(300)).await;
    let before = vendor.requests().len();
    assert!(before >= 100, "collection alone uses the quota: {before}");
    let mut slowest = Duration::ZERO;
    for number in 0..5 {
        let url = format!("http://bad-{number}.example/");
        let run = world.run(wish(ADD, urls(&[&url]))).await;
        assert_eq!(run.state, RunState::Succeeded);
        let steps = run.steps.unwrap();
        let answered = steps.iter().flat_map(|step| &step.attempts).filter_map(|a| a.ended_at);
        // The question before the change; each took at most one window for its turn.
        slowest = slowest.max(answered.min().unwrap().since(run.created_at));
        world.pass(Duration::from_secs(47)).await;
    }
    assert!(slowest <= window + Duration::from_secs(1), "{slowest:?}");
    assert!(vendor.requests().iter().all(|request| request.status != 429));
    world.pass(Duration::from_secs(4 * 3600)).await;
    world.app.stop_collecting().await;
    assert_complete(&world, &vendor).await;
    println!("actions=5 first_answer_within={slowest:?} refused_429=0");
}

#[tokio::test]
async fn a_stopped_run_says_what_it_had_sent_without_knowing_the_end() {
    let (world, vendor) = acting(&[("lose_answer", "1"), ("status_lag", "1h")]).await;
    let asked = wish(ACCOUNTS, json!({ "parameters": { "email_addresses": "a@x.example" } }));
    let id = world.app.begin_run(asked).await.unwrap();
    world.pass(Duration::from_secs(5)).await;
    assert_eq!(posts(&vendor), 1, "sent, and its answer is lost");
    world.app.cancel_run(&tenant(), id, "ito").await.unwrap();
    let ended = world.ended(id).await;
    assert_eq!(ended.state, RunState::Cancelled);
    assert_eq!(ended.items[0]["entity"]["value"], "a@x.example");
    assert_eq!(ended.items[0]["state"], "unknown");
}

#[tokio::test]
async fn only_what_did_not_succeed_is_done_again_also_where_a_list_names_it() {
    let (world, vendor) = acting(&[("fail_items", "b@x.example")]).await;
    let parameters = json!({ "email_addresses": "a@x.example, b@x.example", "mitigation_action": "Reset Password" });
    let run = world.run(wish(ACCOUNTS, json!({ "parameters": parameters }))).await;
    assert_eq!(run.state, RunState::Partial);
    vendor.set_fault("fail_items", "").unwrap();
    let again = world.app.retry_run(&tenant(), run.id, None, Asker::once("ito")).await.unwrap();
    let again = world.ended(again).await;
    assert_eq!(again.state, RunState::Succeeded);
    let resets = vendor.state()["accounts"].clone();
    let resets: Vec<_> = resets
        .as_array()
        .unwrap()
        .iter()
        .map(|account| account["password_resets"].clone())
        .collect();
    assert_eq!(resets, [1, 1]);
    let error =
        world.app.retry_run(&tenant(), again.id, None, Asker::once("ito")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict, "{error}");
}

#[tokio::test]
async fn ids_of_messages_keep_their_case_on_the_way_through_the_guard() {
    let world = World::open().await;
    let (vendor, url) = world.simulate("trend_vision_one", Volume::Events(0), &[]).await;
    let document = format!(
        "connectors:\n  - name: v1\n    integration: trend_vision_one\n    credential: {{ token: sim-key }}\n    \
         parameters: {{ base_url: \"{url}\" }}\n"
    );
    world.apply(&document).await;
    let asked = json!({ "parameters": { "unique_ids": ["AAMkAD-2203-01"] } });
    let run = world.run(wish("trend_vision_one.quarantine_message", asked)).await;
    assert_eq!(run.state, RunState::Succeeded, "{}", run.message);
    assert_eq!(vendor.state()["mails"][0]["state"], "quarantined");
    assert_eq!(vendor.state()["mails"][0]["uniqueId"], "AAMkAD-2203-01");
}

#[tokio::test]
async fn a_run_does_not_ask_without_pause() {
    let (world, vendor) = acting(&[("status_stuck", "on")]).await;
    let span = |seconds| Some(Duration::from_secs(seconds));
    let hasty = Wish {
        options: Options { poll: span(0), timeout: span(4), ..Options::default() },
        ..wish(ACCOUNTS, json!({ "parameters": { "email_addresses": "a@x.example" } }))
    };
    assert_eq!(world.run(hasty).await.state, RunState::Expired);
    assert!(vendor.requests().len() <= 50, "{}", vendor.requests().len());
}

#[tokio::test]
async fn an_action_that_breaks_leaves_no_run_open() {
    let (world, vendor) = acting(&[]).await;
    fail::cfg("actions.step", "1*panic(a test breaks the action)").unwrap();
    let run = world.run(wish(ADD, urls(&["http://bad.example/"]))).await;
    fail::remove("actions.step");
    assert_eq!((run.state, run.is_success), (RunState::Failed, Some(false)));
    assert!(run.message.contains("report it"), "{}", run.message);
    assert_eq!(posts(&vendor), 0);
}
