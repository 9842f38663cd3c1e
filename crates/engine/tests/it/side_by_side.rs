//! Pages that wait for the lake do not keep the quota from being used.

use std::sync::Arc;
use std::time::Duration;

use engine::connectors::document::ConnectorFile;
use simulators::Volume;
use tokio::sync::Barrier;

use crate::troubled::Troubled;
use crate::world::World;

/// One window of the vendor's quota.
const QUOTA: usize = 20;
/// Real time after which the pages that are missing will not come any more.
const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_whole_window_of_pages_may_wait_for_the_lake_at_once() {
    let world = World::open().await;
    let (_simulator, url) = world.vendor(Volume::PerHour(60.0), &[]).await;
    let full = Arc::new(Barrier::new(QUOTA + 1));
    let app = Troubled::over(&world.store).gathering(&full).open_app(&world).await;
    let file = format!(
        "connectors:\n  - name: c\n    integration: trend_micro_cas\n    credential: {{ api_keys: sim-key }}\n    \
         parameters: {{ base_url: \"{url}\" }}\n"
    );
    app.apply(ConnectorFile::read(&file).unwrap().connectors, false, "test").await.unwrap();
    app.start().await.unwrap();
    let waited = tokio::time::timeout(PATIENCE, full.wait()).await;
    assert!(waited.is_ok(), "fewer than {QUOTA} pages were read while the lake gathered");
}
