//! Tarn over HTTP: the five routes that a client has, each repeated while that may help.
//!
//! A repetition is always safe: enrolling and rotating with the same words is the same act, and records carry a key
//! by which the server knows them again. An answer of 200 counts only when it says what it should: a gateway's page is
//! no receipt.

use std::time::Duration;

use bytes::Bytes;
use connectors::client::backoff;
use model::secret::Secret;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use url::Url;

use crate::deadline::Deadline;
use crate::refusal::{self, Attempt, Refusal};
use model::causes::chain;

/// This client's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Attempts of one request, where time is left for them.
const ATTEMPTS: u32 = 8;
/// The first pause, which doubles, and the longest that is not asked for.
const PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The longest pause that the server may ask for; beyond it the message comes again instead.
const LONGEST_WAIT: Duration = Duration::from_secs(120);
/// How long one attempt may take: the server answers after its commit.
const TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Most bytes of an answer.
const ANSWER_CAP: usize = 64 * 1024;
/// What is escaped in a header, as in a URL: whatever is not visible ASCII, and the escape itself.
const ESCAPED: &AsciiSet = &CONTROLS.add(b'%').add(b' ');

/// How a stack stands.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Standing {
    /// Its id at the server.
    pub stack_id: String,
    /// How often the server wants to hear of it.
    pub heartbeat_seconds: u64,
    /// The age at which a token is to be replaced.
    pub rotate_after_seconds: u64,
    /// When it ends, where it does.
    #[serde(default)]
    pub expires_at: Option<String>,
}

/// What became of records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Counts {
    /// All of them.
    pub served: u64,
    /// New ones.
    #[serde(default)]
    pub stored: u64,
    /// Those that were there already.
    #[serde(default)]
    pub duplicate: u64,
    /// Those that a transform dropped.
    #[serde(default)]
    pub filtered: u64,
    /// Those that could not be read.
    #[serde(default)]
    pub dead_lettered: u64,
}

/// Where and what the client is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// The account's twelve digits.
    pub account_id: String,
    /// Its region.
    pub region: String,
}

/// Something that is sent once, however often it is repeated.
#[derive(Debug, Clone)]
pub struct Parcel {
    /// By which the server knows it again.
    pub key: String,
    /// Where it comes from, as a URL.
    pub origin: String,
    /// The bytes.
    pub body: Bytes,
    /// They are packed.
    pub is_gzip: bool,
}

/// The server.
pub struct Service {
    http: reqwest::Client,
    base: Url,
}

/// One request, to be made as often as needed.
struct Ask<'a> {
    path: &'a str,
    token: Option<&'a Secret>,
    headers: Vec<(&'static str, String)>,
    body: Bytes,
}

impl Service {
    /// Makes ready; asks nobody.
    ///
    /// # Errors
    /// The machine's certificates or proxies cannot be read.
    #[expect(clippy::disallowed_methods, reason = "it asks our own server, not a vendor")]
    pub fn new(base: &Url) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("tarn-forwarder/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .build()?;
        let mut base = base.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        Ok(Self { http, base })
    }

    /// Exchanges a code for a token that the client made.
    ///
    /// # Errors
    /// The code is refused, or there is no answer.
    pub async fn enrol(
        &self,
        code: &Secret,
        token: &Secret,
        home: &Home,
        template_version: &str,
        deadline: Deadline,
    ) -> Result<Standing, Refusal> {
        let body = json!({
            "enrolment_code": code.expose().trim(), "token": token.expose(),
            "account_id": home.account_id, "region": home.region,
            "client_version": VERSION, "template_version": template_version
        });
        self.ask(Ask::json("enrol", None, &body), deadline).await
    }

    /// Gives a new token beside the present one.
    ///
    /// # Errors
    /// The present token is refused, or there is no answer.
    pub async fn rotate(
        &self,
        token: &Secret,
        next: &Secret,
        deadline: Deadline,
    ) -> Result<Standing, Refusal> {
        let body = json!({ "token": next.expose() });
        self.ask(Ask::json("token", Some(token), &body), deadline).await
    }

    /// Says that the client lives.
    ///
    /// # Errors
    /// The stack is not wanted, or there is no answer.
    pub async fn heartbeat(
        &self,
        token: &Secret,
        template_version: &str,
        queue_visible: Option<u64>,
        paused: bool,
        deadline: Deadline,
    ) -> Result<Standing, Refusal> {
        let mut body = json!({
            "client_version": VERSION, "template_version": template_version, "paused": paused
        });
        if let Some(waiting) = queue_visible {
            body["queue_visible"] = waiting.into();
        }
        self.ask(Ask::json("heartbeat", Some(token), &body), deadline).await
    }

    /// Sends records; answered after they are stored.
    ///
    /// # Errors
    /// They are not stored, or nobody knows.
    pub async fn records(
        &self,
        token: &Secret,
        parcel: &Parcel,
        deadline: Deadline,
    ) -> Result<Counts, Refusal> {
        let mut headers = parcel.headers();
        headers.push((CONTENT_TYPE.as_str(), "application/json".to_owned()));
        let body = parcel.body.clone();
        self.ask(Ask { path: "records", token: Some(token), headers, body }, deadline).await
    }

    /// Sends bytes that cannot be records, with the reason.
    ///
    /// # Errors
    /// They are not kept, or nobody knows.
    pub async fn dead_letter(
        &self,
        token: &Secret,
        parcel: &Parcel,
        reason: &str,
        deadline: Deadline,
    ) -> Result<(), Refusal> {
        let mut headers = parcel.headers();
        headers.push(("Tarn-Reason", escaped(reason)));
        headers.push((CONTENT_TYPE.as_str(), "application/octet-stream".to_owned()));
        let body = parcel.body.clone();
        let ask = Ask { path: "dead-letters", token: Some(token), headers, body };
        self.ask::<Value>(ask, deadline).await.map(drop)
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        ask: Ask<'_>,
        deadline: Deadline,
    ) -> Result<T, Refusal> {
        let mut attempt = 0;
        loop {
            let (words, wait) = match self.attempt(&ask, deadline).await {
                Ok(answer) => return Ok(answer),
                Err(Attempt::Over(refusal)) => return Err(refusal),
                Err(Attempt::Again(words, wait)) => (words, wait),
            };
            let own = backoff::delay(attempt, PAUSE, LONGEST_PAUSE, rand::random());
            let wait = wait.unwrap_or_default().max(own);
            attempt += 1;
            tracing::debug!(route = ask.path, attempt, words, ?wait, "a request is repeated");
            if attempt >= ATTEMPTS || wait > LONGEST_WAIT || !deadline.wait(wait).await {
                return Err(Refusal::Failed(words));
            }
        }
    }

    async fn attempt<T: DeserializeOwned>(
        &self,
        ask: &Ask<'_>,
        deadline: Deadline,
    ) -> Result<T, Attempt> {
        let url = self.base.join("api/v1/forwarder/").and_then(|base| base.join(ask.path));
        let url = url.map_err(|error| Attempt::Over(Refusal::Refused(error.to_string())))?;
        let mut request = self.http.post(url).body(ask.body.clone());
        request = request.timeout(TIMEOUT.min(deadline.left()));
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        if let Some(token) = ask.token {
            request = request.bearer_auth(token.expose());
        }
        let mut response = request.send().await.map_err(unanswered)?;
        let mut body = Vec::new();
        while let Some(piece) = response.chunk().await.map_err(unanswered)? {
            body.extend_from_slice(&piece);
            if body.len() > ANSWER_CAP {
                return Err(Attempt::Again("the answer is too long".to_owned(), None));
            }
        }
        if !response.status().is_success() {
            return Err(refusal::of(response.status(), response.headers(), &body));
        }
        let unreadable = |_| Attempt::Again("the answer is none of Tarn's".to_owned(), None);
        serde_json::from_slice(&body).map_err(unreadable)
    }
}

impl<'a> Ask<'a> {
    fn json(path: &'a str, token: Option<&'a Secret>, body: &Value) -> Self {
        let headers = vec![(CONTENT_TYPE.as_str(), "application/json".to_owned())];
        Self { path, token, headers, body: body.to_string().into() }
    }
}

impl Parcel {
    fn headers(&self) -> Vec<(&'static str, String)> {
        let mut headers =
            vec![("Idempotency-Key", self.key.clone()), ("Tarn-Object", escaped(&self.origin))];
        if self.is_gzip {
            headers.push((CONTENT_ENCODING.as_str(), "gzip".to_owned()));
        }
        headers
    }
}

/// Text as it may stand in a header.
fn escaped(text: &str) -> String {
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// Without the URL: it may hold a password.
fn unanswered(error: reqwest::Error) -> Attempt {
    Attempt::Again(chain(&error.without_url()), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_hold_any_key_and_any_reason() {
        let key = "s3://b/a b/日本%.json.gz";
        assert_eq!(escaped(key), "s3://b/a%20b/%E6%97%A5%E6%9C%AC%25.json.gz");
        assert_eq!(escaped("a\r\nb\u{7f}"), "a%0D%0Ab%7F");
    }

    #[test]
    fn a_path_of_the_service_is_kept() {
        for base in ["https://h.example/tarn", "https://h.example/tarn/"] {
            let service = Service::new(&Url::parse(base).unwrap()).unwrap();
            assert_eq!(service.base.as_str(), "https://h.example/tarn/");
        }
    }
}
