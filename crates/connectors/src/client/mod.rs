//! The one way to a vendor: every request is reserved from the budget, bounded in time and size, and
//! cannot print its secret.
//!
//! The only module that names `reqwest`. It never retries and never follows redirects: the engine
//! decides when to ask again, and a key goes to its own host only. Start at [`VendorClient::send`].

pub mod backoff;
mod decompression;
pub mod egress;
mod failure;
pub mod link;
mod proxy;
mod redaction;
mod resolver;
mod wait;
pub mod webhook;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use model::budget::{self, Budget, Permit};
use model::connector::Proxy;
use model::secret::Secret;
use model::time::Timestamp;
use model::vendor::{Fault, FetchError};
use reqwest::header::{self, HeaderMap, HeaderName, HeaderValue};
use url::Url;

use decompression::{ACCEPTED, Decoder};
pub use decompression::{Unpacked, gunzip, is_gzip};
pub use failure::status_fault;
pub use proxy::proxy_address;
pub use redaction::{quote, redact};
use resolver::SystemResolver;
pub use wait::ResetUnit;

/// What a request sends as its `User-Agent`.
const USER_AGENT: &str = concat!("Tarn/", env!("CARGO_PKG_VERSION"));
/// Most bytes that are read of the body of a refusal.
const REFUSAL_CAP: usize = 64 * 1024;
/// Bytes of a body that the trace log shows.
const TRACED_BYTES: usize = 512;

/// How a [`VendorClient`] behaves.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// Whether the vendor's certificate is checked.
    pub verify_tls: bool,
    /// Longest time until a connection stands.
    pub connect_timeout: Duration,
    /// Longest time until the last byte of an answer.
    pub timeout: Duration,
    /// Most bytes of a decoded body.
    pub body_cap: usize,
    /// Whether a refusal, given as status and body, speaks of the quota.
    pub is_throttled: fn(u16, &[u8]) -> bool,
    /// What the vendor's `X-RateLimit-Reset` counts.
    pub reset_unit: ResetUnit,
    /// The way out; `None` is direct, or the machine's own proxy.
    pub proxy: Option<Proxy>,
}

impl Default for ClientOptions {
    /// TLS checked, 10 s to connect, 60 s in all, 64 MiB, throttled on 429.
    fn default() -> Self {
        Self {
            verify_tls: true,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            body_cap: 64 * 1024 * 1024,
            is_throttled: |status, _| status == 429,
            reset_unit: ResetUnit::default(),
            proxy: None,
        }
    }
}

/// The client could not be set up on this machine.
#[derive(Debug, thiserror::Error)]
#[error("failed to set up the HTTP client")]
pub struct ClientError(#[source] reqwest::Error);

/// A client for one connection to a vendor; its copies share connections.
#[derive(Debug, Clone)]
pub struct VendorClient {
    http: reqwest::Client,
    options: ClientOptions,
}

/// How a request treats what its URL names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Asks for it.
    Get,
    /// Gives it something.
    Post,
    /// Replaces it.
    Put,
    /// Changes a part of it.
    Patch,
    /// Takes it away.
    Delete,
}

impl Method {
    /// The method as it is written on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// One request.
#[derive(Debug)]
pub struct Request<'a> {
    method: Method,
    url: Url,
    bearer: Option<&'a Secret>,
    headers: Vec<(&'static str, String)>,
    body: Option<Body>,
    is_confidential: bool,
}

/// The body of a request, which may hold secrets.
struct Body(Bytes);

impl std::fmt::Debug for Body {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} bytes", self.0.len())
    }
}

impl<'a> Request<'a> {
    /// Asks for this URL.
    pub fn get(url: Url) -> Self {
        Self::new(Method::Get, url)
    }

    /// A request without a body.
    pub fn new(method: Method, url: Url) -> Self {
        Self { method, url, bearer: None, headers: Vec::new(), body: None, is_confidential: false }
    }

    /// Sends a body to this URL.
    pub fn post(url: Url, media_type: &'static str, body: Bytes) -> Self {
        Self::new(Method::Post, url).body(media_type, body)
    }

    /// Sends a body along.
    #[must_use]
    pub fn body(mut self, media_type: impl Into<String>, body: Bytes) -> Self {
        self.body = Some(Body(body));
        self.header("content-type", media_type)
    }

    /// Keeps the answer out of the trace log: it holds a secret.
    #[must_use]
    pub fn confidential(mut self) -> Self {
        self.is_confidential = true;
        self
    }

    /// Sends the secret as bearer token.
    #[must_use]
    pub fn bearer(mut self, secret: &'a Secret) -> Self {
        self.bearer = Some(secret);
        self
    }

    /// Adds a header; the name is lower case.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The vendor host, with a port where the URL gives one: what budgets are counted by.
    pub fn host(&self) -> String {
        host(&self.url)
    }
}

/// The host of a URL, with a port where one is given.
pub fn host(url: &Url) -> String {
    let name = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"))
}

/// What the vendor answered, whatever the status.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The decoded body; of a refusal at most its first part.
    pub body: Bytes,
    /// The vendor's clock.
    pub vendor_time: Option<Timestamp>,
    /// How long the vendor asks us to wait.
    pub retry_after: Option<Duration>,
    /// The host that answered.
    pub host: String,
    /// The headers that are text.
    pub headers: Headers,
}

/// The headers of an answer by name in lower case; of several with one name the last.
pub type Headers = BTreeMap<String, String>;

impl Answer {
    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The error that this answer stands for, with the vendor's own words in it.
    /// The words must be free of secrets: see [`quote`].
    pub fn refused(&self, fault: Fault, words: &str) -> FetchError {
        let separator = if words.is_empty() { "" } else { ": " };
        let detail = format!("{} answered {}{separator}{words}", self.host, self.status);
        FetchError { fault, detail, retry_after: self.retry_after, source: None }
    }
}

impl VendorClient {
    /// Sets up a client; sends nothing.
    ///
    /// # Errors
    /// The machine's TLS set-up cannot be used.
    #[expect(clippy::disallowed_methods, reason = "this is the shared client")]
    pub fn new(options: ClientOptions) -> Result<Self, ClientError> {
        let builder = match &options.proxy {
            Some(proxy) => reqwest::Client::builder().proxy(proxy::way_out(proxy)?),
            None => reqwest::Client::builder(),
        };
        let http = builder
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(options.connect_timeout)
            .timeout(options.timeout)
            .tls_danger_accept_invalid_certs(!options.verify_tls)
            .dns_resolver(Arc::new(SystemResolver))
            .build()
            .map_err(ClientError)?;
        Ok(Self { http, options })
    }

    /// Reserves and sends one request, and reads its answer.
    ///
    /// # Errors
    /// The request could not be reserved or sent, or its answer could not be read. A refusal by
    /// the vendor is an answer.
    pub async fn send(
        &self,
        budget: &dyn Budget,
        request: Request<'_>,
    ) -> Result<Answer, FetchError> {
        let host = request.host();
        let headers = headers_of(&request)?;
        let shown = if request.is_confidential { Shown::Nothing } else { request.shown() };
        let permit = budget.reserve(&host).await.map_err(|error| FetchError {
            fault: Fault::Budget,
            detail: format!("request to {host} was not sent"),
            retry_after: None,
            source: Some(Box::new(error)),
        })?;
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Put => reqwest::Method::PUT,
            Method::Patch => reqwest::Method::PATCH,
            Method::Delete => reqwest::Method::DELETE,
        };
        let mut building = self.http.request(method, request.url);
        if let Some(Body(body)) = request.body {
            building = building.body(body);
        }
        let sent = building.headers(headers).send().await;
        let response = sent.map_err(|error| self.not_sent(&host, error))?;
        pass("connectors.request_sent", &host)?;
        let answer = self.read(host, response, permit, shown).await?;
        pass("connectors.answer_read", &answer.host)?;
        Ok(answer)
    }

    /// The failure of a request that got no answer, with the proxy that it went through.
    fn not_sent(&self, host: &str, error: reqwest::Error) -> FetchError {
        let mut failed = failure::sending(host, error);
        if let Some(proxy) = &self.options.proxy {
            failed.detail.push_str(&format!(" through the proxy {}", proxy.address));
        }
        failed
    }

    async fn read(
        &self,
        host: String,
        response: reqwest::Response,
        permit: Permit,
        shown: Shown<'_>,
    ) -> Result<Answer, FetchError> {
        let status = response.status().as_u16();
        let vendor_time = header_text(response.headers(), "date").and_then(wait::http_date);
        let headers = texts(response.headers());
        let unit = self.options.reset_unit;
        let retry_after = asked_wait(response.headers(), status, unit, vendor_time);
        let body = if response.status().is_success() {
            permit.answered(budget::Answer::default());
            read_body(&host, response, self.options.body_cap).await?
        } else {
            // What a refusal says about itself is a help, not a need.
            let body = read_body(&host, response, REFUSAL_CAP).await.unwrap_or_default();
            let throttled = (self.options.is_throttled)(status, &body);
            permit.answered(budget::Answer { throttled, retry_after });
            body
        };
        tracing::debug!(vendor.host = host, status, bytes = body.len(), "vendor answered");
        tracing::trace!(vendor.host = host, body = traced(&body, shown), "vendor's answer");
        Ok(Answer { status, body, vendor_time, retry_after, host, headers })
    }
}

/// Fails when a test has armed the failpoint of this name for this host.
pub(crate) fn pass(failpoint: &str, host: &str) -> Result<(), FetchError> {
    if !model::failpoint::hit(failpoint, host) {
        return Ok(());
    }
    Err(FetchError {
        fault: Fault::Unreachable,
        detail: format!("stopped at failpoint `{failpoint}`"),
        retry_after: None,
        source: None,
    })
}

fn headers_of(request: &Request<'_>) -> Result<HeaderMap, FetchError> {
    let mut headers = HeaderMap::new();
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED));
    headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
    for (name, value) in &request.headers {
        let value = HeaderValue::from_str(value).map_err(|_| FetchError {
            fault: Fault::BadRequest,
            detail: format!("header `{name}` has a value that cannot be sent"),
            retry_after: None,
            source: None,
        })?;
        headers.insert(HeaderName::from_static(name), value);
    }
    if let Some(secret) = request.bearer {
        let text = format!("Bearer {}", secret.expose());
        let mut value = HeaderValue::from_str(&text).map_err(|_| FetchError {
            fault: Fault::MalformedKey,
            detail: "the key has characters that cannot be sent".to_owned(),
            retry_after: None,
            source: None,
        })?;
        value.set_sensitive(true);
        headers.insert(header::AUTHORIZATION, value);
    }
    Ok(headers)
}

fn texts(headers: &HeaderMap) -> Headers {
    let text = |value: &HeaderValue| value.to_str().ok().map(str::to_owned);
    headers
        .iter()
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?)))
        .collect()
}

fn header_text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}

/// The wait that the headers ask for; a reset counts only where the vendor refused for its quota.
fn asked_wait(
    headers: &HeaderMap,
    status: u16,
    unit: ResetUnit,
    vendor_time: Option<Timestamp>,
) -> Option<Duration> {
    let retry_after =
        header_text(headers, "retry-after").and_then(|text| wait::retry_after(text, vendor_time));
    let reset = || {
        let text = header_text(headers, "x-ratelimit-reset").filter(|_| status == 429)?;
        wait::rate_limit_reset(text, unit, vendor_time)
    };
    retry_after.or_else(reset)
}

async fn read_body(
    host: &str,
    mut response: reqwest::Response,
    cap: usize,
) -> Result<Bytes, FetchError> {
    let encoding = header_text(response.headers(), "content-encoding").unwrap_or_default();
    let mut decoder =
        Decoder::new(encoding, cap).map_err(|error| failure::decoding(host, error))?;
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                decoder.push(&chunk).map_err(|error| failure::decoding(host, error))?;
            }
            Ok(None) => break,
            Err(error) => return Err(failure::reading(host, error)),
        }
    }
    decoder.finish().map(Bytes::from).map_err(|error| failure::decoding(host, error))
}

/// What the trace log may show of an answer.
#[derive(Clone, Copy)]
enum Shown<'a> {
    Everything,
    /// All but this.
    Without(&'a Secret),
    Nothing,
}

impl<'a> Request<'a> {
    fn shown(&self) -> Shown<'a> {
        self.bearer.map_or(Shown::Everything, Shown::Without)
    }
}

fn traced(body: &[u8], shown: Shown<'_>) -> String {
    let head = String::from_utf8_lossy(&body[..body.len().min(TRACED_BYTES)]);
    match shown {
        Shown::Everything => head.into_owned(),
        Shown::Without(secret) => redact(&head, secret),
        Shown::Nothing => format!("{} bytes, not shown", body.len()),
    }
}
