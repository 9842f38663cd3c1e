//! CloudTrail from AWS as moto plays it: four ways to hear of objects, two queues in two regions, objects out of
//! order, records twice, lost notifications, digests, a broken file, and a server that is killed meanwhile.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use crate::support::moto::{ACCOUNT, Moto};
use crate::support::process::{Process, Server, pause, wait_until};

const CONNECTOR: &str = "trails";
/// Objects unless the environment says another number: as AWS's stand-in is slow, the gate makes do with less.
const OBJECTS: usize = 800;
const OBJECTS_VARIABLE: &str = "TARN_CLOUDTRAIL_OBJECTS";
/// Records in each object, before some are repeated in another.
const RECORDS: usize = 5;
const REGIONS: [&str; 2] = ["us-east-1", "eu-west-1"];
/// Bucket, its region, and the queue that hears of it.
const BUCKETS: [(&str, &str, &str); 4] = [
    ("direct-trail", "us-east-1", "trail-one"),
    ("topic-trail", "us-east-1", "trail-one"),
    ("bridge-trail", "eu-west-1", "trail-two"),
    ("own-topic-trail", "eu-west-1", "trail-two"),
];

/// The vendor's side of a test.
struct World {
    moto: Moto,
    /// Ids of all records in readable objects.
    records: BTreeSet<String>,
    objects: usize,
}

#[test]
fn every_record_of_many_objects_is_stored_once() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let world = World::start(place, objects());
    let server = Server::start(place, &[], "");
    world.apply(place, &server, "60s");
    let tested = server.ask_json(&["connector", "test", CONNECTOR]);
    assert_eq!(
        (&tested["passed"], tested["checks"].as_array().unwrap().len()),
        (&json!(true), 6),
        "{tested:#}"
    );
    world.wait_until_read(&server);
    world.compare(&server);
    world.replay_the_broken_object(&server);
}

#[test]
fn a_server_that_is_killed_over_and_over_stores_every_record_once() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let world = World::start(place, 400);
    let server = Server::start(place, &[], "");
    // What a killed server was at comes again soon.
    world.apply(place, &server, "5s");
    server.kill();
    let arguments = ["serve", "--listen", "127.0.0.1:0", "--data-dir", "data"];
    for failpoint in ["engine.before_acknowledge", "lake.after_commit", "engine.before_acknowledge"]
    {
        let mark = place.join("held");
        let armed = format!("{failpoint}=1*return(hold:{})", mark.display());
        let mut process = Process::start(place, "server", &arguments, &armed);
        wait_until(failpoint, || mark.exists());
        process.kill();
        std::fs::remove_file(&mark).unwrap();
    }
    for lifetime in [700, 1_900, 1_200] {
        let mut process = Process::start(place, "server", &arguments, "");
        pause(Duration::from_millis(lifetime));
        process.kill();
    }
    let server = Server::start(place, &[], "");
    world.wait_until_read(&server);
    world.compare(&server);
}

#[test]
fn a_bucket_is_imported_by_its_url_and_a_second_time_adds_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let moto = Moto::start(place);
    moto.bucket("import-trail", "eu-west-1");
    for number in 0..20 {
        moto.put("import-trail", &key(number), &packed(&records(number, 20, 7)));
    }
    moto.put("import-trail", &digest_key(), &gzip(&digest()));
    let ingest = || {
        let ran = std::process::Command::new(env!("CARGO_BIN_EXE_tarn"))
            .args(["ingest", "--data-dir", "data", "--source", "aws_cloudtrail.records"])
            .arg("s3://import-trail/AWSLogs/")
            .current_dir(place)
            .env("AWS_ENDPOINT_URL", moto.url())
            .env("AWS_ACCESS_KEY_ID", "test")
            .env("AWS_SECRET_ACCESS_KEY", "test")
            .env("AWS_REGION", "eu-west-1")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .output()
            .unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap().lines().last().unwrap().to_owned()
    };
    assert_eq!(ingest(), "served=140 stored=140 duplicate=0 filtered=0 dead_lettered=0");
    assert_eq!(ingest(), "served=140 stored=0 duplicate=140 filtered=0 dead_lettered=0");
}

impl World {
    /// Buckets that tell two queues in four ways, and objects in them.
    fn start(place: &Path, objects: usize) -> Self {
        let moto = Moto::start(place);
        let arn = |queue: &str| -> String {
            let (_, region, _) = BUCKETS.iter().find(|(.., name)| *name == queue).unwrap();
            format!("arn:aws:sqs:{region}:{ACCOUNT}:{queue}")
        };
        moto.queue("trail-one", REGIONS[0]);
        moto.queue("trail-two", REGIONS[1]);
        for (bucket, region, _) in BUCKETS {
            moto.bucket(bucket, region);
        }
        let mut world = Self { moto, records: BTreeSet::new(), objects };
        // The first twentieth of them comes before anybody listens: these notifications are lost.
        let lost = objects / 20;
        world.fill(0..lost, None);
        let moto = &world.moto;
        let (one, two) = (arn("trail-one"), arn("trail-two"));
        moto.notify("direct-trail", REGIONS[0], "QueueConfiguration", Some(("Queue", &one)));
        let topic = moto.topic("objects", REGIONS[0], &one);
        moto.notify("topic-trail", REGIONS[0], "TopicConfiguration", Some(("Topic", &topic)));
        moto.rule(REGIONS[1], &two);
        moto.notify("bridge-trail", REGIONS[1], "EventBridgeConfiguration", None);
        let own = moto.topic("trail", REGIONS[1], &two);
        world.fill(lost..objects, Some(&own));
        world.moto.put("direct-trail", &digest_key(), &gzip(&digest()));
        let broken = packed(&records(0, 1, RECORDS));
        world.moto.put("direct-trail", &broken_key(), &broken[..broken.len() / 2]);
        world
    }

    /// Puts objects: two of five in another order than their keys', and one record of five of each in the next one
    /// of its bucket, too.
    fn fill(&mut self, numbers: std::ops::Range<usize>, own_topic: Option<&str>) {
        let mut order: Vec<usize> = numbers.collect();
        for place in (5..order.len()).step_by(5) {
            order.swap(place, place - 3);
        }
        for number in &order {
            let mut held = records(*number, self.objects, RECORDS);
            self.records
                .extend(held.iter().map(|record| record["eventID"].as_str().unwrap().to_owned()));
            held.push(records((number + 4) % self.objects, self.objects, RECORDS).remove(0));
            self.put(*number, &packed(&held), own_topic);
        }
    }

    fn put(&self, number: usize, body: &[u8], own_topic: Option<&str>) {
        let (bucket, region, _) = BUCKETS[number % BUCKETS.len()];
        self.moto.put(bucket, &key(number), body);
        if let Some(topic) = own_topic.filter(|_| bucket == "own-topic-trail") {
            let message = json!({ "s3Bucket": bucket, "s3ObjectKey": [key(number)] });
            self.moto.publish(topic, region, &message.to_string());
        }
    }

    fn apply(&self, place: &Path, server: &Server, visibility: &str) {
        let queues: Vec<String> = [("us-east-1", "trail-one"), ("eu-west-1", "trail-two")]
            .map(|(region, name)| format!("arn:aws:sqs:{region}:{ACCOUNT}:{name}"))
            .to_vec();
        let buckets: Vec<String> = BUCKETS.map(|(name, ..)| format!("s3://{name}")).to_vec();
        let document = json!({ "connectors": [{
            "name": CONNECTOR, "integration": "aws_cloudtrail",
            "credential": {
                "access_key_id": "test", "secret_access_key": "test",
                "role_arn": format!("arn:aws:iam::{ACCOUNT}:role/tarn"), "external_id": "shared-word"
            },
            "parameters": {
                "queues": queues, "buckets": buckets, "endpoint_url": self.moto.url(),
                "look_after": "1s", "visibility_timeout": visibility
            },
            "interval": "20s", "backfill": "24h"
        }]});
        let file = place.join("connectors.yaml");
        std::fs::write(&file, document.to_string()).unwrap();
        server.ask(&["connector", "apply", "-f", file.to_str().unwrap()]);
    }

    fn wait_until_read(&self, server: &Server) {
        wait_until("every record is stored", || {
            pause(Duration::from_secs(1));
            count(server) >= self.records.len()
        });
        wait_until("the queues are empty", || {
            BUCKETS.iter().all(|(_, region, queue)| self.moto.waiting(queue, region) == (0, 0))
        });
        wait_until("the broken object is set aside", || !letters(server).is_empty());
    }

    /// Every record is there once, the books balance, and what could not be read is named.
    fn compare(&self, server: &Server) {
        let verified = server.ask(&["lake", "verify"]);
        assert!(verified.contains("nothing is missing, nothing is stored twice"), "{verified}");
        let rows = stored(server);
        let distinct: BTreeSet<String> = rows.iter().cloned().collect();
        assert_eq!(distinct, self.records);
        assert_eq!(rows.len(), distinct.len(), "rows that are stored twice");
        let status = server.ask_json(&["connector", "status", CONNECTOR]);
        let count = |name: &str| status["counts"][name].as_u64().unwrap();
        assert_eq!(
            count("served"),
            count("stored") + count("duplicate") + count("dead_lettered"),
            "{status:#}"
        );
        let letters = letters(server);
        assert!(
            letters.iter().all(|letter| letter["reason"].as_str().unwrap().contains(&broken_key())),
            "{letters:#?}"
        );
        println!(
            "objects={} records={} stored={} duplicate={} dead_lettered={}",
            self.objects,
            self.records.len(),
            rows.len(),
            count("duplicate"),
            count("dead_lettered")
        );
    }

    /// The bytes of the broken object wait; replayed as they are, they say again why they cannot be read.
    fn replay_the_broken_object(&self, server: &Server) {
        let letters = letters(server);
        let id = letters[0]["id"].as_str().unwrap();
        let replayed = server.try_ask(&["dead-letters", "replay", id, "--format", "json"]);
        assert!(replayed.contains("gzip") || replayed.contains("read further"), "{replayed}");
    }
}

#[expect(clippy::disallowed_methods, reason = "a number for the person who runs this test")]
fn objects() -> usize {
    std::env::var(OBJECTS_VARIABLE).map_or(OBJECTS, |objects| objects.parse().unwrap())
}

/// The event ids of all rows.
pub(crate) fn stored(server: &Server) -> Vec<String> {
    let rows = server.ask(&[
        "query",
        "--lang",
        "sql",
        "--format",
        "ndjson",
        "SELECT metadata.uid AS id FROM api_activity",
    ]);
    let id = |line: &str| {
        serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned()
    };
    rows.lines().map(id).collect()
}

/// How many rows there are.
pub(crate) fn count(server: &Server) -> usize {
    let count = "SELECT COUNT(*) AS n FROM api_activity";
    let row = server.ask(&["query", "--lang", "sql", "--format", "ndjson", count]);
    serde_json::from_str::<Value>(row.trim()).unwrap()["n"].as_u64().unwrap().try_into().unwrap()
}

fn letters(server: &Server) -> Vec<Value> {
    let listed = server.ask_json(&["dead-letters", "list"]);
    listed.as_array().cloned().unwrap_or_default()
}

/// The key of an object under today's folder, as a trail writes it.
pub(crate) fn key(number: usize) -> String {
    let minute = number % 1440;
    let day = today();
    format!(
        "AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/{}/{ACCOUNT}_CloudTrail_eu-west-1_{}T{:02}{:02}Z_{number:016}.json.gz",
        day.replace('-', "/"),
        day.replace('-', ""),
        minute / 60,
        minute % 60,
    )
}

fn digest_key() -> String {
    format!(
        "AWSLogs/{ACCOUNT}/CloudTrail-Digest/eu-west-1/{}/digest.json.gz",
        today().replace('-', "/")
    )
}

fn broken_key() -> String {
    format!("AWSLogs/{ACCOUNT}/CloudTrail/eu-west-1/{}/broken.json.gz", today().replace('-', "/"))
}

fn today() -> String {
    use model::clock::Clock as _;
    engine::clock::SystemClock.now().to_string()[..10].to_owned()
}

fn digest() -> Vec<u8> {
    let digest = json!({
        "awsAccountId": ACCOUNT, "digestStartTime": "2026-03-02T00:00:00Z",
        "digestEndTime": "2026-03-02T01:00:00Z", "logFiles": []
    });
    digest.to_string().into_bytes()
}

/// The records of an object.
pub(crate) fn records(object: usize, objects: usize, count: usize) -> Vec<Value> {
    let record = |number: usize| {
        let id = object % objects * count + number;
        json!({
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "IAMUser", "principalId": "AIDAEXAMPLE", "accountId": ACCOUNT,
                "arn": format!("arn:aws:iam::{ACCOUNT}:user/reader"), "userName": "reader"
            },
            "eventTime": format!("{}T00:{:02}:{:02}Z", today(), id / 60 % 60, id % 60),
            "eventSource": "s3.amazonaws.com", "eventName": "GetObject", "awsRegion": "eu-west-1",
            "sourceIPAddress": "192.0.2.7", "userAgent": "test",
            "requestParameters": { "bucketName": "papers", "key": format!("{id}.txt") },
            "responseElements": null,
            "requestID": format!("R{id}"), "eventID": format!("00000000-0000-4000-8000-{id:012}"),
            "readOnly": true, "eventType": "AwsApiCall", "managementEvent": false,
            "recipientAccountId": ACCOUNT, "eventCategory": "Data"
        })
    };
    (0..count).map(record).collect()
}

/// An object's bytes.
pub(crate) fn packed(records: &[Value]) -> Vec<u8> {
    gzip(json!({ "Records": records }).to_string().as_bytes())
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}
