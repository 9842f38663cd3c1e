//! The server's side of the protocol, written from `docs/decisions/0011-stacks-and-their-client.md` alone: it shares no
//! type with the client, keeps the rules that the client must keep, and fails every tenth call on purpose.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Response, StatusCode};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The code of the stack's link.
pub(crate) const CODE: &str = "marker-code-0123456789";

/// The server.
#[derive(Clone)]
pub(crate) struct Tarn {
    url: String,
    state: Arc<Mutex<State>>,
}

/// What it knows.
#[derive(Default)]
pub(crate) struct State {
    /// The token that enrolled with the code.
    pub(crate) enrolled: Option<String>,
    /// The tokens that are taken: the one in use, and the one that is to follow.
    pub(crate) current: Option<String>,
    pub(crate) next: Option<String>,
    /// Every token that it was ever told.
    pub(crate) told: BTreeSet<String>,
    pub(crate) rotations: usize,
    pub(crate) rotate_after: u64,
    pub(crate) is_revoked: bool,
    /// One call of so many fails; 0 is none.
    pub(crate) fails_every: usize,
    pub(crate) calls: usize,
    pub(crate) failed: usize,
    /// Bytes by event id.
    pub(crate) records: BTreeMap<String, String>,
    pub(crate) duplicates: usize,
    /// Requests with records that were let in.
    pub(crate) accepted: usize,
    pub(crate) keys: BTreeMap<String, Vec<u8>>,
    /// Object, reason and bytes of dead letters.
    pub(crate) letters: BTreeSet<(String, String, Vec<u8>)>,
    /// Bodies of heartbeats that were let in.
    pub(crate) heartbeats: Vec<Value>,
    /// Heartbeats that were refused.
    pub(crate) refused: usize,
    /// More records than this are too many.
    pub(crate) most_records: Option<usize>,
    /// What the client must not do.
    pub(crate) violations: Vec<String>,
}

/// How a call fails on purpose.
#[derive(Clone, Copy)]
enum Trouble {
    Status(u16, Option<&'static str>),
    /// The answer breaks off, before or after the work was done.
    Cut(bool),
}

const TROUBLES: [Trouble; 5] = [
    Trouble::Status(500, None),
    Trouble::Status(503, Some("0")),
    Trouble::Cut(false),
    Trouble::Status(429, Some("1")),
    Trouble::Cut(true),
];

impl Tarn {
    /// Starts it.
    pub(crate) async fn start(state: State) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/behind", listener.local_addr().unwrap());
        let tarn = Self { url, state: Arc::new(Mutex::new(state)) };
        let answering = tarn.clone();
        let answer = move |request: Request| {
            let tarn = answering.clone();
            async move { tarn.answer(request).await }
        };
        let router = Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, router).await });
        tarn
    }

    /// Where it listens.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What it knows.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    async fn answer(&self, request: Request) -> Response<Body> {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 16 << 20).await.unwrap();
        let mut state = self.state();
        let Some(route) = head.uri.path().strip_prefix("/behind/api/v1/forwarder/") else {
            return problem(404, "not-found");
        };
        match state.trouble() {
            Some(Trouble::Status(status, wait)) => {
                let mut answer = problem(status, "overloaded");
                if let Some(wait) = wait {
                    answer.headers_mut().insert("Retry-After", wait.parse().unwrap());
                }
                answer
            }
            Some(Trouble::Cut(is_done)) => {
                if is_done {
                    drop(state.call(route, &head.headers, &body));
                }
                cut()
            }
            None => state.call(route, &head.headers, &body),
        }
    }
}

impl State {
    /// A server that has given out a code and fails every tenth call.
    pub(crate) fn troubled() -> Self {
        Self { fails_every: 10, rotate_after: 1, ..Self::default() }
    }

    /// A server that does not fail and wants no rotation.
    pub(crate) fn calm() -> Self {
        Self { rotate_after: 604_800, ..Self::default() }
    }

    /// Whether a token is taken.
    pub(crate) fn takes(&self, token: &str) -> bool {
        [&self.current, &self.next].into_iter().flatten().any(|known| known == token)
    }

    fn trouble(&mut self) -> Option<Trouble> {
        self.calls += 1;
        if self.fails_every == 0 || !self.calls.is_multiple_of(self.fails_every) {
            return None;
        }
        self.failed += 1;
        Some(TROUBLES[self.failed % TROUBLES.len()])
    }

    fn call(&mut self, route: &str, headers: &HeaderMap, body: &Bytes) -> Response<Body> {
        if route == "enrol" {
            return self.enrol(body);
        }
        let token = headers.get("Authorization").and_then(|value| value.to_str().ok());
        let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
        if !self.takes(token) {
            return problem(401, "token-unknown");
        }
        if self.is_revoked {
            self.refused += usize::from(route == "heartbeat");
            return problem(401, "stack-revoked");
        }
        if self.next.as_deref() == Some(token) {
            self.current = self.next.take();
        }
        match route {
            "token" => self.rotate(body),
            "heartbeat" => {
                self.heartbeats.push(serde_json::from_slice(body).unwrap());
                self.standing()
            }
            "records" => self.take_records(headers, body),
            "dead-letters" => self.take_letter(headers, body),
            _ => problem(404, "not-found"),
        }
    }

    fn enrol(&mut self, body: &Bytes) -> Response<Body> {
        let asked: Value = serde_json::from_slice(body).unwrap();
        for name in ["account_id", "region", "client_version", "template_version"] {
            if asked[name].as_str().is_none_or(str::is_empty) {
                self.violations.push(format!("an enrolment without {name}"));
            }
        }
        let token = asked["token"].as_str().unwrap().to_owned();
        let is_same = self.enrolled.as_ref().is_none_or(|enrolled| *enrolled == token);
        if asked["enrolment_code"] != CODE || !is_same {
            return problem(403, "enrolment-refused");
        }
        self.told.insert(token.clone());
        if self.enrolled.is_none() {
            self.current = Some(token.clone());
            self.enrolled = Some(token);
        }
        self.standing()
    }

    fn rotate(&mut self, body: &Bytes) -> Response<Body> {
        let asked: Value = serde_json::from_slice(body).unwrap();
        let token = asked["token"].as_str().unwrap().to_owned();
        if token.len() < 43 || self.current.as_ref() == Some(&token) {
            self.violations.push("a rotation to a short token or to the same one".to_owned());
        }
        self.rotations += usize::from(self.next.as_ref() != Some(&token));
        self.told.insert(token.clone());
        self.next = Some(token);
        self.standing()
    }

    fn standing(&self) -> Response<Body> {
        ok(&json!({
            "stack_id": "s-1", "heartbeat_seconds": 1, "rotate_after_seconds": self.rotate_after,
            "added_later": true
        }))
    }

    fn take_records(&mut self, headers: &HeaderMap, body: &Bytes) -> Response<Body> {
        let body = match headers.get("Content-Encoding") {
            Some(encoding) if encoding == "gzip" => {
                let mut text = Vec::new();
                flate2::read::GzDecoder::new(&body[..]).read_to_end(&mut text).unwrap();
                text
            }
            _ => body.to_vec(),
        };
        self.identify(headers, &body);
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Asked<'a> {
            #[serde(borrow, rename = "Records")]
            records: Vec<&'a RawValue>,
        }
        let Asked { records } = serde_json::from_slice(&body).unwrap();
        let is_single_giant = records.len() == 1;
        if records.len() > 1_000 || (body.len() > 1 << 20 && !is_single_giant) {
            self.violations.push(format!("{} records in {} bytes", records.len(), body.len()));
        }
        if body.len() > 1 << 20 || self.most_records.is_some_and(|most| records.len() > most) {
            return problem(413, "too-large");
        }
        self.accepted += 1;
        let mut stored = 0;
        for record in &records {
            let id: Value = serde_json::from_str(record.get()).unwrap();
            let id = id["eventID"].as_str().unwrap().to_owned();
            match self.records.get(&id) {
                None => {
                    stored += 1;
                    self.records.insert(id, record.get().to_owned());
                }
                Some(held) if held == record.get() => self.duplicates += 1,
                Some(held) => {
                    let violation = format!("{id} came as {} and as {held}", record.get());
                    self.violations.push(violation);
                }
            }
        }
        ok(&json!({
            "served": records.len(), "stored": stored, "duplicate": records.len() - stored,
            "filtered": 0, "dead_lettered": 0
        }))
    }

    fn take_letter(&mut self, headers: &HeaderMap, body: &Bytes) -> Response<Body> {
        self.identify(headers, body);
        if body.len() > 1 << 20 {
            self.violations.push("a dead letter of more than 1 MB".to_owned());
        }
        let reason = headers["Tarn-Reason"].to_str().unwrap().to_owned();
        let object = headers["Tarn-Object"].to_str().unwrap().to_owned();
        self.letters.insert((object, reason, body.to_vec()));
        ok(&json!({}))
    }

    /// A key stands for the same bytes for ever.
    fn identify(&mut self, headers: &HeaderMap, body: &[u8]) {
        let key = headers["Idempotency-Key"].to_str().unwrap().to_owned();
        let object = headers["Tarn-Object"].to_str().unwrap();
        if !object.starts_with("s3://") && !object.starts_with("sqs:") {
            self.violations.push(format!("the object {object}"));
        }
        let held = self.keys.entry(key).or_insert_with(|| body.to_vec());
        if held != body {
            self.violations.push(format!("one key for two bodies of {object}"));
        }
    }
}

fn ok(body: &Value) -> Response<Body> {
    Response::builder()
        .header("Content-Type", "application/json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

fn problem(status: u16, kind: &str) -> Response<Body> {
    let body = json!({ "type": format!("https://tarn.example/problems/{kind}"), "title": kind });
    Response::builder()
        .status(StatusCode::from_u16(status).unwrap())
        .header("Content-Type", "application/problem+json")
        .body(Body::from(body.to_string()))
        .unwrap()
}

/// An answer that begins and breaks off.
fn cut() -> Response<Body> {
    let pieces = [Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("cut"))];
    let body = Body::from_stream(futures::stream::iter(pieces));
    Response::builder().header("Content-Length", "500").body(body).unwrap()
}
