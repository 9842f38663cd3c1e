//! Actions over HTTP: what can be run, runs and their history, what guards entities, and who may do what.

use axum::http::{Method, StatusCode};
use engine::access::Right;
use model::ids::RunId;
use serde_json::{Value, json};

use crate::responders::{block, with_responder};
use crate::support::{Answer, TestApp};

const ADD: &str = "trend_micro_cas.add_entities_to_blocklist";
const REMOVE: &str = "trend_micro_cas.remove_entities_from_blocklist";
const ACCOUNTS: &str = "trend_micro_cas.mitigate_accounts";
const RUNS: &str = "/api/v1/action-runs";
const PROTECTED: &str = "/api/v1/action-guard/protected";
const CAPS: &str = "/api/v1/action-guard/caps";

fn runs_of(action: &str) -> String {
    format!("/api/v1/actions/{action}/runs")
}

fn one_url(url: &str) -> Value {
    json!({ "entities": [{ "type": "url", "value": url }] })
}

/// Shows what the responder `block` would send to this host.
async fn dry_run(app: &TestApp, host: &str) -> Value {
    let wanted = json!({ "parameters": { "host": host }, "dry_run": true });
    let answer = app.post(&runs_of("responder.block"), wanted).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text());
    ended(app, &answer.json()).await
}

/// A run at its end.
pub(crate) async fn ended(app: &TestApp, run: &Value) -> Value {
    let id: RunId = run["id"].as_str().unwrap().parse().unwrap();
    app.app.run_rests(id).await;
    app.get(&format!("{RUNS}/{id}")).await.json()
}

/// The ids on a page of the history.
async fn listed(app: &TestApp, query: &str) -> Vec<String> {
    let page = app.get(&format!("{RUNS}{query}")).await.json();
    let items = page["items"].as_array().unwrap();
    items.iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect()
}

fn hint(answer: &Answer) -> String {
    answer.json()["hint"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn actions_are_listed_with_what_they_take_and_the_connectors_that_can_run_them() {
    let app = TestApp::new().await.with_connector("mail").await;
    let list = app.get("/api/v1/actions").await.json();
    assert_eq!(list["next"], Value::Null);
    let action_of = |list: &Value, name: &str| {
        let items = list["items"].as_array().unwrap();
        items.iter().find(|action| action["action"] == name).cloned().unwrap()
    };
    let add = action_of(&list, ADD);
    assert_eq!((&add["effect"], &add["reverse"]), (&json!("contains"), &json!(REMOVE)));
    assert_eq!(add["connectors"], json!(["mail"]));
    assert_eq!(add["input_schema"]["type"], "object");
    assert!(add["title"]["en"].is_string() && add["title"]["ja"].is_string(), "{add}");
    let elsewhere = app.get("/api/v1/actions?tenant=acme").await.json();
    assert_eq!(action_of(&elsewhere, ADD)["connectors"], json!([]));
}

#[tokio::test]
async fn the_same_wish_under_one_key_is_one_run_and_another_is_a_conflict() {
    let app = TestApp::new().await.with_connector("mail").await;
    let path = runs_of(ADD);
    let keyed = async |url: &str| {
        let call = app.request(Method::POST, &path).header("idempotency-key", "k1");
        call.json(&one_url(url)).send().await
    };
    let first = keyed("http://bad.example/").await;
    assert_eq!(first.status, StatusCode::ACCEPTED, "{}", first.text());
    let first = first.json();
    assert_eq!(first["idempotency_key"], "k1");
    assert_eq!((&first["action"], &first["connector"]), (&json!(ADD), &json!("mail")));
    assert_eq!((&first["actor"], &first["tenant"]), (&json!("admin"), &json!("default")));
    let again = keyed("http://bad.example/").await;
    assert_eq!(again.status, StatusCode::ACCEPTED);
    assert_eq!(again.json()["id"], first["id"]);
    let other = keyed("http://worse.example/").await;
    let detail = other.problem(StatusCode::CONFLICT);
    assert!(detail.contains(first["id"].as_str().unwrap()), "{detail}");
    assert!(!hint(&other).is_empty());
    assert_eq!(listed(&app, "").await.len(), 1);
}

#[tokio::test]
async fn what_is_not_there_is_a_404() {
    let app = TestApp::new().await.with_connector("mail").await;
    let unknown = app.post(&runs_of("trend_micro_cas.fly"), json!({})).await;
    let detail = unknown.problem(StatusCode::NOT_FOUND);
    assert!(detail.contains("no action `trend_micro_cas.fly`"), "{detail}");
    assert_eq!(hint(&unknown), "`tarn action list` shows the names");
    let wanted = json!({ "connector": "nobody", "entities": [{ "type": "url", "value": "x" }] });
    let connector = app.post(&runs_of(ADD), wanted).await;
    assert!(connector.problem(StatusCode::NOT_FOUND).contains("no connector `nobody`"));
    let responder = app.post(&runs_of("responder.nobody"), json!({})).await;
    assert!(responder.problem(StatusCode::NOT_FOUND).contains("no responder `nobody`"));
    let never = RunId::generate().to_string();
    for id in ["x", never.as_str()] {
        let run = app.get(&format!("{RUNS}/{id}")).await;
        assert!(run.problem(StatusCode::NOT_FOUND).contains(&format!("no run `{id}`")));
        assert!(hint(&run).contains("tarn action history"));
        for verb in ["revert", "retry", "cancel"] {
            let call = app.request(Method::POST, &format!("{RUNS}/{id}/{verb}"));
            call.send().await.problem(StatusCode::NOT_FOUND);
        }
    }
}

#[tokio::test]
async fn an_input_that_cannot_be_taken_is_refused_by_name() {
    let app = TestApp::new().await.with_connector("mail").await;
    let table = [
        (ACCOUNTS, json!({}), "`parameters.email_addresses`"),
        (ACCOUNTS, json!({ "parameters": { "speed": 1 } }), "`parameters.speed`"),
        (ADD, json!({}), "`entities`"),
        (ADD, json!({ "entities": [{ "type": "planet", "value": "x" }] }), "`type`"),
        (ADD, json!({ "colour": 1 }), "`colour`"),
        (ADD, json!({ "options": { "poll": "soon" } }), "`options.poll`"),
    ];
    for (action, wanted, named) in table {
        let answer = app.post(&runs_of(action), wanted).await;
        let detail = answer.problem(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(detail.contains(named), "{detail}");
    }
    let mut wanted = one_url("http://bad.example/");
    wanted["options"] = json!({ "timeout": "15d" });
    let patient = app.post(&runs_of(ADD), wanted).await;
    let detail = patient.problem(StatusCode::UNPROCESSABLE_ENTITY);
    assert!(detail.contains("`options.timeout`"), "{detail}");
    let mut wanted = one_url("http://bad.example/");
    wanted["edited"] = json!({ "path": "/other" });
    let edited = app.post(&runs_of(ADD), wanted).await;
    assert!(edited.problem(StatusCode::UNPROCESSABLE_ENTITY).contains("cannot be edited"));
    assert!(listed(&app, "").await.is_empty());
}

#[tokio::test]
async fn the_history_is_walked_page_by_page_and_filtered() {
    let app = with_responder(&block("block")).await;
    let mut made = Vec::new();
    for host in ["NW-1", "NW-2", "NW-3"] {
        made.push(dry_run(&app, host).await["id"].as_str().unwrap().to_owned());
    }
    made.reverse();
    let mut walked = Vec::new();
    let mut path = format!("{RUNS}?limit=2");
    loop {
        let page = app.get(&path).await.json();
        let items = page["items"].as_array().unwrap().clone();
        assert!(items.len() <= 2 && items.iter().all(|run| run["steps"].is_null()));
        walked.extend(items.iter().map(|run| run["id"].as_str().unwrap().to_owned()));
        let Value::String(next) = &page["next"] else { break };
        path = format!("{RUNS}?limit=2&cursor={next}");
    }
    assert_eq!(walked, made, "the newest first, each once");
    for (query, count) in [
        ("?state=planned", 3),
        ("?state=failed", 0),
        ("?action=responder.block", 3),
        ("?action=responder.other", 0),
        ("?webhooks=true", 3),
        ("?target=nw-2", 1),
        ("?target=nobody", 0),
        ("?state=planned&webhooks=true&target=NW-3", 1),
    ] {
        assert_eq!(listed(&app, query).await.len(), count, "{query}");
    }
    for wrong in ["limit=0", "limit=1001", "cursor=%21", "cursor=eA", "state=flying"] {
        let answer = app.get(&format!("{RUNS}?{wrong}")).await;
        let detail = answer.problem(StatusCode::UNPROCESSABLE_ENTITY);
        let (named, _) = wrong.split_once('=').unwrap();
        assert!(detail.contains(&format!("`{named}`")), "{detail}");
    }
    let unknown = app.get(&format!("{RUNS}?page=2")).await.problem(StatusCode::BAD_REQUEST);
    assert!(unknown.contains("`page`"), "{unknown}");
}

#[tokio::test]
async fn a_run_shows_what_it_would_send_in_the_callers_language() {
    let app = with_responder(&block("block")).await;
    let run = dry_run(&app, "NW-1").await;
    assert_eq!((&run["state"], &run["dry_run"]), (&json!("planned"), &json!(true)));
    assert_eq!(run["items"][0]["state"], "planned");
    assert_eq!(run["items"][0]["entity"], json!({ "type": "host", "value": "NW-1" }));
    let request = &run["steps"][0]["request"];
    assert_eq!((&request["method"], &request["body"]["host"]), (&json!("POST"), &json!("NW-1")));
    assert_eq!(request["headers"]["authorization"], "Bearer ********");
    let english = run["message"].as_str().unwrap();
    assert!(english.contains("dry run, 1 of 1 would be sent"), "{english}");
    let own = format!("{RUNS}/{}", run["id"].as_str().unwrap());
    let call = app.request(Method::GET, &own).header("accept-language", "ja-JP,en;q=0.5");
    let japanese = call.send().await.json()["message"].as_str().unwrap().to_owned();
    assert!(japanese.contains("試行のみ"), "{japanese}");
    let revert = app.request(Method::POST, &format!("{own}/revert")).send().await;
    assert!(revert.problem(StatusCode::CONFLICT).contains("nothing that can be taken back"));
    let retry = app.request(Method::POST, &format!("{own}/retry")).send().await;
    assert_eq!(retry.status, StatusCode::ACCEPTED, "{}", retry.text());
    let again = ended(&app, &retry.json()).await;
    assert_eq!((&again["retry_of"], &again["state"]), (&run["id"], &json!("planned")));
    let stop = app.request(Method::POST, &format!("{own}/cancel")).send().await;
    stop.problem(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_run_of_one_tenant_does_not_exist_in_another() {
    let app = with_responder(&block("block")).await;
    let run = dry_run(&app, "NW-1").await;
    let id = run["id"].as_str().unwrap();
    let foreign = app.get(&format!("{RUNS}/{id}?tenant=acme")).await;
    foreign.problem(StatusCode::NOT_FOUND);
    assert!(listed(&app, "?tenant=acme").await.is_empty());
    for verb in ["revert", "retry", "cancel"] {
        let path = format!("{RUNS}/{id}/{verb}?tenant=acme");
        app.request(Method::POST, &path).send().await.problem(StatusCode::NOT_FOUND);
    }
}

#[tokio::test]
async fn looking_running_and_changing_are_three_rights() {
    let app = with_responder(&block("block")).await;
    let run = json!({ "parameters": { "host": "NW-1" }, "dry_run": true });
    let guard = json!({ "type": "host", "pattern": "dc-*" });
    for (right, held) in [
        (Right::ActionsRead, "actions:read"),
        (Right::ActionsRun, "actions:run"),
        (Right::ActionsWrite, "actions:write"),
    ] {
        let token = app.token(None, &[right]).await;
        let call = |method: Method, path: &str| app.request(method, path).token(&token);
        let answers = [
            ("actions:read", call(Method::GET, RUNS).send().await),
            (
                "actions:run",
                call(Method::POST, &runs_of("responder.block")).json(&run).send().await,
            ),
            ("actions:write", call(Method::POST, PROTECTED).json(&guard).send().await),
        ];
        for (needed, answer) in answers {
            if needed == held {
                assert!(answer.status.is_success(), "{}", answer.text());
            } else {
                assert!(answer.problem(StatusCode::FORBIDDEN).contains(needed));
            }
        }
    }
}

#[tokio::test]
async fn entities_are_protected_and_protected_no_more() {
    let app = TestApp::new().await;
    let board = json!({ "type": "email_address", "pattern": "*@Board.example", "reason": "ask" });
    let made = app.post(PROTECTED, board).await;
    assert_eq!((made.status, made.text()), (StatusCode::NO_CONTENT, ""));
    let known = json!({ "type": "email_address", "pattern": "*@board.example", "reason": "ask" });
    let list = app.get(PROTECTED).await.json();
    assert_eq!(list, json!({ "items": [known], "next": null }));
    assert_eq!(app.get(&format!("{PROTECTED}?tenant=acme")).await.json()["items"], json!([]));
    let own = format!("{PROTECTED}?type=email_address&value=%2A%40board.example");
    let gone = app.request(Method::DELETE, &own).send().await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{}", gone.text());
    assert_eq!(app.get(PROTECTED).await.json()["items"], json!([]));
    app.request(Method::DELETE, &own).send().await.problem(StatusCode::NOT_FOUND);
    let kind = app.post(PROTECTED, json!({ "type": "planet", "pattern": "x" })).await;
    assert!(kind.problem(StatusCode::UNPROCESSABLE_ENTITY).contains("`type`"));
    let nothing = app.post(PROTECTED, json!({ "type": "host", "pattern": " " })).await;
    nothing.problem(StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn caps_are_set_and_lifted() {
    let app = TestApp::new().await;
    for per_hour in [5, 2] {
        let made = app.post(CAPS, json!({ "action": ACCOUNTS, "per_hour": per_hour })).await;
        assert_eq!(made.status, StatusCode::NO_CONTENT, "{}", made.text());
    }
    let known = json!({ "action": ACCOUNTS, "per_hour": 2 });
    assert_eq!(app.get(CAPS).await.json(), json!({ "items": [known], "next": null }));
    let own = format!("{CAPS}/{ACCOUNTS}");
    let lifted = app.request(Method::DELETE, &own).send().await;
    assert_eq!(lifted.status, StatusCode::NO_CONTENT, "{}", lifted.text());
    app.request(Method::DELETE, &own).send().await.problem(StatusCode::NOT_FOUND);
    let unknown = app.post(CAPS, json!({ "action": "trend_micro_cas.fly", "per_hour": 1 })).await;
    unknown.problem(StatusCode::NOT_FOUND);
    assert_eq!(hint(&unknown), "`tarn action list` shows the names");
    let text = app.post(CAPS, json!({ "action": ACCOUNTS, "per_hour": "many" })).await;
    assert!(text.problem(StatusCode::UNPROCESSABLE_ENTITY).contains("per_hour"));
}

#[tokio::test]
async fn what_is_protected_is_not_sent_by_a_responder_either() {
    let app = with_responder(&block("block")).await;
    app.post(PROTECTED, json!({ "type": "host", "pattern": "dc-*", "reason": "ask" })).await;
    let run = dry_run(&app, "DC-01").await;
    assert_eq!((&run["state"], &run["is_success"]), (&json!("failed"), &json!(false)));
    assert_eq!(run["items"][0]["state"], "protected");
    assert_eq!(run["items"][0]["detail"], "protected by admin: ask");
    assert_eq!(run["steps"], json!([]));
}

#[tokio::test]
async fn nothing_was_learned_about_a_stranger() {
    let app = TestApp::new().await;
    let path = "/api/v1/entities/properties?type=url&value=http%3A%2F%2Fbad.example%2F";
    assert_eq!(app.get(path).await.json(), json!({ "items": [], "next": null }));
    let lacking = app.get("/api/v1/entities/properties?type=url").await;
    assert!(lacking.problem(StatusCode::BAD_REQUEST).contains("value"));
}
