//! The simulator's own books, held against what a server stored.

use std::collections::{BTreeMap, BTreeSet};

use model::time::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::process::{Server, Vendor};

/// The name of the connector in [`document`].
pub(crate) const CONNECTOR: &str = "経理 CAS";

/// What the comparison found; every figure that has to be zero was asserted.
#[derive(Debug)]
pub(crate) struct Books {
    /// Records that a perfect collector has.
    pub(crate) held: usize,
    /// Rows in the lake.
    pub(crate) stored: usize,
    /// Requests that the vendor answered.
    pub(crate) requests: usize,
    /// Requests that it refused for quota.
    pub(crate) refused: usize,
}

/// A connector for services and events of a simulator, 20 requests in 2 seconds.
pub(crate) fn document(vendor: &Vendor, services: &str, events: &str) -> String {
    format!(
        "connectors:\n  - name: {CONNECTOR}\n    integration: trend_micro_cas\n    \
         credential: {{ api_keys: [\"env:CAS_KEY\"] }}\n    \
         parameters: {{ base_url: \"http://{}\", services: [{services}], events: [{events}] }}\n    \
         quota: {{ requests: 20, per: 2s }}\n    interval: 5s\n",
        vendor.address
    )
}

/// Whether every stream of the connector is healthy and has read all that a vendor without new
/// records has: the newest ones are asked for only when late ones can no longer come before them.
pub(crate) fn is_all_read(server: &Server, vendor: &Vendor, streams: usize) -> bool {
    is_read_until(server, CONNECTOR, vendor.started, streams)
}

/// Whether every stream of a connector is healthy and has read everything up to a time.
pub(crate) fn is_read_until(
    server: &Server,
    connector: &str,
    until: Timestamp,
    streams: usize,
) -> bool {
    let status = server.ask_json(&["connector", "status", connector]);
    let listed = status["streams"].as_array().unwrap();
    let is_read = |stream: &Value| {
        let covered = serde_json::from_value::<Timestamp>(stream["covered_until"].clone());
        stream["state"] == "ok"
            && stream["open"].as_array().unwrap().is_empty()
            && covered.is_ok_and(|covered| covered >= until)
    };
    listed.len() == streams && listed.iter().all(is_read)
}

/// Compares a connector's rows with what its simulator holds up to a time: the bytes of every held
/// record are there once, no bytes are there twice or were never served, and nothing was refused. Of
/// the streams whose records carry the vendor's id, the row has it too.
pub(crate) fn compare_bytes(
    server: &Server,
    connector: &str,
    vendor: &Vendor,
    until: Timestamp,
    with_ids: &[&str],
) -> Books {
    let rows = rows(server, connector);
    let mut lake: BTreeMap<&str, &str> = BTreeMap::new();
    for (id, digest) in &rows {
        assert!(lake.insert(digest, id).is_none(), "bytes that are stored twice");
    }
    let held = vendor.ask(&format!("/_sim/held?with=sha256&until={until}"));
    let mut count = 0;
    for (stream, record) in records(&held) {
        let id = lake.get(record["sha256"].as_str().unwrap());
        assert!(id.is_some(), "{record} of {stream}");
        if with_ids.contains(&stream) {
            assert_eq!(id.copied(), record["id"].as_str(), "{record} of {stream}");
        }
        count += 1;
    }
    let served = vendor.ask("/_sim/served?with=sha256");
    let served: BTreeSet<&str> =
        records(&served).map(|(_, record)| record["sha256"].as_str().unwrap()).collect();
    assert!(lake.keys().all(|digest| served.contains(digest)), "rows that were never served");
    let (requests, refused) = requests(vendor);
    Books { held: count, stored: rows.len(), requests, refused }
}

/// The records that a simulator lists, each with its stream.
fn records(listed: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let streams = listed["streams"].as_object().unwrap();
    streams.iter().flat_map(|(stream, records)| {
        records.as_array().unwrap().iter().map(|record| (stream.as_str(), record))
    })
}

/// Compares the lake with what the simulator holds of the selected streams, served and refused: every
/// held record is there once with the same bytes, nothing is there that was not served, and nothing
/// was refused.
pub(crate) fn compare(
    server: &Server,
    vendor: &Vendor,
    is_selected: impl Fn(&str) -> bool,
) -> Books {
    let verified = server.ask(&["lake", "verify"]);
    assert!(verified.contains("nothing is missing, nothing is stored twice"), "{verified}");
    let lake = digests_by_id(server);
    let held = vendor.ask("/_sim/held?with=sha256");
    let mut count = 0;
    let streams = held["streams"].as_object().unwrap();
    for (stream, records) in streams.iter().filter(|(stream, _)| is_selected(stream)) {
        for record in records.as_array().unwrap() {
            let digests = lake.get(record["id"].as_str().unwrap());
            let expected = vec![record["sha256"].as_str().unwrap().to_owned()];
            assert_eq!(digests, Some(&expected), "{record} of {stream}");
            count += 1;
        }
    }
    let served = vendor.ask("/_sim/served");
    let served: BTreeSet<&str> = served["streams"]
        .as_object()
        .unwrap()
        .values()
        .flat_map(|ids| ids.as_array().unwrap())
        .map(|id| id.as_str().unwrap())
        .collect();
    assert!(lake.keys().all(|id| served.contains(id.as_str())), "rows that were never served");
    assert!(lake.values().all(|digests| digests.len() == 1), "rows that are stored twice");
    let (requests, refused) = requests(vendor);
    Books { held: count, stored: lake.len(), requests, refused }
}

/// Requests that a vendor answered, and those that it refused for quota, which must be none.
fn requests(vendor: &Vendor) -> (usize, usize) {
    let requests = vendor.ask("/_sim/requests");
    let requests = requests.as_array().unwrap();
    let refused = requests.iter().filter(|request| request["status"] == 429).count();
    assert_eq!(refused, 0, "requests were refused");
    (requests.len(), refused)
}

fn digests_by_id(server: &Server) -> BTreeMap<String, Vec<String>> {
    let mut lake: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (id, digest) in rows(server, CONNECTOR) {
        lake.entry(id).or_default().push(digest);
    }
    lake
}

/// The vendor's id of each row of a connector, and the digest of its bytes.
fn rows(server: &Server, connector: &str) -> Vec<(String, String)> {
    let rows = format!(
        "SELECT metadata.uid AS id, raw_data FROM events WHERE connector_name = '{connector}'"
    );
    let rows = server.ask(&["query", "--lang", "sql", "--format", "ndjson", &rows]);
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let digest = hex::encode(Sha256::digest(row["raw_data"].as_str().unwrap()));
        (row["id"].as_str().unwrap_or_default().to_owned(), digest)
    };
    rows.lines().map(row).collect()
}
