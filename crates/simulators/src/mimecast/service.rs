//! The life of a request: what is asked, by whom, within which quota, struck by which fault, answered how.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use serde_json::json;

use crate::answer::{Answer, respond};
use crate::journal::{Refusal, RequestEntry};
use crate::quota::Terms;
use crate::times::format_instant;

use super::Mimecast;
use super::access::Tokens;
use super::asked::Asked;
use super::errors;
use super::files;
use super::knobs::{Function, Knobs, LimitHeaders, ThrottleBody};
use super::streams::Ttp;

/// The route of access tokens.
const TOKEN: &str = "/oauth/token";

/// What stays the same while one request is answered.
pub(super) struct Moment<'a> {
    pub(super) asked: &'a Asked,
    pub(super) knobs: &'a Knobs,
    pub(super) now_ms: i64,
}

/// An answer with what only this vendor's wire has.
pub(super) struct Reply {
    answer: Answer,
    /// The application that asked, as the journal names it.
    application: Option<String>,
    /// Milliseconds until the window of the quota ends, where a header says so.
    limit: Option<(u64, i64)>,
    /// Whether the body is gzip that HTTP is to unpack.
    is_encoded: bool,
}

impl From<Answer> for Reply {
    fn from(answer: Answer) -> Self {
        Self { answer, application: None, limit: None, is_encoded: false }
    }
}

/// Answers every request to the vendor's hosts.
pub(super) async fn answer(
    State(vendor): State<Arc<Mimecast>>,
    request: Request,
) -> Response<Body> {
    let asked = Asked::of(request).await;
    let knobs = vendor.knobs();
    let now_ms = vendor.clock.now_ms();
    let mut reply = vendor.reply(&Moment { asked: &asked, knobs: &knobs, now_ms });
    let count = vendor.count_body(&reply.answer);
    if strikes(count, knobs.cut_every) {
        reply.answer.cut = true;
        reply.answer.injected = true;
    }
    let entry = asked.entry(&reply, now_ms);
    vendor.journal.write(now_ms, entry, reply.answer.delivered());
    if knobs.delay_ms > 0 {
        latency(Duration::from_millis(knobs.delay_ms)).await;
    }
    let (limit, is_encoded) = (reply.limit, reply.is_encoded);
    let gzip = knobs.gzip && reply.answer.content_type != files::MEDIA_TYPE;
    let mut response = respond(reply.answer, gzip, now_ms.saturating_add(knobs.date_skew_ms));
    let headers = response.headers_mut();
    if let Some((requests, reset_ms)) = limit {
        headers.insert("x-ratelimit-limit", HeaderValue::from(requests));
        headers.insert("x-ratelimit-remaining", HeaderValue::from(0));
        headers.insert("x-ratelimit-reset", HeaderValue::from(reset_ms));
    }
    if is_encoded {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

impl Asked {
    fn entry(&self, reply: &Reply, now_ms: i64) -> RequestEntry {
        let answer = &reply.answer;
        RequestEntry {
            at: format_instant(now_ms),
            credential: reply.application.clone(),
            method: self.method.to_string(),
            path: self.path.clone(),
            query: self.query.clone(),
            // No action changes anything here, and the token's form holds the secret.
            body: None,
            status: answer.status.as_u16(),
            reason: answer.reason,
            injected: answer.injected,
            records: answer.delivered().map_or(0, |(_, numbers)| numbers.len()),
        }
    }

    /// The function of the path with the method that it wants.
    fn function(&self) -> Option<(Function, Method)> {
        let found = match self.path.as_str() {
            TOKEN => (Function::Token, Method::POST),
            "/siem/v1/batch/events/cg" => (Function::Batch, Method::GET),
            "/siem/v1/events/cg" => (Function::Live, Method::GET),
            "/api/ttp/url/get-logs" => (Function::TtpUrl, Method::POST),
            "/api/ttp/attachment/get-logs" => (Function::TtpAttachment, Method::POST),
            "/api/ttp/impersonation/get-logs" => (Function::TtpImpersonation, Method::POST),
            _ => return None,
        };
        Some(found)
    }
}

impl Mimecast {
    fn reply(&self, moment: &Moment<'_>) -> Reply {
        let Moment { asked, knobs, now_ms } = *moment;
        if let Some(object) = asked.path.strip_prefix(files::PREFIX) {
            let (answer, is_encoded) = self.file(moment, object);
            return Reply { is_encoded, ..answer.into() };
        }
        if knobs.outage.covers(now_ms) {
            return errors::unavailable(knobs.unavailable_html).injected().into();
        }
        let Some((function, method)) = asked.function() else {
            return unknown_path(asked).into();
        };
        if asked.method != method {
            let wrong = (StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed");
            let mut answer = errors::gateway(wrong.0, wrong.1, Some("Method not supported"));
            let methods = if method == Method::GET { "GET" } else { "POST" };
            answer.headers.push(("allow", methods.to_owned()));
            return answer.into();
        }
        if function == Function::Token {
            return self.token(moment);
        }
        let owner = Tokens::owner(asked.token.as_deref(), self.seed);
        let reply = self.call(moment, function);
        Reply { application: owner, ..reply }
    }

    fn token(&self, moment: &Moment<'_>) -> Reply {
        let Moment { asked, knobs, now_ms } = *moment;
        let (owner, answer) = self.tokens.issue(&asked.body, knobs, self.seed, now_ms);
        if knobs.token_counts
            && let Some(refused) = self.throttled(moment, owner.as_deref(), Function::Token)
        {
            return Reply { application: owner, ..refused };
        }
        Reply { application: owner, ..answer.into() }
    }

    fn call(&self, moment: &Moment<'_>, function: Function) -> Reply {
        let Moment { asked, knobs, now_ms } = *moment;
        let token = asked.token.as_deref();
        let application = match self.tokens.check(token, knobs, self.seed, now_ms) {
            Ok(application) => application,
            Err(refused) => return refused.into(),
        };
        if strikes(next(&self.counters.authorized), knobs.transient_every) {
            let code = knobs.transient_code.as_str();
            let code = if code.is_empty() { "unauthorized" } else { code };
            return errors::gateway(StatusCode::UNAUTHORIZED, code, None).injected().into();
        }
        if let Some(refused) = self.throttled(moment, Some(&application), function) {
            return refused;
        }
        if knobs.forbidden.iter().any(|name| name == function.name()) {
            return errors::forbidden().into();
        }
        let mut reply = match self.struck(moment, &application, function) {
            Some(struck) => struck,
            None => self.data(moment, function).into(),
        };
        if knobs.limit_headers == LimitHeaders::Always {
            reply.limit = Some(self.limit(moment, &application, function));
        }
        reply
    }

    fn data(&self, moment: &Moment<'_>, function: Function) -> Answer {
        if moment.knobs.wrong_type {
            return Answer::html(StatusCode::OK, "Sign in").injected();
        }
        match function {
            Function::Batch => self.listing(moment),
            Function::Live => self.live(moment),
            Function::TtpAttachment => self.logs(moment, Ttp::Attachment),
            Function::TtpImpersonation => self.logs(moment, Ttp::Impersonation),
            Function::TtpUrl | Function::Token => self.logs(moment, Ttp::Url),
        }
    }

    /// The 429 of an application that has used up its quota.
    fn throttled(
        &self,
        moment: &Moment<'_>,
        application: Option<&str>,
        function: Function,
    ) -> Option<Reply> {
        let terms = terms(moment.knobs, function);
        let holder = holder(application.unwrap_or_default(), moment.knobs, function);
        let wait_ms = self.quota.take(&holder, moment.now_ms, terms).err()?;
        Some(too_many(moment.knobs, terms, wait_ms, Refusal::Quota))
    }

    fn limit(&self, moment: &Moment<'_>, application: &str, function: Function) -> (u64, i64) {
        let terms = terms(moment.knobs, function);
        let holder = holder(application, moment.knobs, function);
        (terms.requests, self.quota.remaining_ms(&holder, moment.now_ms, terms))
    }

    /// The answer of a fault that strikes every Nth admitted call.
    fn struck(&self, moment: &Moment<'_>, application: &str, function: Function) -> Option<Reply> {
        let count = next(&self.counters.admitted);
        let knobs = moment.knobs;
        if strikes(count, knobs.fail_every) {
            let (status, code) = (StatusCode::INTERNAL_SERVER_ERROR, "internal-error");
            return Some(errors::gateway(status, code, Some("Unexpected")).injected().into());
        }
        if strikes(count, knobs.unavailable_every) {
            return Some(errors::unavailable(knobs.unavailable_html).injected().into());
        }
        if strikes(count, knobs.throttle_every) {
            let (_, wait_ms) = self.limit(moment, application, function);
            let terms = terms(knobs, function);
            let refused = too_many(knobs, terms, wait_ms, Refusal::Injected);
            return Some(Reply { answer: refused.answer.injected(), ..refused });
        }
        None
    }

    /// Counts answers that a cut can strike.
    fn count_body(&self, answer: &Answer) -> u64 {
        let is_data = answer.status == StatusCode::OK && !answer.injected;
        if is_data { next(&self.counters.bodies) } else { 1 }
    }
}

fn unknown_path(asked: &Asked) -> Answer {
    if asked.path.starts_with("/siem/v1/") && asked.path.ends_with("/ci") {
        // The other product, for which this tenant has no licence.
        return errors::forbidden();
    }
    errors::gateway(StatusCode::NOT_FOUND, "not_found", Some("Resource not found"))
}

fn terms(knobs: &Knobs, function: Function) -> Terms {
    let is_live = function == Function::Live && !knobs.quota_per_application;
    Terms {
        requests: if is_live { knobs.live_requests } else { knobs.requests },
        window_ms: if is_live { knobs.live_window_ms } else { knobs.window_ms },
        count_refused: knobs.count_refused,
    }
}

fn holder(application: &str, knobs: &Knobs, function: Function) -> String {
    if knobs.quota_per_application {
        return application.to_owned();
    }
    format!("{application} {}", function.name())
}

fn too_many(knobs: &Knobs, terms: Terms, wait_ms: i64, reason: Refusal) -> Reply {
    let status = StatusCode::TOO_MANY_REQUESTS;
    let mut answer = match knobs.throttle_body {
        ThrottleBody::Fail => {
            errors::gateway(status, "err_rate_limit", Some("Rate limit exceeded"))
        }
        ThrottleBody::Detail => {
            Answer::json(status, json!({ "detail": "Over throttling limit" }).to_string())
        }
        ThrottleBody::Html => Answer::html(status, "429 Too Many Requests"),
        ThrottleBody::Empty => Answer::json(status, ""),
    };
    let whole_seconds = wait_ms.saturating_add(999) / 1_000;
    answer.retry_after_s = knobs.retry_after.then(|| whole_seconds.max(1));
    answer.reason = Some(reason);
    let is_told = knobs.limit_headers != LimitHeaders::Never;
    Reply { limit: is_told.then_some((terms.requests, wait_ms.max(1))), ..answer.into() }
}

/// Counts one more, from 1.
pub(super) fn next(counter: &AtomicU64) -> u64 {
    counter.fetch_add(1, Ordering::Relaxed) + 1
}

/// Whether a fault of every Nth time strikes at this count; 0 is never.
pub(super) fn strikes(count: u64, every: u64) -> bool {
    every > 0 && count.is_multiple_of(every)
}

#[expect(clippy::disallowed_methods, reason = "latency is real, whatever the clock says")]
async fn latency(span: Duration) {
    tokio::time::sleep(span).await;
}
