//! Puts an `App` together: catalog, lake, integrations, clock.
//!
//! Three ways: the owner of a data directory, a reader beside a running server, and a process that
//! stores nothing. The last two get a catalog in memory that ends with them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result};
use catalog::{Catalog, MasterKey};
use connectors::Registry;
use engine::actions::responders::ResponderSettings;
use engine::app::{App, Parts};
use engine::clock::SystemClock;
use lake::{Lake, LakeOptions};
use model::secret::Secret;
use query::store::EventStore;
use query::store::memory::MemoryStore;
use uuid::Uuid;

use crate::config::Config;
use crate::data_dir::{DataDir, Lock};
use crate::error::Failure;

/// How long an append of a command waits for others to go with it.
const COMMAND_LINGER: Duration = Duration::from_millis(20);
const IN_MEMORY: &str = "sqlite::memory:";

/// How long a process has its data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stay {
    /// For one command, which waits for each of its appends.
    Command,
    /// Until it is stopped; appends of many connectors are gathered.
    Server,
}

/// An `App` with the right to its data directory.
pub(crate) struct Local {
    /// The use cases.
    pub(crate) app: Arc<App>,
    /// Held until the end.
    pub(crate) lock: Option<Lock>,
}

impl Local {
    /// Opens the data directory to work on it; makes what is missing.
    ///
    /// # Errors
    /// Another process works on it, or something of it cannot be opened.
    pub(crate) async fn owner(config: &Config, stay: Stay) -> Result<Self> {
        let data_dir = DataDir::new(&config.data_dir);
        data_dir.make()?;
        let lock = data_dir.lock()?;
        let master = match &config.master_key {
            Some(text) => MasterKey::from_text(text)?,
            None => MasterKey::load_or_create(&data_dir.master_key())?,
        };
        let catalog = Catalog::open(&catalog::file_url(&data_dir.catalog()), &master).await?;
        let linger = match stay {
            Stay::Command => Some(COMMAND_LINGER),
            Stay::Server => None,
        };
        let store = open_lake(&lake_path(config, &data_dir), linger).await?;
        let app = assemble(catalog, store, config).await?;
        Ok(Self { app, lock: Some(lock) })
    }

    /// Opens the lake to read from it, also while a server or another command works on the data
    /// directory. Makes nothing and takes no lock.
    ///
    /// # Errors
    /// There is no lake, or it cannot be opened.
    pub(crate) async fn reader(config: &Config) -> Result<Self> {
        let data_dir = DataDir::new(&config.data_dir);
        let lake = lake_path(config, &data_dir);
        if !lake.is_dir() {
            return Err(nothing_there(&data_dir, &lake).into());
        }
        let store = open_lake(&lake, None).await?;
        let app = assemble(catalog_in_memory().await?, store, config).await?;
        Ok(Self { app, lock: None })
    }

    /// Stops what runs, enters what is under way, closes the catalog, and gives the lock back.
    pub(crate) async fn close(self) {
        self.app.stop().await;
    }

    /// An `App` that stores nothing: for what needs only the integrations.
    ///
    /// # Errors
    /// Something of ours is broken.
    pub(crate) async fn bare(config: &Config) -> Result<Self> {
        let store = Arc::new(MemoryStore::default());
        let app = assemble(catalog_in_memory().await?, store, config).await?;
        Ok(Self { app, lock: None })
    }
}

async fn assemble(
    catalog: Catalog,
    store: Arc<dyn EventStore>,
    config: &Config,
) -> Result<Arc<App>> {
    let templates = match &config.templates {
        Some(directory) => connectors::webhook::load(directory)?,
        None => Vec::new(),
    };
    let parts = Parts {
        catalog,
        store,
        clock: Arc::new(SystemClock),
        registry: Registry::new(),
        regions: config.regions.clone(),
        responders: ResponderSettings { egress: config.egress.clone(), templates },
    };
    Ok(Arc::new(App::open(parts).await?))
}

async fn catalog_in_memory() -> Result<Catalog> {
    let key = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    let key = MasterKey::from_text(&Secret::new(key))?;
    Ok(Catalog::open(IN_MEMORY, &key).await?)
}

async fn open_lake(path: &Path, linger: Option<Duration>) -> Result<Arc<dyn EventStore>> {
    let mut options = LakeOptions::new(path);
    options.linger = linger.unwrap_or(options.linger);
    let lake = Lake::open(options)
        .await
        .with_context(|| format!("failed to open the lake `{}`", path.display()))?;
    Ok(Arc::new(lake))
}

fn lake_path(config: &Config, data_dir: &DataDir) -> PathBuf {
    config.lake.clone().unwrap_or_else(|| data_dir.lake())
}

fn nothing_there(data_dir: &DataDir, lake: &Path) -> Failure {
    let shown = data_dir.path().display();
    Failure::new(format!("there is no lake at `{}`", lake.display())).hint(format!(
        "name the data directory with `--data-dir` (now `{shown}`) or a server with `--server`; \
         `tarn demo` and `tarn ingest` make one"
    ))
}
