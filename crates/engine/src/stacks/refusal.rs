//! Why a stack's client is not served: a closed list, each with the word that its problem type ends in.

use std::time::Duration;

use model::time::Timestamp;

use crate::error::ErrorKind;

/// Why a request of a stack's client is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No stack has this token.
    #[error("no stack has this token")]
    UnknownToken,
    /// The stack was taken back.
    #[error("the stack was revoked at {0}")]
    Revoked(Timestamp),
    /// The stack's time is over.
    #[error("the stack expired at {0}")]
    Expired(Timestamp),
    /// The code cannot be exchanged.
    #[error("{0}")]
    Enrolment(String),
    /// The stack has sent all that it may in this minute.
    #[error(
        "the stack has sent what it may send in a minute: {requests} requests or {bytes} bytes"
    )]
    Throttled {
        /// The most requests.
        requests: u64,
        /// The most bytes.
        bytes: u64,
        /// Until the next minute.
        retry_after: Duration,
    },
    /// More is on its way in than memory is set aside for.
    #[error("too much is on its way in")]
    Busy,
    /// The same push is being stored.
    #[error("the push `{0}` is under way")]
    UnderWay(String),
    /// The body is too large.
    #[error("{0}")]
    TooLarge(String),
    /// The body is packed in a way that nobody knows here.
    #[error("the body is packed as `{0}`")]
    Encoding(String),
    /// The body cannot be unpacked.
    #[error("the body cannot be unpacked: {0}")]
    Broken(String),
    /// Another body came under this key.
    #[error("another body was sent as `{0}`")]
    ReusedKey(String),
}

/// How soon it is worth asking again when nobody knows better.
const SOON: Duration = Duration::from_secs(2);

impl Refusal {
    /// What kind of failure it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownToken | Self::Revoked(_) | Self::Expired(_) => ErrorKind::Unauthenticated,
            Self::Enrolment(_) => ErrorKind::Forbidden,
            Self::Throttled { .. } => ErrorKind::Throttled,
            Self::Busy | Self::UnderWay(_) => ErrorKind::Unavailable,
            Self::TooLarge(_) => ErrorKind::TooLarge,
            Self::Encoding(_) => ErrorKind::Unsupported,
            Self::Broken(_) => ErrorKind::Unreadable,
            Self::ReusedKey(_) => ErrorKind::Conflict,
        }
    }

    /// The word for programs, where the kind alone does not tell enough.
    pub fn word(&self) -> Option<&'static str> {
        match self {
            Self::UnknownToken => Some("token-unknown"),
            Self::Revoked(_) => Some("stack-revoked"),
            Self::Expired(_) => Some("stack-expired"),
            Self::Enrolment(_) => Some("enrolment-refused"),
            _ => None,
        }
    }

    /// How long to wait before asking again.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Throttled { retry_after, .. } => Some(*retry_after),
            Self::Busy | Self::UnderWay(_) => Some(SOON),
            _ => None,
        }
    }

    /// What to do about it.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::UnknownToken => {
                "`tarn cloudtrail list` shows the stacks; `tarn cloudtrail link` makes a link for a new client"
            }
            Self::Revoked(_) | Self::Expired(_) => {
                "`tarn cloudtrail renew` lets it go on with its backlog; else delete the stack in AWS"
            }
            Self::Enrolment(_) => "make a new link with `tarn cloudtrail link`",
            Self::Throttled { .. } => "wait as long as `Retry-After` says",
            Self::Busy | Self::UnderWay(_) => {
                "send it again after `Retry-After`, with the same key"
            }
            Self::TooLarge(_) => {
                "halve the chunk; a single record that is too large is a dead letter"
            }
            Self::Encoding(_) => "send it as it is, or with `Content-Encoding: gzip`",
            Self::Broken(_) => "send it again",
            Self::ReusedKey(_) => "give each body a key of its own",
        }
    }
}
