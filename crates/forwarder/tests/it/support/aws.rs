//! The little of AWS that some tests need quickly and with faults that moto does not play: one secret, and objects that
//! are refused, cut or broken.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{Response, StatusCode};
use serde_json::{Value, json};

/// What comes of asking for an object.
#[derive(Clone)]
pub(crate) enum Held {
    /// Its bytes.
    Object(Vec<u8>),
    /// A refusal: status and code.
    Refused(u16, &'static str),
    /// The connection breaks after these bytes.
    Cut(Vec<u8>),
}

/// The service.
#[derive(Clone)]
pub(crate) struct Aws {
    url: String,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    objects: BTreeMap<String, Held>,
    asked: Vec<String>,
    secret: String,
    version: String,
}

impl Aws {
    /// Starts it with objects by key.
    pub(crate) async fn start(objects: BTreeMap<String, Held>) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let state = State { objects, secret: "{}".to_owned(), ..State::default() };
        let aws = Self { url, state: Arc::new(Mutex::new(state)) };
        let answering = aws.clone();
        let answer = move |request: Request| {
            let aws = answering.clone();
            async move { aws.answer(request).await }
        };
        let router = Router::new().fallback(answer);
        tokio::spawn(async move { axum::serve(listener, router).await });
        aws
    }

    /// For `AWS_ENDPOINT_URL`.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The keys of objects that were asked for.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.state.lock().unwrap().asked.clone()
    }

    async fn answer(&self, request: Request) -> Response<Body> {
        let (head, body) = request.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let target = head.headers.get("x-amz-target").map(|target| target.to_str().unwrap());
        let mut state = self.state.lock().unwrap();
        if let Some(target) = target {
            return state.secret(target, &serde_json::from_slice(&body).unwrap());
        }
        let key = head.uri.path().trim_start_matches("/trail-bucket/").to_owned();
        state.asked.push(key.clone());
        match state.objects.get(&key).cloned() {
            Some(Held::Object(bytes)) => {
                Response::builder().header("ETag", "\"e\"").body(Body::from(bytes)).unwrap()
            }
            Some(Held::Refused(status, code)) => refused(status, code),
            Some(Held::Cut(bytes)) => {
                let length = bytes.len() * 2;
                let pieces = [Ok(Bytes::from(bytes)), Err(std::io::Error::other("cut"))];
                Response::builder()
                    .header("Content-Length", length.to_string())
                    .body(Body::from_stream(futures::stream::iter(pieces)))
                    .unwrap()
            }
            None => refused(404, "NoSuchKey"),
        }
    }
}

impl State {
    fn secret(&mut self, target: &str, asked: &Value) -> Response<Body> {
        if target.ends_with(".PutSecretValue") {
            let version = asked["ClientRequestToken"].as_str().unwrap().to_owned();
            if version == self.version {
                return Response::builder()
                    .status(StatusCode::BAD_REQUEST)
                    .header("Content-Type", "application/x-amz-json-1.1")
                    .body(Body::from(r#"{"__type":"ResourceExistsException"}"#))
                    .unwrap();
            }
            self.version = version;
            self.secret = asked["SecretString"].as_str().unwrap().to_owned();
        }
        let told = json!({ "VersionId": self.version, "SecretString": self.secret });
        Response::builder()
            .header("Content-Type", "application/x-amz-json-1.1")
            .body(Body::from(told.to_string()))
            .unwrap()
    }
}

fn refused(status: u16, code: &str) -> Response<Body> {
    Response::builder()
        .status(StatusCode::from_u16(status).unwrap())
        .header("Content-Type", "text/xml")
        .body(Body::from(format!("<Error><Code>{code}</Code><Message>{code}</Message></Error>")))
        .unwrap()
}
