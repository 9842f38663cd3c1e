//! As a daemon: reads queues itself, and beats by the rhythm that Tarn wants.
//!
//! Nothing is taken before the first accepted heartbeat. At SIGTERM what is at work has some seconds to end; then its
//! messages are shown to others again.

use std::sync::Arc;
use std::time::Duration;

use connectors::trail::{LONGEST_WAIT, Message as Received, Queue};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::batch::{self, Message, Outcome};
use crate::client::Client;
use crate::deadline::{Deadline, pause};
use crate::heartbeat;
use crate::lambda::home;
use crate::pause::{Gate, Intake as _};
use crate::service::Home;
use model::causes::chain;

/// The rhythm until Tarn says another, and its bounds.
const BEAT: Duration = Duration::from_secs(60);
const SHORTEST_BEAT: Duration = Duration::from_secs(1);
const LONGEST_BEAT: Duration = Duration::from_secs(3_600);
/// How long one beat tries.
const BEAT_PATIENCE: Duration = Duration::from_secs(45);
/// The pause behind a failure of a queue.
const SETBACK: Duration = Duration::from_secs(10);
/// What is at work at the end has so long: `docker stop` waits for ten seconds.
const GRACE: Duration = Duration::from_secs(8);

/// Why a daemon ends by itself.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// It was told something that is no queue.
    #[error("TARN_QUEUE_URL names `{0}`, which is neither the URL nor the ARN of a queue")]
    Queue(String),
    /// The system does not tell signals.
    #[error("failed to wait for signals")]
    Signal(#[source] std::io::Error),
}

/// Runs until it is told to stop.
///
/// # Errors
/// It cannot begin.
pub async fn run(client: Client) -> Result<(), DaemonError> {
    let mut queues = Vec::new();
    for text in client.settings.queues() {
        let queue = client.reader.queue(text).await;
        queues.push(queue.ok_or_else(|| DaemonError::Queue(text.to_owned()))?);
    }
    let stop = watch::Sender::new(false);
    let (client, gate) = (Arc::new(client), Arc::new(Gate::shut()));
    let mut tasks = JoinSet::new();
    tasks.spawn(beat(client.clone(), gate.clone(), stop.subscribe()));
    for queue in queues {
        let worker = Worker { client: client.clone(), gate: gate.clone(), queue };
        tasks.spawn(worker.run(stop.subscribe()));
    }
    let mut terminate = signal(SignalKind::terminate()).map_err(DaemonError::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(DaemonError::Signal)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    stop.send_replace(true);
    while tasks.join_next().await.is_some() {}
    Ok(())
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that nobody can say stop any more.
    drop(stop.wait_for(|stop| *stop).await);
}

async fn beat(client: Arc<Client>, gate: Arc<Gate>, mut stop: watch::Receiver<bool>) {
    let beating = async {
        let mut rhythm = BEAT;
        loop {
            learn_home(&client).await;
            let deadline = Deadline::after(BEAT_PATIENCE);
            if let Some(standing) = heartbeat::beat(&client, &*gate, deadline).await {
                let wanted = Duration::from_secs(standing.heartbeat_seconds);
                rhythm = wanted.clamp(SHORTEST_BEAT, LONGEST_BEAT);
            }
            pause(rhythm).await;
        }
    };
    tokio::select! {
        () = beating => {}
        () = stopped(&mut stop) => {}
    }
}

/// The account is asked for as long as nobody has told it; the enrolment needs it.
async fn learn_home(client: &Client) {
    if client.is_at_home() {
        return;
    }
    match client.reader.identify().await {
        Ok(arn) => {
            let region = client.reader.region().await;
            if let Some(home) = home(&arn) {
                client.at_home(Home { region, ..home });
            }
        }
        Err(error) => tracing::warn!(error = chain(&error), "AWS does not say who this is"),
    }
}

/// One queue's reading.
struct Worker {
    client: Arc<Client>,
    gate: Arc<Gate>,
    queue: Queue,
}

impl Worker {
    async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            let received = tokio::select! {
                received = self.receive() => received,
                () = stopped(&mut stop) => return,
            };
            let receipts: Vec<String> =
                received.iter().map(|message| message.receipt.clone()).collect();
            let is_done = tokio::select! {
                () = self.work(received) => true,
                () = async { stopped(&mut stop).await; pause(GRACE).await } => false,
            };
            if !is_done {
                return self.queue.hide(&receipts, 0).await;
            }
        }
    }

    /// The next messages.
    async fn receive(&self) -> Vec<Received> {
        loop {
            self.gate.opened().await;
            let visibility = self.client.settings.visibility_seconds;
            match self.queue.receive(LONGEST_WAIT, visibility).await {
                Ok(messages) if messages.is_empty() => {}
                Ok(messages) => return messages,
                Err(error) => {
                    let queue = self.queue.name();
                    tracing::warn!(queue, error = chain(&error), "a queue cannot be read");
                    pause(SETBACK).await;
                }
            }
        }
    }

    /// Forwards messages and deletes those that are done. All are hidden anew while that takes.
    async fn work(&self, received: Vec<Received>) {
        let messages: Vec<Message> = received
            .iter()
            .map(|message| Message { id: message.id.clone(), body: message.body.clone() })
            .collect();
        let receipts: Vec<String> =
            received.iter().map(|message| message.receipt.clone()).collect();
        let outcome = tokio::select! {
            outcome = batch::forward(&self.client, &messages, Deadline::NEVER) => outcome,
            () = self.keep_hidden(&receipts) => return,
        };
        if outcome.is_unwanted {
            self.gate.set_paused(true).await;
        }
        let done = done(&received, &outcome);
        if !done.is_empty() {
            self.queue.delete(&done).await;
        }
    }

    async fn keep_hidden(&self, receipts: &[String]) {
        let visibility = self.client.settings.visibility_seconds;
        let third = Duration::from_secs(u64::from(visibility.unsigned_abs())) / 3;
        let mut rhythm = interval(third);
        rhythm.set_missed_tick_behavior(MissedTickBehavior::Delay);
        rhythm.tick().await;
        loop {
            rhythm.tick().await;
            // A request that hangs must not keep the next one from being made.
            drop(timeout(third, self.queue.hide(receipts, visibility)).await);
        }
    }
}

/// Receipts of the messages that did not fail.
fn done(received: &[Received], outcome: &Outcome) -> Vec<String> {
    let is_done = |message: &&Received| !outcome.failed.contains(&message.id);
    received.iter().filter(is_done).map(|message| message.receipt.clone()).collect()
}
