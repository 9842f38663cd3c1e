//! Access tokens: made of the client credentials, kept in memory, shared by all streams, and replaced before they
//! run out or when the vendor refuses one.
//!
//! One stream refreshes, the others take what it got. Time is the vendor's: the `Date` of its answers says how old
//! a token is, so that no clock of ours is needed. Nobody waits at the budget's gate while holding the lock.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use model::budget::Budget;
use model::secret::Secret;
use model::time::Timestamp;
use model::vendor::{Fault, FetchError};
use serde_json::Value;
use tokio::sync::Mutex;
use url::{Url, form_urlencoded};

use super::errors;
use super::prepaid::Prepaid;
use crate::client::{self, Answer, Request, VendorClient};

/// Tokens are replaced so long before their end, or at half of a short life.
const MARGIN: Duration = Duration::from_secs(300);
const FORM: &str = "application/x-www-form-urlencoded";

/// The way to an application's access tokens.
#[derive(Debug)]
pub(super) struct Access {
    url: Url,
    host: String,
    application: Secret,
    secret: Secret,
    state: Mutex<State>,
    /// Requests for tokens that came to an end.
    attempts: AtomicU64,
    /// The newest time that the vendor told, in microseconds; 0 when it told none.
    vendor_time: AtomicI64,
}

/// A token and how long it is good.
#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) secret: Secret,
    number: u64,
    /// When it should be replaced, and when it ends, by the vendor's clock.
    life: Option<(Timestamp, Timestamp)>,
}

#[derive(Debug, Default)]
struct State {
    token: Option<Token>,
    /// How the last request for one failed.
    failure: Option<Failure>,
}

/// A failure that several streams share.
#[derive(Debug, Clone)]
struct Failure {
    fault: Fault,
    detail: String,
    retry_after: Option<Duration>,
}

impl Access {
    /// Tokens of an application at the vendor's token route.
    pub(super) fn new(url: Url, application: Secret, secret: Secret) -> Self {
        let host = client::host(&url);
        let (state, attempts) = (Mutex::default(), AtomicU64::new(0));
        let vendor_time = AtomicI64::new(0);
        Self { url, host, application, secret, state, attempts, vendor_time }
    }

    /// A token that is likely good.
    pub(super) async fn token(
        &self,
        http: &VendorClient,
        budget: &Prepaid<'_>,
    ) -> Result<Token, FetchError> {
        // Read before the lock is waited for: who holds it may be asking for a token already.
        let attempts = self.attempts.load(Ordering::Acquire);
        let known = self.state.lock().await.token.clone();
        if let Some(token) = known.filter(|token| self.is_fresh(token)) {
            return Ok(token);
        }
        self.refresh(http, budget, attempts, None).await
    }

    /// Another token than the one that was refused.
    pub(super) async fn instead_of(
        &self,
        refused: &Token,
        http: &VendorClient,
        budget: &Prepaid<'_>,
    ) -> Result<Token, FetchError> {
        let attempts = self.attempts.load(Ordering::Acquire);
        let known = self.state.lock().await.token.clone();
        if let Some(token) = known.filter(|token| token.number != refused.number) {
            return Ok(token);
        }
        self.refresh(http, budget, attempts, Some(refused.number)).await
    }

    /// Notes the vendor's time.
    pub(super) fn saw(&self, answer: &Answer) {
        if let Some(time) = answer.vendor_time {
            self.vendor_time.fetch_max(time.as_micros(), Ordering::Relaxed);
        }
    }

    /// Asks for a token, or takes what another stream got since `attempts`.
    async fn refresh(
        &self,
        http: &VendorClient,
        budget: &Prepaid<'_>,
        attempts: u64,
        refused: Option<u64>,
    ) -> Result<Token, FetchError> {
        budget.prepay(&self.host).await?;
        let mut state = self.state.lock().await;
        if self.attempts.load(Ordering::Acquire) != attempts {
            if let Some(failure) = &state.failure {
                return Err(failure.to_error());
            }
            if let Some(token) = &state.token {
                return Ok(token.clone());
            }
        }
        let asked = self.request(http, budget, attempts + 1).await;
        self.attempts.store(attempts + 1, Ordering::Release);
        match asked {
            Ok(token) => {
                state.token = Some(token.clone());
                state.failure = None;
                client::pass("connectors.token_refreshed", &self.host)?;
                Ok(token)
            }
            Err(error) => {
                let usable = |token: &&Token| Some(token.number) != refused && self.is_good(token);
                let left = state.token.as_ref().filter(usable).cloned();
                match left.filter(|_| !error.fault.is_credential()) {
                    // The token is to be replaced but not at its end: it does until the vendor answers.
                    Some(token) => Ok(token),
                    None => {
                        state.failure = Some(Failure::of(&error));
                        Err(error)
                    }
                }
            }
        }
    }

    async fn request(
        &self,
        http: &VendorClient,
        budget: &dyn Budget,
        number: u64,
    ) -> Result<Token, FetchError> {
        check(&self.application, "client_id")?;
        check(&self.secret, "client_secret")?;
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", self.application.expose())
            .append_pair("client_secret", self.secret.expose())
            .finish();
        let request = Request::post(self.url.clone(), FORM, Bytes::from(form)).confidential();
        let answer = http.send(budget, request).await?;
        self.saw(&answer);
        if !answer.is_success() {
            return Err(errors::no_token(&answer, &self.secret));
        }
        let told: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let secret = told["access_token"].as_str().map(str::trim).filter(|text| is_token(text));
        let Some(secret) = secret else { return Err(errors::no_token(&answer, &self.secret)) };
        let seconds = match &told["expires_in"] {
            Value::String(text) => text.trim().parse().ok(),
            other => other.as_u64(),
        };
        let life = answer.vendor_time.zip(seconds).map(|(made, seconds)| {
            let life = Duration::from_secs(seconds);
            (made + life.saturating_sub(MARGIN).max(life / 2), made + life)
        });
        Ok(Token { secret: Secret::new(secret), number, life })
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(self.vendor_time.load(Ordering::Relaxed))
    }

    fn is_fresh(&self, token: &Token) -> bool {
        token.life.is_none_or(|(replace, _)| self.now() < replace)
    }

    fn is_good(&self, token: &Token) -> bool {
        token.life.is_none_or(|(_, end)| self.now() < end)
    }
}

impl Failure {
    fn of(error: &FetchError) -> Self {
        let FetchError { fault, detail, retry_after, .. } = error;
        Self { fault: fault.clone(), detail: detail.clone(), retry_after: *retry_after }
    }

    fn to_error(&self) -> FetchError {
        let Self { fault, detail, retry_after } = self.clone();
        FetchError { fault, detail, retry_after, source: None }
    }
}

/// Refuses what cannot be a credential before anything is sent.
fn check(secret: &Secret, field: &str) -> Result<(), FetchError> {
    let text = secret.expose();
    let problem = if text.is_empty() {
        "is empty"
    } else if text.chars().any(char::is_whitespace) {
        "has white space in it"
    } else if text.contains(['"', '\'', '`']) {
        "has quotes in it"
    } else if !is_token(text) {
        "has characters beyond ASCII"
    } else {
        return Ok(());
    };
    let detail = format!("the {field} {problem}");
    Err(FetchError { fault: Fault::MalformedKey, detail, retry_after: None, source: None })
}

fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_credential_is_told_by_its_looks() {
        assert!(check(&Secret::new("aB3-_.~%"), "client_id").is_ok());
        for text in ["", " k", "k\n", "\"k\"", "ключ", "k\u{7}"] {
            let error = check(&Secret::new(text), "client_id").unwrap_err();
            assert_eq!(error.fault, Fault::MalformedKey, "{text:?}");
        }
    }

    #[test]
    fn a_token_is_replaced_before_its_end_by_the_vendors_clock() {
        let url = Url::parse("https://gate.example/oauth/token").unwrap();
        let access = Access::new(url, Secret::new("a"), Secret::new("b"));
        let made = Timestamp::from_millis(1_790_762_400_000);
        let life = (made + Duration::from_secs(1_499), made + Duration::from_secs(1_799));
        let token = Token { secret: Secret::new("t"), number: 1, life: Some(life) };
        let at = |seconds: u64| {
            let time = made + Duration::from_secs(seconds);
            access.vendor_time.store(time.as_micros(), Ordering::Relaxed);
            (access.is_fresh(&token), access.is_good(&token))
        };
        assert_eq!(at(1_498), (true, true));
        assert_eq!(at(1_499), (false, true));
        assert_eq!(at(1_799), (false, false));
    }
}
