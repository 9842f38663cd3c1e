//! One suite that every integration passes against its simulator: what may befall a collector, played
//! on virtual time, over real HTTP, into a real lake.
//!
//! A new integration joins by one entry in [`subjects::SUBJECTS`]. A case ends well when every record
//! that the simulator holds is stored once with its bytes, nothing else is, and the ledger balances. The table
//! of all cases is printed with `--no-capture`, as `CONTRIBUTING.md` shows.

mod cases;
mod log;
mod subjects;
mod world;

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Mutex;

use cases::Case;
use model::manifest::{CursorStrategy, Manifest};
use subjects::{Play, SUBJECTS, Subject};

/// Cases that are played at the same time: one more than small machines have cores, since each waits for its disk.
const SIDE_BY_SIDE: usize = 3;
/// Held while failpoints are armed: they are the process's, and one arms over the other.
static ARMED: Mutex<()> = Mutex::new(());

#[test]
fn every_integration_is_under_test() {
    let registry = connectors::Registry::new();
    // Where a queue delivers there is nothing to poll; `cloudtrail` plays such a source against AWS's own interfaces.
    let is_polled = |manifest: &&Manifest| {
        manifest.content_types.iter().any(|content| content.cursor != CursorStrategy::Delivery)
    };
    let manifests = registry.iter().map(|integration| integration.manifest());
    let names: Vec<_> =
        manifests.filter(is_polled).map(|manifest| manifest.name.as_str()).collect();
    let tested: Vec<_> = SUBJECTS.iter().map(|subject| subject.integration).collect();
    let missing: Vec<_> = names.iter().filter(|name| !tested.contains(*name)).collect();
    assert!(missing.is_empty() && !names.is_empty(), "{missing:?} have no entry in SUBJECTS");
}

#[test]
fn every_integration_passes_every_case() {
    let queue: Mutex<Vec<(&Subject, Case)>> = Mutex::new(
        SUBJECTS.iter().flat_map(|subject| Case::ALL.map(|case| (subject, case))).rev().collect(),
    );
    let results: Mutex<BTreeMap<(Case, &str), String>> = Mutex::default();
    std::thread::scope(|scope| {
        for _ in 0..SIDE_BY_SIDE {
            scope.spawn(|| {
                while let Some((subject, case)) = take(&queue) {
                    let result = play(subject, case);
                    results.lock().unwrap().insert((case, subject.integration), result);
                }
            });
        }
    });
    let results = results.into_inner().unwrap();
    println!("{}", table(&results));
    let failed: Vec<_> =
        results.iter().filter(|(_, result)| result.starts_with("FAILED")).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

fn take<T>(queue: &Mutex<Vec<T>>) -> Option<T> {
    queue.lock().unwrap().pop()
}

/// Plays one case; answers what the table says about it.
fn play(subject: &Subject, case: Case) -> String {
    let play = match (subject.play)(case) {
        Play::Impossible(reason) => return format!("- ({reason})"),
        play => play,
    };
    let _alone = (case == Case::Failpoints)
        .then(|| ARMED.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let played = std::panic::catch_unwind(AssertUnwindSafe(|| {
        runtime.block_on(cases::play(subject, case, &play));
    }));
    match played {
        Ok(()) => "ok".to_owned(),
        Err(panic) => {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
            format!("FAILED: {}", text.unwrap_or_default())
        }
    }
}

/// Cases down, integrations across.
fn table(results: &BTreeMap<(Case, &str), String>) -> String {
    let mut lines = vec![format!("{:<42}", "case")];
    lines.extend(Case::ALL.map(|case| format!("{:<42}", case.title())));
    for subject in &SUBJECTS {
        lines[0].push_str(&format!("{:<22}", subject.integration));
        for (line, case) in lines[1..].iter_mut().zip(Case::ALL) {
            let result = &results[&(case, subject.integration)];
            line.push_str(&format!("{:<22}", result.lines().next().unwrap_or_default()));
        }
    }
    lines.join("\n")
}
