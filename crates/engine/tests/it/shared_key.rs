//! One key, one budget: whatever uses it, nothing is refused.

use std::sync::Arc;
use std::time::Duration;

use engine::budget::Budgets;
use futures::future::join_all;
use model::budget::{Budget as _, Priority, Quota};
use model::clock::Clock;
use model::ids::ConnectorId;
use model::secret::Secret;
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

/// The requests of an earlier process were a long time on their way. A process that starts one window
/// after they were reserved must not find the key unused.
#[tokio::test]
async fn a_restart_just_behind_a_window_counts_requests_that_arrived_late() {
    let world = World::open().await;
    let (secret, owner) = (Secret::new("sim-key"), ConnectorId::generate());
    let per = Duration::from_secs(60);
    let quotas = vec![Quota { requests: 5, per }];
    let start = || Budgets::new(world.catalog.clone(), Arc::new(world.clock.clone()));
    let sender =
        |budgets: &Budgets| budgets.sender(&secret, owner, quotas.clone(), Priority::Live, None);
    let earlier = sender(&start());
    let mut on_their_way = Vec::new();
    for _ in 0..5 {
        on_their_way.push(earlier.reserve("vendor.example").await.unwrap());
    }
    world.pass(per + Duration::from_secs(1)).await;
    let arrived_at = world.clock.now() - Duration::from_secs(2);

    let later = sender(&start());
    drop(world.during(later.reserve("vendor.example")).await.unwrap());
    let sent_at = world.clock.now();
    assert!(sent_at.since(arrived_at) >= per, "sent after {:?}", sent_at.since(arrived_at));
}

#[tokio::test]
async fn a_reservation_is_kept_as_long_as_its_request_may_count_after_a_restart() {
    let world = World::open().await;
    let secret = Secret::new("sim-key");
    let quotas = vec![Quota { requests: 5, per: Duration::from_secs(60) }];
    let budgets = Budgets::new(world.catalog.clone(), Arc::new(world.clock.clone()));
    let sender = budgets.sender(&secret, ConnectorId::generate(), quotas, Priority::Live, None);
    let key = world.catalog.key_fingerprint("vendor.example", &secret);
    let start = world.clock.now();
    for kept in [1, 2, 2] {
        drop(sender.reserve("vendor.example").await.unwrap());
        let reservations = world.catalog.reservations(&key, "default", start).await.unwrap();
        assert_eq!(reservations.len(), kept);
        world.pass(Duration::from_secs(61)).await;
    }
}
