//! Requests that people wrote themselves: guarded in where they go, and told apart by whether they arrived.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use model::budget::{self, Budget};
use model::connector::Proxy;
use model::hint::Hint;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use url::{Host, Url};

use super::decompression::ACCEPTED;
use super::egress::{EgressPolicy, EgressRefused, GuardedResolver, permitted};
use super::resolver::SystemResolver;
use super::{
    ClientError, ResetUnit, USER_AGENT, asked_wait, failure, header_text, host, proxy, read_body,
    wait,
};

/// Most bytes that are read of an answer.
pub const BODY_CAP: usize = 1024 * 1024;
/// Longest value of a header that is kept.
const HEADER_CAP: usize = 4096;

/// How a [`WebhookClient`] behaves.
#[derive(Debug, Clone)]
pub struct WebhookOptions {
    /// Whether the host's certificate is checked.
    pub verify_tls: bool,
    /// Where requests may go.
    pub egress: EgressPolicy,
    /// The way out; `None` is direct, whatever proxy the machine has.
    pub proxy: Option<Proxy>,
    /// Longest time until a connection stands.
    pub connect_timeout: Duration,
    /// Longest time until the last byte of an answer.
    pub timeout: Duration,
}

impl Default for WebhookOptions {
    /// TLS checked, the public network only, direct, 10 s to connect, 60 s in all.
    fn default() -> Self {
        Self {
            verify_tls: true,
            egress: EgressPolicy::default(),
            proxy: None,
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
        }
    }
}

/// A client for hosts that people name themselves.
#[derive(Debug, Clone)]
pub struct WebhookClient {
    http: reqwest::Client,
    egress: Arc<EgressPolicy>,
    is_proxied: bool,
}

/// One request, complete.
pub struct Outgoing {
    /// The method.
    pub method: &'static str,
    /// The whole URL.
    pub url: Url,
    /// Every header; the values may be secret.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Bytes>,
}

impl std::fmt::Debug for Outgoing {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{} to {}", self.method, host(&self.url))
    }
}

/// What the host answered, whatever the status.
#[derive(Debug, Clone)]
pub struct Incoming {
    /// The status.
    pub status: u16,
    /// The headers by name in lower case, without cookies.
    pub headers: BTreeMap<String, String>,
    /// The decoded body; `None` when it could not be read to its end or is too large.
    pub body: Option<Bytes>,
    /// How long the host asks us to wait.
    pub retry_after: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Lost {
    /// It may not go there: nothing was sent.
    Refused(EgressRefused),
    /// It cannot be sent as it is: nothing was sent.
    Unsendable(String),
    /// No connection came about: nothing was sent.
    NotTaken(String),
    /// It was sent, and no answer came.
    InDoubt(String),
}

impl Lost {
    /// Why, in words that hold no secret.
    pub fn detail(&self) -> String {
        match self {
            Self::Refused(refused) => match refused.hint() {
                Some(hint) => format!("{refused}; {hint}"),
                None => refused.to_string(),
            },
            Self::Unsendable(detail) | Self::NotTaken(detail) | Self::InDoubt(detail) => {
                detail.clone()
            }
        }
    }
}

impl WebhookClient {
    /// Sets up a client; sends nothing.
    ///
    /// # Errors
    /// The machine's TLS set-up or the proxy cannot be used.
    #[expect(clippy::disallowed_methods, reason = "this is the guarded client")]
    pub fn new(options: WebhookOptions) -> Result<Self, ClientError> {
        let egress = Arc::new(options.egress);
        let builder = match &options.proxy {
            // The resolver is asked for the proxy then; the target is judged before each request.
            Some(proxy) => reqwest::Client::builder()
                .proxy(proxy::way_out(proxy)?)
                .dns_resolver(Arc::new(SystemResolver)),
            None => reqwest::Client::builder()
                .no_proxy()
                .dns_resolver(Arc::new(GuardedResolver(egress.clone()))),
        };
        let http = builder
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(options.connect_timeout)
            .timeout(options.timeout)
            .tls_danger_accept_invalid_certs(!options.verify_tls)
            .build()
            .map_err(ClientError)?;
        Ok(Self { http, egress, is_proxied: options.proxy.is_some() })
    }

    /// Reserves and sends one request, and reads its answer. Redirects are answers.
    ///
    /// # Errors
    /// There is no answer; the error says whether the request may have arrived.
    pub async fn exchange(&self, budget: &dyn Budget, request: Outgoing) -> Result<Incoming, Lost> {
        let host = host(&request.url);
        self.judge(&request.url).await?;
        let headers = headers_of(&request)?;
        let method = reqwest::Method::from_bytes(request.method.as_bytes())
            .map_err(|_| Lost::Unsendable(format!("method `{}` cannot be sent", request.method)))?;
        let permit = budget
            .reserve(&host)
            .await
            .map_err(|error| Lost::NotTaken(format!("request to {host} was not sent: {error}")))?;
        let mut building = self.http.request(method, request.url).headers(headers);
        if let Some(body) = request.body {
            building = building.body(body);
        }
        let response = building.send().await.map_err(|error| lost(&host, error))?;
        let status = response.status().as_u16();
        let vendor_time = header_text(response.headers(), "date").and_then(wait::http_date);
        let retry_after = asked_wait(response.headers(), status, ResetUnit::default(), vendor_time);
        permit.answered(budget::Answer { throttled: status == 429, retry_after });
        let headers = kept(response.headers());
        let body = read_body(&host, response, BODY_CAP).await.ok();
        tracing::debug!(vendor.host = host, status, "webhook answered");
        Ok(Incoming { status, headers, body, retry_after })
    }

    async fn judge(&self, url: &Url) -> Result<(), Lost> {
        self.egress.judge_url(url).map_err(Lost::Refused)?;
        let Some(Host::Domain(name)) = url.host().filter(|_| self.is_proxied) else {
            return Ok(());
        };
        // A name that only the proxy can resolve is the proxy's to judge.
        match permitted(&self.egress, name).await {
            Ok(_) => Ok(()),
            Err(error) => match error.downcast::<EgressRefused>() {
                Ok(refused) => Err(Lost::Refused(*refused)),
                Err(_) => Ok(()),
            },
        }
    }
}

fn headers_of(request: &Outgoing) -> Result<HeaderMap, Lost> {
    let mut headers = HeaderMap::new();
    headers.insert(reqwest::header::ACCEPT_ENCODING, HeaderValue::from_static(ACCEPTED));
    headers.insert(reqwest::header::ACCEPT, HeaderValue::from_static("application/json"));
    for (name, value) in &request.headers {
        let unsendable = || Lost::Unsendable(format!("header `{name}` cannot be sent"));
        let key = HeaderName::from_bytes(name.as_bytes()).map_err(|_| unsendable())?;
        let mut value = HeaderValue::from_str(value).map_err(|_| unsendable())?;
        value.set_sensitive(true);
        headers.insert(key, value);
    }
    Ok(headers)
}

/// The headers of an answer that may be kept.
fn kept(headers: &HeaderMap) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for (name, value) in headers {
        let name = name.as_str();
        if !matches!(name, "set-cookie" | "www-authenticate" | "proxy-authenticate")
            && let Ok(text) = value.to_str()
        {
            kept.entry(name.to_owned()).or_insert_with(|| text.chars().take(HEADER_CAP).collect());
        }
    }
    kept
}

fn lost(host: &str, error: reqwest::Error) -> Lost {
    let mut cause: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(current) = cause {
        if let Some(refused) = current.downcast_ref::<EgressRefused>() {
            return Lost::Refused(refused.clone());
        }
        cause = current.source();
    }
    let was_sent = !error.is_connect() && !error.is_builder();
    let detail = failure::sending(host, error).detail;
    if was_sent { Lost::InDoubt(detail) } else { Lost::NotTaken(detail) }
}
