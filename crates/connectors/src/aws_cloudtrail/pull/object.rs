//! One object: asked for where its bucket lies, unpacked and cut into records piece by piece.
//!
//! Memory holds a few pieces of it, whatever its size. An object that is gone was deleted, and nothing is wrong;
//! one that cannot be read to its end is a dead letter beside the records that could be.

use aws_sdk_s3::operation::get_object::GetObjectOutput;
use bytes::Bytes;
use model::batch::DeadLetter;
use model::record::Record;
use model::vendor::{Fault, FetchError};
use serde::de::IgnoredAny;
use tokio::sync::mpsc;

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
pub(super) struct Piece {
    /// The records.
    pub(super) records: Vec<Record>,
    /// What cannot be a record.
    pub(super) unusable: Vec<DeadLetter>,
    /// Bytes of both.
    pub(super) bytes: usize,
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
    let Some(answer) = get(session, object, region).await? else {
        tracing::debug!(%object, "an announced object is gone");
        return Ok(None);
    };
    let tag = answer.e_tag().map(|tag| tag.trim_matches('"').to_owned()).unwrap_or_default();
    let (body, feed) = body::open(answer.body);
    let (pieces, mut ready) = mpsc::channel(1);
    let name = object.to_string();
    let cut = tokio::task::spawn_blocking({
        let body = body.clone();
        move || cut(&body, &name, &pieces)
    });
    let forward = async {
        while let Some(piece) = ready.recv().await {
            take(piece).await;
        }
    };
    tokio::join!(feed, forward);
    if let Err(error) = cut.await {
        return Err(broken(object, &error.to_string()));
    }
    match body.failure() {
        Some(cause) => Err(broken(object, &cause)),
        None => Ok(Some(tag)),
    }
}

/// An object that should be there is not.
pub(super) fn gone(object: &Object) -> FetchError {
    let detail = format!("{object} is gone: it was deleted, or a rule of the bucket removed it");
    FetchError { fault: Fault::WrongUrl, detail, retry_after: None, source: None }
}

fn broken(object: &Object, cause: &str) -> FetchError {
    let detail = format!("{GET} on {object} broke off: {cause}");
    FetchError { fault: Fault::Unreachable, detail, retry_after: None, source: None }
}

/// Cuts a body into pieces until its end, or until nobody wants more.
fn cut(body: &Body, name: &str, pieces: &mpsc::Sender<Piece>) {
    let mut piece = Piece::default();
    let mut trouble: Option<String> = None;
    let records = match Records::new(body.clone(), Some(RECORDS)) {
        Ok(records) => records.passing_over(Some(digest::is_digest)),
        Err(error) => return give_up(body, name, &error.to_string(), pieces),
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
        give_up(body, name, &reason, pieces);
    }
}

/// Sets the object aside: its bytes where they are few, else its name, by which a replay asks for it again.
fn give_up(body: &Body, name: &str, reason: &str, pieces: &mpsc::Sender<Piece>) {
    let raw = body.kept();
    if body.failure().is_some() {
        return;
    }
    let raw = raw.unwrap_or_else(|| Bytes::from(name.to_owned()));
    let letter = DeadLetter { raw, reason: format!("{name}: {reason}") };
    let piece = Piece { bytes: letter.raw.len(), unusable: vec![letter], records: Vec::new() };
    if pieces.blocking_send(piece).is_err() {
        tracing::debug!(name, "nobody waits for a broken object's letter");
    }
}

fn is_value(raw: &[u8]) -> bool {
    serde_json::from_slice::<IgnoredAny>(raw).is_ok()
}
