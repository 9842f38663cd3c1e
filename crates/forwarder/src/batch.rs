//! The messages that one invocation or one asking of a queue brings: their objects are read side by side, and each
//! message is judged alone, so that one bad object does not bring the others again.

use std::sync::atomic::{AtomicBool, Ordering};

use connectors::trail;
use tokio::sync::Semaphore;

use crate::client::Client;
use crate::deadline::Deadline;
use crate::object::{self, Failure};
use model::causes::chain;

/// Objects that are read at the same time: four pieces and portions fit into the smallest function with ease.
const SIDE_BY_SIDE: usize = 4;

/// A message of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who it is, however often it comes.
    pub id: String,
    /// What it says.
    pub body: String,
}

/// What became of a batch.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Ids of the messages that are to come again.
    pub failed: Vec<String>,
    /// Tarn does not want the stack now: there is no use in more messages.
    pub is_unwanted: bool,
}

/// Forwards what messages announce. A message is done when all its objects are.
pub async fn forward(client: &Client, messages: &[Message], deadline: Deadline) -> Outcome {
    let batch = Batch {
        client,
        deadline,
        room: Semaphore::new(SIDE_BY_SIDE),
        is_unwanted: AtomicBool::new(false),
    };
    let judged: Vec<_> = messages.iter().map(|message| batch.judge(message)).collect();
    let done = futures::future::join_all(judged).await;
    let failed: Vec<String> = done.into_iter().flatten().collect();
    let is_unwanted = batch.is_unwanted.into_inner();
    tracing::info!(
        messages = messages.len(),
        failed = failed.len(),
        is_unwanted,
        "a batch is done"
    );
    Outcome { failed, is_unwanted }
}

struct Batch<'a> {
    client: &'a Client,
    deadline: Deadline,
    room: Semaphore,
    is_unwanted: AtomicBool,
}

impl Batch<'_> {
    /// The id of a message that is to come again.
    async fn judge(&self, message: &Message) -> Option<String> {
        let error = self.message(message).await.err()?;
        if error.is_unwanted() {
            self.is_unwanted.store(true, Ordering::Relaxed);
        }
        tracing::warn!(id = message.id, error = chain(&error), "a message comes again");
        Some(message.id.clone())
    }

    async fn message(&self, message: &Message) -> Result<(), Failure> {
        let objects = match trail::announced(&message.body) {
            Ok(objects) => objects,
            Err(puzzle) => {
                let reason = chain(&puzzle);
                let (id, body) = (&message.id, &message.body);
                return object::set_aside_message(self.client, id, body, &reason, self.deadline)
                    .await;
            }
        };
        let all: Vec<_> = objects.iter().map(|object| self.object(object)).collect();
        futures::future::try_join_all(all).await.map(drop)
    }

    async fn object(&self, object: &trail::Object) -> Result<(), Failure> {
        let _turn = self.room.acquire().await.expect("nobody closes the room");
        if self.is_unwanted.load(Ordering::Relaxed) {
            return Err(Failure::Superfluous);
        }
        let late = || Failure::Late;
        let forward = object::forward(self.client, object, self.deadline);
        let left = self.deadline.left();
        let records = tokio::time::timeout(left, forward).await.map_err(|_| late())??;
        tracing::debug!(%object, records, "an object is stored");
        Ok(())
    }
}
