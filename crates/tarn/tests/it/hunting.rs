//! The four queries that Mimecast's integration guide prints, and what says the same in the other two
//! languages, over what a simulator served. Which rows are right is read off the raw records.

use std::collections::BTreeSet;
use std::time::Duration;

use engine::clock::SystemClock;
use model::clock::Clock as _;
use model::time::Timestamp;
use serde_json::Value;

use crate::support::books;
use crate::support::process::{Server, Vendor, wait_until};

const DAY: Duration = Duration::from_secs(24 * 3600);
/// How far polls stay behind now.
const LAG: Duration = Duration::from_secs(15 * 60);

/// A question in three languages.
struct Question {
    taegis: &'static str,
    lucene: &'static str,
    sql: &'static str,
    /// Whether a row is an answer.
    is_wanted: fn(&Stored) -> bool,
}

/// What is known of a row without the languages.
struct Stored {
    uid: String,
    connector: String,
    class: String,
    time: Timestamp,
    raw: String,
}

const QUESTIONS: [Question; 5] = [
    Question {
        taegis: "WHERE sensor_type = 'mimecast' AND ingest.integration_id = 'mimecast2.0demo'",
        lucene: "sensor_type:mimecast AND ingest.integration_id:mimecast2.0demo",
        sql: "SELECT uid FROM events WHERE connector_name = 'Mimecast2.0Demo'",
        is_wanted: |row| row.connector == "Mimecast2.0Demo",
    },
    Question {
        taegis: "FROM email WHERE sensor_type = 'Mimecast' and EARLIEST=-24h",
        lucene: "sensor_type:Mimecast AND class_uid:4009 AND time:[now-24h TO *]",
        sql: "SELECT uid FROM email_activity WHERE source LIKE 'mimecast.%' AND time >= now() - INTERVAL '24' HOUR",
        is_wanted: |row| row.is_mail() && row.time >= SystemClock.now() - DAY,
    },
    Question {
        taegis: "FROM email WHERE sensor_type = 'Mimecast' AND status = 'delivered'",
        lucene: "sensor_type:Mimecast AND class_uid:4009 AND status:delivered",
        sql: "SELECT uid FROM email_activity WHERE source LIKE 'mimecast.%' AND status_detail = 'delivered'",
        is_wanted: |row| row.is_mail() && row.raw.contains(r#""delivered":"true""#),
    },
    Question {
        taegis: "FROM email WHERE sensor_type = 'Mimecast' AND original_data CONTAINS 'virus'",
        lucene: "sensor_type:Mimecast AND class_uid:4009 AND original_data:*virus*",
        sql: "SELECT uid FROM email_activity WHERE source LIKE 'mimecast.%' AND raw_data ILIKE '%virus%'",
        is_wanted: |row| row.is_mail() && row.raw.to_lowercase().contains("virus"),
    },
    Question {
        taegis: "FROM detection WHERE msg_class = 'trendmicro_visionone_alerts'",
        lucene: "msg_class: trendmicro_visionone_alerts",
        sql: "SELECT uid FROM detection_finding WHERE source = 'trend_vision_one.alerts'",
        is_wanted: |row| row.connector == "v" && row.raw.contains(r#""workbenchLink""#),
    },
];

impl Stored {
    fn is_mail(&self) -> bool {
        self.connector == "Mimecast2.0Demo" && self.class == "4009"
    }
}

#[test]
fn the_guides_queries_and_their_twins_find_the_rows_that_the_raw_records_say() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    // The vendor's own quota is for one walk in a quarter of an hour.
    let quick = ["--events", "6000", "--fault", "window=5s", "--fault", "requests=50"];
    let mimecast = Vendor::of(place, "mimecast", &quick);
    let vision = Vendor::of(place, "trend_vision_one", &["--events", "600"]);
    let server = Server::start(place, &[], "");
    let file = place.join("connectors.yaml");
    std::fs::write(&file, documents(&mimecast, &vision)).unwrap();
    server.ask(&["connector", "apply", "-f", file.to_str().unwrap()]);
    for (name, vendor, streams) in [("Mimecast2.0Demo", &mimecast, 13), ("v", &vision, 3)] {
        let until = vendor.started - LAG;
        wait_until(name, || books::is_read_until(&server, name, until, streams));
        // From here on nothing is added.
        server.ask(&["connector", "disable", name]);
    }

    let rows = stored(&server);
    for question in &QUESTIONS {
        let wanted = || uids(rows.iter().filter(|row| (question.is_wanted)(row)));
        let all = rows.len();
        for (lang, text) in
            [("taegis", question.taegis), ("lucene", question.lucene), ("sql", question.sql)]
        {
            // While it runs, the oldest rows may leave the last 24 hours.
            let before = wanted();
            let found = ask(&server, lang, text);
            let after = wanted();
            assert!(found.is_subset(&before), "{text}: finds too much");
            assert!(found.is_superset(&after), "{text}: {} of {}", found.len(), after.len());
            assert!(after.len() > 20 && before.len() < all, "{text}: {} of {all}", after.len());
        }
    }
}

fn documents(mimecast: &Vendor, vision: &Vendor) -> String {
    format!(
        "connectors:\n  - name: Mimecast2.0Demo\n    integration: mimecast\n    \
         credential: {{ client_id: sim-client, client_secret: sim-secret }}\n    \
         parameters: {{ base_url: \"http://{}\" }}\n    backfill: 72h\n    \
         quota: {{ requests: 50, per: 5s }}\n  \
         - name: v\n    integration: trend_vision_one\n    credential: {{ token: sim-key }}\n    \
         parameters: {{ base_url: \"http://{}\" }}\n    backfill: 72h\n",
        mimecast.address, vision.address
    )
}

fn stored(server: &Server) -> Vec<Stored> {
    const ROWS: &str = "SELECT uid, connector_name, class_uid, time, raw_data FROM events";
    let rows = server.ask(&["query", "--lang", "sql", "--format", "ndjson", ROWS]);
    let row = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        Stored {
            uid: text("uid"),
            connector: text("connector_name"),
            class: row["class_uid"].to_string(),
            time: Timestamp::from_millis(row["time"].as_i64().unwrap()),
            raw: text("raw_data"),
        }
    };
    rows.lines().map(row).collect()
}

fn uids<'r>(rows: impl Iterator<Item = &'r Stored>) -> BTreeSet<String> {
    rows.map(|row| row.uid.clone()).collect()
}

/// The uids of the rows that a query finds.
fn ask(server: &Server, lang: &str, text: &str) -> BTreeSet<String> {
    let rows = server.ask(&["query", "--lang", lang, "--format", "ndjson", text]);
    let uid = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        row["uid"].as_str().unwrap().to_owned()
    };
    rows.lines().map(uid).collect()
}
