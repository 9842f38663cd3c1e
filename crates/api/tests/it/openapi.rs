//! The OpenAPI document: it lists what the table lists, and a change of it shows in review.

use std::collections::BTreeSet;

use api::router::{Needs, routes};
use serde_json::Value;

use crate::support::TestApp;

fn document() -> Value {
    serde_json::to_value(api::openapi::document()).unwrap()
}

#[test]
fn the_document_lists_the_routes_of_the_table() {
    let document = document();
    let paths = document["paths"].as_object().unwrap();
    let described: BTreeSet<String> = paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let listed: BTreeSet<String> =
        routes().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(described, listed);
}

#[test]
fn every_operation_tells_its_right_and_its_problems() {
    let document = document();
    for route in routes() {
        let operation = &document["paths"][route.path][route.method.as_str().to_lowercase()];
        let right = operation["security"][0]["token"][0].as_str();
        assert_eq!(right, route.needs.right().map(|right| right.as_str()), "{}", route.path);
        if route.needs != Needs::Nothing {
            let problem = &operation["responses"]["default"]["content"]["application/problem+json"];
            assert_eq!(problem["schema"]["$ref"], "#/components/schemas/Problem");
        }
        assert!(operation["summary"].is_string(), "{}", route.path);
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    for part in text.split("\"$ref\":\"#").skip(1) {
        let pointer = part.split('"').next().unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
    }
}

#[test]
fn the_document_is_the_one_that_was_reviewed() {
    let mut document = document();
    document["info"]["version"] = "[version]".into();
    insta::assert_json_snapshot!("openapi", document);
}

#[tokio::test]
async fn it_is_served_to_everyone() {
    let app = TestApp::new().await;
    let call = app.request(axum::http::Method::GET, "/api/v1/openapi.json").anonymous();
    let answer = call.send().await;
    assert_eq!(answer.json(), document());
    assert_eq!(answer.json()["openapi"], "3.1.0");
}
