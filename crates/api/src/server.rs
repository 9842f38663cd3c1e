//! What every handler shares.

use std::sync::Arc;

use engine::app::App;
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::sync::{Mutex, Semaphore};

use crate::handlers::health::Readiness;

/// Imports that are read at the same time; the next ones wait. Each holds a thread and one chunk.
const UPLOADS: usize = 4;

/// The state of the router. Cloning it shares it.
#[derive(Clone)]
pub(crate) struct Server {
    /// The use cases.
    pub(crate) app: Arc<App>,
    /// What the process counts, when the binary records it.
    pub(crate) metrics: Option<PrometheusHandle>,
    /// Places for imports.
    pub(crate) uploads: Arc<Semaphore>,
    /// The last answer to "can it serve?".
    pub(crate) readiness: Arc<Mutex<Option<Readiness>>>,
}

impl Server {
    /// Nothing is asked of the app yet.
    pub(crate) fn new(app: Arc<App>, metrics: Option<PrometheusHandle>) -> Self {
        Self { app, metrics, uploads: Arc::new(Semaphore::new(UPLOADS)), readiness: Arc::default() }
    }
}
