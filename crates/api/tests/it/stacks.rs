//! Stacks over HTTP: the call of the seed, the link in the answer, and what the tenant sees of them.

use axum::http::{Method, StatusCode};
use engine::access::Right;
use engine::stacks::publication::Publication;
use serde_json::{Value, json};

use crate::support::{Answer, TestApp};

const ACCOUNT: &str = "111122223333";
const REGION: &str = "ap-northeast-1";

async fn publish(app: &TestApp) {
    let publication = Publication {
        bucket: "published".to_owned(),
        region: REGION.to_owned(),
        version: "0.1.0".to_owned(),
    };
    app.app.remember_publication(&publication, "test").await.unwrap();
}

/// The parameters behind the link's `#`.
fn parameters(link: &str) -> Vec<(String, String)> {
    let (_, fragment) = link.split_once("#/stacks/create/review?").unwrap();
    let plain = |text: &str| {
        let (mut plain, mut rest) = (Vec::new(), text.bytes());
        while let Some(byte) = rest.next() {
            let digits = [rest.clone().next(), rest.clone().nth(1)];
            match (byte, digits) {
                (b'%', [Some(high), Some(low)]) => {
                    rest.nth(1);
                    let hex = String::from_utf8(vec![high, low]).unwrap();
                    plain.push(u8::from_str_radix(&hex, 16).unwrap());
                }
                _ => plain.push(byte),
            }
        }
        String::from_utf8(plain).unwrap()
    };
    let pairs = fragment.split('&').map(|pair| pair.split_once('=').unwrap());
    pairs.map(|(name, value)| (name.to_owned(), plain(value))).collect()
}

fn parameter(link: &str, name: &str) -> String {
    let found = parameters(link).into_iter().find(|(known, _)| known == name);
    found.unwrap_or_else(|| panic!("no {name} in {link}")).1
}

/// The seed's call: no body, no content type of ours, and their words for token and version.
async fn seed_call(app: &TestApp, token: &str) -> Answer {
    app.request(Method::POST, "/api/stacks")
        .header("authorization", &format!("ApiKey {token}"))
        .header("api-version", "v1")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("host", "tarn.example:8717")
        .send()
        .await
}

#[tokio::test]
async fn the_call_of_the_seed_answers_a_link_with_everything_filled_in() {
    let app = TestApp::new().await;
    publish(&app).await;
    let token = app.token(None, &[Right::StacksWrite]).await;
    let answer = seed_call(&app, &token).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let offer = answer.json();
    let link = offer["createStackURL"].as_str().unwrap();
    assert_eq!(offer["deploymentURL"], link);
    assert!(link.starts_with("https://ap-northeast-1.console.aws.amazon.com/cloudformation/home?region=ap-northeast-1#/stacks/create/review?templateURL=https%3A"), "{link}");
    assert!(parameter(link, "templateURL").ends_with(".json"));
    assert_eq!(parameter(link, "param_ServiceUrl"), "http://tarn.example:8717");
    assert_eq!(parameter(link, "param_CodeBucket"), "published");
    assert_eq!(offer["parameters"]["EnrolmentCode"], parameter(link, "param_EnrolmentCode"));
    assert_eq!((&offer["status"], &offer["region"]), (&json!("pending"), &json!(REGION)));
    assert_eq!(offer["link_expires_at"], "2026-05-18T08:00:00Z");
    assert_eq!((&offer["expires_at"], &offer["template"]), (&Value::Null, &Value::Null));

    let again = seed_call(&app, &token).await.json();
    assert_eq!(again["id"], offer["id"], "the same stack");
    assert_ne!(again["createStackURL"], offer["createStackURL"], "with a new code");
    let listed = app.get("/api/stacks").await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert!(!listed.to_string().contains("enrol_"), "a code is shown once");
}

#[tokio::test]
async fn without_a_publication_the_template_and_the_steps_are_answered() {
    let app = TestApp::new().await.reached_at("https://tarn.example");
    let wanted = json!({ "providerAccountID": ACCOUNT, "awsRegion": "eu-west-1", "variant": "existing-bucket-x86_64", "expires_in_days": 30 });
    let offer = app.post("/api/v1/stacks", wanted).await.json();
    assert_eq!((&offer["createStackURL"], &offer["deploymentURL"]), (&Value::Null, &Value::Null));
    let template: Value = serde_json::from_str(offer["template"].as_str().unwrap()).unwrap();
    for name in offer["parameters"].as_object().unwrap().keys() {
        assert!(template["Parameters"][name].is_object(), "{name}");
    }
    assert_eq!(offer["template_name"], "existing-bucket-x86_64.json");
    let steps = offer["steps"].to_string();
    assert!(steps.contains("eu-west-1") && steps.contains("bootstrap.zip"), "{steps}");
    assert_eq!((&offer["account_id"], &offer["expires_in_days"]), (&json!(ACCOUNT), &json!(30)));
    let other =
        app.post("/api/stacks", json!({ "providerAccountID": "444455556666" })).await.json();
    assert_ne!(other["id"], offer["id"]);
    let chosen = json!({ "providerAccountID": ACCOUNT, "awsRegion": "eu-west-1", "variant": "organization-arm64" });
    let chosen = app.post("/api/stacks", chosen).await.json();
    assert_eq!((&chosen["id"], &chosen["variant"]), (&offer["id"], &json!("organization-arm64")));
}

#[tokio::test]
async fn wrong_words_are_named() {
    let lost = TestApp::new().await;
    let call = lost.request(Method::POST, "/api/stacks").header("host", "user:x@evil.example");
    call.send().await.problem(StatusCode::BAD_REQUEST);
    lost.request(Method::POST, "/api/stacks").send().await.problem(StatusCode::BAD_REQUEST);
    let app = TestApp::new().await.reached_at("https://tarn.example");
    for (wrong, named) in [
        (json!({ "providerAccountID": "12" }), "12 digits"),
        (json!({ "awsRegion": "../x" }), "region"),
        (json!({ "variant": "new-bucket-pull-only" }), "`variant`"),
        (json!({ "expires_in_days": 0 }), "between 1 and"),
        (json!({ "account": "1" }), "`account`"),
    ] {
        let answer = app.post("/api/stacks", wrong).await;
        let problem = answer.problem(StatusCode::UNPROCESSABLE_ENTITY);
        assert!(problem.contains(named), "{problem}");
    }
    let call = app.request(Method::POST, "/api/stacks").header("api-version", "v2");
    let problem = call.send().await.problem(StatusCode::BAD_REQUEST);
    assert!(problem.contains("`Api-Version`"), "{problem}");
    let call = app.request(Method::POST, "/api/stacks").header("api-version", "v1").body("{");
    call.send().await.problem(StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_a_proxy_claims_is_not_believed_and_a_public_url_counts_more_than_the_host() {
    let app = TestApp::new().await;
    assert_eq!(service_url(&app).await, "http://tarn.example");
    let app = app.reached_at("https://public.example/tarn/");
    assert_eq!(service_url(&app).await, "https://public.example/tarn");
}

async fn service_url(app: &TestApp) -> Value {
    let call = app.request(Method::POST, "/api/stacks").header("host", "tarn.example");
    let call = call.header("x-forwarded-host", "evil.example").header("x-forwarded-proto", "https");
    call.send().await.json()["parameters"]["ServiceUrl"].clone()
}

#[tokio::test]
async fn a_stack_belongs_to_its_tenant() {
    let app = TestApp::new().await;
    let acme = app.token(Some("acme"), &[Right::Admin]).await;
    let call = app.request(Method::POST, "/api/stacks?tenant=acme").token(&acme);
    let offer = call.header("host", "h.example").send().await.json();
    let path = format!("/api/v1/stacks/{}", offer["id"].as_str().unwrap());
    assert_eq!(app.get(&format!("{path}?tenant=acme")).await.json()["tenant"], "acme");
    app.get(&path).await.problem(StatusCode::NOT_FOUND);
    let renew = format!("{path}/renew");
    let call = app.request(Method::POST, &renew).header("host", "h.example");
    call.send().await.problem(StatusCode::NOT_FOUND);
    app.request(Method::DELETE, &path).send().await.problem(StatusCode::NOT_FOUND);
    assert_eq!(app.get("/api/v1/stacks").await.json()["items"], json!([]));
    app.get("/api/v1/stacks/nonsense").await.problem(StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn revoked_stacks_stay_listed_and_renewing_lifts_it() {
    let app = TestApp::new().await;
    publish(&app).await;
    let wanted = json!({ "providerAccountID": ACCOUNT });
    let call = app.request(Method::POST, "/api/stacks").header("host", "h.example");
    let offer = call.json(&wanted).send().await.json();
    let path = format!("/api/stacks/{}", offer["id"].as_str().unwrap());
    let gone = app.request(Method::DELETE, &path).send().await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT);
    assert_eq!(app.get(&path).await.json()["status"], "revoked");
    let renew = format!("{path}/renew");
    let call = app.request(Method::POST, &renew).header("host", "h.example");
    let renewed = call.json(&json!({ "expires_in_days": 7 })).send().await.json();
    assert_eq!((&renewed["status"], &renewed["expires_in_days"]), (&json!("pending"), &json!(7)));
    assert!(renewed["createStackURL"].is_string(), "it never enrolled, so it gets a new link");
    let metrics = app.get("/metrics").await;
    let text = metrics.text();
    assert!(text.contains("tarn_stacks{tenant=\"default\",status=\"pending\"} 1"), "{text}");
    assert!(text.contains("tarn_stack_expires_in_days{tenant=\"default\""), "{text}");
}

#[tokio::test]
async fn publications_are_remembered_per_region_the_newest_first() {
    let app = TestApp::new().await;
    let publication = |region: &str, version: &str| json!({ "bucket": "b", "region": region, "version": version });
    for (region, version) in [("eu-west-1", "1"), ("eu-west-1", "2")] {
        let answer = app.post("/api/v1/stacks/publications", publication(region, version)).await;
        assert_eq!(answer.json(), publication(region, version));
    }
    let listed = app.get("/api/v1/stacks/publications").await.json();
    assert_eq!(listed["items"], json!([publication("eu-west-1", "2")]));
    let wrong = app.post("/api/v1/stacks/publications", publication("x", "1")).await;
    wrong.problem(StatusCode::UNPROCESSABLE_ENTITY);
}
