//! What the tests talk to, and what they put there.

pub(crate) mod aws;
pub(crate) mod moto;
pub(crate) mod process;
pub(crate) mod runtime;
pub(crate) mod tarn;
pub(crate) mod trail;

use std::time::{Duration, Instant};

/// How long anything may take before a test gives up.
const PATIENCE: Duration = Duration::from_secs(240);

/// Waits until something holds.
pub(crate) async fn wait_until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < PATIENCE, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
