//! What every handler shares.

use std::sync::Arc;

use engine::app::App;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Mutex, Semaphore};

use crate::handlers::health::Readiness;

/// Imports that are read at the same time; the next ones wait. Each holds a thread and one chunk.
const UPLOADS: usize = 4;

/// What the binary knows about this server.
#[derive(Clone, Default)]
pub struct Settings {
    /// What the process counts, when it is recorded.
    pub metrics: Option<PrometheusHandle>,
    /// Where others reach this server, when it is not where requests say that they were sent.
    pub public_url: Option<String>,
}

/// The state of the router. Cloning it shares it.
#[derive(Clone)]
pub(crate) struct Server {
    /// The use cases.
    pub(crate) app: Arc<App>,
    /// What the process counts, when the binary records it.
    pub(crate) metrics: Option<PrometheusHandle>,
    /// Places for imports.
    pub(crate) uploads: Arc<Semaphore>,
    /// Where others reach this server, when it was told.
    pub(crate) public_url: Option<String>,
    /// The last answer to "can it serve?".
    pub(crate) readiness: Arc<Mutex<Option<Readiness>>>,
}

impl Server {
    /// Nothing is asked of the app yet.
    pub(crate) fn new(app: Arc<App>, settings: Settings) -> Self {
        let Settings { metrics, public_url } = settings;
        let public_url = public_url.map(|url| url.trim_end_matches('/').to_owned());
        let uploads = Arc::new(Semaphore::new(UPLOADS));
        Self { app, metrics, uploads, public_url, readiness: Arc::default() }
    }
}
