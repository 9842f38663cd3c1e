//! The one request of a run that changes something: sent until it is answered, never twice blindly.

use std::time::Duration;

use bytes::Bytes;
use model::action::journal::{Ending, Memory, ShownAnswer, Step};
use model::action::{Call, Halt};
use model::budget::Budget;
use serde_json::Value;

use super::auth::Auth;
use super::error::WebhookError;
use super::masking::Masks;
use super::plan::title;
use super::request::Rendered;
use super::responder::{Responder, only_asks};
use super::{answer, sign, wording};
use crate::client::webhook::{Incoming, Lost, Outgoing};
use crate::client::{backoff, host};

/// The name of the step.
pub(crate) const SEND: &str = "send";
/// Longest wait between two attempts that nobody asked for.
const LONGEST: Duration = Duration::from_secs(60);

/// How sending ended.
pub(crate) enum Sent {
    /// The host answered this.
    Answered(ShownAnswer),
    /// It was sent, and nobody can say what came of it.
    Unknown(String),
}

/// What an attempt came to.
enum Attempt {
    Done(Sent),
    /// It was not taken; it may be sent again after this wait, and ends for this reason when it may not.
    Again(Option<Duration>, Halt),
    /// The token was refused.
    Renew(ShownAnswer),
}

impl Responder {
    /// Sends a request, unless an earlier life of the run did; then it answers what is known of that.
    pub(crate) async fn send(
        &self,
        call: &Call<'_>,
        step: &Step<'_>,
        request: &Rendered,
        masks: &mut Masks,
    ) -> Result<Sent, Halt> {
        let journal = call.journal;
        match journal.recall(step.name).await? {
            Memory::Ended(Ending::Answered { answer }) => return Ok(Sent::Answered(answer)),
            Memory::Ended(
                Ending::NotTaken { detail, .. }
                | Ending::Unanswered { detail, .. }
                | Ending::Unknown { detail },
            ) => return Ok(Sent::Unknown(detail)),
            Memory::Ended(Ending::Found { .. }) => return Ok(Sent::Unknown(String::new())),
            Memory::InDoubt(_) if !only_asks(&self.document) => {
                return self.unknown(call, step, "the process stopped before an answer came").await;
            }
            Memory::InDoubt(_) | Memory::Fresh => {}
        }
        let retries = &self.document.retries;
        let (mut attempt, mut is_renewed) = (0, false);
        loop {
            let (wait, halt) = match self.attempt(call, step, request, masks, is_renewed).await? {
                Attempt::Done(sent) => return Ok(sent),
                Attempt::Renew(answer) => {
                    let detail = "the token was refused".to_owned();
                    let ending = Ending::NotTaken { detail, answer: Some(answer) };
                    journal.ended(step.name, &ending).await?;
                    self.token.forget().await;
                    is_renewed = true;
                    continue;
                }
                Attempt::Again(wait, halt) => (wait, halt),
            };
            attempt += 1;
            let pause =
                wait.unwrap_or_else(|| backoff::delay(attempt - 1, retries.backoff, LONGEST, 1.0));
            if attempt >= retries.attempts || !journal.wait(pause).await? {
                return Err(halt);
            }
        }
    }

    async fn attempt(
        &self,
        call: &Call<'_>,
        step: &Step<'_>,
        request: &Rendered,
        masks: &mut Masks,
        is_renewed: bool,
    ) -> Result<Attempt, Halt> {
        let journal = call.journal;
        let outgoing = self.signed(call, request, masks).await?;
        journal.sending(step).await?;
        let exchanged = self.client.exchange(budget(call)?, outgoing).await;
        // A test may hold or kill the process here: the host has answered, nobody has heard it.
        model::failpoint::hit("actions.step", step.name);
        let incoming = match exchanged {
            Ok(incoming) => incoming,
            Err(lost) => return self.lost(call, step, lost, masks).await,
        };
        let shown = shown_answer(&incoming, masks);
        let (status, is_change) = (shown.status, !only_asks(&self.document));
        if status == 401
            && !is_renewed
            && matches!(self.document.auth, Auth::Oauth2ClientCredentials { .. })
        {
            return Ok(Attempt::Renew(shown));
        }
        let words = answer::words(None, &answer::response(&shown), &shown.body);
        let host = host(&request.url);
        let is_retried = status == 429 || self.document.retries.on.contains(&status);
        if is_retried || (!is_change && status >= 500) {
            let halt = Halt::Fatal(wording::refused(&title(&self.document), &host, status, &words));
            let detail = format!("{host} answered {status}");
            let ending = Ending::NotTaken { detail, answer: Some(shown) };
            journal.ended(step.name, &ending).await?;
            return Ok(Attempt::Again(incoming.retry_after, halt));
        }
        let is_unread = incoming.body.is_none() && self.document.success.takes(status);
        // One that stopped waiting for the rest of a request does not say that it did not act on it.
        if is_change && (status >= 500 || status == 408 || is_unread) {
            let what = if is_unread { "its answer could not be read" } else { &*words };
            let detail = format!("{host} answered {status}: {what}");
            let ending = Ending::Unanswered { detail: detail.clone(), answer: Some(shown) };
            journal.ended(step.name, &ending).await?;
            return self.unknown(call, step, &detail).await.map(Attempt::Done);
        }
        journal.ended(step.name, &Ending::Answered { answer: shown.clone() }).await?;
        Ok(Attempt::Done(Sent::Answered(shown)))
    }

    async fn lost(
        &self,
        call: &Call<'_>,
        step: &Step<'_>,
        lost: Lost,
        masks: &Masks,
    ) -> Result<Attempt, Halt> {
        let detail = masks.text(&lost.detail());
        let halt = Halt::Fatal(unreached(&detail).said);
        if matches!(lost, Lost::InDoubt(_)) && !only_asks(&self.document) {
            let ending = Ending::Unanswered { detail: detail.clone(), answer: None };
            call.journal.ended(step.name, &ending).await?;
            return self.unknown(call, step, &detail).await.map(Attempt::Done);
        }
        call.journal.ended(step.name, &Ending::NotTaken { detail, answer: None }).await?;
        match lost {
            Lost::Refused(_) | Lost::Unsendable(_) => Err(halt),
            Lost::NotTaken(_) | Lost::InDoubt(_) => Ok(Attempt::Again(None, halt)),
        }
    }

    /// A webhook cannot be asked what became of a request.
    async fn unknown(&self, call: &Call<'_>, step: &Step<'_>, detail: &str) -> Result<Sent, Halt> {
        let detail = detail.to_owned();
        call.journal.ended(step.name, &Ending::Unknown { detail: detail.clone() }).await?;
        Ok(Sent::Unknown(detail))
    }

    /// The request with the headers that prove who sends it.
    pub(crate) async fn signed(
        &self,
        call: &Call<'_>,
        request: &Rendered,
        masks: &mut Masks,
    ) -> Result<Outgoing, Halt> {
        let document = &self.document;
        let token = self
            .token
            .get(&document.auth, &document.retries, &self.client, budget(call)?, call.journal)
            .await?;
        if let Some(token) = &token {
            masks.add(token);
        }
        let body = request.bytes();
        let bytes = body.as_deref().unwrap_or_default();
        let now = call.journal.now();
        let proof = sign::headers(&document.auth, &self.plan, bytes, token.as_ref(), now)
            .map_err(WebhookError::halt)?;
        let headers = request.headers.iter().cloned().chain(proof).collect();
        Ok(Outgoing {
            method: request.method.as_str(),
            url: request.url.clone(),
            headers,
            body: body.map(Bytes::from),
        })
    }
}

/// The budget that a run's requests are taken from.
pub(crate) fn budget<'c>(call: &Call<'c>) -> Result<&'c dyn Budget, Halt> {
    call.rights
        .first()
        .map(|right| &*right.budget)
        .ok_or_else(|| Halt::fatal("the responder has no budget"))
}

/// The answer as the history keeps it.
pub(crate) fn shown_answer(incoming: &Incoming, masks: &Masks) -> ShownAnswer {
    let bytes = incoming.body.as_deref().unwrap_or_default();
    let body = match serde_json::from_slice::<Value>(bytes) {
        Ok(body) => body,
        Err(_) if bytes.is_empty() => Value::Null,
        Err(_) => Value::from(String::from_utf8_lossy(bytes)),
    };
    let headers =
        incoming.headers.iter().map(|(name, value)| (name.clone(), masks.header(name, value)));
    ShownAnswer { status: incoming.status, headers: headers.collect(), body: masks.value(&body) }
}

/// Why the host could not be reached, in every language.
fn unreached(detail: &str) -> WebhookError {
    WebhookError::new(
        (detail.to_owned(), format!("送信できませんでした: {detail}")),
        ("check `request.host`", "`request.host` を確認してください"),
    )
}
