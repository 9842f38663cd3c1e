//! The vendor's answer item by item, under one status for the whole request.

use serde_json::Value;

/// The vendor's words for an item whose task is already under way.
const DUPLICATION: &str = "task duplication";
const LOCATION: &str = "operation-location";

/// What the vendor says of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Said {
    /// It opened this task.
    Accepted(String),
    /// This task does the same already.
    Duplicate(String),
    /// It refuses the item, in these words.
    Refused(String),
    /// It took the item, or not: nothing that can be followed.
    Nothing,
}

/// What the vendor says of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// One by one, in the order of the request.
    Items(Vec<Said>),
    /// It refuses the whole request, in these words.
    Whole(String),
}

impl Answer {
    /// Reads an answer to a request of so many items. Items without an answer are answered with nothing.
    pub(super) fn read(body: &Value, count: usize) -> Self {
        let mut items: Vec<Said> = match body {
            Value::Array(items) => items.iter().map(said).collect(),
            // One object instead of a list is a refusal of everything, if it is a refusal.
            _ => match words(body) {
                Some(words) => return Self::Whole(words),
                None => Vec::new(),
            },
        };
        items.resize(count, Said::Nothing);
        Self::Items(items)
    }
}

fn said(item: &Value) -> Said {
    let status = match &item["status"] {
        Value::String(text) => text.trim().parse().ok(),
        number => number.as_u64(),
    };
    let location = location(&item["headers"]).and_then(last_step);
    if matches!(status, Some(200..300)) {
        let id = location.or_else(|| item["body"]["id"].as_str());
        return id.map_or(Said::Nothing, |id| Said::Accepted(id.to_owned()));
    }
    let words = words(&item["body"]).or_else(|| words(item));
    let is_duplicate =
        words.as_ref().is_some_and(|words| words.to_ascii_lowercase().contains(DUPLICATION));
    match (location, words, status) {
        (Some(id), _, _) if is_duplicate => Said::Duplicate(id.to_owned()),
        (_, Some(words), _) => Said::Refused(words),
        (_, None, Some(status)) => Said::Refused(format!("status {status}")),
        _ => Said::Nothing,
    }
}

/// The words of a refusal: with the wrapper that the vendor documents, with its misspelling, or without one.
fn words(body: &Value) -> Option<String> {
    let candidates = [&body["error"], &body["errror"], body];
    let text = |name: &str| {
        let found = candidates.iter().find_map(|error| error[name].as_str());
        found.filter(|text| !text.is_empty()).map(str::to_owned)
    };
    text("message").or_else(|| text("code"))
}

/// Where the task is: the headers are a list of names and values, as documented, or one object.
fn location(headers: &Value) -> Option<&str> {
    let is_location = |name: &str| name.eq_ignore_ascii_case(LOCATION);
    match headers {
        Value::Array(headers) => headers.iter().find_map(|header| {
            let name = header["name"].as_str()?;
            header["value"].as_str().filter(|_| is_location(name))
        }),
        Value::Object(headers) => {
            headers.iter().find(|(name, _)| is_location(name)).and_then(|(_, value)| value.as_str())
        }
        _ => None,
    }
}

/// The last step of a path: ids are texts with zeros in front, and the steps before them vary.
pub(super) fn last_step(location: &str) -> Option<&str> {
    let path = location.split(['?', '#']).next().unwrap_or_default();
    path.trim_end_matches('/').rsplit('/').next().filter(|step| !step.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const PLACE: &str = "https://api.example/v3.0/xdr/response/tasks/00000041";

    fn one(item: Value) -> Said {
        match Answer::read(&json!([item]), 1) {
            Answer::Items(mut items) if items.len() == 1 => items.remove(0),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn items_are_read_in_every_form() {
        let accepted = Said::Accepted("00000041".to_owned());
        for headers in [
            json!([{ "name": "Operation-Location", "value": PLACE }]),
            json!([{ "name": "x", "value": "y" }, { "name": "operation-location", "value": format!("{PLACE}/") }]),
            json!({ "OPERATION-LOCATION": PLACE }),
        ] {
            assert_eq!(one(json!({ "status": 202, "headers": headers })), accepted);
            assert_eq!(one(json!({ "status": "202", "headers": headers })), accepted);
            let body = json!({ "error": { "code": "TaskError", "message": "Task duplication." } });
            let item = json!({ "status": 400, "headers": headers, "body": body });
            assert_eq!(one(item), Said::Duplicate("00000041".to_owned()));
        }
        for (item, words) in [
            (
                json!({ "status": 400, "body": { "error": { "message": "Target not found." } } }),
                "Target not found.",
            ),
            (json!({ "status": 404, "body": { "error": { "code": "NotFound" } } }), "NotFound"),
            (json!({ "status": 500, "body": { "code": "x", "message": "m" } }), "m"),
            (json!({ "status": 403 }), "status 403"),
            (
                json!({ "status": 400, "body": { "error": { "message": "Task duplication." } } }),
                "Task duplication.",
            ),
        ] {
            assert_eq!(one(item), Said::Refused(words.to_owned()));
        }
        for item in [json!({ "status": 202 }), json!({}), json!(null), json!("x")] {
            assert_eq!(one(item), Said::Nothing);
        }
    }

    #[test]
    fn an_object_is_a_whole_refusal_and_what_is_missing_is_nothing() {
        let error = json!({ "error": { "code": "BadRequest", "message": "no" } });
        assert_eq!(Answer::read(&error, 3), Answer::Whole("no".to_owned()));
        for body in [json!([]), json!({ "a": 1 }), json!("<html>"), Value::Null] {
            assert_eq!(Answer::read(&body, 2), Answer::Items(vec![Said::Nothing; 2]), "{body}");
        }
    }

    /// Any JSON, with the members that mean something.
    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            "\\PC{0,12}".prop_map(Value::from),
            Just(Value::from("Operation-Location")),
            Just(Value::from(202)),
        ];
        let names = prop::sample::select(vec![
            "status", "headers", "body", "error", "message", "code", "name", "value", "id", "x",
        ]);
        leaf.prop_recursive(4, 40, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((names.clone(), inner), 0..6).prop_map(|members| {
                    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_item_is_answered_whatever_comes(body in any_json(), count in 0_usize..6) {
            if let Answer::Items(items) = Answer::read(&body, count) {
                prop_assert_eq!(items.len(), count);
            }
            let _ = last_step(&body.to_string());
        }
    }
}
