//! Tests of responders and templates: a record, and what is sent for it or why nothing is.

use model::action::Input;
use model::hint::Hint;
use model::source::Sources;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::context::context;
use super::document::ResponderDocument;
use super::error::WebhookError;
use super::plan::Plan;
use super::prepare::Prepared;
use super::request::Rendered;
use super::responder::render;
use super::template::Template;

/// A record, and what is sent for it.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// What it shows.
    pub name: String,
    /// The source of the record; the responder's first source when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The vendor's record.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub record: Value,
    /// The OCSF event, or the part of it that matters.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub event: Value,
    /// What a person fills in.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub parameters: Map<String, Value>,
    /// What is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Expected>,
    /// Why nothing is sent, in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What is sent; what is left out may be anything.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Expected {
    /// The method.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Path and query, as they are written in the URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Headers by name in lower case.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub headers: Map<String, Value>,
    /// The whole body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// What it works on: `["host NW-1"]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub targets: Option<Vec<String>>,
}

/// What came of the tests of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The tests in their order.
    pub tests: Vec<Tested>,
}

/// What came of one test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tested {
    /// Its name.
    pub name: String,
    /// What is otherwise than it should be; `None` when it passed.
    pub difference: Option<String>,
}

impl Report {
    /// Whether every test passed.
    pub fn is_passed(&self) -> bool {
        self.tests.iter().all(|test| test.difference.is_none())
    }
}

impl Template {
    /// A responder of this template with a made-up name and secret, to test it.
    ///
    /// # Errors
    /// The template fills in something that no responder has.
    pub fn sample(&self) -> Result<ResponderDocument, WebhookError> {
        let mut document = json!({ "name": "sample", "template": self.template });
        if self.responder.get("auth").is_some_and(|auth| auth["type"] == "bearer") {
            document["auth"] = json!({ "token": "sample-token" });
        }
        ResponderDocument::from_value(document, std::slice::from_ref(self))
    }
}

/// Runs the tests of a document. Nothing is sent.
pub fn run_tests(document: &ResponderDocument, sources: &Sources) -> Report {
    let tests = document.tests.iter().map(|test| Tested {
        name: test.name.clone(),
        difference: difference(document, test, sources),
    });
    Report { tests: tests.collect() }
}

fn difference(document: &ResponderDocument, test: &Test, sources: &Sources) -> Option<String> {
    let id = test.source.as_ref().or(document.sources.first());
    let source = match id.map(|id| (id, sources.get(id))) {
        Some((id, None)) => return Some(format!("source `{id}` is not known")),
        Some((_, source)) => source,
        None => None,
    };
    let record = match source {
        Some(source) => context(source, test.record.to_string().as_bytes(), &test.event),
        None => test.event.clone(),
    };
    match (sent(document, test, &record), &test.error, &test.expect) {
        (Err(error), Some(expected), _) if error.to_string() == *expected => None,
        (Err(error), ..) => {
            let hint = error.hint().unwrap_or_default();
            Some(format!("fails: {error} ({hint})"))
        }
        (Ok(_), Some(expected), _) => {
            Some(format!("sends a request instead of failing: {expected}"))
        }
        (Ok((request, targets)), None, Some(expected)) => compared(&request, &targets, expected),
        (Ok(_), None, None) => Some("expects nothing: write `expect` or `error`".to_owned()),
    }
}

fn sent(
    document: &ResponderDocument,
    test: &Test,
    record: &Value,
) -> Result<(Rendered, Vec<String>), WebhookError> {
    // The preview checks the parameters as a run does.
    render(document, record, &test.parameters)?;
    let plan = Plan::new(document)?;
    let input = super::responder::checked_input(
        document,
        &Input { entities: Vec::new(), parameters: test.parameters.clone() },
    )?;
    let prepared = Prepared::new(&plan, record, &input)?;
    let request = plan.request.rendered(&prepared.with_targets(&prepared.targets))?;
    Ok((request, prepared.targets.iter().map(ToString::to_string).collect()))
}

fn compared(request: &Rendered, targets: &[String], expected: &Expected) -> Option<String> {
    let mut path = request.url.path().to_owned();
    if let Some(query) = request.url.query() {
        path = format!("{path}?{query}");
    }
    let body = request.body.clone().unwrap_or_default();
    let other = |what: &str, found: &dyn std::fmt::Display, wanted: &dyn std::fmt::Display| {
        Some(format!("{what} is {found} instead of {wanted}"))
    };
    if let Some(method) =
        expected.method.as_ref().filter(|wanted| **wanted != request.method.as_str())
    {
        return other("method", &request.method.as_str(), method);
    }
    if let Some(wanted) = expected.path.as_ref().filter(|wanted| **wanted != path) {
        return other("path", &path, wanted);
    }
    for (name, wanted) in &expected.headers {
        let found = request.headers.iter().find(|(known, _)| known == name);
        let found = found.map(|(_, value)| Value::from(value.as_str())).unwrap_or_default();
        if found != *wanted {
            return other(&format!("header `{name}`"), &found, wanted);
        }
    }
    if let Some(wanted) = expected.body.as_ref().filter(|wanted| **wanted != body) {
        return other("body", &body, wanted);
    }
    match &expected.targets {
        Some(wanted) if wanted != targets => other("targets", &json!(targets), &json!(wanted)),
        _ => None,
    }
}
