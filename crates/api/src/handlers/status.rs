//! Status changes as they happen, pushed as server-sent events.

use std::collections::HashMap;
use std::convert::Infallible;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use engine::collect::status::StreamHealth;
use futures::{Stream, stream};
use model::ids::ConnectorId;
use serde::Serialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::auth::Access;
use crate::dto::status::{MissedChanges, StreamChange};
use crate::server::Server;
use model::causes::chain;

/// Status changes of the tenant's streams: `status` events with a stream that changed, and a
/// `missed` event when the client read too slowly and should ask for the status again.
#[utoipa::path(
    get, path = "/api/v1/status/stream", tag = "connectors",
    responses((status = 200, description = "Server-sent events", body = StreamChange,
        content_type = "text/event-stream"))
)]
pub(crate) async fn status_stream(
    State(server): State<Server>,
    access: Access,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = server.app.changes();
    let listener = Listener { changes, server, access, names: HashMap::new() };
    let events = stream::unfold(listener, |mut listener| async move {
        let event = listener.next().await?;
        Some((Ok(event), listener))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// Somebody who listens to the changes of one tenant.
struct Listener {
    changes: Receiver<StreamHealth>,
    server: Server,
    access: Access,
    /// Names of the tenant's connectors; `None` for those of other tenants.
    names: HashMap<ConnectorId, Option<String>>,
}

impl Listener {
    /// The next event; `None` when there will be no more.
    async fn next(&mut self) -> Option<Event> {
        loop {
            match self.changes.recv().await {
                Ok(health) => {
                    if let Some(name) = self.name(health.connector).await {
                        return Some(event("status", &StreamChange::new(&name, health)));
                    }
                }
                Err(RecvError::Lagged(missed)) => {
                    return Some(event("missed", &MissedChanges { missed }));
                }
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// The connector's name when it is one of the tenant's.
    async fn name(&mut self, id: ConnectorId) -> Option<String> {
        if let Some(known) = self.names.get(&id) {
            return known.clone();
        }
        match self.server.app.connectors(Some(&self.access.tenant)).await {
            Ok(connectors) => {
                let names = connectors.into_iter().map(|own| (own.id, Some(own.name.to_string())));
                self.names.extend(names);
            }
            Err(error) => {
                tracing::warn!(error = chain(&error), "left a status change out");
                return None;
            }
        }
        self.names.entry(id).or_insert(None).clone()
    }
}

fn event(kind: &str, data: &impl Serialize) -> Event {
    let data = serde_json::to_string(data).unwrap_or_default();
    Event::default().event(kind).data(data)
}
