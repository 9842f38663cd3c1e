//! One key, one budget: whatever uses it, nothing is refused.

use std::time::Duration;

use futures::future::join_all;
use model::clock::Clock;
use simulators::{Refusal, Volume};

use crate::world::{World, connector, name, tenant};

#[tokio::test]
async fn two_connectors_on_one_key_and_ten_tests_at_once_are_never_refused() {
    let world = World::open().await;
    let faults = [("requests", "20"), ("window", "60s")];
    let (simulator, url) = world.vendor(Volume::PerHour(200.0), &faults).await;
    world.apply(&connector("one", &url, "sim-key", "")).await;
    world.apply(&connector("two", &url, "sim-key", "")).await;
    world.app.start().await.unwrap();
    // Both backfills are under way and use the whole quota.
    world.pass(Duration::from_secs(90)).await;

    let asked = world.clock.now();
    let names = [name("one"), name("two")];
    let tests = (0..10).map(|index| {
        let (app, name) = (world.app.clone(), names[index % 2].clone());
        async move { app.test_connector(&tenant(), &name).await.unwrap() }
    });
    let reports = world.during(join_all(tests)).await;
    let taken = world.clock.now().since(asked);

    assert!(reports.iter().all(|report| report.passed), "{reports:#?}");
    assert!(taken <= Duration::from_secs(120), "ten tests took {taken:?}");
    world.pass(Duration::from_secs(600)).await;
    let refused = simulator.requests().iter().filter(|r| r.reason == Some(Refusal::Quota)).count();
    assert_eq!(refused, 0);
    println!("ten tests answered after {:.1} s, refused {refused}", taken.as_secs_f64());
}

#[tokio::test]
async fn a_restart_inside_a_window_does_not_overrun_the_quota() {
    let world = World::open().await;
    let faults = [("requests", "5"), ("window", "60s")];
    let (simulator, url) = world.vendor(Volume::PerHour(200.0), &faults).await;
    let quota = "    quota: { requests: 5, per: 60s }\n";
    world.apply(&connector("c", &url, "sim-key", quota)).await;
    world.app.start().await.unwrap();
    world.pass(Duration::from_secs(5)).await;
    let again =
        crate::world::open_app(&world.clock, &world.catalog, &world.store, Default::default())
            .await;
    // The first app is gone as after a kill: its runners are stopped without any farewell to the
    // budget, and the second knows only what the catalog remembers.
    world.app.stop_collecting().await;
    again.start().await.unwrap();
    world.pass(Duration::from_secs(300)).await;
    let refused = simulator.requests().iter().filter(|r| r.reason == Some(Refusal::Quota)).count();
    assert_eq!(refused, 0);
}
