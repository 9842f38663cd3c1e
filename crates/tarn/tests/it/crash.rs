//! Promise 1 under `kill -9`: a server that collects from three vendors is killed at every failpoint and
//! at random moments, and the simulators' books still agree with its lake. `bench/crash.sh` runs it with more kills.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use uuid::Uuid;

use crate::support::books;
use crate::support::process::{Process, Server, Vendor, pause, wait_until};

/// Every failpoint that a collecting server passes.
const FAILPOINTS: [&str; 11] = [
    "catalog.apply_page.after_commit",
    "catalog.apply_page.before_commit",
    "catalog.reserve.after_commit",
    "catalog.reserve.before_commit",
    "connectors.answer_read",
    "connectors.request_sent",
    "connectors.token_refreshed",
    "engine.before_acknowledge",
    "lake.after_commit",
    "lake.before_commit",
    "lake.file_written",
];
/// Every failpoint that a compaction passes, in order: after the last there may be nothing left to merge.
const COMPACTION: [&str; 2] = ["lake.before_merge_commit", "lake.after_merge_commit"];
/// Failpoints that only a longer history or older files reach. The lake's own tests stop there
/// (`clean_up`, `retention`), with a clock of theirs.
const LATER: [&str; 4] = [
    "lake.after_expire_commit",
    "lake.before_expire_commit",
    "lake.before_removal",
    "lake.snapshot_written",
];
/// Failpoints of what only people ask for, a replay and a backfill. The engine's own tests stop there
/// (`dead_letters`, `store_failures`).
const ASKED_FOR: [&str; 2] = ["catalog.put_cursors.before_commit", "catalog.replay.before_commit"];
/// Failpoints that only what a stack's client sends passes. `pushed` kills a server there.
const PUSHED: [&str; 2] = ["catalog.apply_push.after_commit", "catalog.apply_push.before_commit"];
/// The failpoint at every step of an action's journal. `actions_killed` kills a process at each.
const ACTED: [&str; 1] = ["actions.step"];
/// A vendor beside Cloud App Security: its connector, with `{address}` to be filled in.
struct Other {
    integration: &'static str,
    streams: usize,
    /// How far its polls stay behind now.
    lag: Duration,
    /// Streams whose records carry the vendor's id.
    with_ids: &'static [&'static str],
    document: &'static str,
}

const OTHERS: [Other; 2] = [
    Other {
        integration: "trend_vision_one",
        streams: 3,
        lag: Duration::from_secs(5 * 60),
        with_ids: &["alerts", "observed_attack_techniques"],
        document: "credential: { token: sim-key }
    parameters: { base_url: \"http://{address}\" }",
    },
    Other {
        integration: "mimecast",
        streams: 13,
        lag: Duration::from_secs(15 * 60),
        with_ids: &["ttp_impersonation"],
        document: "credential: { client_id: sim-client, client_secret: sim-secret }
    parameters: { base_url: \"http://{address}\" }",
    },
];

/// Random kills unless the environment says another number.
const KILLS: u64 = 3;
const KILLS_VARIABLE: &str = "TARN_CRASH_KILLS";
/// A random kill comes this long after the start of the process.
const LIFETIMES_MS: std::ops::Range<u128> = 300..2_500;

#[test]
fn a_server_killed_at_every_failpoint_and_at_random_loses_and_repeats_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let vendor = Vendor::start(place, &["--events", "200000", "--fault", "window=2s"]);
    let file = place.join("connectors.yaml");
    let events = "dlp, ransomware, securityrisk, virtualanalyzer";
    let services = "exchange, sharepoint, onedrive, teams";
    let mut documents = books::document(&vendor, services, events);
    let others = OTHERS.map(|other| (other.start(place), other));
    for (vendor, other) in &others {
        documents.push_str(&other.connector(vendor));
    }
    std::fs::write(&file, documents).unwrap();
    let server = Server::start(place, &[], "");
    server.ask(&["connector", "apply", "-f", file.to_str().unwrap()]);
    server.kill();

    for failpoint in FAILPOINTS {
        kill_at(failpoint, place, &["serve", "--listen", "127.0.0.1:0"]);
    }
    let random = random_kills();
    for _ in 0..random {
        let lifetime =
            LIFETIMES_MS.start + Uuid::new_v4().as_u128() % (LIFETIMES_MS.end - LIFETIMES_MS.start);
        let mut server = run(place, &["serve", "--listen", "127.0.0.1:0"], "");
        pause(Duration::from_millis(u64::try_from(lifetime).unwrap()));
        server.kill();
    }

    import_two_files(place);
    for failpoint in COMPACTION {
        kill_at(failpoint, place, &["lake", "compact"]);
    }
    let server = Server::start(place, &[], "");
    wait_until("everything open is read", || books::is_all_read(&server, &vendor, 16));
    for (vendor, other) in &others {
        let until = vendor.started - other.lag;
        wait_until(other.integration, || {
            books::is_read_until(&server, other.integration, until, other.streams)
        });
        let books = books::compare_bytes(&server, other.integration, vendor, until, other.with_ids);
        let books::Books { held, stored, requests, refused } = books;
        println!(
            "{}: held={held} stored={stored} stored_twice=0 lost=0 requests={requests} refused_429={refused}",
            other.integration
        );
        assert!(held > 1_000, "only {held} records were held");
    }
    let status = server.ask_json(&["connector", "status", books::CONNECTOR]);
    let duplicates = status["counts"]["duplicate"].as_u64().unwrap();
    let found = books::compare(&server, &vendor, |stream| {
        stream.split_once('/').is_some_and(|(service, _)| services.contains(service))
    });
    let books::Books { held, stored, requests, refused } = found;
    let kills = (FAILPOINTS.len() + COMPACTION.len()) as u64 + random + 1;
    println!(
        "held={held} stored={stored} stored_twice=0 lost=0 duplicates_dropped={duplicates} kills={kills} requests={requests} refused_429={refused}"
    );
    assert!(held > 10_000, "only {held} records were held");
}

impl Other {
    fn start(&self, place: &Path) -> Vendor {
        let arguments = ["--events", "3000", "--fault", "window=2s", "--fault", "requests=20"];
        Vendor::of(place, self.integration, &arguments)
    }

    fn connector(&self, vendor: &Vendor) -> String {
        let Self { integration, document, .. } = self;
        let rest = document.replace("{address}", &vendor.address);
        format!(
            "  - name: {integration}\n    integration: {integration}\n    {rest}\n    \
             quota: {{ requests: 20, per: 2s }}\n    interval: 30s\n    backfill: 72h\n"
        )
    }
}

/// Two imports of records of one day: there is something to merge, however little was collected so far.
fn import_two_files(place: &Path) {
    for number in 0..2 {
        let record = serde_json::json!({
            "service": "Exchange Online", "event": "ransomware", "log_item_id": format!("imported {number}"),
            "message": {"detection_time": "2026-03-09T08:00:00.000Z"},
        });
        std::fs::write(place.join("one.ndjson"), record.to_string()).unwrap();
        let source = "trend_micro_cas.security_events";
        assert!(run(place, &["ingest", "--source", source, "one.ndjson"], "").wait().success());
    }
}

/// Starts a command that holds still at its first pass of a failpoint, and kills it there.
fn kill_at(failpoint: &str, place: &Path, command: &[&str]) {
    let mark = place.join("held");
    let armed = format!("{failpoint}=1*return(hold:{})", mark.display());
    let mut process = run(place, command, &armed);
    wait_until(failpoint, || mark.exists());
    process.kill();
    std::fs::remove_file(&mark).unwrap();
}

fn run(place: &Path, command: &[&str], failpoints: &str) -> Process {
    let arguments = [command, &["--data-dir", "data"]].concat();
    Process::start(place, command[0], &arguments, failpoints)
}

#[expect(clippy::disallowed_methods, reason = "a number for the person who runs this test")]
fn random_kills() -> u64 {
    std::env::var(KILLS_VARIABLE).map_or(KILLS, |kills| kills.parse().unwrap())
}

/// A failpoint that is added and not listed above would never be crashed at.
#[test]
fn the_list_of_failpoints_is_complete() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut named = BTreeSet::new();
    for name in ["catalog", "connectors", "engine", "lake"] {
        collect_failpoints(&crates.join(name).join("src"), &mut named);
    }
    let listed: BTreeSet<String> =
        [&FAILPOINTS[..], &COMPACTION, &LATER, &ASKED_FOR, &PUSHED, &ACTED]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect();
    assert_eq!(named, listed);
}

/// Gathers the texts that look like a failpoint's name: `crate.step`.
fn collect_failpoints(folder: &Path, named: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect_failpoints(&path, named);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let code = std::fs::read_to_string(&path).unwrap();
            let calls = ["failpoint::hit(\"", "pass(\""];
            for call in calls {
                let passes = code.split(call).skip(1);
                named.extend(passes.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())));
            }
        }
    }
}
