//! What an answer says: whether the host took the request, and what it says of each item.

use model::action::ItemState;
use model::action::journal::ShownAnswer;
use serde_json::{Map, Value, json};

use super::document::ResponderDocument;
use super::error::WebhookError;
use super::expression::{Found, Template, scope};
use super::plan::Plan;
use super::success::Items;
use super::values::{self, Scope};

/// The status of an answer with one status for each item.
const MULTI_STATUS: u16 = 207;
/// Longest excerpt of what a host says.
const EXCERPT_CHARS: usize = 300;
/// The outputs that name the vendor's work on an item, the first first.
const HANDLES: [&str; 4] = ["handle", "task_id", "task", "id"];

/// What a host says of the request.
#[derive(Debug)]
pub(crate) enum Reading {
    /// It refused the whole of it, in these words.
    Refused(String),
    /// It answered with a success that the document's rules cannot read: it may have taken it.
    Unclear(WebhookError),
    /// It took it; what became of the whole, or of each item.
    Taken(Vec<Part>),
}

/// What the host says of one item, or of the request as a whole.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    pub(crate) state: ItemState,
    /// The host's words.
    pub(crate) words: String,
    /// The values taken from the answer.
    pub(crate) outputs: Map<String, Value>,
}

impl Part {
    /// The vendor's name for the work on it.
    pub(crate) fn handle(&self) -> Option<String> {
        HANDLES.iter().find_map(|name| self.outputs.get(*name)).and_then(values::text)
    }
}

/// Reads an answer by the rules of a document.
pub(crate) fn read(
    document: &ResponderDocument,
    plan: &Plan,
    answer: &ShownAnswer,
    base: &Scope,
) -> Result<Reading, WebhookError> {
    let mut names = base.clone();
    names.extend(response(answer));
    let success = &document.success;
    let holds = match &plan.when {
        Some(rule) if success.takes(answer.status) => match rule.holds(&names) {
            Ok(holds) => holds,
            Err(error) => return Ok(Reading::Unclear(error)),
        },
        Some(_) | None => success.takes(answer.status),
    };
    if !holds {
        return Ok(Reading::Refused(words(plan.message.as_ref(), &names, &answer.body)));
    }
    let default = Items::default();
    let rule = success.items.as_ref().or((answer.status == MULTI_STATUS).then_some(&default));
    let Some(rule) = rule else {
        names.insert("item".to_owned(), names.get("response").cloned().unwrap_or_default());
        let state = if plan.poll.is_some() { ItemState::Accepted } else { ItemState::Succeeded };
        let outputs = outputs(plan, &names);
        return Ok(Reading::Taken(vec![Part { state, words: String::new(), outputs }]));
    };
    let Some(list) = at(&answer.body, &rule.path).and_then(Value::as_array) else {
        return Ok(Reading::Unclear(no_list(&rule.path, answer, &names, plan)));
    };
    Ok(Reading::Taken(list.iter().map(|item| part(plan, rule, item, &names)).collect()))
}

/// Why there are no items in an answer, with what the host says instead.
fn no_list(path: &str, answer: &ShownAnswer, names: &Scope, plan: &Plan) -> WebhookError {
    let words = words(plan.message.as_ref(), names, &answer.body);
    let status = answer.status;
    WebhookError::at(
        "success.items.path",
        (
            &format!("`{path}` leads to no list in the answer with {status}: {words}"),
            &format!("`{path}` の位置に一覧がありません (応答 {status}): {words}"),
        ),
        ("write where the list of items stands", "項目の一覧の位置を書いてください"),
    )
}

fn part(plan: &Plan, rule: &Items, item: &Value, names: &Scope) -> Part {
    let mut names = names.clone();
    names.extend(scope(json!({ "item": with_plain_headers(item) })));
    let status = item[&rule.status_field].as_u64().and_then(|status| u16::try_from(status).ok());
    let words = words(plan.message.as_ref(), &names, item.get("body").unwrap_or(&Value::Null));
    let is_taken = status.is_some_and(|status| rule.ok.contains(&status));
    let was_taken = rule.also_ok.as_ref().is_some_and(|known| words.contains(known.trim()));
    let outputs = outputs(plan, &names);
    let state = match (is_taken, was_taken, plan.poll.is_some()) {
        (true, _, true) => ItemState::Accepted,
        (true, _, false) => ItemState::Succeeded,
        (false, true, true) => ItemState::Accepted,
        (false, true, false) => ItemState::Already,
        (false, false, _) => ItemState::Failed,
    };
    let words = match (state, status) {
        (ItemState::Failed, Some(status)) if words.is_empty() => status.to_string(),
        _ if is_taken => String::new(),
        _ => words,
    };
    Part { state, words, outputs }
}

/// `response`, as expressions read it.
pub(crate) fn response(answer: &ShownAnswer) -> Scope {
    scope(json!({
        "response": { "status": answer.status, "headers": answer.headers, "body": answer.body },
    }))
}

/// The item with its headers as an object with names in lower case, however they came.
fn with_plain_headers(item: &Value) -> Value {
    let mut item = item.clone();
    let plain: Map<String, Value> = match &item["headers"] {
        Value::Array(list) => list
            .iter()
            .filter_map(|header| {
                Some((header["name"].as_str()?.to_lowercase(), header["value"].clone()))
            })
            .collect(),
        Value::Object(map) => {
            map.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect()
        }
        _ => return item,
    };
    if let Value::Object(map) = &mut item {
        map.insert("headers".to_owned(), Value::Object(plain));
    }
    item
}

/// The outputs that the answer has; one that is missing stops only what needs it.
fn outputs(plan: &Plan, names: &Scope) -> Map<String, Value> {
    let found = plan.outputs.iter().filter_map(|(name, template)| match template.find(names) {
        Ok(Found::Value(value)) => Some((name.clone(), value)),
        Ok(Found::Nothing) | Err(_) => None,
    });
    found.collect()
}

/// What the host says: by the document's rule, by the usual members, or the beginning of its body.
pub(crate) fn words(rule: Option<&Template>, names: &Scope, body: &Value) -> String {
    let by_rule = rule.and_then(|rule| match rule.find(names) {
        Ok(Found::Value(value)) => values::text(&value),
        Ok(Found::Nothing) | Err(_) => None,
    });
    let usual = ["/error/message", "/message", "/error_description", "/detail", "/error"];
    let by_member = || usual.iter().find_map(|path| body.pointer(path).and_then(values::text));
    let whole = || match body {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    excerpt(&by_rule.or_else(by_member).unwrap_or_else(whole))
}

/// The beginning of a foreign text in one line.
fn excerpt(text: &str) -> String {
    let words =
        text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let line = words.collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(EXCERPT_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The value at a path such as `$.results`.
fn at<'v>(body: &'v Value, path: &str) -> Option<&'v Value> {
    let steps = path.trim().trim_start_matches('$').split('.').filter(|step| !step.is_empty());
    steps.into_iter().try_fold(body, |value, step| value.get(step))
}
