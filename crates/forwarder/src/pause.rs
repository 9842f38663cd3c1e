//! Where messages come from can be shut and opened again, so that a stack that is not wanted leaves them in the queue
//! instead of burning their receipts.

use async_trait::async_trait;
use aws_sdk_lambda::error::DisplayErrorContext;
use tokio::sync::watch;

/// What brings messages.
#[async_trait]
pub trait Intake: Send + Sync {
    /// Whether it is shut; `None` when nobody knows.
    async fn is_paused(&self) -> Option<bool>;

    /// Shuts it or opens it. A failure is tried again at the next heartbeat.
    async fn set_paused(&self, paused: bool);
}

/// The event source mapping between a queue and a function. The client owns its switch: one that is off although Tarn
/// wants the stack is switched on.
pub struct Mapping {
    client: aws_sdk_lambda::Client,
    id: String,
}

impl Mapping {
    /// The mapping with this id.
    pub fn new(client: aws_sdk_lambda::Client, id: String) -> Self {
        Self { client, id }
    }
}

#[async_trait]
impl Intake for Mapping {
    async fn is_paused(&self) -> Option<bool> {
        match self.client.get_event_source_mapping().uuid(&self.id).send().await {
            // API reference of GetEventSourceMapping: Creating, Enabling, Enabled, Disabling, Disabled, Updating,
            // Deleting. On its way it cannot be switched, and nobody need know.
            Ok(mapping) => match mapping.state() {
                Some("Enabled") => Some(false),
                Some("Disabled") => Some(true),
                _ => None,
            },
            Err(error) => {
                let error = DisplayErrorContext(error).to_string();
                tracing::warn!(mapping = self.id, error, "the mapping's state is not known");
                None
            }
        }
    }

    async fn set_paused(&self, paused: bool) {
        let ask = self.client.update_event_source_mapping().uuid(&self.id).enabled(!paused);
        match ask.send().await {
            Ok(_) => tracing::info!(mapping = self.id, paused, "the mapping was switched"),
            Err(error) => {
                let error = DisplayErrorContext(error).to_string();
                tracing::warn!(mapping = self.id, paused, error, "the mapping was not switched");
            }
        }
    }
}

/// A daemon's own readiness to take messages.
#[derive(Debug)]
pub struct Gate(watch::Sender<bool>);

impl Gate {
    /// A gate that is shut.
    pub fn shut() -> Self {
        Self(watch::Sender::new(true))
    }

    /// Waits until it is open.
    pub async fn opened(&self) {
        let mut watched = self.0.subscribe();
        watched.wait_for(|paused| !paused).await.expect("the gate outlives who waits at it");
    }
}

#[async_trait]
impl Intake for Gate {
    async fn is_paused(&self) -> Option<bool> {
        Some(*self.0.borrow())
    }

    async fn set_paused(&self, paused: bool) {
        if self.0.send_replace(paused) != paused {
            tracing::info!(paused, "the intake was switched");
        }
    }
}
