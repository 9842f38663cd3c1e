//! `connector status`: how each stream is, how far it has come, and its line of the ledger.

use std::collections::BTreeMap;
use std::time::Duration;

use catalog::StoredConnector;
use model::ids::{ConnectorName, TenantId};
use model::ledger::Counts;
use model::time::{Interval, Timestamp};
use serde::Serialize;

use crate::app::App;
use crate::collect::cursor::Cursor;
use crate::collect::drift::{Drift, Shape};
use crate::error::EngineError;

/// A connector at a glance.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectorStatus {
    /// The connector.
    pub connector: ConnectorName,
    /// The worst state among its streams; `disabled` when it is off, `stopped` when nothing runs.
    pub state: String,
    /// Its totals.
    pub counts: Counts,
    /// How much of the history that it set out to read is read, from 0 to 1.
    pub backfill: f64,
    /// When the newest record that it can see was reached, over the slowest stream.
    pub covered_until: Option<Timestamp>,
    /// What its keys need from a person before they fail, such as a replacement.
    pub notices: Vec<String>,
    /// Each stream.
    pub streams: Vec<StreamStatus>,
}

/// One stream at a glance.
#[derive(Debug, Clone, Serialize)]
pub struct StreamStatus {
    /// The stream.
    pub stream: String,
    /// What it is doing.
    pub state: String,
    /// The last failure in words, while it lasts.
    pub problem: Option<String>,
    /// When a request was last answered.
    pub last_ok: Option<Timestamp>,
    /// Everything up to here is covered, except what is open.
    pub covered_until: Option<Timestamp>,
    /// What is not covered yet.
    pub open: Vec<Interval>,
    /// What the vendor forgot before it could be read.
    pub lost: Vec<Interval>,
    /// Intervals that the ledger does not know although it knows later ones.
    pub holes: Vec<Interval>,
    /// Where its records departed from what they used to look like, by field.
    pub drift: Vec<FieldDrift>,
    /// Its line of the ledger.
    pub counts: Counts,
}

/// A departure of a stream's records from their shape.
#[derive(Debug, Clone, Serialize)]
pub struct FieldDrift {
    /// The field's path in the vendor's record: `user.name`, `list[].id`.
    pub field: String,
    /// `unknown field`, `other type` or `vanished field`.
    pub change: String,
    /// Records that show it; repeats count again.
    pub records: u64,
    /// When it was first seen.
    pub since: Timestamp,
    /// When it was last seen.
    pub last: Timestamp,
    /// The value of the first record that shows it; nothing for a field that vanished.
    pub example: Option<String>,
}

/// States from best to worst, as the summary ranks them.
const RANK: [&str; 6] = ["ok", "waiting", "throttled", "failing", "storage", "credentials"];

impl App {
    /// How a connector and its streams are.
    ///
    /// # Errors
    /// There is no such connector, or the catalog cannot be read.
    pub async fn status(
        &self,
        tenant: &TenantId,
        name: &ConnectorName,
    ) -> Result<ConnectorStatus, EngineError> {
        let stored = self.connector(tenant, name).await?;
        self.status_of(&stored).await
    }

    /// How a stored connector and its streams are.
    ///
    /// # Errors
    /// The catalog cannot be read.
    pub async fn status_of(
        &self,
        stored: &StoredConnector,
    ) -> Result<ConnectorStatus, EngineError> {
        let mut streams = self.stored_streams(stored).await?;
        let progress = self.supervisor.progress(stored.id).await;
        let runs = progress.is_some();
        for live in progress.into_iter().flatten() {
            let stream = live.health.stream.to_string();
            let entry = streams.entry(stream.clone()).or_insert_with(|| StreamStatus::new(stream));
            entry.state = live.health.state.as_str().to_owned();
            entry.problem = live.health.problem;
            entry.last_ok = live.health.last_ok.or(entry.last_ok);
            if let Some(coverage) = &live.coverage {
                entry.set_coverage(coverage);
            }
            entry.set_drift(&live.drifts);
        }
        let mut counts = Counts::default();
        streams.values().for_each(|stream| counts += stream.counts);
        let worst = streams.values().map(|s| s.state.as_str()).max_by_key(|state| rank(state));
        let state = match (stored.enabled, runs) {
            (false, _) => "disabled",
            (true, false) => "stopped",
            (true, true) => worst.unwrap_or("waiting"),
        };
        Ok(ConnectorStatus {
            connector: stored.name.clone(),
            state: state.to_owned(),
            counts,
            backfill: self.backfill_share(stored).await?,
            covered_until: streams.values().filter_map(|stream| stream.covered_until).min(),
            notices: self.notices(stored).await,
            streams: streams.into_values().collect(),
        })
    }

    /// What the keys say about their own end, where somebody has to act.
    async fn notices(&self, stored: &StoredConnector) -> Vec<String> {
        let connection = match self.supervisor.target(stored.id).await {
            Some(target) => target.connection.clone(),
            None => {
                // A document that cannot be opened has no keys to speak of; its test says why.
                let document = self.document(stored);
                let checked = document
                    .and_then(|document| self.checked(&document.plan, &document.credential));
                let Ok(checked) = checked else { return Vec::new() };
                checked.connection
            }
        };
        let now = self.services.clock.now();
        let notices = connection.keys().iter().filter_map(|key| {
            let notice = connection.key_notice(key, now).filter(|notice| notice.is_warning())?;
            Some(format!("{}: {notice}", key.label))
        });
        notices.collect()
    }

    /// What the catalog knows: statuses, cursors and ledger.
    async fn stored_streams(
        &self,
        stored: &StoredConnector,
    ) -> Result<BTreeMap<String, StreamStatus>, EngineError> {
        let catalog = &self.services.catalog;
        let mut streams = BTreeMap::new();
        for status in catalog.statuses(stored.id).await? {
            let entry = entry(&mut streams, status.stream.as_str());
            entry.state = status.state;
            entry.problem = status.detail;
            entry.last_ok = status.last_ok;
        }
        for (stream, cursor) in catalog.cursors(stored.id).await? {
            if let Ok(coverage) = serde_json::from_value::<Cursor>(cursor) {
                entry(&mut streams, stream.as_str()).set_coverage(&coverage);
            }
        }
        for (stream, shape) in catalog.shapes(stored.id).await? {
            if let Ok(shape) = serde_json::from_value::<Shape>(shape) {
                entry(&mut streams, stream.as_str()).set_drift(shape.drifts());
            }
        }
        for line in catalog.ledger_streams(stored.id).await? {
            let entry = entry(&mut streams, line.stream.as_str());
            entry.counts = line.counts;
            entry.holes = line.holes;
        }
        Ok(streams)
    }

    /// The share of the history that is read, by time.
    async fn backfill_share(&self, stored: &StoredConnector) -> Result<f64, EngineError> {
        let mut whole = Duration::ZERO;
        let mut open = Duration::ZERO;
        for cursor in self.services.catalog.cursors(stored.id).await?.into_values() {
            let Ok(coverage) = serde_json::from_value::<Cursor>(cursor) else { continue };
            let (span, left) = coverage.history();
            whole += span;
            open += left;
        }
        if whole.is_zero() {
            return Ok(0.0);
        }
        Ok(1.0 - open.as_secs_f64() / whole.as_secs_f64())
    }
}

impl StreamStatus {
    fn new(stream: String) -> Self {
        Self {
            stream,
            state: "waiting".to_owned(),
            problem: None,
            last_ok: None,
            covered_until: None,
            open: Vec::new(),
            lost: Vec::new(),
            holes: Vec::new(),
            drift: Vec::new(),
            counts: Counts::default(),
        }
    }

    fn set_drift(&mut self, drifts: &BTreeMap<String, Drift>) {
        let shown = drifts.iter().map(|(field, drift)| FieldDrift {
            field: field.clone(),
            change: drift.change.as_str().to_owned(),
            records: drift.records,
            since: drift.since,
            last: drift.last,
            example: drift.example.clone(),
        });
        self.drift = shown.collect();
    }

    fn set_coverage(&mut self, coverage: &Cursor) {
        self.covered_until = Some(coverage.covered_until());
        self.open = coverage.open_spans();
        self.lost = coverage.lost().to_vec();
    }
}

fn entry<'a>(
    streams: &'a mut BTreeMap<String, StreamStatus>,
    stream: &str,
) -> &'a mut StreamStatus {
    streams.entry(stream.to_owned()).or_insert_with(|| StreamStatus::new(stream.to_owned()))
}

fn rank(state: &str) -> usize {
    RANK.iter().position(|known| *known == state).unwrap_or(0)
}
