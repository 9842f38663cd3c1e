//! The token of OAuth2 client credentials: fetched when it is needed, kept until it runs out or is refused.

use std::time::Duration;

use bytes::Bytes;
use model::action::{Halt, Journal};
use model::budget::Budget;
use model::secret::Secret;
use model::time::Timestamp;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::Url;
use url::form_urlencoded::Serializer;

use super::answer::words;
use super::auth::{Auth, SendAs};
use super::document::Retries;
use super::error::WebhookError;
use super::masking::Masks;
use super::sign::basic;
use super::values::Scope;
use crate::client::backoff;
use crate::client::webhook::{Lost, Outgoing, WebhookClient};

/// How long a token counts that does not say how long it lives.
const LIFE: Duration = Duration::from_secs(300);
/// A token is not used in its last moments.
const MARGIN: Duration = Duration::from_secs(30);
/// Longest wait between two attempts.
const LONGEST: Duration = Duration::from_secs(60);

/// The token of one responder.
#[derive(Default)]
pub(crate) struct TokenCache(Mutex<Option<Kept>>);

struct Kept {
    token: Secret,
    until: Timestamp,
}

#[derive(Deserialize)]
struct Granted {
    access_token: Secret,
    #[serde(default)]
    expires_in: Option<serde_json::Value>,
}

impl TokenCache {
    /// Forgets the token: the host refused it.
    pub(crate) async fn forget(&self) {
        *self.0.lock().await = None;
    }

    /// The token, fetched where there is none; `None` for other ways of proving who sends.
    pub(crate) async fn get(
        &self,
        auth: &Auth,
        retries: &Retries,
        client: &WebhookClient,
        budget: &dyn Budget,
        journal: &dyn Journal,
    ) -> Result<Option<Secret>, Halt> {
        let Auth::Oauth2ClientCredentials { token_url, client_secret, .. } = auth else {
            return Ok(None);
        };
        // Held while it is fetched: runs side by side fetch one token.
        let mut kept = self.0.lock().await;
        if let Some(known) = kept.as_ref().filter(|known| journal.now() < known.until) {
            return Ok(Some(known.token.clone()));
        }
        let mut masks = Masks::default();
        masks.add(client_secret);
        let mut detail = String::new();
        for attempt in 0..retries.attempts {
            let asked = client.exchange(budget, question(auth, token_url)?).await;
            let wait = match asked {
                Ok(answer) if answer.status == 200 => {
                    let body = answer.body.unwrap_or_default();
                    let granted: Granted = serde_json::from_slice(&body).map_err(|_| {
                        refused(token_url, "the answer has no `access_token`").halt()
                    })?;
                    let found =
                        Kept { until: journal.now() + life(&granted), token: granted.access_token };
                    let token = found.token.clone();
                    *kept = Some(found);
                    return Ok(Some(token));
                }
                Ok(answer) => {
                    let body = answer.body.unwrap_or_default();
                    let body = serde_json::from_slice(&body).unwrap_or_default();
                    let words = masks.text(&words(None, &Scope::new(), &body));
                    detail = format!("{} {words}", answer.status);
                    if answer.status != 429 && answer.status < 500 {
                        break;
                    }
                    answer.retry_after
                }
                Err(lost @ (Lost::Refused(_) | Lost::Unsendable(_))) => {
                    return Err(refused(token_url, &lost.detail()).halt());
                }
                Err(lost) => {
                    detail = lost.detail();
                    None
                }
            };
            let wait =
                wait.unwrap_or_else(|| backoff::delay(attempt, retries.backoff, LONGEST, 1.0));
            if attempt + 1 < retries.attempts && !journal.wait(wait).await? {
                break;
            }
        }
        Err(refused(token_url, detail.trim()).halt())
    }
}

fn question(auth: &Auth, token_url: &str) -> Result<Outgoing, Halt> {
    let Auth::Oauth2ClientCredentials { client_id, client_secret, scope, send_as, .. } = auth
    else {
        return Err(Halt::fatal("no token is needed"));
    };
    let url = Url::parse(token_url).map_err(|_| refused(token_url, "is no URL").halt())?;
    let mut form = Serializer::new(String::new());
    form.append_pair("grant_type", "client_credentials");
    if let Some(scope) = scope {
        form.append_pair("scope", scope);
    }
    let media_type = "application/x-www-form-urlencoded".to_owned();
    let mut headers = vec![("content-type".to_owned(), media_type)];
    match send_as {
        SendAs::Basic => {
            headers.push(("authorization".to_owned(), basic(client_id, client_secret)))
        }
        SendAs::Body => {
            form.append_pair("client_id", client_id);
            form.append_pair("client_secret", client_secret.expose());
        }
    }
    Ok(Outgoing { method: "POST", url, headers, body: Some(Bytes::from(form.finish())) })
}

/// How long a token is used; servers write the seconds as number or as text.
fn life(granted: &Granted) -> Duration {
    let seconds = granted.expires_in.as_ref().and_then(|value| match value {
        serde_json::Value::String(text) => text.trim().parse::<u64>().ok(),
        other => other.as_u64(),
    });
    seconds.map_or(LIFE, |seconds| Duration::from_secs(seconds.min(86_400))).saturating_sub(MARGIN)
}

fn refused(token_url: &str, detail: &str) -> WebhookError {
    let host = Url::parse(token_url).map(|url| crate::client::host(&url)).unwrap_or_default();
    WebhookError::new(
        (
            format!("failed to fetch a token from {host}: {detail}"),
            format!("{host} からトークンを取得できません: {detail}"),
        ),
        (
            "check `auth.client_id`, `auth.client_secret` and `auth.token_url`",
            "`auth.client_id`、`auth.client_secret`、`auth.token_url` を確認してください",
        ),
    )
}
