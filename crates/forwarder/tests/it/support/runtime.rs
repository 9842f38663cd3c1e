//! Lambda's side: the runtime's API that a function asks for invocations, and the event source mapping that makes them
//! of a queue's messages. One sandbox carries out one invocation at a time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{Response, StatusCode};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::sync::{Mutex as Turn, mpsc, oneshot};

use super::moto::{ACCOUNT, Moto, REGION, Received};

/// How long an invocation may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The API of one sandbox.
#[derive(Clone)]
pub(crate) struct Sandbox {
    address: String,
    inner: Arc<Inner>,
}

struct Inner {
    asked: mpsc::UnboundedSender<(String, Value)>,
    waiting: Turn<mpsc::UnboundedReceiver<(String, Value)>>,
    pending: Mutex<BTreeMap<String, oneshot::Sender<Result<Value, String>>>>,
    number: AtomicU64,
    /// One at a time.
    turn: Turn<()>,
}

impl Sandbox {
    /// Starts it; a process may come and go.
    pub(crate) async fn start() -> Self {
        let (asked, waiting) = mpsc::unbounded_channel();
        let inner = Arc::new(Inner {
            asked,
            waiting: Turn::new(waiting),
            pending: Mutex::default(),
            number: AtomicU64::new(0),
            turn: Turn::new(()),
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
            .with_state(inner.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, inner }
    }

    /// The variables of a function.
    pub(crate) fn variables(&self) -> Vec<(&str, &str)> {
        vec![
            ("AWS_LAMBDA_RUNTIME_API", &self.address),
            ("AWS_LAMBDA_FUNCTION_NAME", "client"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "512"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "g"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "s"),
        ]
    }

    /// Invokes the function; an error when it says so, or its process ends.
    pub(crate) async fn invoke(&self, payload: Value) -> Result<Value, String> {
        let _turn = self.inner.turn.lock().await;
        let id = format!("r-{}", self.inner.number.fetch_add(1, Ordering::Relaxed));
        let (answer, answered) = oneshot::channel();
        self.inner.pending.lock().unwrap().insert(id.clone(), answer);
        self.inner.asked.send((id, payload)).unwrap();
        match tokio::time::timeout(TIMEOUT, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err("the process ended".to_owned()),
            Err(_) => panic!("an invocation took longer than {TIMEOUT:?}"),
        }
    }

    /// The process is gone: what it was at is never answered.
    pub(crate) fn crashed(&self) {
        self.inner.pending.lock().unwrap().clear();
    }
}

async fn next(State(inner): State<Arc<Inner>>) -> Response<Body> {
    let mut waiting = inner.waiting.lock().await;
    loop {
        let (id, payload) = waiting.recv().await.unwrap();
        if !inner.pending.lock().unwrap().contains_key(&id) {
            continue;
        }
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        return Response::builder()
            .header("Lambda-Runtime-Aws-Request-Id", id)
            .header("Lambda-Runtime-Deadline-Ms", (now + TIMEOUT).as_millis().to_string())
            .header(
                "Lambda-Runtime-Invoked-Function-Arn",
                format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:client"),
            )
            .body(Body::from(payload.to_string()))
            .unwrap();
    }
}

async fn response(
    State(inner): State<Arc<Inner>>,
    Path(id): Path<String>,
    body: Bytes,
) -> StatusCode {
    finish(&inner, &id, Ok(serde_json::from_slice(&body).unwrap()))
}

async fn error(State(inner): State<Arc<Inner>>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    finish(&inner, &id, Err(String::from_utf8_lossy(&body).into_owned()))
}

fn finish(inner: &Inner, id: &str, answer: Result<Value, String>) -> StatusCode {
    if let Some(asked) = inner.pending.lock().unwrap().remove(id) {
        // Whoever invoked may have given up.
        drop(asked.send(answer));
    }
    StatusCode::ACCEPTED
}

/// One asking of a queue by its event source mapping: invokes the function with what comes, and deletes what it does
/// not name as failed. Answers the messages and the ids of those that come again; of a crash all.
pub(crate) async fn deliver(
    sandbox: &Sandbox,
    moto: &Moto,
    queue: &str,
    visibility: u32,
) -> (Vec<Received>, Vec<String>) {
    let messages = moto.receive(queue, visibility).await;
    if messages.is_empty() {
        return (messages, Vec::new());
    }
    let record = |message: &Received| {
        json!({
            "messageId": message.id, "receiptHandle": message.receipt, "body": message.body,
            "attributes": { "ApproximateReceiveCount": message.count.to_string() },
            "messageAttributes": {}, "eventSource": "aws:sqs", "awsRegion": REGION,
            "eventSourceARN": format!("arn:aws:sqs:{REGION}:{ACCOUNT}:trail")
        })
    };
    let event = json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() });
    let failed: Vec<String> = match sandbox.invoke(event).await {
        Ok(answer) => {
            let failures = answer["batchItemFailures"].as_array().unwrap();
            let id = |failure: &Value| failure["itemIdentifier"].as_str().unwrap().to_owned();
            failures.iter().map(id).collect()
        }
        Err(_) => messages.iter().map(|message| message.id.clone()).collect(),
    };
    let is_done = |message: &&Received| !failed.contains(&message.id);
    let done: Vec<String> =
        messages.iter().filter(is_done).map(|message| message.receipt.clone()).collect();
    moto.delete(queue, &done).await;
    (messages, failed)
}
