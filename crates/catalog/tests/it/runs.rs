//! Runs of actions, their journal, and what guards entities from them.

use std::time::Duration;

use catalog::{Begun, Cap, NewRun, PermitAsk, RunFilter};
use model::action::journal::Verdict;
use model::action::{Entity, EntityKind, RunState, Text};
use model::ids::{RunId, TenantId};
use model::secret::Secret;
use model::time::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::support::{Scene, at};

const ACTION: &str = "trend_vision_one.isolate_endpoint";

fn wanted(key: Option<&str>, digest: &str) -> NewRun {
    NewRun {
        id: RunId::generate(),
        tenant: TenantId::default(),
        action: ACTION.to_owned(),
        version: 1,
        connector: Uuid::nil(),
        connector_name: "v1".to_owned(),
        document: json!({ "input": {} }),
        secret_input: Some(Secret::new("{\"password\":\"hunter2\"}")),
        is_dry_run: false,
        actor: "mina".to_owned(),
        idempotency_key: key.map(str::to_owned),
        digest: digest.to_owned(),
        reverse_of: None,
        retry_of: None,
        created_at: at(0),
        due_at: at(100),
    }
}

async fn begun(scene: &Scene) -> RunId {
    let run = wanted(None, "d");
    assert!(matches!(scene.catalog.begin_run(&run).await.unwrap(), Begun::New));
    run.id
}

#[tokio::test]
async fn one_key_is_one_wish_and_another_wish_is_told() {
    let scene = Scene::new().await;
    let first = wanted(Some("k"), "d");
    assert!(matches!(scene.catalog.begin_run(&first).await.unwrap(), Begun::New));
    let again = scene.catalog.begin_run(&wanted(Some("k"), "d")).await.unwrap();
    assert!(matches!(again, Begun::Known(run) if run.asked.id == first.id));
    let other = scene.catalog.begin_run(&wanted(Some("k"), "e")).await.unwrap();
    assert!(matches!(other, Begun::OtherWish(id) if id == first.id));
}

#[tokio::test]
async fn secrets_rest_sealed_and_are_gone_with_the_run() {
    let mut scene = Scene::new().await;
    let id = begun(&scene).await;
    scene.reopen().await;
    let bytes = std::fs::read(scene.file()).unwrap();
    assert!(!bytes.windows(7).any(|window| window == b"hunter2"));
    let tenant = TenantId::default();
    let run = || scene.catalog.run(&tenant, id);
    let secret = run().await.unwrap().unwrap().asked.secret_input.unwrap();
    assert_eq!(secret.expose(), "{\"password\":\"hunter2\"}");
    scene.catalog.end_run(id, RunState::Failed, &json!({}), &[], at(1)).await.unwrap();
    assert!(run().await.unwrap().unwrap().asked.secret_input.is_none());
    assert!(scene.catalog.open_runs().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_ended_run_stays_as_it_ended_and_other_tenants_do_not_see_it() {
    let scene = Scene::new().await;
    let id = begun(&scene).await;
    let catalog = &scene.catalog;
    catalog.end_run(id, RunState::Succeeded, &json!({ "n": 1 }), &[], at(1)).await.unwrap();
    catalog.end_run(id, RunState::Failed, &json!({ "n": 2 }), &[], at(2)).await.unwrap();
    catalog.run_progress(id, RunState::InProgress, &json!({})).await.unwrap();
    assert!(!catalog.cancel_run(&TenantId::default(), id).await.unwrap());
    let run = catalog.run(&TenantId::default(), id).await.unwrap().unwrap();
    assert_eq!(
        (run.state, run.outcome, run.ended_at),
        (RunState::Succeeded, Some(json!({ "n": 1 })), Some(at(1)))
    );
    let stranger = TenantId::new("acme").unwrap();
    assert!(catalog.run(&stranger, id).await.unwrap().is_none());
    let filter = RunFilter { tenant: Some(stranger), limit: 10, ..RunFilter::default() };
    assert!(catalog.runs(&filter).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_step_is_in_doubt_from_before_it_is_sent_until_its_end_is_known() {
    let mut scene = Scene::new().await;
    let id = begun(&scene).await;
    let request = json!({ "method": "POST" });
    scene.catalog.step_sending(id, "post", true, &request, at(1)).await.unwrap();
    scene.reopen().await;
    let step = scene.catalog.step(id, "post").await.unwrap().unwrap();
    assert_eq!((step.ending, step.sent_at, step.sends), (None, Some(at(1)), 1));
    let not_taken = json!({ "kind": "not_taken" });
    scene.catalog.step_ended(id, "post", &not_taken, at(2)).await.unwrap();
    scene.catalog.step_sending(id, "post", true, &request, at(3)).await.unwrap();
    let answered = json!({ "kind": "answered" });
    scene.catalog.step_ended(id, "post", &answered, at(4)).await.unwrap();
    scene.catalog.step_ended(id, "plan", &json!({ "kind": "found" }), at(5)).await.unwrap();
    let steps = scene.catalog.steps(id).await.unwrap();
    let names: Vec<_> = steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(names, ["post", "plan"]);
    let endings: Vec<_> = steps[0].attempts.iter().map(|attempt| attempt.ending.clone()).collect();
    assert_eq!(endings, [Some(not_taken), Some(answered.clone())]);
    assert_eq!((steps[0].ending.clone(), steps[1].sends), (Some(answered), 0));
}

#[tokio::test]
async fn of_a_question_the_last_answer_is_kept_unless_it_is_long() {
    let scene = Scene::new().await;
    let id = begun(&scene).await;
    for second in 0..5 {
        let catalog = &scene.catalog;
        catalog.step_sending(id, "ask", false, &json!({}), at(second)).await.unwrap();
        let body = "x".repeat(if second == 4 { 100_000 } else { 1 });
        let ending = json!({ "kind": "answered", "answer": { "status": 200, "body": body } });
        catalog.step_ended(id, "ask", &ending, at(second)).await.unwrap();
    }
    let step = scene.catalog.steps(id).await.unwrap().remove(0);
    assert_eq!((step.sends, step.attempts.len(), step.ending), (5, 1, None));
    let ending = step.attempts[0].ending.clone().unwrap();
    assert_eq!(ending["answer"]["body"], "100002 bytes, not kept");
}

fn hosts(names: &[&str]) -> Vec<Entity> {
    names.iter().map(|name| Entity::new(EntityKind::Host, *name)).collect()
}

async fn permit(
    scene: &Scene,
    run: RunId,
    names: &[&str],
    second: i64,
    is_counted: bool,
) -> Vec<bool> {
    let hosts = hosts(names);
    let tenant = TenantId::default();
    let ask = PermitAsk {
        run,
        tenant: &tenant,
        action: ACTION,
        targets: hosts.iter().map(|host| (host, None)).collect(),
        cap: Some((2, Verdict::OverCap(Text::same("full")))),
        is_counted,
        are_aliases: false,
        at: at(second),
    };
    let verdicts = scene.catalog.permit(&ask).await.unwrap();
    verdicts.iter().map(|verdict| *verdict == Verdict::Permitted).collect()
}

#[tokio::test]
async fn a_cap_counts_the_last_hour_and_a_run_keeps_its_verdicts() {
    let scene = Scene::new().await;
    let (dry, first, second) = (begun(&scene).await, begun(&scene).await, begun(&scene).await);
    assert_eq!(permit(&scene, dry, &["z"], 0, false).await, [true], "a dry run does not count");
    assert_eq!(permit(&scene, first, &["a"], 0, true).await, [true]);
    assert_eq!(permit(&scene, second, &["b", "c"], 10, true).await, [true, false]);
    assert_eq!(permit(&scene, second, &["B", "c"], 4_000, true).await, [true, false], "as before");
    let third = begun(&scene).await;
    assert_eq!(
        permit(&scene, third, &["d"], 3_601, true).await,
        [true],
        "the first is an hour ago"
    );
    assert_eq!(permit(&scene, third, &["e"], 3_602, true).await, [false]);
    assert_eq!(scene.catalog.permitted(second).await.unwrap(), hosts(&["b"]));
}

#[tokio::test]
async fn a_vendors_name_for_work_belongs_to_one_run() {
    let scene = Scene::new().await;
    let (first, second) = (begun(&scene).await, begun(&scene).await);
    let claim = |run, connector| scene.catalog.claim_handle(run, connector, "batch-1");
    assert!(claim(first, Uuid::nil()).await.unwrap());
    assert!(claim(first, Uuid::nil()).await.unwrap(), "it is still its own");
    assert!(!claim(second, Uuid::nil()).await.unwrap());
    assert!(claim(second, Uuid::max()).await.unwrap(), "another vendor account");
}

#[tokio::test]
async fn caps_are_set_changed_and_lifted_for_a_tenant() {
    let scene = Scene::new().await;
    let tenant = TenantId::default();
    let cap = |per_hour| Cap {
        tenant: tenant.clone(),
        action: ACTION.to_owned(),
        per_hour,
        actor: "ito".to_owned(),
        at: Timestamp::EPOCH + Duration::from_secs(1),
    };
    scene.catalog.set_cap(&cap(5)).await.unwrap();
    scene.catalog.set_cap(&cap(3)).await.unwrap();
    assert_eq!(scene.catalog.caps(&tenant).await.unwrap(), [cap(3)]);
    assert!(scene.catalog.lift_cap(&tenant, ACTION).await.unwrap());
    assert!(!scene.catalog.lift_cap(&tenant, ACTION).await.unwrap());
}

#[tokio::test]
async fn another_name_of_a_target_is_remembered_apart_and_never_permitted() {
    let scene = Scene::new().await;
    let run = begun(&scene).await;
    let (hosts, tenant) = (hosts(&["dc-01"]), TenantId::default());
    let ask = |verdict: Option<Verdict>, are_aliases: bool| PermitAsk {
        run,
        tenant: &tenant,
        action: ACTION,
        targets: vec![(&hosts[0], verdict)],
        cap: None,
        is_counted: true,
        are_aliases,
        at: at(0),
    };
    let protected = Verdict::Protected(Text::same("kept"));
    let catalog = &scene.catalog;
    let alias = catalog.permit(&ask(Some(protected.clone()), true)).await.unwrap();
    assert_eq!(alias, std::slice::from_ref(&protected));
    assert!(catalog.permitted(run).await.unwrap().is_empty());
    assert_eq!(catalog.permit(&ask(None, true)).await.unwrap(), [protected], "as before");
    assert_eq!(catalog.permit(&ask(None, false)).await.unwrap(), [Verdict::Permitted]);
    assert_eq!(catalog.permitted(run).await.unwrap(), hosts);
}
