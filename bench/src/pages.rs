//! A simulated vendor on a port of this process that tells which records each answer carried, and when.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Instant;

use anyhow::Result;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use bytes::Bytes;
use serde::Deserialize;
use simulators::Simulator;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// An answer of the vendor.
pub(crate) struct Answer {
    /// When it was ready to be sent.
    pub(crate) at: Instant,
    body: Bytes,
}

/// A vendor that is being watched.
pub(crate) struct Vendor {
    /// `host:port`.
    pub(crate) address: String,
    /// Its answers as they come.
    pub(crate) answers: Receiver<Answer>,
}

impl Vendor {
    /// Serves a simulator on a free port as long as the runtime lives.
    pub(crate) fn serve(simulator: &Simulator, runtime: &Runtime) -> Result<Self> {
        let (told, answers) = channel();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?.to_string();
        let router = simulator.router().layer(from_fn_with_state(told, tell));
        runtime.spawn(async move { axum::serve(listener, router).await });
        Ok(Self { address, answers })
    }
}

async fn tell(State(told): State<Sender<Answer>>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let at = Instant::now();
    let (head, body) = response.into_parts();
    match to_bytes(body, usize::MAX).await {
        Ok(body) => {
            // Nobody listens any more at the end of a measurement.
            drop(told.send(Answer { at, body: body.clone() }));
            Response::from_parts(head, Body::from(body))
        }
        Err(error) => Response::new(Body::from(error.to_string())),
    }
}

impl Answer {
    /// The vendor's ids of the records in it, in its order; none when it is no page.
    pub(crate) fn ids(&self) -> Vec<String> {
        #[derive(Deserialize)]
        struct Page {
            security_events: Vec<Item>,
        }
        #[derive(Deserialize)]
        struct Item {
            log_item_id: String,
        }
        let page: Option<Page> = serde_json::from_slice(&self.body).ok();
        let items = page.into_iter().flat_map(|page| page.security_events);
        items.map(|item| item.log_item_id).collect()
    }
}
