//! One connector's runner: decides what is asked next, and lets pages be read side by side.
//!
//! The loop has one resting place. Everything it does in between is short and pure, except for
//! noting health; pages are read in tasks of their own and come back as outcomes.

use model::causes::chain;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use catalog::CatalogError;
use model::budget::Priority;
use model::clock::{self, Busy};
use model::ids::StreamId;
use model::manifest::CursorStrategy;
use model::time::Timestamp;
use model::vendor::{Ask, Fault, Stream};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::{self, JoinError, JoinSet};

use super::Services;
use super::cursor::Cursor;
use super::drift::{self, Drift};
use super::keys::KeyPool;
use super::page::{self, Job, Outcome, PageError};
use super::status::StreamHealth;
use super::stream::{self, Candidate, StreamState};
use super::target::Target;
use crate::budget::gate::Grant;

/// Pages of one connector that are under way at the same time. Most of them only wait for the lake to
/// gather its next group, so the limit must not be what a generous quota runs into.
const SIDE_BY_SIDE: usize = 32;
/// The share of the quota that polls may use while something has to be caught up with.
const LIVE_SHARE_CATCHING_UP: f64 = 0.5;
/// The share otherwise: the rest is for second pages.
const LIVE_SHARE: f64 = 0.9;
/// How long an emptied queue is left alone before it is waited on again.
const QUEUE_REST: Duration = Duration::from_millis(200);
/// Sleep when there is nothing to wait for but commands.
const LONG: Duration = Duration::from_secs(3600);

/// What a runner can be told.
pub enum Command {
    /// Read history down to this time.
    Backfill(Timestamp, oneshot::Sender<Result<u64, CatalogError>>),
    /// Poll every stream now.
    PollNow,
    /// Answer how the streams are.
    Health(oneshot::Sender<Vec<StreamProgress>>),
    /// Finish the pages under way and end.
    Stop,
}

/// How a stream is and how far it has come.
#[derive(Debug, Clone)]
pub struct StreamProgress {
    /// Its health.
    pub health: StreamHealth,
    /// Its cursor; `None` while a page is being read.
    pub coverage: Option<Cursor>,
    /// Where its records departed from what they used to look like.
    pub drifts: BTreeMap<String, Drift>,
}

/// A connector at work.
pub struct Runner {
    target: Arc<Target>,
    services: Services,
    streams: Vec<StreamState>,
    keys: KeyPool,
    pages: JoinSet<((usize, usize, Outcome), Busy)>,
    /// The stream and its cursor of each page under way, should its task not come back.
    under_way: HashMap<task::Id, (usize, Cursor)>,
    commands: mpsc::Receiver<Command>,
    changes: broadcast::Sender<StreamHealth>,
    stopping: bool,
}

impl Runner {
    /// Makes ready to run: cursors from the catalog, first runs for new streams.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn open(
        target: Arc<Target>,
        services: Services,
        commands: mpsc::Receiver<Command>,
        changes: broadcast::Sender<StreamHealth>,
    ) -> Result<Self, CatalogError> {
        let mut cursors = services.catalog.cursors(target.id).await?;
        let mut shapes = services.catalog.shapes(target.id).await?;
        let keys = KeyPool::open(&target, &services.budgets).await?;
        let now = services.clock.now();
        let streams = target
            .connection
            .streams()
            .iter()
            .map(|stream| StreamState {
                stream: stream.clone(),
                strategy: strategy(&target, stream),
                coverage: Some(coverage(&target, stream, cursors.remove(&stream.id), now)),
                shape: drift::stored(shapes.remove(&stream.id)),
                health: StreamHealth::new(target.id, stream.id.clone(), now),
                next_poll: now,
                failures: 0,
                blocked_until: now,
            })
            .collect();
        let pages = JoinSet::new();
        let under_way = HashMap::new();
        let stopping = false;
        Ok(Self { target, services, streams, keys, pages, under_way, commands, changes, stopping })
    }

    /// Runs until it is told to stop and the pages under way are entered.
    pub async fn run(mut self) {
        let mut commands_open = true;
        loop {
            let busy = self.services.clock.busy();
            let now = self.services.clock.now();
            self.poll_due_streams(now);
            let urgency = if self.may_start() { self.best(now) } else { None };
            self.keys.claim(urgency.map(|candidate| candidate.priority), now);
            if self.stopping && self.pages.is_empty() {
                break;
            }
            let wake = self.wakes_at(now);
            drop(busy);
            tokio::select! {
                biased;
                Some(joined) = self.pages.join_next_with_id(), if !self.pages.is_empty() => {
                    match joined {
                        Ok((id, ((index, key, outcome), busy))) => {
                            self.under_way.remove(&id);
                            self.finish(index, key, outcome).await;
                            drop(busy);
                        }
                        Err(error) => self.give_back(&error).await,
                    }
                }
                command = self.commands.recv(), if commands_open => match command {
                    Some(command) => self.obey(command).await,
                    None => {
                        commands_open = false;
                        self.stop();
                    }
                },
                (key, priority, grant) = self.keys.granted() => self.start(key, priority, grant),
                () = self.services.clock.sleep_until(wake) => {}
            }
        }
        self.keys.leave(&self.target);
    }

    fn may_start(&self) -> bool {
        !self.stopping && self.pages.len() < SIDE_BY_SIDE
    }

    fn poll_due_streams(&mut self, now: Timestamp) {
        let stretched = self.stretched_interval(now);
        for state in &mut self.streams {
            let Some(feed) = self.target.content_types.get(&state.stream.content_type) else {
                continue;
            };
            if let Some(coverage) = &mut state.coverage {
                for lost in coverage.trim(stream::reachable(&feed.facts, now)) {
                    tracing::error!(stream = %state.stream.id, interval = %lost, "the vendor forgot an interval before it could be read");
                }
            }
            let interval = match state.strategy {
                CursorStrategy::Delivery => QUEUE_REST,
                _ => feed.interval,
            };
            state.poll_if_due(&feed.facts, interval.max(stretched), now);
        }
    }

    /// The shortest poll interval that leaves room for everything else: when the quota is short,
    /// all streams are asked less often, evenly.
    fn stretched_interval(&self, now: Timestamp) -> Duration {
        let catching_up = self
            .streams
            .iter()
            .any(|state| state.coverage.as_ref().is_some_and(Cursor::is_catching_up));
        let share = if catching_up { LIVE_SHARE_CATCHING_UP } else { LIVE_SHARE };
        let rate = self.keys.rate_per_minute(now) * share;
        if !rate.is_finite() || rate <= 0.0 {
            return Duration::ZERO;
        }
        Duration::from_secs_f64(self.streams.len() as f64 * 60.0 / rate)
    }

    fn best(&self, now: Timestamp) -> Option<Candidate> {
        let candidates = self.streams.iter().enumerate().filter_map(|(index, state)| {
            let feed = self.target.content_types.get(&state.stream.content_type)?;
            state.candidate(index, &feed.facts, now)
        });
        candidates.min()
    }

    fn wakes_at(&self, now: Timestamp) -> Timestamp {
        let streams = self.streams.iter().filter_map(StreamState::wakes_at).filter(|at| *at > now);
        streams.chain(self.keys.wakes_at(now)).min().unwrap_or(now + LONG)
    }

    /// Uses a grant for the most urgent page of this moment, which may have changed since it was
    /// claimed.
    fn start(&mut self, key: usize, priority: Priority, grant: Grant) {
        let now = self.services.clock.now();
        let Some(best) = self.best(now).filter(|_| self.may_start()) else { return };
        let state = &mut self.streams[best.stream];
        let Some(feed) = self.target.content_types.get(&state.stream.content_type) else { return };
        let Some(mut coverage) = state.coverage.take() else { return };
        let Some((open, span)) = coverage.begin(best.open, &feed.facts, now) else {
            state.coverage = Some(coverage);
            return;
        };
        let pooled = self.keys.key(key).clone();
        let ask = Ask {
            stream: state.stream.clone(),
            interval: span,
            next: open.next.clone(),
            page_size: None,
        };
        let quotas = self.target.quotas.clone();
        let priority = priority.min(best.priority);
        let sender = self.services.budgets.sender(
            &pooled.secret,
            self.target.id,
            quotas,
            priority,
            Some(grant),
        );
        let before = coverage.clone();
        let job = Job {
            target: self.target.clone(),
            stream: state.stream.clone(),
            coverage,
            shape: state.shape.clone(),
            interval: open.interval,
            kind: open.kind,
            key: pooled,
            ask,
            sender,
        };
        let services = self.services.clone();
        let page = async move { (best.stream, key, page::read(job, services).await) };
        let task = self.pages.spawn(clock::working(self.services.clock.clone(), page));
        self.under_way.insert(task.id(), (best.stream, before));
    }

    /// Gives a stream its cursor back after its page's task came to grief, by a defect of ours: the
    /// page is asked for again, and what it stored already is then found as duplicate.
    async fn give_back(&mut self, error: &JoinError) {
        let Some((index, coverage)) = self.under_way.remove(&error.id()) else { return };
        let now = self.services.clock.now();
        let state = &mut self.streams[index];
        tracing::error!(stream = %state.stream.id, %error, "a page's task stopped: this is a defect of tarn");
        state.coverage = Some(coverage);
        state.failed(None, now);
        if state.health.not_stored(format!("a page's task stopped: {error}"), now) {
            self.tell(index, now).await;
        }
    }

    async fn finish(&mut self, index: usize, key: usize, outcome: Outcome) {
        let now = self.services.clock.now();
        let Outcome { mut coverage, interval, result } = outcome;
        let state = &mut self.streams[index];
        let changed = match &result {
            Ok(_) => {
                state.succeeded(now);
                self.keys.accepted(key, &self.services.catalog, now).await;
                state.health.succeeded(now)
            }
            Err(PageError::Fetch(error)) => {
                if error.fault == Fault::MissingScope {
                    // A right may be missing for one content type only: the stream waits, and the
                    // key leaves the pool as long as it is not known to work elsewhere.
                    state.forbidden(now);
                }
                if error.fault == Fault::MissingScope && self.keys.works(key) {
                    tracing::debug!(stream = %state.stream.id, "the key works for other streams");
                } else if error.fault.is_credential() {
                    self.keys.refused(key, error, &self.services.catalog, now).await;
                } else if error.fault != Fault::Throttled {
                    state.failed(error.retry_after, now);
                }
                if let Some(feed) = self.target.content_types.get(&state.stream.content_type) {
                    coverage.mend(interval, &error.fault, &feed.facts);
                }
                state.health.failed(error, now)
            }
            Err(error) => {
                state.failed(None, now);
                state.health.not_stored(chain(error), now)
            }
        };
        state.coverage = Some(coverage);
        if changed {
            self.tell(index, now).await;
        }
    }

    /// Says and stores that a stream's state changed.
    async fn tell(&mut self, index: usize, now: Timestamp) {
        let health = &self.streams[index].health;
        if let Some(problem) = &health.problem {
            tracing::warn!(connector.name = %self.target.name, stream = %health.stream, state = health.state.as_str(), problem, "stream");
        }
        // Nobody may be listening.
        drop(self.changes.send(health.clone()));
        if let Err(error) = self.services.catalog.put_statuses(&[health.to_stored(now)]).await {
            tracing::warn!(%error, "failed to note a stream's status");
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Stop => self.stop(),
            Command::PollNow => {
                let now = self.services.clock.now();
                self.keys.retry(now);
                for state in &mut self.streams {
                    state.next_poll = now;
                    state.blocked_until = now;
                }
            }
            Command::Health(answer) => {
                let progress =
                    self.streams.iter().enumerate().map(|(index, state)| StreamProgress {
                        health: state.health.clone(),
                        coverage: state.coverage.clone().or_else(|| self.waiting(index)),
                        drifts: drift::lock(&state.shape).drifts().clone(),
                    });
                drop(answer.send(progress.collect()));
            }
            Command::Backfill(floor, answer) => drop(answer.send(self.extend_back(floor).await)),
        }
    }

    /// The cursor of a queue that is being read: somebody always waits at it.
    fn waiting(&self, index: usize) -> Option<Cursor> {
        let (_, cursor) = self.under_way.values().find(|(stream, _)| *stream == index)?;
        matches!(cursor, Cursor::Delivery(_)).then(|| cursor.clone())
    }

    fn stop(&mut self) {
        self.stopping = true;
        self.target.connection.interrupt();
    }

    /// Opens older history; answers how many streams got any. It is written down first: a backfill
    /// that was answered outlives the process. Streams whose page is being read at this moment are
    /// asked again by the caller.
    async fn extend_back(&mut self, floor: Timestamp) -> Result<u64, CatalogError> {
        let mut extended = Vec::new();
        let mut cursors = BTreeMap::<StreamId, serde_json::Value>::new();
        for (index, state) in self.streams.iter().enumerate() {
            let Some(mut coverage) = state.coverage.clone() else { continue };
            if coverage.extend_back(stream::whole_second(floor))
                && let Ok(cursor) = serde_json::to_value(&coverage)
            {
                cursors.insert(state.stream.id.clone(), cursor);
                extended.push((index, coverage));
            }
        }
        let now = self.services.clock.now();
        self.services.catalog.put_cursors(self.target.id, &cursors, now).await?;
        let count = extended.len() as u64;
        for (index, coverage) in extended {
            self.streams[index].coverage = Some(coverage);
        }
        Ok(count)
    }
}

/// What a stream goes on by.
fn strategy(target: &Target, stream: &Stream) -> CursorStrategy {
    let feed = target.content_types.get(&stream.content_type);
    let declared = feed.map(|feed| feed.facts.cursor).unwrap_or_default();
    target.connection.cursor(stream, declared)
}

/// The cursor of a stream: as stored, or a first run.
fn coverage(
    target: &Target,
    stream: &Stream,
    stored: Option<serde_json::Value>,
    now: Timestamp,
) -> Cursor {
    let facts = target.content_types.get(&stream.content_type).map(|feed| &feed.facts);
    let strategy = strategy(target, stream);
    let stored = stored.and_then(|value| serde_json::from_value::<Cursor>(value).ok());
    stored.filter(|cursor| cursor.is_of(strategy)).unwrap_or_else(|| {
        let (history, lag) = facts.map_or((Duration::ZERO, Duration::ZERO), |f| (f.history, f.lag));
        let back = target.backfill.unwrap_or(history).min(history);
        // The newest minutes are left to the first poll, so that they do not wait for old ones.
        let feed = target.content_types.get(&stream.content_type);
        let recent = feed.map_or(Duration::ZERO, |feed| feed.interval);
        let edge = stream::whole_second(now - lag - recent);
        Cursor::first_run(strategy, stream::whole_second(now - back), edge)
    })
}
