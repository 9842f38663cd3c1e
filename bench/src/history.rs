//! A data directory that has been in use: one table with thousands of commits of ten records each,
//! and a catalog whose ledger knows them all. Appends are timed on the way.

use std::io::Cursor;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bench::corpus::{Corpus, Stream};
use bench::samples::Samples;
use catalog::{Catalog, MasterKey};
use connectors::Registry;
use engine::app::{App, Parts};
use engine::clock::SystemClock;
use engine::connectors::check::ExtraRegions;
use lake::{Lake, LakeOptions};
use model::clock::Clock as _;
use model::ids::TenantId;
use query::store::EventStore;
use query::store::maintenance::{Effort, MaintenancePlan};
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::setting::Setting;
use crate::source::{self, START, SecurityEvents};

/// Commits at whose numbers appends are timed.
pub(crate) const POINTS: [u64; 3] = [1, 1_000, 5_000];
/// Appends that are timed around each point.
const TIMED: u64 = 30;
/// Maintenance runs beside the appends whenever so many have come.
const MAINTAINED: u64 = 50;
/// Records of a batch.
const BATCH: u64 = 10;
/// One batch comes every five minutes, as from a stream that is polled that often.
const STEP_MS: u64 = 5 * 60_000 / BATCH;

/// A grown data directory.
pub(crate) struct History {
    place: TempDir,
    /// Milliseconds of single appends around each of [`POINTS`].
    pub(crate) appends: Vec<Samples>,
}

impl History {
    /// Imports batch after batch until the last point is passed.
    pub(crate) fn grow(setting: &Setting) -> Result<Self> {
        let place = setting.directory("history")?;
        let runtime = tokio::runtime::Runtime::new()?;
        let appends = runtime.block_on(grow(place.path().join("data")))?;
        Ok(Self { place, appends })
    }

    /// The data directory, for a server.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.place.path().join("data")
    }
}

async fn grow(data_dir: PathBuf) -> Result<Vec<Samples>> {
    std::fs::create_dir_all(&data_dir)?;
    let master = MasterKey::load_or_create(&data_dir.join("master.key"))?;
    let catalog = Catalog::open(&catalog::file_url(&data_dir.join("catalog.db")), &master).await?;
    let options = LakeOptions { linger: Duration::ZERO, ..LakeOptions::new(data_dir.join("lake")) };
    let store: Arc<dyn EventStore> = Arc::new(Lake::open(options).await?);
    let parts = Parts {
        catalog,
        store: store.clone(),
        clock: Arc::new(SystemClock),
        registry: Registry::new(),
        regions: ExtraRegions::new(),
    };
    let app = App::open(parts).await?;
    let events = SecurityEvents::find()?;
    let reading = app.reading(source::ID)?;
    let corpus = Corpus::new(source::SEED, START, STEP_MS).only(Stream::MAIL_RISKS);
    let last = POINTS[POINTS.len() - 1] + TIMED / 2;
    let mut timed = vec![Vec::new(); POINTS.len()];
    let mut maintenance = JoinSet::new();
    for commit in 1..=last {
        if commit % MAINTAINED == 0 && maintenance.is_empty() {
            maintenance.spawn(maintain(store.clone()));
        }
        while let Some(done) = maintenance.try_join_next() {
            done??;
        }
        let records = corpus.records((commit - 1) * BATCH..commit * BATCH);
        if let Some(point) = POINTS.iter().position(|point| times(*point).contains(&commit)) {
            let batch = events.batch(records, START)?;
            let started = Instant::now();
            store.append(vec![batch]).await?;
            timed[point].push(started.elapsed().as_secs_f64() * 1_000.0);
        } else {
            let lines = records.collect::<Vec<_>>().join(&b'\n');
            let tenant = TenantId::default();
            app.import(&reading, &tenant, "history", Cursor::new(lines), |_| {}).await?;
        }
    }
    while let Some(done) = maintenance.join_next().await {
        done??;
    }
    let tables = store.stats(None).await?;
    ensure!(
        tables.len() == 1 && tables[0].version >= last,
        "the history has other tables or fewer commits than it should: {tables:?}"
    );
    app.stop().await;
    timed.into_iter().map(|appends| Samples::new(appends).context("no append was timed")).collect()
}

/// What a server does every minute, beside the appends.
async fn maintain(store: Arc<dyn EventStore>) -> Result<()> {
    let plan = MaintenancePlan {
        merge: Effort::WhenDue,
        snapshot: Effort::WhenDue,
        clean_up: Effort::WhenDue,
        ..MaintenancePlan::new(SystemClock.now())
    };
    let report = store.maintain(&plan).await?;
    ensure!(report.failures.is_empty(), "maintenance failed: {:?}", report.failures);
    Ok(())
}

/// The commits that are timed around a point.
fn times(point: u64) -> std::ops::Range<u64> {
    let first = point.saturating_sub(TIMED / 2).max(1);
    first..first + TIMED
}
