//! How requests and answers are shown in the history: whole, but without what must stay secret.

use std::collections::BTreeMap;

use model::action::journal::{ShownAnswer, ShownRequest};
use model::secret::{MASK, Secret};
use serde_json::Value;

use super::exchange::{Ask, Sent};
use crate::client::{Answer, redact};

/// Most bytes of a body that the history keeps.
const BODY_CAP: usize = 256 * 1024;
/// Most members or elements on the way to a leaf: deeper JSON is shown as text.
const DEEPEST: usize = 64;
/// Headers of an answer that say something to people.
const TELLING_HEADERS: [&str; 7] = [
    "content-type",
    "etag",
    "location",
    "operation-location",
    "retry-after",
    "traceid",
    "x-trace-id",
];
/// What the name of a member that holds a secret contains, in lower case.
const SECRET_NAMES: [&str; 6] =
    ["password", "passwd", "secret", "apikey", "api_key", "authorization"];

/// The request as it is sent, with the bearer token and every secret in it masked.
pub(super) fn shown_request(ask: &Ask, secret: &Secret) -> ShownRequest {
    let mut headers: BTreeMap<String, String> = ask
        .headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), redact(value, secret)))
        .collect();
    headers.insert("authorization".to_owned(), format!("Bearer {MASK}"));
    let body = match &ask.body {
        None => Value::Null,
        Some(Sent::Json(body)) => {
            headers.insert("content-type".to_owned(), "application/json".to_owned());
            masked(body, secret)
        }
        Some(Sent::Bytes { media_type, bytes, shown }) => {
            headers.insert("content-type".to_owned(), media_type.clone());
            match shown {
                Some(shown) => masked(shown, secret),
                None => Value::String(format!("{} bytes", bytes.len())),
            }
        }
    };
    ShownRequest {
        method: ask.method.as_str().to_owned(),
        url: redact(ask.url.as_str(), secret),
        headers,
        body,
    }
}

/// The answer as it came, with every secret in it masked, and cut where it is very long.
pub fn shown_answer(answer: &Answer, secret: &Secret) -> ShownAnswer {
    let headers = answer
        .headers
        .iter()
        .filter(|(name, _)| TELLING_HEADERS.contains(&&***name))
        .map(|(name, value)| (name.clone(), redact(value, secret)))
        .collect();
    let body = if answer.body.is_empty() {
        Value::Null
    } else if answer.body.len() <= BODY_CAP {
        match serde_json::from_slice(&answer.body) {
            Ok(json) => masked(&json, secret),
            Err(_) => Value::String(redact(&String::from_utf8_lossy(&answer.body), secret)),
        }
    } else {
        let head = String::from_utf8_lossy(&answer.body[..BODY_CAP]);
        Value::String(format!("{}… ({} bytes)", redact(&head, secret), answer.body.len()))
    };
    ShownAnswer { status: answer.status, headers, body }
}

/// The JSON without the secret, and without the values of members that are secrets by their names.
pub fn masked(value: &Value, secret: &Secret) -> Value {
    mask(value, secret, DEEPEST)
}

fn mask(value: &Value, secret: &Secret, levels: usize) -> Value {
    match value {
        Value::String(text) => Value::String(redact(text, secret)),
        Value::Array(_) | Value::Object(_) if levels == 0 => {
            Value::String(redact(&value.to_string(), secret))
        }
        Value::Array(values) => {
            values.iter().map(|value| mask(value, secret, levels - 1)).collect()
        }
        Value::Object(members) => members
            .iter()
            .map(|(name, value)| {
                let shown = if is_secret(name) && !value.is_null() {
                    Value::String(MASK.to_owned())
                } else {
                    mask(value, secret, levels - 1)
                };
                (name.clone(), shown)
            })
            .collect(),
        other => other.clone(),
    }
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|secret| name.contains(secret))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_masked_by_their_text_and_by_the_names_of_their_members() {
        let secret = Secret::new("k3y");
        let body =
            json!({ "a": ["has k3y in it"], "Password": "p", "api_key": null, "id": "00041" });
        let shown = json!({
            "a": [format!("has {MASK} in it")], "Password": MASK, "api_key": null, "id": "00041",
        });
        assert_eq!(masked(&body, &secret), shown);
    }

    #[test]
    fn what_is_nested_without_end_is_shown_as_text() {
        let mut deep = json!("k3y");
        for _ in 0..1_000 {
            deep = json!([deep]);
        }
        let shown = masked(&deep, &Secret::new("k3y")).to_string();
        assert!(!shown.contains("k3y"), "{shown}");
    }
}
