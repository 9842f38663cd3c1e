//! The whole way of a stack's records with real processes: a bucket and a queue as moto plays them, the client as a
//! daemon, and a server. Client and server are killed over and over.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use uuid::Uuid;

use crate::cloudtrail::{count, key, packed, records, stored};
use crate::support::moto::{ACCOUNT, Moto};
use crate::support::process::{Server, free_address, pause, wait_until};

const BUCKET: &str = "forwarded-trail";
const QUEUE: &str = "forwarded";
const REGION: &str = "eu-west-1";
/// How often client and server are killed each.
const KILLS: usize = 20;
/// Objects that come before each kill.
const OBJECTS: usize = 6;
/// Records in each object, one of which stands in the next object, too.
const RECORDS: usize = 5;
/// A kill comes this long after the objects.
const MOST_MS: u64 = 1_200;

#[test]
fn client_and_server_are_killed_and_every_record_is_stored_once() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let moto = Moto::start(place);
    moto.bucket(BUCKET, REGION);
    let queue = moto.queue(QUEUE, REGION);
    moto.notify(BUCKET, REGION, "QueueConfiguration", Some(("Queue", &queue)));

    let address = free_address();
    let serve = || Server::start_at(&address, place, &[], "");
    let url = format!("http://{address}");
    let mut server = serve();
    let offer = server.ask_json(&["cloudtrail", "link", "--region", REGION]);
    let code = offer["parameters"]["EnrolmentCode"].as_str().unwrap();
    let client = || Client::start(place, &moto, &queue, &url, code);
    let mut daemon = client();

    let objects = KILLS * OBJECTS;
    let mut expected = BTreeSet::new();
    for round in 0..KILLS {
        for number in round * OBJECTS..(round + 1) * OBJECTS {
            let mut held = records(number, objects, RECORDS);
            expected
                .extend(held.iter().map(|record| record["eventID"].as_str().unwrap().to_owned()));
            held.push(records((number + 1) % objects, objects, RECORDS).remove(0));
            moto.put(BUCKET, &key(number), &packed(&held));
        }
        pause(Duration::from_millis(Uuid::new_v4().as_u128() as u64 % MOST_MS));
        server.kill();
        server = serve();
        pause(Duration::from_millis(Uuid::new_v4().as_u128() as u64 % MOST_MS));
        daemon.kill();
        daemon = client();
    }
    wait_until("every record is stored", || {
        pause(Duration::from_secs(1));
        count(&server) >= expected.len()
    });
    wait_until("the queue is empty", || moto.waiting(QUEUE, REGION) == (0, 0));

    let rows = stored(&server);
    let distinct: BTreeSet<String> = rows.iter().cloned().collect();
    assert_eq!(distinct, expected);
    assert_eq!(rows.len(), distinct.len(), "rows that are stored twice");
    let verified = server.ask(&["lake", "verify"]);
    assert!(verified.contains("nothing is missing, nothing is stored twice"), "{verified}");
    let stacks = server.ask_json(&["cloudtrail", "list"]);
    assert_eq!(stacks[0]["status"], "connected", "{stacks:#}");
    assert_eq!(stacks[0]["account_id"], ACCOUNT);
    println!(
        "kills={} objects={objects} records={} stored={} stored_twice=0 lost=0",
        2 * KILLS,
        expected.len(),
        rows.len()
    );
}

/// The client as a daemon, killed at the end.
struct Client(Child);

impl Client {
    fn start(place: &Path, moto: &Moto, queue: &str, service_url: &str, code: &str) -> Self {
        let output = |kind: &str| {
            let path = place.join(format!("client.{kind}"));
            File::options().create(true).append(true).open(path).unwrap()
        };
        let child = Command::new(program())
            .current_dir(place)
            .env("TARN_SERVICE_URL", service_url)
            .env("TARN_ENROLMENT_CODE", code)
            .env("TARN_TOKEN_FILE", "token")
            .env("TARN_QUEUE_URL", queue)
            // What a killed client was at comes again soon.
            .env("TARN_VISIBILITY_SECONDS", "5")
            .env("AWS_ENDPOINT_URL", moto.url())
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .stdin(Stdio::null())
            .stdout(output("out"))
            .stderr(output("err"))
            .spawn()
            .unwrap();
        Self(child)
    }

    fn kill(&mut self) {
        // It may be gone already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Cargo builds all binaries of the workspace into one place, for the tests of each.
fn program() -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_tarn")).with_file_name("forwarder")
}
