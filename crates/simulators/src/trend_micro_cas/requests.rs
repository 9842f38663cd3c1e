//! The life of a request: who asks, within which quota, with which API type, struck by which fault, and who answers.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode, header};
use futures::stream;

use crate::answer::{Answer, respond};
use crate::draw::{mix, push_uuid};
use crate::journal::{Refusal, RequestEntry};
use crate::quota::Terms;
use crate::times::format_instant;

use super::Cas;
use super::access::{ApiType, authenticate, authorize, bearer};
use super::action::Kind;
use super::errors::Refused;
use super::knobs::Knobs;
use super::{blocklist_requests, events, mitigation, sweep};

/// Largest body that is taken, in bytes.
const BODY_CAP: usize = 1_000_000;
/// The holder of the quota when all keys of the tenant share it; no key contains a space.
const TENANT: &str = "the tenant";

/// The parts of a request that matter here.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) host: String,
    pub(super) key: Option<String>,
    pub(super) body: Bytes,
    /// Whether the body was over the cap, and is left out.
    pub(super) is_too_large: bool,
}

/// What stays the same while one request is answered.
pub(super) struct Moment<'a> {
    pub(super) asked: &'a Asked,
    pub(super) knobs: &'a Knobs,
    pub(super) now_ms: i64,
    pub(super) ordinal: u64,
    pub(super) trace_id: String,
}

/// What a path stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Events,
    Sweep,
    Mitigation(Kind),
    Blocklist,
}

impl Route {
    fn of(path: &str) -> Option<Self> {
        match path {
            events::PATH => Some(Self::Events),
            sweep::PATH => Some(Self::Sweep),
            mitigation::MAILS_PATH => Some(Self::Mitigation(Kind::Mails)),
            mitigation::ACCOUNTS_PATH => Some(Self::Mitigation(Kind::Accounts)),
            blocklist_requests::PATH => Some(Self::Blocklist),
            _ => None,
        }
    }

    /// The methods that it takes, as the header `Allow` names them.
    fn methods(self) -> &'static str {
        match self {
            Self::Events | Self::Sweep => "GET",
            Self::Mitigation(_) | Self::Blocklist => "GET, POST",
        }
    }

    /// The API type that a key needs for it.
    fn api_type(self) -> ApiType {
        match self {
            Self::Events => ApiType::LogRetrieval,
            Self::Sweep => ApiType::ThreatInvestigation,
            Self::Mitigation(_) => ApiType::ThreatMitigation,
            Self::Blocklist => ApiType::ThreatRemediation,
        }
    }
}

/// Answers every request to the vendor's host.
pub(super) async fn answer(State(cas): State<Arc<Cas>>, request: Request) -> Response<Body> {
    let knobs = cas.knobs();
    let asked = Asked::of(request).await;
    let now_ms = cas.clock.now_ms();
    let mut answer = cas.decide(&asked, &knobs, now_ms);
    let is_lost = cas.loses(&asked, &answer, &knobs);
    answer.injected |= is_lost;
    cas.journal.write(now_ms, asked.entry(&answer, now_ms), answer.delivered());
    if knobs.delay_ms > 0 {
        latency(Duration::from_millis(knobs.delay_ms)).await;
    }
    if is_lost {
        return no_answer();
    }
    respond(answer, knobs.gzip, now_ms.saturating_add(knobs.date_skew_ms))
}

impl Asked {
    async fn of(request: Request) -> Self {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, BODY_CAP).await;
        let header = |name| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let authority = || parts.uri.authority().map(|authority| authority.as_str());
        Self {
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            host: header(header::HOST).or_else(authority).unwrap_or("localhost").to_owned(),
            key: bearer(header(header::AUTHORIZATION)).map(str::to_owned),
            is_too_large: body.is_err(),
            body: body.unwrap_or_default(),
            method: parts.method.clone(),
        }
    }

    fn is_post(&self) -> bool {
        self.method == Method::POST
    }

    fn entry(&self, answer: &Answer, now_ms: i64) -> RequestEntry {
        RequestEntry {
            at: format_instant(now_ms),
            credential: self.key.clone(),
            method: self.method.to_string(),
            path: self.path.clone(),
            query: self.query.clone(),
            body: self.is_post().then(|| serde_json::from_slice(&self.body).ok()).flatten(),
            status: answer.status.as_u16(),
            reason: answer.reason,
            injected: answer.injected,
            records: answer.delivered().map_or(0, |(_, numbers)| numbers.len()),
        }
    }
}

impl Cas {
    fn decide(&self, asked: &Asked, knobs: &Knobs, now_ms: i64) -> Answer {
        let ordinal = next(&self.counters.requests);
        let mut trace_id = String::with_capacity(36);
        push_uuid(&mut trace_id, mix(&[self.seed, ordinal]), mix(&[self.seed, ordinal, 1]));
        let moment = Moment { asked, knobs, now_ms, ordinal, trace_id };
        if knobs.outage.covers(now_ms) {
            return moment.unavailable();
        }
        let (route, key) = match moment.known() {
            Ok(known) => known,
            Err(refused) => return refused.answer(&moment.trace_id),
        };
        if let Some(answer) = self.throttled(&moment, key) {
            return answer;
        }
        if let Err(refused) = authorize(key, route.api_type(), knobs) {
            return refused.answer(&moment.trace_id);
        }
        if let Some(answer) = self.struck(&moment, key) {
            return answer;
        }
        self.routed(&moment, route).unwrap_or_else(|refused| refused.answer(&moment.trace_id))
    }

    fn routed(&self, moment: &Moment<'_>, route: Route) -> Result<Answer, Refused> {
        if moment.asked.is_too_large {
            return Err(Refused::BodyTooLarge);
        }
        let changes = moment.asked.is_post();
        // An HTML page instead of an answer is a gateway's: nothing reaches the vendor.
        if changes && moment.knobs.wrong_type {
            return Ok(Answer::html(StatusCode::OK, "Sign in").injected());
        }
        match route {
            Route::Events => self.events(moment),
            Route::Sweep => self.sweep(moment),
            Route::Mitigation(kind) if changes => self.mitigate(moment, kind),
            Route::Mitigation(kind) => self.results(moment, kind),
            Route::Blocklist if changes => self.change_blocklist(moment),
            Route::Blocklist => Ok(self.show_blocklist(moment)),
        }
    }

    /// Whether the answer to a POST that took effect never leaves.
    fn loses(&self, asked: &Asked, answer: &Answer, knobs: &Knobs) -> bool {
        let took_effect = asked.is_post() && answer.status.is_success() && !answer.injected;
        took_effect && knobs.actions.lose_answer.covers(next(&self.counters.effective_posts))
    }

    /// The 429 of a key that has used up its quota.
    fn throttled(&self, moment: &Moment<'_>, key: &str) -> Option<Answer> {
        let wait_ms = self.quota.take(moment.holder(key), moment.now_ms, moment.terms()).err()?;
        Some(moment.too_many(wait_ms, Refusal::Quota))
    }

    /// The answer of a fault that strikes every Nth admitted request.
    fn struck(&self, moment: &Moment<'_>, key: &str) -> Option<Answer> {
        let count = next(&self.counters.admitted);
        let knobs = moment.knobs;
        if strikes(count, knobs.fail_every) {
            return Some(Refused::Unexpected.answer(&moment.trace_id).injected());
        }
        if strikes(count, knobs.unavailable_every) {
            return Some(moment.unavailable());
        }
        if strikes(count, knobs.throttle_every) {
            let wait_ms =
                self.quota.remaining_ms(moment.holder(key), moment.now_ms, moment.terms());
            return Some(moment.too_many(wait_ms, Refusal::Injected).injected());
        }
        None
    }
}

impl Moment<'_> {
    /// Checks path, method and key, in this order.
    fn known(&self) -> Result<(Route, &str), Refused> {
        let route = Route::of(&self.asked.path).ok_or(Refused::UnknownPath)?;
        let methods = route.methods();
        if !methods.split(", ").any(|method| method == self.asked.method.as_str()) {
            return Err(Refused::WrongMethod(methods));
        }
        let key = authenticate(self.asked.key.as_deref(), self.knobs, self.now_ms)?;
        Ok((route, key))
    }

    fn holder<'k>(&self, key: &'k str) -> &'k str {
        if self.knobs.quota_per_tenant { TENANT } else { key }
    }

    fn terms(&self) -> Terms {
        let Knobs { requests, window_ms, count_refused, .. } = *self.knobs;
        Terms { requests, window_ms, count_refused }
    }

    fn too_many(&self, wait_ms: i64, reason: Refusal) -> Answer {
        let mut answer = Refused::TooMany.answer(&self.trace_id);
        let whole_seconds = wait_ms.saturating_add(999) / 1_000;
        answer.retry_after_s = self.knobs.retry_after.then(|| whole_seconds.max(1));
        answer.reason = Some(reason);
        answer
    }

    fn unavailable(&self) -> Answer {
        let answer = if self.knobs.unavailable_html {
            Answer::html(StatusCode::SERVICE_UNAVAILABLE, "503 Service Unavailable")
        } else {
            Refused::Unavailable.answer(&self.trace_id)
        };
        answer.injected()
    }
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

/// A response that breaks before its first byte, so that the server closes the connection without a word.
fn no_answer() -> Response<Body> {
    let rupture =
        stream::once(async { Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionReset)) });
    Response::new(Body::from_stream(rupture))
}
