//! One object on its way: read piece by piece, sent portion by portion. It is done when Tarn has stored every portion,
//! and when what cannot be read of it lies with Tarn as a dead letter.
//!
//! Memory holds a piece and a portion, whatever the object's size.

use bytes::Bytes;
use connectors::trail::{Broken, Object};
use model::vendor::FetchError;

use crate::chunks::{Chunk, Chunks, gzip, idempotency_key};
use crate::client::Client;
use crate::deadline::Deadline;
use crate::enrolment::TokenError;
use crate::refusal::Refusal;
use crate::service::Parcel;

/// Most bytes of a dead letter; of what is larger only the name and the reason are told.
const LETTER_CAP: usize = 1 << 20;

/// Why an object is not done. Its message comes again.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// AWS refuses the object or does not answer.
    #[error("the object cannot be read")]
    Read(#[source] FetchError),
    /// Tarn does not take it.
    #[error("the object cannot be sent")]
    Send(#[from] TokenError),
    /// A gateway says that it stored something, and not what was sent.
    #[error("of {sent} records {served} are accounted for")]
    Unaccounted {
        /// Records that were sent.
        sent: u64,
        /// Records that the answer speaks of.
        served: u64,
    },
    /// The time for it is over.
    #[error("the invocation ends before the object is sent")]
    Late,
    /// Another object has learned that Tarn does not want the stack now.
    #[error("Tarn does not want the stack now")]
    Superfluous,
}

impl Failure {
    /// Whether nothing else will be taken either.
    pub fn is_unwanted(&self) -> bool {
        let Self::Send(error) = self else { return false };
        let refusal =
            matches!(error, TokenError::Refusal(Refusal::Unwanted(_) | Refusal::Enrolment(_)));
        refusal || matches!(error, TokenError::NoCode)
    }
}

/// Sends an object. One that is gone is done. Answers how many records it held.
///
/// # Errors
/// Says why its message is to come again.
pub async fn forward(client: &Client, object: &Object, deadline: Deadline) -> Result<u64, Failure> {
    let Some(mut log) = client.reader.open(object).await.map_err(Failure::Read)? else {
        return Ok(0);
    };
    let delivery =
        Delivery { client, name: object.to_string(), tag: log.tag().to_owned(), deadline };
    let (mut chunks, mut count) = (Chunks::default(), 0);
    while let Some(piece) = log.next().await.map_err(Failure::Read)? {
        count += piece.records.len() as u64;
        for record in piece.records {
            if let Some(chunk) = chunks.push(record) {
                delivery.send(chunk).await?;
            }
        }
        for letter in piece.unusable {
            delivery.set_aside(letter.raw, &letter.reason).await?;
        }
        if let Some(Broken { raw, reason }) = piece.broken {
            delivery.set_aside(raw.unwrap_or_default(), &reason).await?;
        }
    }
    if let Some(chunk) = chunks.finish() {
        delivery.send(chunk).await?;
    }
    Ok(count)
}

/// Sets aside a message that nobody understands; its id stands for an object's name.
///
/// # Errors
/// Tarn does not take it.
pub async fn set_aside_message(
    client: &Client,
    id: &str,
    body: &str,
    reason: &str,
    deadline: Deadline,
) -> Result<(), Failure> {
    let delivery = Delivery { client, name: format!("sqs:{id}"), tag: String::new(), deadline };
    delivery.set_aside(Bytes::copy_from_slice(body.as_bytes()), reason).await
}

/// The way of one object's parts.
struct Delivery<'a> {
    client: &'a Client,
    name: String,
    tag: String,
    deadline: Deadline,
}

impl Delivery<'_> {
    /// Sends a portion; one that Tarn finds too large in halves, and a single record that is too large as a letter.
    async fn send(&self, chunk: Chunk) -> Result<(), Failure> {
        let mut waiting = vec![chunk];
        while let Some(chunk) = waiting.pop() {
            let body = chunk.body();
            let parcel = self.parcel(&chunk.name, &body);
            let (service, parcel, deadline) = (&self.client.service, &parcel, self.deadline);
            let act = |token| async move { service.records(&token, parcel, deadline).await };
            let counts = match self.client.with_token(self.deadline, act).await {
                Ok(counts) => counts,
                Err(TokenError::Refusal(Refusal::TooLarge)) => {
                    let giant = chunk.records[0].raw().clone();
                    match chunk.halves() {
                        Some([first, second]) => waiting.extend([second, first]),
                        None => self.set_aside(giant, "the record is too large").await?,
                    }
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            let sent = chunk.records.len() as u64;
            if counts.served != sent {
                return Err(Failure::Unaccounted { sent, served: counts.served });
            }
        }
        Ok(())
    }

    /// Gives Tarn what cannot be a record, with its bytes where they are few.
    async fn set_aside(&self, raw: Bytes, reason: &str) -> Result<(), Failure> {
        let raw = if raw.len() > LETTER_CAP { Bytes::new() } else { raw };
        match self.letter(raw, reason).await {
            Err(TokenError::Refusal(Refusal::TooLarge)) => {
                Ok(self.letter(Bytes::new(), reason).await?)
            }
            done => Ok(done?),
        }
    }

    async fn letter(&self, raw: Bytes, reason: &str) -> Result<(), TokenError> {
        let key = idempotency_key(&self.name, &self.tag, &format!("letter:{reason}"), &raw);
        let parcel = Parcel { key, origin: self.name.clone(), body: raw, is_gzip: false };
        tracing::warn!(object = self.name, reason, "set aside as a dead letter");
        let (service, parcel, deadline) = (&self.client.service, &parcel, self.deadline);
        let act =
            |token| async move { service.dead_letter(&token, parcel, reason, deadline).await };
        self.client.with_token(self.deadline, act).await
    }

    fn parcel(&self, name: &str, body: &[u8]) -> Parcel {
        let key = idempotency_key(&self.name, &self.tag, name, body);
        Parcel { key, origin: self.name.clone(), body: gzip(body), is_gzip: true }
    }
}
