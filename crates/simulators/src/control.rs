//! The routes under `/_sim/`, the same for every vendor: what a perfect collector has, what was served, what
//! was asked, and the two levers (faults, clock).
//!
//! They are no part of a vendor's API: no authentication, no quota, no entry in the journal.

use std::collections::HashMap;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::simulator::Simulator;
use crate::times::{format_instant, parse_duration_ms, parse_instant_ms};

/// The control routes over a simulator.
pub(crate) fn routes(simulator: Simulator) -> Router {
    Router::new()
        .route("/_sim/held", get(held))
        .route("/_sim/served", get(served))
        .route("/_sim/requests", get(requests))
        .route("/_sim/state", get(state))
        .route("/_sim/faults", get(faults).post(set_faults))
        .route("/_sim/clock", get(clock).post(advance))
        .route("/_sim/{*rest}", any(async || StatusCode::NOT_FOUND))
        .with_state(simulator)
}

/// A refused control request, with the reason.
struct Refused(String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, json_text(&json!({ "error": self.0 }))).into_response()
    }
}

type Answered = Result<Response, Refused>;

async fn held(
    State(simulator): State<Simulator>,
    Query(query): Query<HashMap<String, String>>,
) -> Answered {
    let mut until_ms = None;
    let mut digests = false;
    for (name, value) in &query {
        match (name.as_str(), value.as_str()) {
            ("with", "sha256") => digests = true,
            ("until", text) => {
                let instant = parse_instant_ms(text);
                until_ms =
                    Some(instant.ok_or_else(|| {
                        Refused(format!("`until` is no RFC 3339 time: `{text}`"))
                    })?);
            }
            _ => {
                return Err(Refused(format!(
                    "unknown `{name}={value}`; known are `with=sha256` and `until=TIME`"
                )));
            }
        }
    }
    // Digests generate every record, which takes seconds for a million of them.
    blocking(move || {
        if digests {
            streams(simulator.held_with_sha256(until_ms))
        } else {
            streams(
                simulator
                    .held_until(until_ms)
                    .into_iter()
                    .map(|stream| (stream.stream, stream.ids)),
            )
        }
    })
    .await
}

async fn served(
    State(simulator): State<Simulator>,
    Query(query): Query<HashMap<String, String>>,
) -> Answered {
    let digests = query.get("with").is_some_and(|with| with == "sha256");
    if query.len() > usize::from(digests) {
        return Err(Refused("known is `with=sha256`, and nothing else".to_owned()));
    }
    blocking(move || {
        if digests {
            streams(simulator.served_with_sha256())
        } else {
            streams(simulator.served().into_iter().map(|stream| (stream.stream, stream.ids)))
        }
    })
    .await
}

async fn requests(State(simulator): State<Simulator>) -> Answered {
    blocking(move || serde_json::to_vec(&simulator.requests()).unwrap_or_default()).await
}

/// The effects of actions.
async fn state(State(simulator): State<Simulator>) -> Response {
    json_text(&simulator.state()).into_response()
}

async fn faults(State(simulator): State<Simulator>) -> Response {
    let values: Map<String, Value> = simulator
        .faults()
        .into_iter()
        .map(|(name, value)| (name.to_owned(), Value::String(value)))
        .collect();
    json_text(&Value::Object(values)).into_response()
}

async fn set_faults(State(simulator): State<Simulator>, body: Bytes) -> Answered {
    let wanted: Map<String, Value> = parsed(&body, r#"{"NAME":"VALUE"}"#)?;
    let mut changes = Vec::with_capacity(wanted.len());
    for (name, value) in wanted {
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(switch) => switch.to_string(),
            other => {
                return Err(Refused(format!(
                    "fault `{name}` takes a text, a number or a truth value, not `{other}`"
                )));
            }
        };
        changes.push((name, text));
    }
    simulator.set_faults(&changes).map_err(|error| Refused(error.to_string()))?;
    Ok(faults(State(simulator)).await)
}

async fn clock(State(simulator): State<Simulator>) -> Response {
    json_text(&json!({ "now": format_instant(simulator.clock().now_ms()) })).into_response()
}

async fn advance(State(simulator): State<Simulator>, body: Bytes) -> Answered {
    let wanted: HashMap<String, String> = parsed(&body, r#"{"advance":"3h"}"#)?;
    let step = match wanted.get("advance") {
        Some(text) if wanted.len() == 1 => {
            parse_duration_ms(text).and_then(|step| u64::try_from(step).ok())
        }
        _ => None,
    };
    let Some(step) = step else {
        return Err(Refused(
            r#"expected only `advance` with a duration, as in {"advance":"3h"}"#.to_owned(),
        ));
    };
    simulator.clock().advance(Duration::from_millis(step));
    Ok(clock(State(simulator)).await)
}

fn parsed<T: DeserializeOwned>(body: &[u8], shape: &str) -> Result<T, Refused> {
    serde_json::from_slice(body).map_err(|error| Refused(format!("expected {shape}: {error}")))
}

fn json_text(value: &Value) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], value.to_string())
}

/// Makes a large JSON body away from the threads that answer the vendor's clients.
async fn blocking(make: impl FnOnce() -> Vec<u8> + Send + 'static) -> Answered {
    let body =
        tokio::task::spawn_blocking(make).await.map_err(|error| Refused(error.to_string()))?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

/// `{"streams":{NAME:[…]}}`.
fn streams<T: Serialize>(lists: impl IntoIterator<Item = (String, T)>) -> Vec<u8> {
    let mut body = b"{\"streams\":{".to_vec();
    for (position, list) in lists.into_iter().enumerate() {
        if position > 0 {
            body.push(b',');
        }
        body.extend(serde_json::to_vec(&list.0).unwrap_or_default());
        body.push(b':');
        body.extend(serde_json::to_vec(&list.1).unwrap_or_default());
    }
    body.extend(b"}}");
    body
}
