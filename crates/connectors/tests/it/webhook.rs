//! What the tests of responders share: a host that answers by a script, and a journal in memory.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use connectors::Registry;
use connectors::client::egress::EgressPolicy;
use connectors::webhook::{Responder, ResponderDocument, context, templates};
use model::action::journal::{Ending, Memory, Patience, Step, Verdict};
use model::action::{Call, Entity, Halt, Input, Item, Journal, Outcome, Responds, Right, Text};
use model::time::Timestamp;
use serde_json::{Value, json};

use crate::support::Ledger;

/// A request as a host saw it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

/// What a host answers.
pub(crate) struct Says(pub(crate) u16, pub(crate) Vec<(&'static str, String)>, pub(crate) Value);

impl From<(u16, Value)> for Says {
    fn from((status, body): (u16, Value)) -> Self {
        Self(status, Vec::new(), body)
    }
}

/// A host that answers by a script, which is told the request and how many came before.
pub(crate) struct Host {
    pub(crate) address: SocketAddr,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
}

impl Host {
    pub(crate) async fn new(script: impl Fn(&Seen, usize) -> Says + Send + Sync + 'static) -> Self {
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let (script, kept) = (Arc::new(script), seen.clone());
        let answer = move |method: Method, uri: Uri, headers: HeaderMap, body: Bytes| {
            let (script, kept) = (script.clone(), kept.clone());
            async move { answered(&*script, &kept, method, uri, &headers, &body) }
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn changes(&self) -> usize {
        self.seen().iter().filter(|seen| seen.method != "GET").count()
    }
}

fn answered(
    script: &(dyn Fn(&Seen, usize) -> Says + Send + Sync),
    kept: &Mutex<Vec<Seen>>,
    method: Method,
    uri: Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    let text = |(name, value): (&axum::http::HeaderName, &axum::http::HeaderValue)| {
        (name.to_string(), value.to_str().unwrap_or_default().to_owned())
    };
    let seen = Seen {
        method: method.to_string(),
        path: uri.to_string(),
        headers: headers.iter().map(text).collect(),
        body: String::from_utf8(body.to_vec()).unwrap(),
    };
    let mut kept = kept.lock().unwrap();
    let Says(status, headers, body) = script(&seen, kept.len());
    kept.push(seen);
    let mut response = (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response();
    for (name, value) in headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

/// A journal in memory, whose clock goes on when somebody waits.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) steps: Mutex<BTreeMap<String, Memory>>,
    /// Everything that was written down, as text.
    pub(crate) history: Mutex<String>,
    pub(crate) protected: Vec<Entity>,
    pub(crate) is_dry_run: bool,
    /// Milliseconds since the start.
    pub(crate) elapsed: AtomicU64,
    /// Asked for by `permit`.
    pub(crate) asked: Mutex<Vec<Entity>>,
    pub(crate) progress: Mutex<Vec<Text>>,
}

impl Notes {
    fn note(&self, line: String) {
        self.history.lock().unwrap().push_str(&format!("{line}\n"));
    }

    pub(crate) fn remember(&self, step: &str, memory: Memory) {
        self.steps.lock().unwrap().insert(step.to_owned(), memory);
    }

    pub(crate) fn waited(&self) -> Duration {
        Duration::from_millis(self.elapsed.load(Ordering::Relaxed))
    }
}

#[async_trait]
impl Journal for Notes {
    fn key(&self, step: &str) -> String {
        format!("run/{step}")
    }

    fn now(&self) -> Timestamp {
        self.started_at() + self.waited()
    }

    fn started_at(&self) -> Timestamp {
        Timestamp::from_millis(1_762_250_400_000)
    }

    fn is_dry_run(&self) -> bool {
        self.is_dry_run
    }

    fn patience(&self) -> Patience {
        let second = Duration::from_secs(1);
        Patience { poll: 10 * second, settle: second, timeout: 3600 * second }
    }

    async fn recall(&self, step: &str) -> Result<Memory, Halt> {
        Ok(self.steps.lock().unwrap().get(step).cloned().unwrap_or(Memory::Fresh))
    }

    async fn sending(&self, step: &Step<'_>) -> Result<(), Halt> {
        self.note(format!("sending {} {} {:?}", step.name, step.is_change, step.request));
        self.remember(step.name, Memory::InDoubt(self.now()));
        Ok(())
    }

    async fn ended(&self, step: &str, ending: &Ending) -> Result<(), Halt> {
        self.note(format!("ended {step} {ending:?}"));
        let memory = match ending {
            Ending::NotTaken { .. } => Memory::Fresh,
            Ending::Unanswered { .. } => Memory::InDoubt(self.now()),
            other => Memory::Ended(other.clone()),
        };
        self.remember(step, memory);
        Ok(())
    }

    async fn planned(&self, step: &Step<'_>) -> Result<(), Halt> {
        self.note(format!("planned {} {:?}", step.name, step.request));
        Ok(())
    }

    async fn permit(&self, targets: &[Entity]) -> Result<Vec<Verdict>, Halt> {
        self.asked.lock().unwrap().extend_from_slice(targets);
        let verdict = |entity: &Entity| match self.protected.contains(entity) {
            true => Verdict::Protected(Text::new("a server", "サーバー")),
            false => Verdict::Permitted,
        };
        Ok(targets.iter().map(verdict).collect())
    }

    async fn is_protected(&self, entity: &Entity) -> Result<Option<Text>, Halt> {
        let is_protected = self.protected.contains(entity);
        Ok(is_protected.then(|| Text::new("a server", "サーバー")))
    }

    async fn claim(&self, _: &str) -> Result<bool, Halt> {
        Ok(true)
    }

    async fn progress(&self, items: &[Item], message: &Text) -> Result<(), Halt> {
        self.note(format!("progress {items:?} {message:?}"));
        self.progress.lock().unwrap().push(message.clone());
        Ok(())
    }

    async fn wait(&self, span: Duration) -> Result<bool, Halt> {
        let span = u64::try_from(span.as_millis()).unwrap();
        self.elapsed.fetch_add(span, Ordering::Relaxed);
        Ok(self.waited() < self.patience().timeout)
    }
}

/// The public network and this machine.
pub(crate) fn open_egress() -> EgressPolicy {
    EgressPolicy::allowing(["127.0.0.1", "::1"]).unwrap()
}

pub(crate) fn document(value: Value) -> ResponderDocument {
    ResponderDocument::from_value(value, &templates()).unwrap()
}

/// A responder of a built-in template at a fake host.
pub(crate) fn of_template(template: &str, host: &Host) -> Arc<Responder> {
    responder(json!({
        "name": "テスト", "tenant": "all", "template": template, "auth": { "token": "t0ps3cret" },
        "request": { "host": host.address.to_string(), "protocol": "http" },
    }))
}

pub(crate) fn responder(value: Value) -> Arc<Responder> {
    Arc::new(Responder::open(document(value), open_egress(), None).unwrap())
}

/// A record of Trend Vision One as expressions see it.
pub(crate) fn alert(record: &Value) -> Value {
    let sources = Registry::new().sources();
    let source = sources.get("trend_vision_one.alerts").unwrap();
    context(source, record.to_string().as_bytes(), &Value::Null)
}

pub(crate) async fn act(
    responder: &Arc<Responder>,
    record: &Value,
    parameters: Value,
    notes: &Notes,
) -> Result<Outcome, Halt> {
    let input = Input {
        entities: Vec::new(),
        parameters: parameters.as_object().cloned().unwrap_or_default(),
    };
    let input = input.checked(responder.spec()).unwrap();
    let rights = [Right { key: responder.key(), budget: Box::new(Ledger::default()) }];
    let call = Call { action: "webhook", input: &input, rights: &rights, journal: notes };
    responder.on(record.clone()).act(&call).await
}
