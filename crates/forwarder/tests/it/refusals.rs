//! The built function against objects that cannot be read and a server that finds portions too large: each message is
//! judged by its own objects.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::aws::{Aws, Held};
use crate::support::process::Process;
use crate::support::runtime::Sandbox;
use crate::support::tarn::{CODE, State, Tarn};
use crate::support::trail::{gzip, key, log, message, records, test_message};

const BUCKET: &str = "trail-bucket";

/// A function, its sandbox, and both its servers.
struct World {
    aws: Aws,
    tarn: Tarn,
    sandbox: Sandbox,
    process: Process,
    _place: tempfile::TempDir,
}

impl World {
    async fn start(objects: BTreeMap<String, Held>, state: State, code: &str) -> Self {
        let place = tempfile::tempdir().unwrap();
        let aws = Aws::start(objects).await;
        let tarn = Tarn::start(state).await;
        let sandbox = Sandbox::start().await;
        let mut variables = sandbox.variables();
        variables.extend([
            ("AWS_ENDPOINT_URL", aws.url()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", "eu-west-1"),
            ("TARN_SERVICE_URL", tarn.url()),
            ("TARN_SECRET_ARN", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:t"),
            ("TARN_ENROLMENT_CODE", code),
            ("TARN_LOG", "debug"),
        ]);
        let process = Process::start(&place.path().join("log"), &variables);
        drop(variables);
        Self { aws, tarn, sandbox, process, _place: place }
    }

    /// Ids of the messages that come again.
    async fn deliver(&self, messages: &[(&str, String)]) -> BTreeSet<String> {
        let record = |(id, body): &(&str, String)| json!({ "messageId": id, "body": body });
        let event = json!({ "Records": messages.iter().map(record).collect::<Vec<_>>() });
        let answer = self.sandbox.invoke(event).await.unwrap();
        let id = |failure: &Value| failure["itemIdentifier"].as_str().unwrap().to_owned();
        answer["batchItemFailures"].as_array().unwrap().iter().map(id).collect()
    }
}

fn announce(numbers: &[usize]) -> String {
    message(3, BUCKET, &numbers.iter().map(|number| key(*number)).collect::<Vec<_>>())
}

#[tokio::test]
async fn each_message_is_judged_by_its_own_objects() {
    let good = |number| Held::Object(log(&records(number, 7)));
    let whole = log(&records(3, 400));
    let objects = BTreeMap::from([
        (key(0), good(0)),
        (key(1), Held::Refused(403, "AccessDenied")),
        (key(2), Held::Refused(503, "SlowDown")),
        (key(3), Held::Object(whole[..whole.len() - 9].to_vec())),
        (key(4), Held::Object(b"plain text, no log".to_vec())),
        (key(5), Held::Cut(log(&records(5, 400)))),
        // Not packed, as some stores hand it out.
        (key(6), Held::Object(format!("{{\"Records\":[{}]}}", records(6, 2).join(",")).into())),
        (key(7), Held::Object(log(&[]))),
        (key(8), Held::Object(gzip(br#"{"Records":[{"eventID":"x"},7]}"#))),
        (key(9), good(9)),
    ]);
    let world = World::start(objects, State::calm(), CODE).await;
    let digest = key(11).replace("/CloudTrail/", "/CloudTrail-Digest/");
    let failed = world
        .deliver(&[
            ("good", announce(&[0])),
            ("denied", announce(&[1])),
            ("good and slow", announce(&[9, 2])),
            ("torn", announce(&[3])),
            ("no log", announce(&[4])),
            ("cut", announce(&[5])),
            ("plain", announce(&[6])),
            ("empty", announce(&[7])),
            ("number", announce(&[8])),
            ("gone", announce(&[10])),
            ("digest", message(0, BUCKET, &[digest])),
            ("test", test_message(BUCKET)),
            ("puzzle", "hello".to_owned()),
        ])
        .await;
    let expected = ["cut", "denied", "good and slow"].map(str::to_owned);
    assert_eq!(failed, BTreeSet::from(expected), "{}", world.process.log());
    let state = world.tarn.state();
    for record in [records(0, 7), records(6, 2), records(9, 7)].concat() {
        assert!(state.records.values().any(|held| *held == record), "{record}");
    }
    let letters: BTreeMap<&str, (&str, usize)> = state
        .letters
        .iter()
        .map(|(object, reason, raw)| (object.as_str(), (reason.as_str(), raw.len())))
        .collect();
    let name = |number| format!("s3://{BUCKET}/{}", key(number));
    assert_eq!(letters[name(3).as_str()].1, whole.len() - 9, "the bytes wait for a replay");
    assert_eq!(letters[name(4).as_str()].1, 18);
    assert_eq!(letters[name(8).as_str()].1, 1, "only the value that is no record");
    assert!(letters["sqs:puzzle"].0.contains("not%20JSON"), "{letters:?}");
    assert_eq!(letters.len(), 4, "{letters:?}");
    assert!(!world.aws.asked().iter().any(|key| key.contains("Digest")));
    assert_eq!(state.violations, [""; 0]);
}

#[tokio::test]
async fn a_portion_that_is_too_large_is_halved_and_a_giant_is_set_aside() {
    let giant = format!(r#"{{"eventID":"giant","x":"{}"}}"#, "x".repeat(1 << 20));
    let small = records(0, 40);
    let mut all = small.clone();
    all.insert(20, giant);
    let objects = BTreeMap::from([(key(0), Held::Object(log(&all)))]);
    let state = State { most_records: Some(6), ..State::calm() };
    let world = World::start(objects, state, CODE).await;
    assert!(world.deliver(&[("m", announce(&[0]))]).await.is_empty(), "{}", world.process.log());
    let state = world.tarn.state();
    let held: BTreeSet<&String> = state.records.values().collect();
    assert_eq!(held, small.iter().collect());
    assert_eq!(state.duplicates, 0);
    let [(object, reason, raw)] = &state.letters.iter().collect::<Vec<_>>()[..] else { panic!() };
    assert_eq!(*object, format!("s3://{BUCKET}/{}", key(0)));
    assert!(reason.contains("too%20large") && raw.is_empty(), "{reason}: {} bytes", raw.len());
    assert_eq!(state.violations, [""; 0]);
}

#[tokio::test]
async fn a_code_that_is_refused_costs_one_question_and_no_record() {
    let objects = (0..6).map(|number| (key(number), Held::Object(log(&records(number, 1)))));
    let world = World::start(objects.collect(), State::calm(), "another-marker-code").await;
    let messages: Vec<(&str, String)> = ["a", "b", "c", "d", "e", "f"]
        .into_iter()
        .enumerate()
        .map(|(number, id)| (id, announce(&[number])))
        .collect();
    assert_eq!(world.deliver(&messages).await.len(), 6);
    // Four were at work when the first heard it.
    assert!(world.aws.asked().len() <= 4, "{:?}", world.aws.asked());
    assert_eq!(world.tarn.state().accepted, 0);
    let log = world.process.log();
    assert!(log.contains("refuses the enrolment code"), "{log}");
    assert!(!log.contains("another-marker-code"), "{log}");
}
