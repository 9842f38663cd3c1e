//! The port to the vendors: what every integration offers to the engine.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::action::{Call, Halt, Outcome};
use crate::batch::DeadLetter;
use crate::budget::Budget;
use crate::connector::{Settings, SettingsError};
use crate::ids::StreamId;
use crate::manifest::{ContentType, CursorStrategy, Manifest};
use crate::mapping::Mapping;
use crate::record::Record;
use crate::secret::Secret;
use crate::time::{Interval, Timestamp};

/// Everything we know about one product.
pub trait Integration: Send + Sync {
    /// Its declaration.
    fn manifest(&self) -> &Manifest;

    /// Checks the settings and makes ready to ask the vendor; sends nothing.
    ///
    /// # Errors
    /// Names the setting that cannot be used, and what to write instead.
    fn open(&self, settings: &Settings) -> Result<Arc<dyn Connection>, SettingsError>;

    /// How records of a content type are identified and normalised; `None` for an unknown one.
    fn mapping(&self, content_type: &str) -> Option<Arc<dyn Mapping>>;

    /// The name of the array that holds the records in the vendor's page envelope, so that saved
    /// pages can be imported: `security_events`.
    fn envelope_field(&self, content_type: &str) -> Option<&'static str>;

    /// Tells documents that lie among the saved pages and hold no records, if the vendor has such;
    /// they are passed over.
    fn foreign(&self, content_type: &str) -> Option<IsForeign> {
        let _ = content_type;
        None
    }
}

/// Whether a whole document is neither a record nor holds any.
pub type IsForeign = fn(&[u8]) -> bool;

/// An integration with a connector's settings: the client for one vendor account.
#[async_trait]
pub trait Connection: Send + Sync {
    /// The keys that may be used side by side, at least one.
    fn keys(&self) -> &[Key];

    /// The streams that the settings select, in a fixed order.
    fn streams(&self) -> &[Stream];

    /// A content type's facts as the settings change them: another transport may reach less far back.
    fn facts(&self, declared: &ContentType) -> ContentType {
        declared.clone()
    }

    /// What a stream goes on by, where its content type has streams of several kinds.
    fn cursor(&self, stream: &Stream, declared: CursorStrategy) -> CursorStrategy {
        let _ = stream;
        declared
    }

    /// Fetches one page with one key. Every request is reserved from `budget` first.
    ///
    /// # Errors
    /// Says what went wrong in terms that the engine can act on and people can mend.
    async fn fetch(&self, key: &Key, ask: &Ask, budget: &dyn Budget) -> Result<Page, FetchError>;

    /// The last page of a stream is entered: its rows are durable, and so is what the ledger says of
    /// them. A vendor that waits to hear so, as a queue does, is told. Until then the next fetch of the
    /// stream answers the same records again.
    async fn acknowledge(&self, stream: &Stream) {
        let _ = stream;
    }

    /// Asks fetches that only wait for news to answer at once, because somebody wants to stop.
    fn interrupt(&self) {}

    /// The streams that a test asks for: for each content type the first, unless the others may fail
    /// for reasons of their own.
    fn tested(&self) -> Vec<Stream> {
        let mut tested: Vec<Stream> = Vec::new();
        for stream in self.streams() {
            if tested.iter().all(|known| known.content_type != stream.content_type) {
                tested.push(stream.clone());
            }
        }
        tested
    }

    /// Tries a stream with real requests that take nothing away; answers in words what was found.
    ///
    /// # Errors
    /// As [`Connection::fetch`].
    async fn probe(&self, key: &Key, ask: &Ask, budget: &dyn Budget) -> Result<String, FetchError> {
        let page = self.fetch(key, ask, budget).await?;
        Ok(format!("answered with {} records", page.served()))
    }

    /// What to do about a failure, where the vendor's own words help more than the general ones.
    fn remedy(&self, error: &FetchError) -> Option<String> {
        let _ = error;
        None
    }

    /// Opens what a dead letter refers to, when its bytes are only the name of something that the
    /// vendor still has, such as an object of many megabytes; `None` when they are not. The reader
    /// waits for the network, so it is read in a thread of its own.
    ///
    /// # Errors
    /// As [`Connection::fetch`].
    async fn reopen(&self, letter: &[u8]) -> Result<Option<Reopened>, FetchError> {
        let _ = letter;
        Ok(None)
    }

    /// What a key itself says about its end at the time `now`, read offline; `None` when there is
    /// nothing to tell.
    fn key_notice(&self, key: &Key, now: Timestamp) -> Option<KeyNotice> {
        let _ = (key, now);
        None
    }

    /// Runs one of the manifest's actions; see [`crate::action::Responds::act`].
    ///
    /// # Errors
    /// As [`crate::action::Responds::act`].
    async fn act(&self, call: &Call<'_>) -> Result<Outcome, Halt> {
        Err(Halt::fatal(format!("`{}` is no action of this integration", call.action)))
    }

    /// Looks closer at a refused key, when a test wants to name the cause: other regions, for
    /// instance. Answers the error itself when it finds nothing more.
    async fn diagnose(&self, key: &Key, error: FetchError, budget: &dyn Budget) -> FetchError {
        let _ = (key, budget);
        error
    }
}

/// Something of the vendor's that is read again.
pub type Reopened = Box<dyn std::io::Read + Send>;

/// One key of a connector's pool.
#[derive(Debug, Clone)]
pub struct Key {
    /// What the budget is counted by, together with the host.
    pub secret: Secret,
    /// For people, without the secret: `api_keys[0]`.
    pub label: String,
    /// The vendor host that this key talks to, with a port where one is given.
    pub host: String,
}

/// What a key says about its own end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyNotice {
    /// It has run out.
    Expired(Timestamp),
    /// It runs out soon enough that somebody should replace it.
    ExpiresSoon(Timestamp),
    /// It has the vendor's form but no end that can be read.
    ExpiryUnknown,
}

impl KeyNotice {
    /// Whether somebody has to act.
    pub fn is_warning(self) -> bool {
        self != Self::ExpiryUnknown
    }
}

impl std::fmt::Display for KeyNotice {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Expired(end) => write!(out, "the key ran out at {end}: replace it"),
            Self::ExpiresSoon(end) => write!(out, "the key runs out at {end}: replace it before"),
            Self::ExpiryUnknown => out.write_str("the key does not say when it runs out"),
        }
    }
}

/// The smallest unit with a cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    /// Unique inside the connector: `sharepoint/dlp`.
    pub id: StreamId,
    /// The content type that it belongs to.
    pub content_type: String,
}

/// One request for a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The stream.
    pub stream: Stream,
    /// The span asked for, overlap included.
    pub interval: Interval,
    /// Where the page before this one said to go on; `None` for the first page.
    pub next: Option<Continuation>,
    /// Ask for fewer records than a full page.
    pub page_size: Option<u32>,
}

/// The vendor's own word for "go on here": a link or a token. Opaque to everyone but its client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Continuation(pub String);

/// One page as the vendor served it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The records.
    pub records: Vec<Record>,
    /// Items that cannot even be cut out as records.
    pub unusable: Vec<DeadLetter>,
    /// Where to go on; `None` at the end. Of a stream with a page token as cursor, `None` without
    /// being caught up means that there is more, but not now: what was asked with is asked again at
    /// the next poll, and nothing counts as covered until then.
    pub next: Option<Continuation>,
    /// There is nothing further now, and `next` is where the next poll goes on. Only streams whose
    /// content type has a page token as cursor say so.
    pub is_caught_up: bool,
    /// The vendor's clock at the answer, when it says so.
    pub vendor_time: Option<Timestamp>,
}

impl Page {
    /// Items that the vendor served in this page.
    pub fn served(&self) -> u64 {
        (self.records.len() + self.unusable.len()) as u64
    }
}

/// Why a page could not be had.
#[derive(Debug, thiserror::Error)]
#[error("{fault}: {detail}")]
pub struct FetchError {
    /// What kind of failure it is.
    pub fault: Fault,
    /// The facts: host, status, the vendor's own message. Never a secret.
    pub detail: String,
    /// How long the vendor asks us to wait.
    pub retry_after: Option<Duration>,
    /// What lies below, where something does.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// The kinds of failure that the engine treats differently and people mend differently.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// The vendor does not know the key.
    UnknownKey,
    /// The key has run out.
    ExpiredKey,
    /// The key was deleted at the vendor.
    RevokedKey,
    /// The text cannot be a key at all.
    MalformedKey,
    /// The key lacks a right.
    MissingScope,
    /// The key belongs to another region: its name.
    WrongRegion(String),
    /// The path does not exist at this URL.
    WrongUrl,
    /// The vendor refused the request as malformed.
    BadRequest,
    /// The quota is used up.
    Throttled,
    /// The vendor is down or overloaded.
    Outage,
    /// No answer in time.
    Timeout,
    /// The host name does not resolve.
    Dns,
    /// The connection is not trusted or not TLS.
    Tls,
    /// The host does not accept connections.
    Unreachable,
    /// The answer cannot be read: cut, not JSON, not the documented shape.
    Unreadable,
    /// The answer is larger than the client accepts.
    TooLarge,
    /// The next link leads to a foreign host; the key was not sent there.
    ForeignLink,
    /// Paging goes in a circle.
    RepeatedLink,
    /// The place in the paging is no longer known: start the interval again.
    ExpiredLink,
    /// Paging ended before the vendor's own count was reached: rows moved meanwhile, or a link is
    /// missing.
    ShortWalk,
    /// The budget could not be reserved; nothing was sent.
    Budget,
}

impl Fault {
    /// Whether only a person can mend it, by a new or different credential.
    pub fn is_credential(&self) -> bool {
        matches!(
            self,
            Self::UnknownKey
                | Self::ExpiredKey
                | Self::RevokedKey
                | Self::MalformedKey
                | Self::MissingScope
                | Self::WrongRegion(_)
        )
    }

    /// Whether the interval must be walked again from its first page.
    pub fn restarts_interval(&self) -> bool {
        matches!(self, Self::ForeignLink | Self::RepeatedLink | Self::ExpiredLink | Self::ShortWalk)
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = match self {
            Self::UnknownKey => "unknown key",
            Self::ExpiredKey => "expired key",
            Self::RevokedKey => "revoked key",
            Self::MalformedKey => "malformed key",
            Self::MissingScope => "missing permission",
            Self::WrongRegion(region) => {
                return write!(out, "wrong region, key belongs to {region}");
            }
            Self::WrongUrl => "wrong URL",
            Self::BadRequest => "request refused",
            Self::Throttled => "throttled",
            Self::Outage => "vendor outage",
            Self::Timeout => "timeout",
            Self::Dns => "host name does not resolve",
            Self::Tls => "TLS failure",
            Self::Unreachable => "host not reachable",
            Self::Unreadable => "unreadable answer",
            Self::TooLarge => "answer too large",
            Self::ForeignLink => "next link to a foreign host",
            Self::RepeatedLink => "paging in a circle",
            Self::ExpiredLink => "expired page link",
            Self::ShortWalk => "paging ended early",
            Self::Budget => "request not reserved",
        };
        out.write_str(text)
    }
}

impl crate::hint::Hint for FetchError {
    fn hint(&self) -> Option<String> {
        let text = match &self.fault {
            Fault::UnknownKey => {
                "check the key and the region: the vendor does not know this key at this URL"
            }
            Fault::ExpiredKey => "make a new key at the vendor and put it into the connector",
            Fault::RevokedKey => {
                "the key worked before and was deleted at the vendor: make a new one and put it \
                 into the connector"
            }
            Fault::MalformedKey => "copy the key again, without spaces, quotes or line breaks",
            Fault::MissingScope => {
                "grant the key the permissions that the integration's page lists"
            }
            Fault::WrongRegion(region) => {
                return Some(format!("set `parameters.base_url` to the region {region}"));
            }
            Fault::WrongUrl => "check `parameters.base_url`: it should be the service's root URL",
            Fault::BadRequest => "this is likely a change at the vendor: report it with the detail",
            Fault::Throttled => {
                "nothing to do: the run goes on by itself when the vendor's window opens again; \
                 lower `quota` if another program shares this key"
            }
            Fault::Outage => "nothing to do: the vendor is down, and the gap fills by itself",
            Fault::Timeout => "check the network between here and the vendor; it is retried",
            Fault::Dns => "check the host in `parameters.base_url` and this machine's name server",
            Fault::Tls => {
                "check that no proxy breaks the connection; for a private certificate set \
                 `verify_tls: false` knowingly"
            }
            Fault::Unreachable => "check the port, the firewall and the proxy; it is retried",
            Fault::Unreadable => "check that no proxy answers for the vendor; it is retried",
            Fault::TooLarge => "the interval is cut into smaller ones by itself",
            Fault::ForeignLink => {
                "the key was not sent to the foreign host; the interval is asked again in parts"
            }
            Fault::RepeatedLink | Fault::ExpiredLink | Fault::ShortWalk => {
                "the interval is asked again by itself"
            }
            Fault::Budget => "check that the data directory is writable and has space",
        };
        Some(text.to_owned())
    }
}
