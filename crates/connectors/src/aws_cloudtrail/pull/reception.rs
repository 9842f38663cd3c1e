//! A queue at work: messages come in, their objects are read, and both wait for the lake.
//!
//! A task of its own, so that the next objects are read while a page of the last ones is being stored. Messages
//! at work are hidden again and again until they are deleted or have failed; then they come again by themselves.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use model::batch::DeadLetter;
use model::vendor::FetchError;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time;

use super::address::Queue;
use super::intake::Intake;
use super::key;
use super::memory::Memory;
use super::notification::{self, Object};
use super::object::{self, Piece};
use super::queue::{self, Message};
use super::session::Session;

/// Objects of one queue that are read side by side.
const SIDE_BY_SIDE: usize = 4;
/// Failures in a row after which it is not a single message's fault.
const SETBACKS: u32 = 10;

/// What a queue's reading works with.
pub(super) struct Reception {
    pub(super) session: Arc<Session>,
    pub(super) memory: Arc<Memory>,
    pub(super) queue: Queue,
    pub(super) visibility: Duration,
    pub(super) intake: Intake,
    pub(super) at_work: AtWork,
    setbacks: AtomicU32,
}

/// Receipts of the messages at work.
#[derive(Debug, Default)]
pub(super) struct AtWork(Mutex<HashSet<String>>);

impl AtWork {
    fn add(&self, receipt: &str) {
        self.lock().insert(receipt.to_owned());
    }

    fn remove(&self, receipt: &str) {
        self.lock().remove(receipt);
    }

    fn all(&self) -> Vec<String> {
        self.lock().iter().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reception {
    /// A queue that is not read yet.
    pub(super) fn new(
        session: Arc<Session>,
        memory: Arc<Memory>,
        queue: Queue,
        visibility: Duration,
    ) -> Self {
        let (intake, at_work) = (Intake::default(), AtWork::default());
        Self { session, memory, queue, visibility, intake, at_work, setbacks: AtomicU32::new(0) }
    }

    /// Reads until somebody wants it to stop; then shows the messages at work to others.
    pub(super) async fn run(self: Arc<Self>, mut stop: watch::Receiver<bool>) {
        let stopped = async {
            // An error means that nobody can say stop any more.
            drop(stop.wait_for(|stop| *stop).await);
        };
        tokio::select! {
            () = stopped => {}
            () = self.read() => {}
            () = self.keep_hidden() => {}
        }
        queue::hide(&self.session, &self.queue, &self.at_work.all(), 0).await;
    }

    /// The messages of the last page are done with: their records are stored.
    pub(super) async fn acknowledge(&self) {
        let Some(done) = self.intake.acknowledge() else { return };
        done.objects.iter().for_each(|object| self.memory.add(object));
        queue::delete(&self.session, &self.queue, &done.receipts).await;
        done.receipts.iter().for_each(|receipt| self.at_work.remove(receipt));
    }

    async fn read(self: &Arc<Self>) {
        let mut wait = 1;
        let mut readers = JoinSet::new();
        loop {
            while readers.len() >= SIDE_BY_SIDE {
                readers.join_next().await;
            }
            while readers.try_join_next().is_some() {}
            self.intake.wait_for_room().await;
            // With messages at work the next ones are asked for, but not waited for long.
            let seconds = if readers.is_empty() { wait } else { 1 };
            match queue::receive(&self.session, &self.queue, seconds, seconds_of(self.visibility))
                .await
            {
                Ok(messages) if messages.is_empty() => {
                    wait = queue::LONGEST_WAIT;
                    while readers.join_next().await.is_some() {}
                    self.intake.emptied();
                }
                Ok(messages) => {
                    wait = 1;
                    messages.iter().for_each(|message| self.at_work.add(&message.receipt));
                    for message in messages {
                        while readers.len() >= SIDE_BY_SIDE {
                            readers.join_next().await;
                        }
                        let this = self.clone();
                        readers.spawn(async move { this.message(message).await });
                    }
                }
                Err(error) => self.intake.stand_still(error),
            }
        }
    }

    /// Hides the messages at work anew before their time is over.
    async fn keep_hidden(&self) {
        let mut rhythm = time::interval(self.visibility / 3);
        rhythm.set_missed_tick_behavior(time::MissedTickBehavior::Delay);
        loop {
            rhythm.tick().await;
            let receipts = self.at_work.all();
            queue::hide(&self.session, &self.queue, &receipts, seconds_of(self.visibility)).await;
        }
    }

    async fn message(&self, message: Message) {
        let objects = match notification::read(&message.body) {
            Ok(objects) => objects,
            Err(puzzle) => {
                let reason = format!("a message of the queue {}: {puzzle}", self.queue.name);
                let letter = DeadLetter { raw: Bytes::from(message.body), reason };
                let bytes = letter.raw.len();
                let piece = Piece { unusable: vec![letter], bytes, ..Piece::default() };
                self.intake.push(piece).await;
                return self.intake.complete(Vec::new(), Some(message.receipt), None);
            }
        };
        let mut read = Vec::new();
        for mut object in objects {
            if !key::is_log(&object.key) || self.memory.has(&object) {
                continue;
            }
            match self.object(&object).await {
                Ok(Some(tag)) => {
                    object.tag = Some(tag);
                    read.push(object);
                }
                Ok(None) => {}
                Err(error) => return self.set_back(&message, error),
            }
        }
        self.setbacks.store(0, Ordering::Relaxed);
        self.intake.complete(read, Some(message.receipt), None);
    }

    async fn object(&self, object: &Object) -> Result<Option<String>, FetchError> {
        let region = object.region.as_ref().unwrap_or(&self.queue.region);
        object::read(&self.session, object, region, |piece| self.intake.push(piece)).await
    }

    /// A message whose object cannot be read is left to come again. One alone does not stop the others.
    fn set_back(&self, message: &Message, error: FetchError) {
        tracing::debug!(queue = self.queue.name, %error, "a message comes again");
        self.at_work.remove(&message.receipt);
        if self.setbacks.fetch_add(1, Ordering::Relaxed) + 1 >= SETBACKS {
            self.intake.stand_still(error);
        } else {
            self.intake.set_back(error);
        }
    }
}

fn seconds_of(duration: Duration) -> i32 {
    i32::try_from(duration.as_secs()).unwrap_or(i32::MAX)
}
