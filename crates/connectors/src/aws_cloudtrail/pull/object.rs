//! One object: asked for where its bucket lies, unpacked and cut into records piece by piece.
//!
//! Memory holds a few pieces of it, whatever its size. An object that is gone was deleted, and nothing is wrong;
//! one that cannot be read to its end is told broken beside the records that could be read.

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use bytes::Bytes;
use model::batch::DeadLetter;
use model::record::Record;
use model::vendor::{Fault, FetchError};
use serde::de::IgnoredAny;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::body::{self, Body};
use super::failure;
use super::notification::Object;
use super::session::Session;
use crate::aws_cloudtrail::digest;
use crate::formats::Records;

/// The action in policies.
pub(super) const GET: &str = "s3:GetObject";
/// The array in a log file.
const RECORDS: &str = "Records";
/// Records and bytes of one piece.
const PIECE_RECORDS: usize = 2_000;
const PIECE_BYTES: usize = 2 << 20;

/// Some of an object's records.
#[derive(Debug, Default)]
pub struct Piece {
    /// The records.
    pub records: Vec<Record>,
    /// What cannot be a record.
    pub unusable: Vec<DeadLetter>,
    /// The object cannot be read further, or not at all.
    pub broken: Option<Broken>,
    /// Bytes of all of them.
    pub bytes: usize,
}

/// What is known of an object that cannot be read to its end.
#[derive(Debug)]
pub struct Broken {
    /// All its bytes, where they are few.
    pub raw: Option<Bytes>,
    /// Why it cannot be read, for people.
    pub reason: String,
}

/// An object on its way: its records come piece by piece as they are asked for.
pub struct Log {
    name: String,
    tag: String,
    body: Body,
    pieces: mpsc::Receiver<Piece>,
    cutting: JoinHandle<()>,
}

/// Asks for an object; `None` when it is gone. Its region is learned where S3 says another.
///
/// # Errors
/// It was refused or not answered.
pub(super) async fn get(
    session: &Session,
    object: &Object,
    region: &str,
) -> Result<Option<GetObjectOutput>, FetchError> {
    let mut region = session.bucket_region(&object.bucket).unwrap_or_else(|| region.to_owned());
    loop {
        let client = session.s3(&region).await;
        let ask = client.get_object().bucket(&object.bucket).key(&object.key);
        let error = match ask.send().await {
            Ok(answer) => return Ok(Some(answer)),
            Err(error) => error,
        };
        if error.as_service_error().is_some_and(|error| error.is_no_such_key()) {
            return Ok(None);
        }
        match failure::bucket_region(&error) {
            Some(other) if other != region && session.learn_region(&object.bucket, &other) => {
                region = other;
            }
            _ => return Err(failure::of(GET, &object.to_string(), error)),
        }
    }
}

/// Reads an object; its pieces go to `take` as they come. Answers the tag of its content, `None` when it is gone.
///
/// # Errors
/// It was refused, or the connection broke: pieces that were taken are read again.
pub(super) async fn read<F: Future<Output = ()>>(
    session: &Session,
    object: &Object,
    region: &str,
    take: impl Fn(Piece) -> F,
) -> Result<Option<String>, FetchError> {
    let Some(mut log) = open(session, object, region).await? else { return Ok(None) };
    while let Some(mut piece) = log.next().await? {
        piece.unusable.extend(piece.broken.take().map(|broken| broken.into_letter(object)));
        take(piece).await;
    }
    Ok(Some(log.tag))
}

/// Begins to read an object; `None` when it is gone.
///
/// # Errors
/// It was refused or not answered.
pub(super) async fn open(
    session: &Session,
    object: &Object,
    region: &str,
) -> Result<Option<Log>, FetchError> {
    let Some(answer) = get(session, object, region).await? else {
        tracing::debug!(%object, "an announced object is gone");
        return Ok(None);
    };
    let tag = answer.e_tag().map(|tag| tag.trim_matches('"').to_owned()).unwrap_or_default();
    let (body, feed) = body::open(answer.body);
    // Both end by themselves when nobody wants more pieces.
    tokio::spawn(feed);
    let (sender, pieces) = mpsc::channel(1);
    let name = object.to_string();
    let cutting = tokio::task::spawn_blocking({
        let (body, name) = (body.clone(), name.clone());
        move || cut(&body, &name, &sender)
    });
    Ok(Some(Log { name, tag, body, pieces, cutting }))
}

impl Log {
    /// The tag of its content, without quotes.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// The connection broke: pieces that came before are read again.
    pub async fn next(&mut self) -> Result<Option<Piece>, FetchError> {
        if let Some(piece) = self.pieces.recv().await {
            return Ok(Some(piece));
        }
        if let Err(error) = (&mut self.cutting).await {
            return Err(broken(&self.name, &error.to_string()));
        }
        match self.body.failure() {
            Some(cause) => Err(broken(&self.name, &cause)),
            None => Ok(None),
        }
    }
}

/// An object that should be there is not.
pub(super) fn gone(object: &Object) -> FetchError {
    let detail = format!("{object} is gone: it was deleted, or a rule of the bucket removed it");
    FetchError { fault: Fault::WrongUrl, detail, retry_after: None, source: None }
}

fn broken(name: &str, cause: &str) -> FetchError {
    let detail = format!("{GET} on {name} broke off: {cause}");
    FetchError { fault: Fault::Unreachable, detail, retry_after: None, source: None }
}

/// Cuts a body into pieces until its end, or until nobody wants more.
fn cut(body: &Body, name: &str, pieces: &mpsc::Sender<Piece>) {
    let mut piece = Piece::default();
    let mut trouble: Option<String> = None;
    let records = match Records::new(body.clone(), Some(RECORDS)) {
        Ok(records) => records.passing_over(Some(digest::is_digest)),
        Err(error) => return give_up(body, name, error.to_string(), pieces),
    };
    for item in records {
        match item {
            Ok(record) => {
                piece.bytes += record.raw().len();
                piece.records.push(record);
            }
            Err(_) if body.failure().is_some() => return,
            // A whole value that cannot be a record; anything else is a break in the file.
            Err(letter) if is_value(&letter.raw) => {
                piece.bytes += letter.raw.len();
                piece.unusable.push(letter);
            }
            Err(letter) => {
                trouble.get_or_insert(letter.reason);
            }
        }
        let is_full = piece.records.len() >= PIECE_RECORDS || piece.bytes >= PIECE_BYTES;
        if is_full && pieces.blocking_send(std::mem::take(&mut piece)).is_err() {
            return;
        }
    }
    if !(piece.records.is_empty() && piece.unusable.is_empty())
        && pieces.blocking_send(piece).is_err()
    {
        return;
    }
    if let Some(reason) = trouble {
        give_up(body, name, reason, pieces);
    }
}

/// Says that the object cannot be read further, with its bytes where they are few.
fn give_up(body: &Body, name: &str, reason: String, pieces: &mpsc::Sender<Piece>) {
    let raw = body.kept();
    if body.failure().is_some() {
        return;
    }
    let bytes = raw.as_ref().map_or(0, Bytes::len);
    let piece = Piece { broken: Some(Broken { raw, reason }), bytes, ..Piece::default() };
    if pieces.blocking_send(piece).is_err() {
        tracing::debug!(name, "nobody waits for a broken object's letter");
    }
}

impl Broken {
    /// A dead letter with the bytes, or else with the object's name, by which a replay asks for it again.
    pub(super) fn into_letter(self, object: &Object) -> DeadLetter {
        let name = object.to_string();
        let reason = format!("{name}: {}", self.reason);
        DeadLetter { raw: self.raw.unwrap_or_else(|| Bytes::from(name)), reason }
    }
}

fn is_value(raw: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(raw).is_ok()
}
