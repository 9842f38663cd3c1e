//! What a stack's client sends: on the same road as collected records, under the stack's own name.
//!
//! It is answered after the lake's commit and the catalog's transaction (I1), in which the key of the push is
//! remembered with its counts: the same push again is answered the same and touches no lake. Between the two a
//! crash leaves rows whose receipts are entered at the next start; the push that comes again finds them stored.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use catalog::{Allowance, IntervalKind, KnownPush, PageCommit, PushKey, StackRow};
use model::batch::{Batch, DeadLetter};
use model::clock;
use model::ids::{BatchId, ConnectorId, StreamId};
use model::ledger::Counts;
use model::time::{Interval, Timestamp};
use query::store::StoreError;

use super::body::{self, Cut, Packing};
use super::refusal::Refusal;
use super::token::Sender;
use crate::app::App;
use crate::collect::{Services, page};
use crate::error::EngineError;
use crate::import::Reading;

pub use super::body::PACKED_CAP;
pub use super::room::Place;

/// The only source of stacks.
pub const SOURCE: &str = "aws_cloudtrail.records";
/// Longest key of a push and longest name of its object.
const LONGEST: usize = 2_048;
/// Most bytes of a dead letter.
const LETTER_CAP: usize = 1 << 20;
/// What a stack may send in a minute.
const ALLOWANCE: Allowance = Allowance { requests: 600, bytes: 512 << 20 };
/// How long a push is remembered.
const REMEMBERED: Duration = Duration::from_secs(7 * 86_400);
const MINUTE_MICROS: i64 = 60_000_000;
const HOUR_MICROS: i64 = 60 * MINUTE_MICROS;
const HOUR: Duration = Duration::from_secs(3_600);

/// A push as it came in.
#[derive(Debug)]
pub struct Push {
    /// `Idempotency-Key`.
    pub key: String,
    /// The object that it is of: `s3://bucket/key`.
    pub object: String,
    /// `Content-Encoding`; empty when it is not packed.
    pub encoding: String,
    /// The body.
    pub body: Bytes,
    /// The memory that the body takes.
    pub place: Place,
}

impl App {
    /// Memory for a body of at most so many bytes, to be claimed before it is read.
    ///
    /// # Errors
    /// It is too large, or there is no room now.
    pub fn push_place(&self, length: Option<u64>) -> Result<Place, EngineError> {
        let length = length.unwrap_or(PACKED_CAP as u64);
        match usize::try_from(length) {
            Ok(length) if length <= PACKED_CAP => Ok(self.desk.room.place(length)?),
            _ => Err(too_large().into()),
        }
    }

    /// Stores the records of a push. When this is answered they are durable and accounted for.
    ///
    /// # Errors
    /// The push is refused, and nothing of it was stored; or the lake or the catalog fails: send it again.
    pub async fn push_records(&self, sender: &Sender, push: Push) -> Result<Counts, EngineError> {
        check_names(&push)?;
        let packing = Packing::of(&push.encoding)?;
        let (body, room) = self.unpacked(packing, push.body).await?;
        self.charge(sender, body.len()).await?;
        let key = PushKey::new(sender.0.id, push.key, &body);
        let under_way = self.desk.under_way.begin(&key)?;
        if let Some(counts) = self.answered(&key).await? {
            return Ok(counts);
        }
        let reading = self.reading(SOURCE)?;
        let tenant = sender.0.tenant.clone();
        let (mut cut, reading) = tokio::task::spawn_blocking(move || {
            body::cut(body, &reading, &tenant).map(|cut| (cut, reading))
        })
        .await
        .map_err(EngineError::Reader)??;
        for letter in &mut cut.dead_letters {
            letter.reason = reason_of(&push.object, &letter.reason);
        }
        let held = Held { under_way, places: [push.place, room] };
        self.settle(Settling { stack: sender.0.clone(), key, cut, reading, held }).await
    }

    /// Sets aside what a client could not read: the object's bytes, or its name when they are too many.
    ///
    /// # Errors
    /// As [`App::push_records`].
    pub async fn push_dead_letter(
        &self,
        sender: &Sender,
        push: Push,
        reason: &str,
    ) -> Result<Counts, EngineError> {
        check_names(&push)?;
        // An object is packed by itself: only what calls itself packed is unpacked.
        let (raw, room) = match Packing::of(&push.encoding)? {
            Packing::Plain => (push.body, self.desk.room.place(0)?),
            Packing::Gzip => self.unpacked(Packing::Gzip, push.body).await?,
        };
        if raw.len() > LETTER_CAP {
            let problem = format!("a dead letter is larger than {LETTER_CAP} bytes");
            return Err(Refusal::TooLarge(problem).into());
        }
        self.charge(sender, raw.len()).await?;
        let raw = if raw.is_empty() { Bytes::from(push.object.clone()) } else { raw };
        if raw.is_empty() {
            return Err(EngineError::Invalid {
                problem: "a dead letter has neither bytes nor the name of an object".to_owned(),
                hint: "send the object's name as `Tarn-Object`".to_owned(),
            });
        }
        let key = PushKey::new(sender.0.id, push.key, &raw);
        let under_way = self.desk.under_way.begin(&key)?;
        if let Some(counts) = self.answered(&key).await? {
            return Ok(counts);
        }
        let letter = DeadLetter { raw, reason: reason_of(&push.object, reason) };
        let cut = Cut { records: Vec::new(), dead_letters: vec![letter] };
        let reading = self.reading(SOURCE)?;
        let held = Held { under_way, places: [push.place, room] };
        self.settle(Settling { stack: sender.0.clone(), key, cut, reading, held }).await
    }

    async fn unpacked(&self, packing: Packing, body: Bytes) -> Result<(Bytes, Place), EngineError> {
        if body.len() > PACKED_CAP {
            return Err(too_large().into());
        }
        let _turn = self.desk.room.turn().await;
        let unpacking = tokio::task::spawn_blocking(move || body::unpack(packing, body));
        let body = unpacking.await.map_err(EngineError::Reader)??;
        let place = self.desk.room.place(body.len())?;
        Ok((body, place))
    }

    /// Charges a stack before anything of its push is looked at further.
    async fn charge(&self, sender: &Sender, bytes: usize) -> Result<(), EngineError> {
        let now = self.services.clock.now();
        let minute = floor(now, MINUTE_MICROS);
        let (stack, bytes) = (sender.0.id, bytes as u64);
        if self.services.catalog.charge(stack, minute, bytes, ALLOWANCE).await? {
            return Ok(());
        }
        let Allowance { requests, bytes } = ALLOWANCE;
        let left = (minute + Duration::from_secs(60)).since(now);
        let retry_after = Duration::from_secs(left.as_millis().div_ceil(1_000).max(1) as u64);
        Err(Refusal::Throttled { requests, bytes, retry_after }.into())
    }

    /// What was answered to the same push before.
    async fn answered(&self, key: &PushKey) -> Result<Option<Counts>, EngineError> {
        match self.services.catalog.known_push(key).await? {
            KnownPush::Unknown => Ok(None),
            KnownPush::Answered(counts) => Ok(Some(counts)),
            KnownPush::OtherBody => Err(Refusal::ReusedKey(key.key.clone()).into()),
        }
    }

    /// In a task of its own: a client that goes away must not cut it off between the lake and the catalog.
    async fn settle(&self, settling: Settling) -> Result<Counts, EngineError> {
        let work = settle(settling, self.services.clone());
        let task = tokio::spawn(clock::working(self.services.clock.clone(), work));
        let (settled, _busy) = task.await.map_err(EngineError::Reader)?;
        Ok(settled?)
    }
}

/// A push that is ready to be stored.
struct Settling {
    stack: StackRow,
    key: PushKey,
    cut: Cut,
    reading: Reading,
    held: Held,
}

/// What a push holds until it is entered.
struct Held {
    #[expect(dead_code, reason = "held so that the same push is not stored twice at once")]
    under_way: Begun,
    #[expect(dead_code, reason = "held as long as the memory is used")]
    places: [Place; 2],
}

async fn settle(settling: Settling, services: Services) -> Result<Counts, StoreError> {
    let Settling { stack, key, cut, reading, held } = settling;
    let served = cut.served();
    let now = services.clock.now();
    let hour = floor(now, HOUR_MICROS);
    // One line of the ledger for each hour, however many pushes it has.
    let interval = Some(Interval { start: hour, end: hour + HOUR });
    let stream = stream_of(&stack.region);
    let batch = Batch {
        id: BatchId::generate(),
        install: services.install,
        tenant: stack.tenant.clone(),
        connector: stack.id,
        connector_name: stack.name,
        source: reading.source.clone(),
        stream: stream.clone(),
        interval,
        ingest_time: now,
        records: cut.records,
        mapping: reading.mapping.clone(),
    };
    let id = batch.id;
    let watch = services.failed.watch(id);
    let receipt = page::append(batch, &services).await?;
    let counts = Counts::of_page(served, cut.dead_letters.len() as u64, receipt.as_ref());
    let mut commit = PageCommit {
        batch: Some(id),
        connector: stack.id,
        tenant: stack.tenant,
        source: reading.source.id.clone(),
        stream,
        cursor: None,
        interval,
        kind: IntervalKind::Push,
        pages: 1,
        polls: 0,
        finished: true,
        counts,
        dead_letters: cut.dead_letters,
        commits: Vec::new(),
        at: now,
    };
    if let Some(receipt) = receipt {
        commit.dead_letters.extend(receipt.dead_letters);
        commit.commits = receipt.commits;
    }
    enter(commit, &key, &services).await;
    watch.entered();
    drop(held);
    Ok(counts)
}

/// Enters a push whose rows are durable; as [`page::enter`], it does not give up.
async fn enter(commit: PageCommit, key: &PushKey, services: &Services) {
    while let Err(error) = services.catalog.apply_push(commit.clone(), key).await {
        tracing::error!(connector.id = %commit.connector, %error, "failed to enter a push in the catalog");
        services.clock.sleep_until(services.clock.now() + page::ENTER_RETRY).await;
    }
}

/// Forgets pushes that nobody sends again.
pub(super) async fn forget_old(services: &Services) -> Result<u64, EngineError> {
    Ok(services.catalog.forget_pushes(services.clock.now() - REMEMBERED).await?)
}

/// Pushes that are being stored: the same one does not begin twice.
#[derive(Debug, Clone, Default)]
pub(super) struct UnderWay(Arc<Mutex<BTreeSet<(ConnectorId, String)>>>);

/// A push that is being stored; over when it is dropped.
#[derive(Debug)]
struct Begun {
    under_way: UnderWay,
    push: (ConnectorId, String),
}

impl UnderWay {
    fn begin(&self, key: &PushKey) -> Result<Begun, Refusal> {
        let push = (key.stack, key.key.clone());
        if !self.lock().insert(push.clone()) {
            return Err(Refusal::UnderWay(push.1));
        }
        Ok(Begun { under_way: self.clone(), push })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<(ConnectorId, String)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Begun {
    fn drop(&mut self) {
        self.under_way.lock().remove(&self.push);
    }
}

fn check_names(push: &Push) -> Result<(), EngineError> {
    let problem = if push.key.is_empty() {
        "the push has no key"
    } else if push.key.len() > LONGEST || push.object.len() > LONGEST {
        "the push's key, or the name of its object, is too long"
    } else {
        return Ok(());
    };
    let hint = format!("send `Idempotency-Key` and `Tarn-Object` of at most {LONGEST} bytes");
    Err(EngineError::Invalid { problem: problem.to_owned(), hint })
}

fn too_large() -> Refusal {
    Refusal::TooLarge(format!("the body is larger than {PACKED_CAP} bytes"))
}

fn reason_of(object: &str, reason: &str) -> String {
    if object.is_empty() { reason.to_owned() } else { format!("{object}: {reason}") }
}

fn stream_of(region: &str) -> StreamId {
    StreamId::new(format!("push/{region}"))
        .unwrap_or_else(|_| unreachable!("a region is short and printable"))
}

fn floor(time: Timestamp, micros: i64) -> Timestamp {
    Timestamp::from_micros(time.as_micros().div_euclid(micros) * micros)
}
