//! `connector run` and `connector backfill`: what a person may ask a runner to do.

use std::time::Duration;

use model::ids::{ConnectorName, TenantId};
use model::ledger::Counts;
use model::time::Timestamp;
use tokio::sync::oneshot;

use crate::app::App;
use crate::collect::cursor::Cursor;
use crate::collect::runner::{Command, StreamProgress};
use crate::collect::status::State;
use crate::collect::stream;
use crate::error::EngineError;

/// How often a run is looked at.
const LOOK: Duration = Duration::from_millis(500);

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RunProgress {
    /// Streams that are read up to now.
    pub done: usize,
    /// All streams.
    pub streams: usize,
    /// Time spans still open, in hours over all streams.
    pub open_hours: f64,
    /// What the ledger counts so far.
    pub counts: Counts,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct RunEnd {
    /// What the run added to the ledger.
    pub counts: Counts,
    /// Streams that could not be read to their end, with the reason.
    pub unfinished: Vec<(String, String)>,
}

impl App {
    /// Polls a connector now and waits until everything open is read, or until every stream that
    /// is left has failed. Works with and without a running server's collection.
    ///
    /// # Errors
    /// There is no such connector, it is disabled, or the catalog fails.
    pub async fn run_connector(
        &self,
        tenant: &TenantId,
        name: &ConnectorName,
        mut progress: impl FnMut(RunProgress),
    ) -> Result<RunEnd, EngineError> {
        let stored = self.connector(tenant, name).await?;
        if !stored.enabled {
            return Err(EngineError::Invalid {
                problem: format!("connector `{name}` is disabled"),
                hint: format!("run `tarn connector enable {name}` first"),
            });
        }
        let before = self.ledger(None, Some(stored.id)).await?;
        let asked_at = self.services.clock.now();
        self.supervisor.run_only(stored.id).await?;
        self.supervisor.tell(stored.id, Command::PollNow).await;
        loop {
            let Some(streams) = self.supervisor.progress(stored.id).await else {
                return Err(EngineError::Invalid {
                    problem: format!("connector `{name}` cannot run"),
                    hint: "apply its document again; the log says which setting is wrong"
                        .to_owned(),
                });
            };
            let counts = since(self.ledger(None, Some(stored.id)).await?, before);
            let standing = standing(&streams, asked_at, counts);
            progress(standing);
            let unfinished = unfinished(&streams, asked_at);
            if standing.done + unfinished.len() == standing.streams {
                return Ok(RunEnd { counts, unfinished });
            }
            self.services.clock.sleep_until(self.services.clock.now() + LOOK).await;
        }
    }

    /// Reads older history, down to `floor`; answers how many streams have any that is older than
    /// what they read so far.
    ///
    /// # Errors
    /// There is no such connector, it does not run here, or the catalog cannot take it down.
    pub async fn backfill(
        &self,
        tenant: &TenantId,
        name: &ConnectorName,
        floor: Timestamp,
        actor: &str,
    ) -> Result<u64, EngineError> {
        let stored = self.connector(tenant, name).await?;
        self.supervisor.run_only(stored.id).await?;
        let (answer, extended) = oneshot::channel();
        self.supervisor.tell(stored.id, Command::Backfill(floor, answer)).await;
        let extended = extended.await.map_err(|_| EngineError::Invalid {
            problem: format!("connector `{name}` does not run"),
            hint: format!("run `tarn connector enable {name}` first"),
        })??;
        let detail = serde_json::json!({ "tenant": tenant, "floor": floor });
        self.audit(actor, "connector.backfill", name.as_str(), &detail).await;
        Ok(extended)
    }
}

fn is_done(progress: &StreamProgress, asked_at: Timestamp) -> bool {
    // A poll of the same second has asked for all that this one could.
    let asked_at = stream::whole_second(asked_at);
    let answered = progress.health.last_ok.is_some_and(|at| at >= asked_at);
    answered && progress.coverage.as_ref().is_some_and(|coverage| coverage.is_read_until(asked_at))
}

fn standing(streams: &[StreamProgress], asked_at: Timestamp, counts: Counts) -> RunProgress {
    let open = |coverage: &Cursor| -> f64 {
        coverage
            .open_spans()
            .iter()
            .map(|span| span.width().as_secs_f64() / 3600.0)
            .fold(0.0, |sum, hours| sum + hours)
    };
    RunProgress {
        done: streams.iter().filter(|stream| is_done(stream, asked_at)).count(),
        streams: streams.len(),
        open_hours: streams
            .iter()
            .filter_map(|s| s.coverage.as_ref())
            .map(open)
            .fold(0.0, |sum, hours| sum + hours),
        counts,
    }
}

/// Streams that wait after a failure that a person has to mend, or that was not a throttle.
fn unfinished(streams: &[StreamProgress], asked_at: Timestamp) -> Vec<(String, String)> {
    let stuck = streams.iter().filter(|stream| {
        let failed =
            matches!(stream.health.state, State::Credentials | State::Failing | State::Storage);
        failed && !is_done(stream, asked_at) && stream.coverage.is_some()
    });
    stuck
        .map(|stream| {
            let problem = stream.health.problem.clone().unwrap_or_default();
            (stream.health.stream.to_string(), problem)
        })
        .collect()
}

fn since(now: Counts, before: Counts) -> Counts {
    Counts {
        served: now.served - before.served,
        stored: now.stored - before.stored,
        duplicate: now.duplicate - before.duplicate,
        filtered: now.filtered - before.filtered,
        dead_lettered: now.dead_lettered.saturating_sub(before.dead_lettered),
    }
}
