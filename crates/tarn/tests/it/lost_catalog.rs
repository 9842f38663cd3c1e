//! The catalog is lost and the lake is not: the same connectors are applied again, what the lake has
//! is found as duplicate, and what it lacks is stored.

use crate::support::books;
use crate::support::process::{Server, Vendor, wait_until};

const STREAMS: [&str; 2] = ["exchange/dlp", "sharepoint/dlp"];

#[test]
fn a_lake_without_its_catalog_is_taken_up_again_and_stores_nothing_twice() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let vendor = Vendor::start(place, &["--events", "12000", "--fault", "window=2s"]);
    let file = place.join("connectors.yaml");
    std::fs::write(&file, books::document(&vendor, "exchange, sharepoint", "dlp")).unwrap();
    let collect = || {
        let server = Server::start(place, &[], "");
        server.ask(&["connector", "apply", "-f", file.to_str().unwrap()]);
        wait_until("everything open is read", || {
            books::is_all_read(&server, &vendor, STREAMS.len())
        });
        server
    };
    collect().kill();
    for name in ["catalog.db", "catalog.db-wal", "catalog.db-shm"] {
        drop(std::fs::remove_file(place.join("data").join(name)));
    }
    // With the catalog went its tokens: the next server prints a new one.
    std::fs::remove_file(place.join("server.err")).unwrap();

    let server = collect();
    let counts = server.ask_json(&["connector", "status", books::CONNECTOR])["counts"].clone();
    let books = books::compare(&server, &vendor, |stream| STREAMS.contains(&stream));
    assert_eq!(counts["stored"], 0, "{counts}");
    assert!(counts["duplicate"].as_u64().unwrap() >= books.held as u64, "{counts} {books:?}");
    assert!(books.held > 400, "{books:?}");
}
