//! The built binary as a daemon: it enrols with a token in a file, reads moto's queue, pauses while its stack is
//! revoked, and stops in good order.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::json;

use crate::support::moto::{Moto, REGION};
use crate::support::process::Process;
use crate::support::tarn::{CODE, State, Tarn};
use crate::support::trail::{key, log, message, records};
use crate::support::wait_until;

const BUCKET: &str = "trail-bucket";

fn start(place: &Path, moto: &Moto, tarn: &Tarn, queue: &str) -> Process {
    let (url, file) = (moto.url(), place.join("token"));
    let variables = [
        ("AWS_ENDPOINT_URL", url.as_str()),
        ("AWS_ACCESS_KEY_ID", "test"),
        ("AWS_SECRET_ACCESS_KEY", "test"),
        ("AWS_REGION", REGION),
        ("TARN_SERVICE_URL", tarn.url()),
        ("TARN_TOKEN_FILE", file.to_str().unwrap()),
        ("TARN_ENROLMENT_CODE", CODE),
        ("TARN_QUEUE_URL", queue),
        ("TARN_VISIBILITY_SECONDS", "6"),
    ];
    Process::start(&place.join("daemon.log"), &variables)
}

async fn fill(moto: &Moto, queue: &str, numbers: std::ops::Range<usize>) {
    for number in numbers {
        moto.put(BUCKET, &key(number), log(&records(number, 3))).await;
        moto.send(queue, &[message(number, BUCKET, &[key(number)])]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_daemon_forwards_pauses_goes_on_and_stops() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let moto = Moto::start(place).await;
    moto.bucket(BUCKET).await;
    let queue = moto.queue("trail", json!({})).await;
    let tarn = Tarn::start(State::troubled()).await;
    fill(&moto, &queue, 0..12).await;
    let daemon = start(place, &moto, &tarn, &queue);
    let stored = |count: usize| {
        let tarn = tarn.clone();
        async move || tarn.state().records.len() == count
    };
    wait_until("the first records are stored", stored(36)).await;
    wait_until("the queue is empty", async || moto.waiting(&queue).await == (0, 0)).await;
    let mode = std::fs::metadata(place.join("token")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    wait_until("the token was replaced", async || tarn.state().rotations >= 2).await;

    tarn.state().is_revoked = true;
    wait_until("a heartbeat is refused", async || tarn.state().refused >= 2).await;
    let accepted = tarn.state().accepted;
    fill(&moto, &queue, 12..15).await;
    wait_until("more heartbeats are refused", async || tarn.state().refused >= 5).await;
    assert_eq!(tarn.state().accepted, accepted);
    tarn.state().is_revoked = false;
    wait_until("the backlog is stored", stored(45)).await;
    wait_until("the queue is empty again", async || moto.waiting(&queue).await == (0, 0)).await;

    let log = daemon.log();
    assert!(daemon.terminate().success(), "{log}");
    // A second one goes on with the token that the first one left, without the code.
    fill(&moto, &queue, 15..17).await;
    let second = start(place, &moto, &tarn, &queue);
    wait_until("the last records are stored", stored(51)).await;
    let state = tarn.state();
    assert_eq!(state.violations, [""; 0]);
    for record in (0..17).flat_map(|number| records(number, 3)) {
        assert!(state.records.values().any(|held| *held == record), "{record}");
    }
    let log = second.log();
    for secret in state.told.iter().map(String::as_str).chain([CODE]) {
        assert!(!log.contains(secret), "a secret was printed");
    }
}
