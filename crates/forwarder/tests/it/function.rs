//! The built function under load: hundreds of objects from moto's queue through two sandboxes to a server that fails
//! every tenth call, with processes that are killed, tokens that rotate all the time, and a stack that is revoked and
//! renewed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::json;
use tokio::task::JoinHandle;

use crate::support::moto::{Moto, REGION};
use crate::support::process::Process;
use crate::support::runtime::{Sandbox, deliver};
use crate::support::tarn::{CODE, State, Tarn};
use crate::support::trail::{gzip, key, log, message, records, test_message};
use crate::support::wait_until;

const BUCKET: &str = "trail-bucket";
/// Objects before the stack is revoked, and after.
const OBJECTS: usize = 460;
const BACKLOG: usize = 40;
const RECORDS: usize = 5;
/// Objects in one message.
const TOGETHER: usize = 4;
const SANDBOXES: usize = 2;
/// How long a message is hidden, in seconds; a killed invocation's come again after it.
const VISIBILITY: u32 = 8;
/// Receipts before a message is given up.
const RECEIPTS: u32 = 6;

/// Everything around the function.
struct World {
    moto: Moto,
    tarn: Tarn,
    queue: String,
    dead: String,
    secret: String,
    mapping: String,
    /// As the mapping's poller knows it; AWS's own takes some time to hear of a switch, too.
    is_enabled: AtomicBool,
    /// Most receipts by message.
    receipts: Mutex<BTreeMap<String, u64>>,
}

/// A sandbox and the process in it.
struct Function {
    sandbox: Sandbox,
    process: Option<Process>,
}

impl World {
    async fn start(place: &Path) -> Arc<Self> {
        let moto = Moto::start(place).await;
        moto.bucket(BUCKET).await;
        let dead = moto.queue("dead", json!({})).await;
        let target = format!("arn:aws:sqs:{REGION}:123456789012:dead");
        let redrive = json!({ "deadLetterTargetArn": target, "maxReceiveCount": RECEIPTS });
        let attributes = json!({ "RedrivePolicy": redrive.to_string() });
        let queue = moto.queue("trail", attributes).await;
        let secret = moto.secret("token").await;
        let mapping = moto.mapping().await;
        let tarn = Tarn::start(State::troubled()).await;
        let (is_enabled, receipts) = (AtomicBool::new(true), Mutex::default());
        Arc::new(Self { moto, tarn, queue, dead, secret, mapping, is_enabled, receipts })
    }

    /// Puts a process into a sandbox.
    fn run(&self, place: &Path, number: usize, sandbox: &Sandbox) -> Process {
        let url = self.moto.url();
        let mut variables = sandbox.variables();
        variables.extend([
            ("AWS_ENDPOINT_URL", url.as_str()),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_REGION", REGION),
            ("TARN_SERVICE_URL", self.tarn.url()),
            ("TARN_SECRET_ARN", &self.secret),
            ("TARN_ENROLMENT_CODE", CODE),
            ("TARN_QUEUE_URL", &self.queue),
            ("TARN_TEMPLATE_VERSION", "1.0.0"),
        ]);
        Process::start(&place.join(format!("function-{number}.log")), &variables)
    }

    /// Stores objects and announces them, some together, in all four ways.
    async fn fill(&self, numbers: std::ops::Range<usize>) {
        let numbers: Vec<usize> = numbers.collect();
        for (place, together) in numbers.chunks(TOGETHER).enumerate() {
            let mut keys = Vec::new();
            for number in together {
                self.moto.put(BUCKET, &key(*number), log(&records(*number, RECORDS))).await;
                keys.push(key(*number));
            }
            let bodies: Vec<String> = match place % 4 {
                // EventBridge tells of each object alone.
                2 => keys.chunks(1).map(|key| message(2, BUCKET, key)).collect(),
                way => vec![message(way, BUCKET, &keys)],
            };
            self.moto.send(&self.queue, &bodies).await;
        }
    }

    /// The part of the event source mapping that serves one sandbox.
    fn poll(self: &Arc<Self>, sandbox: &Sandbox) -> JoinHandle<()> {
        let (world, sandbox) = (self.clone(), sandbox.clone());
        tokio::spawn(async move {
            loop {
                if !world.is_enabled.load(Ordering::SeqCst) {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    continue;
                }
                let (messages, _) = deliver(&sandbox, &world.moto, &world.queue, VISIBILITY).await;
                if messages.is_empty() {
                    tokio::time::sleep(Duration::from_millis(300)).await;
                }
                let mut receipts = world.receipts.lock().unwrap();
                for message in messages {
                    let most = receipts.entry(message.id).or_default();
                    *most = message.count.max(*most);
                }
            }
        })
    }

    /// The schedule: a minute is two seconds here. What the mapping's switch says is heard afterwards.
    fn beat(self: &Arc<Self>, sandboxes: Vec<Sandbox>) -> JoinHandle<()> {
        let world = self.clone();
        tokio::spawn(async move {
            for sandbox in sandboxes.iter().cycle() {
                let input = json!({ "tarn": "heartbeat", "mapping": world.mapping });
                // A process may be killed while it answers.
                if sandbox.invoke(input).await.is_ok() {
                    let is_enabled = world.moto.is_enabled(&world.mapping).await;
                    world.is_enabled.store(is_enabled, Ordering::SeqCst);
                }
                tokio::time::sleep(Duration::from_secs(2)).await;
            }
        })
    }

    fn stored(&self) -> usize {
        self.tarn.state().records.len()
    }

    async fn wait_until_stored(&self, count: usize) {
        wait_until(&format!("{count} records are stored"), async || self.stored() >= count).await;
    }

    async fn wait_until_empty(&self) {
        wait_until("the queue is empty", async || self.moto.waiting(&self.queue).await == (0, 0))
            .await;
    }

    /// Every record of some objects is there once, and as it was.
    fn compare(&self, objects: usize) {
        let state = self.tarn.state();
        let expected: BTreeSet<String> =
            (0..objects).flat_map(|number| records(number, RECORDS)).collect();
        let held: BTreeSet<String> = state.records.values().cloned().collect();
        assert_eq!(held, expected);
        assert_eq!(state.records.len(), objects * RECORDS);
        assert_eq!(state.violations, [""; 0]);
    }

    async fn revoke_and_renew(&self) {
        self.tarn.state().is_revoked = true;
        let accepted = self.tarn.state().accepted;
        self.receipts.lock().unwrap().clear();
        self.fill(OBJECTS..OBJECTS + BACKLOG).await;
        wait_until("the mapping is off", async || {
            !self.is_enabled.load(Ordering::SeqCst) && self.tarn.state().refused >= 4
        })
        .await;
        assert!(!self.moto.is_enabled(&self.mapping).await);
        assert_eq!(self.tarn.state().accepted, accepted, "a revoked stack was let in");
        let most = self.receipts.lock().unwrap().values().copied().max().unwrap_or(0);
        assert!(most <= 2, "a message was burned {most} times");
        self.tarn.state().is_revoked = false;
        self.wait_until_stored((OBJECTS + BACKLOG) * RECORDS).await;
        self.wait_until_empty().await;
        assert!(self.moto.is_enabled(&self.mapping).await);
    }

    /// What was set aside, and what the queue gave up.
    async fn compare_what_was_odd(&self, broken: usize) {
        let letters = self.tarn.state().letters.clone();
        let objects: BTreeSet<&str> =
            letters.iter().map(|(object, ..)| object.split(':').next().unwrap()).collect();
        assert_eq!(objects, BTreeSet::from(["s3", "sqs"]), "{letters:?}");
        assert_eq!(letters.len(), 2, "{letters:?}");
        assert!(letters.iter().any(|(_, _, raw)| raw.len() == broken), "{letters:?}");
        let given_up = self.moto.receive(&self.dead, 60).await;
        let bodies: Vec<&str> = given_up.iter().map(|message| message.body.as_str()).collect();
        assert_eq!(bodies, [elsewhere()]);
    }

    /// The token in use is the server's, and none was ever printed.
    async fn compare_token(&self, functions: &[Function]) {
        let kept = self.moto.secret_value(&self.secret).await;
        let state = self.tarn.state();
        assert!(state.takes(kept["token"].as_str().unwrap()));
        assert!(state.rotations >= 3, "{} rotations", state.rotations);
        for function in functions {
            let log = function.process.as_ref().unwrap().log();
            assert!(log.contains("a batch is done"), "{log}");
            let secrets = state.told.iter().map(String::as_str).chain([CODE]);
            for secret in secrets {
                assert!(!log.contains(secret), "a secret was printed");
            }
        }
    }
}

/// A message that can never be read: its bucket is not there.
fn elsewhere() -> String {
    message(0, "another-bucket", &[key(0)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_record_is_forwarded_once_through_failures_kills_and_a_revocation() {
    let started = std::time::Instant::now();
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let world = World::start(place).await;
    let mut functions = Vec::new();
    for number in 0..SANDBOXES {
        let sandbox = Sandbox::start().await;
        let process = Some(world.run(place, number, &sandbox));
        functions.push(Function { sandbox, process });
    }
    let broken = log(&records(0, RECORDS));
    let broken = &broken[..broken.len() / 2];
    let broken_key = key(0).replace("0.json.gz", "broken.json.gz");
    world.moto.put(BUCKET, &broken_key, broken.to_vec()).await;
    let digest_key = key(0).replace("/CloudTrail/", "/CloudTrail-Digest/");
    world.moto.put(BUCKET, &digest_key, gzip(br#"{"logFiles":[]}"#)).await;
    let odd = [
        elsewhere(),
        test_message(BUCKET),
        message(0, BUCKET, &[digest_key]),
        message(1, BUCKET, &[broken_key]),
        message(2, BUCKET, &[key(9_999_999)]),
        "hello".to_owned(),
    ];
    world.moto.send(&world.queue, &odd).await;
    let mut tasks: Vec<_> =
        functions.iter().map(|function| world.poll(&function.sandbox)).collect();
    tasks.push(world.beat(functions.iter().map(|function| function.sandbox.clone()).collect()));
    let filling = tokio::spawn({
        let world = world.clone();
        async move { world.fill(0..OBJECTS).await }
    });
    // Both are killed at a third and at two thirds of the way.
    for third in 1..=2 {
        world.wait_until_stored(OBJECTS * RECORDS * third / 3).await;
        for (number, function) in functions.iter_mut().enumerate() {
            function.process = None;
            function.sandbox.crashed();
            function.process = Some(world.run(place, number, &function.sandbox));
        }
    }
    filling.await.unwrap();
    world.wait_until_stored(OBJECTS * RECORDS).await;
    world.wait_until_empty().await;
    world.compare(OBJECTS);
    world.revoke_and_renew().await;
    world.compare(OBJECTS + BACKLOG);
    world.compare_what_was_odd(broken.len()).await;
    tasks.iter().for_each(JoinHandle::abort);
    world.compare_token(&functions).await;
    let state = world.tarn.state();
    let last = state.heartbeats.last().unwrap();
    assert!(last["queue_visible"].is_u64() && last["template_version"] == "1.0.0", "{last}");
    assert!(state.heartbeats.iter().any(|beat| beat["paused"] == true), "nobody was told of it");
    println!(
        "objects={} records={} duplicate={} failed_calls={} rotations={} heartbeats={} seconds={}",
        OBJECTS + BACKLOG,
        state.records.len(),
        state.duplicates,
        state.failed,
        state.rotations,
        state.heartbeats.len(),
        started.elapsed().as_secs()
    );
}
