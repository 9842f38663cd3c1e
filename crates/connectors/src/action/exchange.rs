//! The exchange of requests under a journal: questions are asked again until they are answered, changes are
//! written down before and after they are sent, and never sent twice blindly (invariant I8).
//!
//! A change ends in one of four ways: the vendor answered; it certainly did not take it, so it is sent again;
//! nobody knows, so a [`Witness`] asks the vendor what became of it; or nobody can say, and a person must look.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use model::action::journal::{Ending, Memory, ShownAnswer, Step};
use model::action::{Entity, Halt, Journal, Right};
use model::secret::Secret;
use model::time::Timestamp;
use model::vendor::{Fault, FetchError};
use serde_json::Value;
use url::Url;

use super::fault::reason;
use super::shown::{shown_answer, shown_request};
use crate::client::{Answer, Headers, Method, Request, VendorClient, backoff, host};

/// How often a question is asked that fails for reasons that pass.
const QUESTIONS: u32 = 5;
/// How often a change is sent that the vendor certainly did not take.
const SENDS: u32 = 5;
/// How often a change is sent that got no answer, and of which the vendor then knew nothing.
const DOUBTS: u32 = 2;
/// The least time between two questions about the same thing.
pub const SHORTEST_WAIT: Duration = Duration::from_millis(100);
/// The first and the longest wait between two attempts.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));
/// How long to wait after a 429 that does not say how long.
const THROTTLED: Duration = Duration::from_secs(5);
/// How often a 429 is waited for.
const THROTTLES: u32 = 60;

/// What a vendor's refusal means; the words must be free of the secret.
pub type Refuse = fn(&Answer, &Secret) -> FetchError;

/// A request before it is signed.
#[derive(Debug, Clone)]
pub struct Ask {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Option<Sent>,
}

/// What a request carries.
#[derive(Debug, Clone)]
pub(super) enum Sent {
    Json(Value),
    Bytes { media_type: String, bytes: Bytes, shown: Option<Value> },
}

impl Ask {
    /// Asks for a URL.
    pub fn get(url: Url) -> Self {
        Self { method: Method::Get, url, headers: Vec::new(), body: None }
    }

    /// Sends JSON.
    pub fn json(method: Method, url: Url, body: Value) -> Self {
        Self { method, url, headers: Vec::new(), body: Some(Sent::Json(body)) }
    }

    /// Sends bytes of a media type. `shown` is what the history shows of them.
    pub fn bytes(url: Url, media_type: String, bytes: Bytes, shown: Value) -> Self {
        let body = Some(Sent::Bytes { media_type, bytes, shown: Some(shown) });
        Self { method: Method::Post, url, headers: Vec::new(), body }
    }

    /// Adds a header; the name is lower case.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    fn signed<'s>(&self, secret: &'s Secret) -> Request<'s> {
        let mut request = Request::new(self.method, self.url.clone()).bearer(secret);
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match &self.body {
            None => request,
            Some(Sent::Json(body)) => {
                request.body("application/json", Bytes::from(body.to_string()))
            }
            Some(Sent::Bytes { media_type, bytes, .. }) => {
                request.body(media_type.clone(), bytes.clone())
            }
        }
    }
}

/// An answer, read.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// The HTTP status, a success.
    pub status: u16,
    /// Its headers by name in lower case.
    pub headers: Headers,
    /// Its body: JSON, or text where it is not.
    pub body: Value,
}

/// A request that changes something.
#[derive(Debug)]
pub struct Change<'a> {
    /// Its name, the same in every life of the run.
    pub step: &'a str,
    /// What it works on; every one was permitted.
    pub targets: &'a [Entity],
    /// The request.
    pub ask: Ask,
}

/// What became of a change.
#[derive(Debug)]
pub enum Taken {
    /// The vendor took it and answered this.
    Answered(Reply),
    /// The vendor refused it: it has changed nothing.
    Refused(FetchError),
    /// The vendor took it, as it says afterwards: what the witness found.
    Found(Value),
    /// A dry run: nothing was sent.
    Planned,
    /// It was sent, and nobody can say what came of it.
    Unknown(String),
}

/// Asks the vendor afterwards whether it has taken a change.
#[async_trait]
pub trait Witness: Send + Sync {
    /// What the vendor knows of a change that was sent at `since` or a little later; `None` when it knows
    /// nothing of it, or not yet.
    ///
    /// # Errors
    /// The vendor could not be asked.
    async fn look(&self, since: Timestamp) -> Result<Option<Value>, Halt>;
}

/// How long a vendor is asked that cannot be asked, although it had the time to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Insistence {
    /// Until it answers, or the run's time is over: nothing may be done without its answer.
    UntilAnswered,
    /// No longer: other work waits.
    UntilSettled,
}

/// The way of one run to its vendor.
pub struct Exchange<'a> {
    client: &'a VendorClient,
    rights: &'a [Right],
    journal: &'a dyn Journal,
    refuse: Refuse,
}

/// How one sending ended, with the secret already out of it.
enum Sending {
    Taken(Answer, ShownAnswer),
    Failed(FetchError, Option<ShownAnswer>),
}

impl<'a> Exchange<'a> {
    /// A way with these keys, the first of them first.
    pub fn new(
        client: &'a VendorClient,
        rights: &'a [Right],
        journal: &'a dyn Journal,
        refuse: Refuse,
    ) -> Self {
        Self { client, rights, journal, refuse }
    }

    /// The run's journal.
    pub fn journal(&self) -> &'a dyn Journal {
        self.journal
    }

    /// Asks a question until it is answered, a few times where it fails for reasons that pass.
    ///
    /// # Errors
    /// The vendor refuses it or cannot be asked: the run cannot go on.
    pub async fn ask(&self, step: &str, ask: &Ask) -> Result<Reply, Halt> {
        self.inquire(step, ask).await?.map_err(|error| Halt::Fatal(reason(&error)))
    }

    /// Asks a question as [`Exchange::ask`] does; the failure is the caller's matter, as it is where one
    /// question of many is refused.
    ///
    /// # Errors
    /// The run stops here.
    pub async fn inquire(&self, step: &str, ask: &Ask) -> Result<Result<Reply, FetchError>, Halt> {
        self.try_ask(step, ask, QUESTIONS).await
    }

    /// Asks a question once, waiting only for the quota; the failure is the caller's matter, as it is while
    /// a vendor is asked again and again whether it is done.
    ///
    /// # Errors
    /// The run stops here.
    pub async fn poll(&self, step: &str, ask: &Ask) -> Result<Result<Reply, FetchError>, Halt> {
        self.try_ask(step, ask, 1).await
    }

    /// What an earlier life of the run remembered under this name.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub async fn remembered(&self, step: &str) -> Result<Option<Value>, Halt> {
        match self.journal.recall(step).await? {
            Memory::Ended(Ending::Found { value }) => Ok(Some(value)),
            _ => Ok(None),
        }
    }

    /// Remembers what was worked out before a change, so that another life of the run goes by the same.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub async fn remember(&self, step: &str, value: Value) -> Result<(), Halt> {
        self.journal.ended(step, &Ending::Found { value }).await
    }

    /// Sends a change, unless it was sent before; then it answers what is known of that, asking the witness
    /// where only the vendor knows.
    ///
    /// # Errors
    /// The vendor cannot be reached or knows none of the keys: nothing was changed. Or the run stops here.
    pub async fn change(
        &self,
        change: &Change<'_>,
        witness: Option<&dyn Witness>,
    ) -> Result<Taken, Halt> {
        let mut memory = self.journal.recall(change.step).await?;
        let mut doubts = u32::from(matches!(memory, Memory::InDoubt(_)));
        loop {
            match memory {
                Memory::Ended(ending) => return Ok(self.taken_before(change, ending)),
                Memory::InDoubt(since) => {
                    if let Some(taken) = self.find(change.step, since, witness).await? {
                        return Ok(taken);
                    }
                }
                Memory::Fresh => {}
            }
            if doubts >= DOUBTS {
                let detail = format!("not taken after {DOUBTS} attempts");
                let fault = Fault::Outage;
                let error = FetchError { fault, detail, retry_after: None, source: None };
                return Ok(Taken::Refused(error));
            }
            if self.journal.is_dry_run() {
                let secret = Secret::new("");
                self.journal.planned(&self.step(change, &secret)).await?;
                return Ok(Taken::Planned);
            }
            match self.send_change(change).await? {
                Ok(taken) => return Ok(taken),
                Err(since) => memory = Memory::InDoubt(since),
            }
            doubts += 1;
        }
    }

    /// Sends a change until it is answered. The time of sending when nobody knows what became of it.
    async fn send_change(&self, change: &Change<'_>) -> Result<Result<Taken, Timestamp>, Halt> {
        let (mut throttles, mut failures, mut turn) = (0, 0, 0);
        loop {
            let Some(right) = self.rights.get(turn) else {
                return Err(Halt::fatal("the connector has no key"));
            };
            self.journal.sending(&self.step(change, &right.key.secret)).await?;
            let since = self.journal.now();
            let sending = self.send(&change.ask, right, change.step).await;
            let (error, answer) = match sending {
                Sending::Taken(answer, shown) => {
                    self.end(change.step, Ending::Answered { answer: shown }).await?;
                    return Ok(Ok(Taken::Answered(read(&answer))));
                }
                Sending::Failed(error, answer) => (error, answer),
            };
            let detail = error.to_string();
            if error.fault == Fault::Throttled {
                self.end(change.step, Ending::NotTaken { detail, answer }).await?;
                throttles += 1;
                let wait = error.retry_after.unwrap_or(THROTTLED);
                if throttles > THROTTLES || !self.journal.wait(wait).await? {
                    return Ok(Ok(Taken::Refused(error)));
                }
            } else if error.fault.is_credential() {
                self.end(change.step, Ending::NotTaken { detail, answer }).await?;
                turn += 1;
                if turn == self.rights.len() {
                    return Err(Halt::Fatal(reason(&error)));
                }
            } else if answer.is_none() && error.fault == Fault::BadRequest {
                // It cannot be written down as a request: it left for nobody, and never will.
                self.end(change.step, Ending::NotTaken { detail, answer }).await?;
                return Err(Halt::Fatal(reason(&error)));
            } else if is_unsent(&error.fault) {
                self.end(change.step, Ending::NotTaken { detail, answer }).await?;
                failures += 1;
                if failures >= SENDS || !self.journal.wait(pause(failures)).await? {
                    return Err(Halt::Fatal(reason(&error)));
                }
            } else if let Some(answer) = answer.clone().filter(is_verdict) {
                self.end(change.step, Ending::Answered { answer }).await?;
                return Ok(Ok(Taken::Refused(error)));
            } else {
                self.end(change.step, Ending::Unanswered { detail, answer }).await?;
                return Ok(Err(since));
            }
        }
    }

    /// Finds out what became of a change that was sent at `since`. `None`: the vendor did not take it.
    async fn find(
        &self,
        step: &str,
        since: Timestamp,
        witness: Option<&dyn Witness>,
    ) -> Result<Option<Taken>, Halt> {
        let Some(witness) = witness else {
            let detail = "sent, and the vendor cannot be asked what came of it".to_owned();
            self.end(step, Ending::Unknown { detail: detail.clone() }).await?;
            return Ok(Some(Taken::Unknown(detail)));
        };
        match self.look_until_settled(witness, since, Insistence::UntilAnswered).await? {
            Ok(Some(value)) => {
                self.end(step, Ending::Found { value: value.clone() }).await?;
                Ok(Some(Taken::Found(value)))
            }
            Ok(None) => {
                let detail = "the vendor knows nothing of it".to_owned();
                self.end(step, Ending::NotTaken { detail, answer: None }).await?;
                Ok(None)
            }
            Err(why) => {
                let detail = format!("sent, and not confirmed: {why}");
                self.end(step, Ending::Unknown { detail: detail.clone() }).await?;
                Ok(Some(Taken::Unknown(detail)))
            }
        }
    }

    /// What a witness finds of a change that was sent at `since`, given the time in which the vendor may not
    /// know of it yet; or why nobody can say.
    ///
    /// # Errors
    /// The run stops here.
    pub async fn look_until_settled(
        &self,
        witness: &dyn Witness,
        since: Timestamp,
        insistence: Insistence,
    ) -> Result<Result<Option<Value>, String>, Halt> {
        let patience = self.journal.patience();
        // From now on, not from `since`: it may still be on its way, whatever this process did meanwhile.
        let settled_at = self.journal.now() + patience.settle;
        loop {
            let settled = self.journal.now() >= settled_at;
            let failure = match witness.look(since).await {
                Ok(Some(value)) => return Ok(Ok(Some(value))),
                Ok(None) if settled => return Ok(Ok(None)),
                Ok(None) => "the run's time is over".to_owned(),
                Err(Halt::Fatal(why)) if settled && insistence == Insistence::UntilSettled => {
                    return Ok(Err(why.en));
                }
                Err(Halt::Fatal(why)) => why.en,
                Err(stop) => return Err(stop),
            };
            if !self.journal.wait(patience.poll.max(SHORTEST_WAIT)).await? {
                return Ok(Err(failure));
            }
        }
    }

    /// What is remembered of a change that ended in an earlier life of the run.
    fn taken_before(&self, change: &Change<'_>, ending: Ending) -> Taken {
        match ending {
            Ending::Found { value } => Taken::Found(value),
            Ending::Answered { answer } => {
                let answer = answer_of(answer, host(&change.ask.url));
                if answer.is_success() {
                    return Taken::Answered(read(&answer));
                }
                Taken::Refused((self.refuse)(&answer, &Secret::new("")))
            }
            Ending::NotTaken { detail, .. }
            | Ending::Unanswered { detail, .. }
            | Ending::Unknown { detail } => Taken::Unknown(detail),
        }
    }

    async fn try_ask(
        &self,
        step: &str,
        ask: &Ask,
        questions: u32,
    ) -> Result<Result<Reply, FetchError>, Halt> {
        let (mut throttles, mut failures, mut turn) = (0, 0, 0);
        loop {
            let Some(right) = self.rights.get(turn) else {
                return Err(Halt::fatal("the connector has no key"));
            };
            let request = shown_request(ask, &right.key.secret);
            let shown = Step { name: step, is_change: false, targets: &[], request };
            self.journal.sending(&shown).await?;
            let (error, answer) = match self.send(ask, right, step).await {
                Sending::Taken(answer, shown) => {
                    self.end(step, Ending::Answered { answer: shown }).await?;
                    return Ok(Ok(read(&answer)));
                }
                Sending::Failed(error, answer) => (error, answer),
            };
            let detail = error.to_string();
            self.end(step, Ending::NotTaken { detail, answer }).await?;
            let wait = if error.fault == Fault::Throttled && throttles < THROTTLES {
                throttles += 1;
                error.retry_after.unwrap_or(THROTTLED)
            } else if error.fault.is_credential() && turn + 1 < self.rights.len() {
                turn += 1;
                continue;
            } else if is_passing(&error.fault) && failures + 1 < questions {
                failures += 1;
                pause(failures)
            } else {
                return Ok(Err(error));
            };
            if !self.journal.wait(wait).await? {
                return Ok(Err(error));
            }
        }
    }

    async fn send(&self, ask: &Ask, right: &Right, step: &str) -> Sending {
        let secret = &right.key.secret;
        let sent = self.client.send(&*right.budget, ask.signed(secret)).await;
        // A test may hold or kill the process here: the vendor has answered, nobody has heard it.
        model::failpoint::hit("actions.step", step);
        match sent {
            Ok(answer) if answer.is_success() => {
                let shown = shown_answer(&answer, secret);
                Sending::Taken(answer, shown)
            }
            Ok(answer) => {
                let shown = shown_answer(&answer, secret);
                Sending::Failed((self.refuse)(&answer, secret), Some(shown))
            }
            Err(error) => Sending::Failed(error, None),
        }
    }

    async fn end(&self, step: &str, ending: Ending) -> Result<(), Halt> {
        self.journal.ended(step, &ending).await
    }

    fn step<'s>(&self, change: &Change<'s>, secret: &Secret) -> Step<'s> {
        let request = shown_request(&change.ask, secret);
        Step { name: change.step, is_change: true, targets: change.targets, request }
    }
}

/// Whether a failure says that the request did not leave this machine for the vendor.
fn is_unsent(fault: &Fault) -> bool {
    matches!(fault, Fault::Dns | Fault::Tls | Fault::Unreachable | Fault::Budget)
}

/// Whether the same question may be answered a little later, without waiting for a quota.
pub fn is_passing(fault: &Fault) -> bool {
    is_unsent(fault) || matches!(fault, Fault::Outage | Fault::Timeout | Fault::Unreadable)
}

/// Whether an answer that is no success says that a change was not made. Servers that failed at it do not know,
/// nor does one that stopped waiting for the rest of a request.
fn is_verdict(answer: &ShownAnswer) -> bool {
    answer.status < 500 && answer.status != 408
}

/// The wait before the attempt after `failures` failed ones. Without jitter: one run disturbs nobody.
fn pause(failures: u32) -> Duration {
    backoff::delay(failures, BACKOFF.0, BACKOFF.1, 1.0)
}

fn read(answer: &Answer) -> Reply {
    let text = || Value::String(String::from_utf8_lossy(&answer.body).into_owned());
    let body = if answer.body.is_empty() {
        Value::Null
    } else {
        serde_json::from_slice(&answer.body).unwrap_or_else(|_| text())
    };
    Reply { status: answer.status, headers: answer.headers.clone(), body }
}

/// The answer that the history shows, as the vendor gave it.
fn answer_of(shown: ShownAnswer, host: String) -> Answer {
    let body = match shown.body {
        Value::Null => Bytes::new(),
        Value::String(text) => Bytes::from(text),
        json => Bytes::from(json.to_string()),
    };
    Answer {
        status: shown.status,
        body,
        vendor_time: None,
        retry_after: None,
        host,
        headers: shown.headers,
    }
}
