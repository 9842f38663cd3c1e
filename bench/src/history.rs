//! A data directory that has been in use: one table with thousands of commits of ten records each,
//! and a catalog whose ledger knows them all. Beside it lie copies of its lake as it was earlier.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bench::corpus::{Corpus, Stream};
use bench::samples::Samples;
use bytes::Bytes;
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
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::setting::Setting;
use crate::source::{self, START, SecurityEvents};

/// Numbers of commits at which the lake is looked at.
pub(crate) const POINTS: [u64; 3] = [1, 1_000, 5_000];
/// Appends that are timed at each point.
const TIMED: u64 = 30;
/// Maintenance runs beside the appends whenever so many have come, and more often while they are timed.
const MAINTAINED: u64 = 50;
const MAINTAINED_WHILE_TIMED: u64 = 10;
/// Records of a batch.
const BATCH: u64 = 10;
/// One batch comes every five minutes, as from a stream that is polled that often.
const STEP_MS: u64 = 5 * 60_000 / BATCH;

/// A grown data directory.
pub(crate) struct History {
    place: TempDir,
}

impl History {
    /// Imports batch after batch until the last point is reached.
    pub(crate) fn grow(setting: &Setting) -> Result<Self> {
        let place = setting.directory("history")?;
        let history = Self { place };
        Runtime::new()?.block_on(history.import())?;
        Ok(history)
    }

    /// The data directory, for a server.
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.place.path().join("data")
    }

    /// Milliseconds of single appends to the lake as it was at each of [`POINTS`]. The lakes take
    /// turns, so that whatever else the machine does meets all of them alike.
    pub(crate) fn time_appends(&self) -> Result<Vec<Samples>> {
        Runtime::new()?.block_on(self.append_in_turns())
    }

    fn lake(&self, point: u64) -> PathBuf {
        if point == POINTS[POINTS.len() - 1] {
            self.data_dir().join("lake")
        } else {
            self.place.path().join(format!("lake-at-{point}"))
        }
    }

    async fn import(&self) -> Result<()> {
        let data_dir = self.data_dir();
        std::fs::create_dir_all(&data_dir)?;
        let master = MasterKey::load_or_create(&data_dir.join("master.key"))?;
        let url = catalog::file_url(&data_dir.join("catalog.db"));
        let store: Arc<dyn EventStore> = Arc::new(open(data_dir.join("lake")).await?);
        let app = App::open(Parts {
            catalog: Catalog::open(&url, &master).await?,
            store: store.clone(),
            clock: Arc::new(SystemClock),
            registry: Registry::new(),
            regions: ExtraRegions::new(),
            responders: Default::default(),
        })
        .await?;
        let reading = app.reading(source::ID)?;
        let tenant = TenantId::default();
        let mut maintenance = JoinSet::new();
        for commit in 1..=POINTS[POINTS.len() - 1] {
            if commit % MAINTAINED == 0 && maintenance.is_empty() {
                maintenance.spawn(maintain(store.clone()));
            }
            finished(&mut maintenance)?;
            let lines = records(commit).collect::<Vec<_>>().join(&b'\n');
            app.import(&reading, &tenant, "history", Cursor::new(lines), |_| {}).await?;
            let copy = self.lake(commit);
            if POINTS.contains(&commit) {
                all_finished(&mut maintenance).await?;
            }
            if POINTS.contains(&commit) && copy != data_dir.join("lake") {
                copy_folder(&data_dir.join("lake"), &copy)?;
            }
        }
        let tables = store.stats(None).await?;
        ensure!(
            tables.len() == 1 && tables[0].version >= POINTS[POINTS.len() - 1],
            "the history has other tables or fewer commits than it should: {tables:?}"
        );
        app.stop().await;
        Ok(())
    }

    async fn append_in_turns(&self) -> Result<Vec<Samples>> {
        let events = SecurityEvents::find()?;
        let mut lakes = Vec::new();
        for point in POINTS {
            lakes.push((point, open(self.lake(point)).await?, Vec::new()));
        }
        let mut maintenance = JoinSet::new();
        // The first append after opening reads what the lake holds of its hours: it is not timed.
        for round in 0..=TIMED {
            for (point, lake, timed) in &mut lakes {
                if round % MAINTAINED_WHILE_TIMED == 0 {
                    maintenance.spawn(maintain(Arc::new(lake.clone())));
                }
                let batch = events.batch(records(*point + 1 + round), START)?;
                let started = Instant::now();
                lake.append(vec![batch]).await?;
                let took = started.elapsed();
                if round > 0 {
                    timed.push(took.as_secs_f64() * 1_000.0);
                }
            }
        }
        all_finished(&mut maintenance).await?;
        let samples = lakes.into_iter().map(|(.., timed)| Samples::new(timed));
        samples.map(|samples| samples.context("no append was timed")).collect()
    }
}

async fn open(root: PathBuf) -> Result<Lake> {
    let options = LakeOptions { linger: Duration::ZERO, ..LakeOptions::new(root) };
    Ok(Lake::open(options).await?)
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

/// Takes note of the runs that have come to their end.
fn finished(maintenance: &mut JoinSet<Result<()>>) -> Result<()> {
    while let Some(done) = maintenance.try_join_next() {
        done??;
    }
    Ok(())
}

/// Waits for the runs under way.
async fn all_finished(maintenance: &mut JoinSet<Result<()>>) -> Result<()> {
    while let Some(done) = maintenance.join_next().await {
        done??;
    }
    Ok(())
}

/// The records of one commit.
fn records(commit: u64) -> impl Iterator<Item = Bytes> {
    let corpus = Corpus::new(source::SEED, START, STEP_MS).only(Stream::MAIL_RISKS);
    corpus.records((commit - 1) * BATCH..commit * BATCH)
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let path = entry?.path();
        let copy = to.join(path.file_name().context("an entry without a name")?);
        if path.is_dir() {
            copy_folder(&path, &copy)?;
        } else {
            std::fs::copy(&path, &copy)?;
        }
    }
    Ok(())
}
