//! The one task that appends: it gathers what comes within the linger time and settles it as a group.

use std::sync::Arc;
use std::time::Duration;

use model::batch::{Batch, Receipt};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, timeout_at};

use super::fate::Group;
use super::seen::Seen;
use super::settle::settle;
use crate::error::{GroupFailed, LakeError};
use crate::maintenance::Maintenance;
use crate::table::tables::Tables;

/// Calls that may wait for the writer before new ones wait to be taken.
const QUEUE: usize = 1024;

/// Batches that someone waits for.
struct Call {
    batches: Vec<Batch>,
    answer: oneshot::Sender<Result<Vec<Receipt>, GroupFailed>>,
}

/// How the writer gathers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// How long the first batch of a group waits for others.
    pub(crate) linger: Duration,
    /// Records after which a group waits no longer.
    pub(crate) max_rows: usize,
    /// Memory for uids between groups.
    pub(crate) seen_bytes: usize,
}

/// The way to the writer task, which ends when the last of these is gone.
#[derive(Debug, Clone)]
pub(crate) struct Writer {
    calls: mpsc::Sender<Call>,
}

impl Writer {
    /// Starts the task. The keeper is told when the log has become long.
    pub(crate) fn start(tables: Arc<Tables>, keeper: Arc<Maintenance>, pace: Pace) -> Self {
        let (calls, queue) = mpsc::channel(QUEUE);
        tokio::spawn(run(tables, keeper, pace, queue));
        Self { calls }
    }

    /// Hands batches over and waits until they are settled.
    pub(crate) async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Receipt>, GroupFailed> {
        let closing = || GroupFailed { committed: Vec::new(), cause: Arc::new(LakeError::Closing) };
        let (answer, settled) = oneshot::channel();
        self.calls.send(Call { batches, answer }).await.map_err(|_| closing())?;
        settled.await.map_err(|_| closing())?
    }
}

async fn run(
    tables: Arc<Tables>,
    keeper: Arc<Maintenance>,
    pace: Pace,
    mut queue: mpsc::Receiver<Call>,
) {
    let mut seen = Seen::new(pace.seen_bytes);
    while let Some(first) = queue.recv().await {
        let calls = gather(first, &mut queue, pace).await;
        let mut batches = Vec::new();
        let mut waiting = Vec::new();
        for call in calls {
            waiting.push((call.batches.len(), call.answer));
            batches.extend(call.batches);
        }
        let records: usize = batches.iter().map(|batch| batch.records.len()).sum();
        let mut group = Group::new(batches);
        let settled = Box::pin(settle(&tables, &mut seen, &mut group)).await;
        seen.trim();
        match settled {
            Ok(()) => {
                // Before the answer: whoever has it may rest, and must find the notes begun.
                keeper.note_while_writing();
                let mut receipts = group.receipts().into_iter();
                for (count, answer) in waiting {
                    tell(answer, Ok(receipts.by_ref().take(count).collect()));
                }
            }
            Err(error) => {
                tracing::error!(
                    error = &error as &dyn std::error::Error,
                    records,
                    "failed to append a group"
                );
                let error = Arc::new(error);
                let mut committed = group.committed().into_iter();
                for (count, answer) in waiting {
                    let committed = committed.by_ref().take(count).flatten().collect();
                    tell(answer, Err(GroupFailed { committed, cause: error.clone() }));
                }
            }
        }
    }
}

/// Takes what else comes before the group is due.
async fn gather(first: Call, queue: &mut mpsc::Receiver<Call>, pace: Pace) -> Vec<Call> {
    let due = Instant::now() + pace.linger;
    let records = |call: &Call| call.batches.iter().map(|batch| batch.records.len()).sum::<usize>();
    let mut total = records(&first);
    let mut calls = vec![first];
    while total < pace.max_rows {
        let next = match queue.try_recv() {
            Ok(call) => call,
            Err(_) => match timeout_at(due, queue.recv()).await {
                Ok(Some(call)) => call,
                Ok(None) | Err(_) => break,
            },
        };
        total += records(&next);
        calls.push(next);
    }
    calls
}

/// Who asked may have gone; the records are settled all the same.
fn tell(
    answer: oneshot::Sender<Result<Vec<Receipt>, GroupFailed>>,
    result: Result<Vec<Receipt>, GroupFailed>,
) {
    if answer.send(result).is_err() {
        tracing::debug!("nobody waited for a settled group");
    }
}
