//! Servers to talk to: the vendor's simulator, and stubs that answer anything at all.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, Response};
use simulators::{Options, SimClock, Simulator, Volume};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{CAS, time};

/// A stub that answers requests with what a function makes of them.
pub(crate) struct Stub {
    pub(crate) url: String,
    pub(crate) seen: Arc<Mutex<Vec<(String, HeaderMap)>>>,
}

impl Stub {
    /// `answer` gets the path with its query.
    pub(crate) async fn start(
        answer: impl Fn(&str) -> Response<Body> + Clone + Send + Sync + 'static,
    ) -> Self {
        let seen: Arc<Mutex<Vec<(String, HeaderMap)>>> = Arc::default();
        let kept = seen.clone();
        let respond = move |request: Request| {
            let path = request.uri().to_string();
            let response = answer(&path);
            kept.lock().unwrap().push((path, request.headers().clone()));
            async move { response }
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(respond);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, seen }
    }

    /// Always the same answer.
    pub(crate) async fn fixed(status: u16, headers: &[(&str, &str)], body: &str) -> Self {
        let headers: Vec<_> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let body = body.to_owned();
        Self::start(move |_| response(status, &headers, body.clone())).await
    }

    pub(crate) fn requests(&self) -> usize {
        self.seen.lock().unwrap().len()
    }
}

pub(crate) fn response(
    status: u16,
    headers: &[(String, String)],
    body: impl Into<Body>,
) -> Response<Body> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(name, value);
    }
    response.body(body.into()).unwrap()
}

/// Sends fixed bytes to whoever connects, then hangs up.
pub(crate) async fn raw_server(bytes: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            if stream.read(&mut request).await.is_ok() {
                drop(stream.write_all(bytes).await);
            }
        }
    });
    address
}

/// The simulator on a port of its own, at 2026-03-02T08:00:00Z.
pub(crate) async fn simulator(faults: &[(&str, &str)]) -> (Simulator, String) {
    let faults = faults.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let options = Options {
        seed: 7,
        volume: Volume::PerHour(40.0),
        faults: faults.collect(),
        clock: SimClock::manual(time("2026-03-02T08:00:00Z").as_millis()),
    };
    let simulator = simulators::simulator(CAS, options).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(simulator.clone().serve(listener, std::future::pending()));
    (simulator, url)
}
