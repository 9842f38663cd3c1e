//! The promise from outside: real processes, and only the simulator's own books as witness.

use crate::support::books::{self, CONNECTOR};
use crate::support::process::{Server, Vendor, wait_until};

/// The streams that the connector selects.
const STREAMS: [&str; 4] =
    ["exchange/dlp", "exchange/ransomware", "sharepoint/dlp", "sharepoint/ransomware"];

#[test]
fn every_held_record_is_in_the_lake_once_with_its_bytes_and_nothing_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let vendor = Vendor::start(place, &["--events", "24000", "--fault", "window=2s"]);
    let server = Server::start(place, &[], "");
    let file = place.join("connectors.yaml");
    let document = books::document(&vendor, "exchange, sharepoint", "dlp, ransomware");
    std::fs::write(&file, document).unwrap();
    let planned = server.ask(&["connector", "apply", "-f", file.to_str().unwrap()]);
    assert!(planned.contains(CONNECTOR), "{planned}");

    wait_until("some rows are stored", || stored(&server) > 500);
    // Killed in the middle of its backfill, inside a window of the quota, and started again.
    server.kill();
    let server = Server::start(place, &[], "");
    wait_until("everything open is read", || books::is_all_read(&server, &vendor, STREAMS.len()));
    let found = books::compare(&server, &vendor, |stream| STREAMS.contains(&stream));
    assert!(found.held > 1_500, "only {} records were held", found.held);
    println!("{found:?}");
}

fn stored(server: &Server) -> u64 {
    let status = server.ask_json(&["connector", "status", CONNECTOR]);
    status["counts"]["stored"].as_u64().unwrap()
}
