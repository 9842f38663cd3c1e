//! `connector test` names every way in which a connection can fail, and its remedy.

use engine::connectors::test::TestReport;
use simulators::Volume;
use tokio::net::TcpListener;

use crate::world::{World, connector, name, region, tenant};

/// Tests one connector and shows the report as people see it, without this run's ports and times.
async fn report(world: &World, url: &str, key: &str) -> String {
    world.apply(&connector("c", url, key, "")).await;
    let tested = world.during(world.app.test_connector(&tenant(), &name("c"))).await;
    show(&tested.unwrap(), url)
}

fn show(report: &TestReport, url: &str) -> String {
    let mut lines =
        vec![format!("passed: {}", report.passed), format!("summary: {}", report.summary)];
    for check in &report.checks {
        lines.push(format!("{} {} with {}", check.content_type, check.stream, check.key));
        lines.push(format!("  detail: {}", check.detail));
        if let Some(remedy) = &check.remedy {
            lines.push(format!("  remedy: {remedy}"));
        }
    }
    let host = url.trim_start_matches("http://").trim_start_matches("https://");
    let host = host.split('/').next().unwrap_or(host);
    lines.join("\n").replace(host, "[host]")
}

async fn against(faults: &[(&str, &str)], key: &str) -> String {
    let world = World::open().await;
    let (_simulator, url) = world.vendor(Volume::PerHour(10.0), faults).await;
    report(&world, &url, key).await
}

#[tokio::test]
async fn a_working_key_passes() {
    insta::assert_snapshot!(against(&[], "sim-key").await);
}

#[tokio::test]
async fn a_wrong_key() {
    insta::assert_snapshot!(against(&[], "no-such-key").await);
}

#[tokio::test]
async fn a_malformed_key() {
    insta::assert_snapshot!(against(&[], "sim key with spaces").await);
}

#[tokio::test]
async fn an_expired_key() {
    insta::assert_snapshot!(against(&[("expired", "sim-key")], "sim-key").await);
}

#[tokio::test]
async fn a_revoked_key() {
    let world = World::open().await;
    let (simulator, url) = world.vendor(Volume::PerHour(10.0), &[]).await;
    world.apply(&connector("c", &url, "sim-key", "")).await;
    world.app.start().await.unwrap();
    world.pass(std::time::Duration::from_secs(600)).await;
    simulator.set_fault("revoked", "sim-key").unwrap();
    let tested = world.during(world.app.test_connector(&tenant(), &name("c"))).await.unwrap();
    let shown = show(&tested, &url);
    insta::assert_snapshot!(without_times(&shown));
}

#[tokio::test]
async fn a_missing_scope() {
    insta::assert_snapshot!(against(&[("no_scope", "sim-key")], "sim-key").await);
}

#[tokio::test]
async fn a_wrong_region() {
    let elsewhere = World::open().await;
    let (_right, right_url) = elsewhere.vendor(Volume::PerHour(10.0), &[]).await;
    let world = World::with_regions(region("jp-test", &right_url)).await;
    let (_wrong, wrong_url) = world.vendor(Volume::PerHour(10.0), &[("keys", "other")]).await;
    insta::assert_snapshot!(report(&world, &wrong_url, "sim-key").await);
}

#[tokio::test]
async fn a_wrong_path() {
    let world = World::open().await;
    let (_simulator, url) = world.vendor(Volume::PerHour(10.0), &[]).await;
    insta::assert_snapshot!(report(&world, &format!("{url}/elsewhere"), "sim-key").await);
}

#[tokio::test]
async fn a_host_that_does_not_resolve() {
    let world = World::open().await;
    insta::assert_snapshot!(report(&world, "https://no-such-host.invalid", "sim-key").await);
}

#[tokio::test]
async fn a_port_that_nobody_listens_on() {
    let world = World::open().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    insta::assert_snapshot!(report(&world, &url, "sim-key").await);
}

#[tokio::test]
async fn a_connection_that_is_not_tls() {
    let world = World::open().await;
    let (_simulator, url) = world.vendor(Volume::PerHour(10.0), &[]).await;
    insta::assert_snapshot!(report(&world, &url.replace("http://", "https://"), "sim-key").await);
}

#[tokio::test]
async fn a_used_up_quota() {
    insta::assert_snapshot!(
        against(&[("throttle_every", "1"), ("retry_after", "on")], "sim-key").await
    );
}

#[tokio::test]
async fn a_vendor_outage() {
    insta::assert_snapshot!(against(&[("outage", "on")], "sim-key").await);
}

#[tokio::test]
async fn a_proxy_that_answers_for_the_vendor() {
    insta::assert_snapshot!(against(&[("wrong_type", "on")], "sim-key").await);
}

/// Replaces times by a fixed word.
fn without_times(text: &str) -> String {
    text.split(' ')
        .map(|word| if word.ends_with('Z') && word.contains('T') { "[time]" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}
