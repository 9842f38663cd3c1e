//! The life of a request: who asks, within which quota, with which permission, struck by which fault, and who answers.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Response, StatusCode, header};
use chrono::DateTime;
use futures::stream;

use crate::answer::{Answer, respond};
use crate::journal::{Refusal, RequestEntry};
use crate::quota::Terms;
use crate::times::format_instant;

use super::VisionOne;
use super::access::{Known, authenticate, authorize, bearer};
use super::errors::Refused;
use super::knobs::{Knobs, RetryAfter};
use super::routes::Route;

/// Largest body that is taken.
const BODY_CAP: usize = 1_000_000;

/// The parts of a request that matter here.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) host: String,
    pub(super) key: Option<String>,
    /// The header `TMV1-Filter`.
    pub(super) filter: Option<String>,
    /// The header `TMV1-Query`.
    pub(super) search: Option<String>,
    pub(super) if_match: Option<String>,
    pub(super) content_type: Option<String>,
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
}

/// Answers every request to the vendor's host.
pub(super) async fn answer(
    State(vendor): State<Arc<VisionOne>>,
    request: Request,
) -> Response<Body> {
    let knobs = vendor.knobs();
    let asked = Asked::of(request).await;
    let now_ms = vendor.clock.now_ms();
    let mut answer = vendor.decide(&asked, &knobs, now_ms);
    let is_lost = asked.acts() && answer.status.is_success() && knobs.response.loses_answer();
    answer.injected |= is_lost;
    vendor.journal.write(now_ms, asked.entry(&answer, now_ms), answer.delivered());
    if knobs.delay_ms > 0 {
        latency(Duration::from_millis(knobs.delay_ms)).await;
    }
    let mut response = respond(answer, knobs.gzip, now_ms.saturating_add(knobs.date_skew_ms));
    if is_lost {
        *response.body_mut() = broken();
    }
    response
}

/// A body that fails at once: the server closes the connection before it has sent a byte of the answer.
fn broken() -> Body {
    Body::from_stream(stream::once(async {
        Err::<Bytes, _>(io::Error::from(io::ErrorKind::ConnectionReset))
    }))
}

impl Asked {
    async fn of(request: Request) -> Self {
        let (parts, body) = request.into_parts();
        let body = to_bytes(body, BODY_CAP).await;
        let text = |name: &str| header_text(&parts.headers, name);
        let authority = || parts.uri.authority().map(ToString::to_string);
        Self {
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            host: text("host").or_else(authority).unwrap_or_else(|| "localhost".to_owned()),
            key: bearer(text(header::AUTHORIZATION.as_str()).as_deref()).map(str::to_owned),
            filter: text("tmv1-filter"),
            search: text("tmv1-query"),
            if_match: text(header::IF_MATCH.as_str()),
            content_type: text(header::CONTENT_TYPE.as_str()),
            is_too_large: body.is_err(),
            body: body.unwrap_or_default(),
            method: parts.method,
        }
    }

    /// Whether it is a POST that acts: an action, a sandbox's job, or a note.
    fn acts(&self) -> bool {
        let acts = |route: Route<'_>| route.acts() || matches!(route, Route::Notes(_));
        self.method == Method::POST && Route::of(&self.path).is_some_and(acts)
    }

    fn entry(&self, answer: &Answer, now_ms: i64) -> RequestEntry {
        RequestEntry {
            at: format_instant(now_ms),
            credential: self.key.clone(),
            method: self.method.to_string(),
            path: self.path.clone(),
            query: self.query.clone(),
            body: serde_json::from_slice(&self.body).ok(),
            status: answer.status.as_u16(),
            reason: answer.reason,
            injected: answer.injected,
            records: answer.delivered().map_or(0, |(_, numbers)| numbers.len()),
        }
    }
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

impl VisionOne {
    fn decide(&self, asked: &Asked, knobs: &Knobs, now_ms: i64) -> Answer {
        let ordinal = next(&self.counters.requests);
        let moment = Moment { asked, knobs, now_ms, ordinal };
        if knobs.outage.covers(now_ms) {
            return moment.unavailable();
        }
        let (route, known) = match moment.known() {
            Ok(found) => found,
            Err(refused) => return refused.answer(),
        };
        if let Some(answer) = self.throttled(&moment, &route, known.key) {
            return answer;
        }
        if let Err(refused) = moment.permitted(&route, known) {
            return refused.answer();
        }
        if let Some(answer) = self.struck(&moment) {
            return answer;
        }
        match self.routed(&moment, &route) {
            Ok(answer) if route.is_of_response() => self.delivered(&moment, answer),
            Ok(answer) => answer,
            Err(refused) => refused.answer(),
        }
    }

    fn routed(&self, moment: &Moment<'_>, route: &Route<'_>) -> Result<Answer, Refused> {
        let method = moment.asked.method.as_str();
        match (route, method) {
            (Route::Health, _) => Ok(Answer::json(StatusCode::OK, r#"{"status":"available"}"#)),
            (Route::ApiKeys, _) => self.api_keys(moment),
            (Route::Alerts, _) => self.alert_page(moment),
            (Route::Alert(id), "PATCH") => self.alert_edit(moment, id),
            (Route::Alert(id), _) => self.alert_detail(moment, id),
            (Route::Notes(id), "POST") => self.note_add(moment, id),
            (Route::Notes(id), _) => self.note_page(moment, id),
            (Route::NotesDelete(id), _) => self.notes_delete(moment, id),
            (Route::Note(id, note), "PATCH") => self.note_edit(moment, id, note),
            (Route::Note(id, note), _) => self.note_detail(moment, id, note),
            (Route::Audit, _) => self.audit_page(moment),
            (Route::Techniques, _) => self.technique_page(moment),
            (Route::Pipelines, "POST") => self.pipeline_add(moment),
            (Route::Pipelines, _) => Ok(self.pipeline_list()),
            (Route::PipelinesDelete, _) => self.pipelines_delete(moment),
            (Route::Pipeline(id), "PATCH") => self.pipeline_edit(moment, id),
            (Route::Pipeline(id), _) => self.pipeline_detail(moment, id),
            (Route::Packages(id), _) => self.packages(moment, id),
            (Route::Package(id, package), _) => self.package(moment, id, package),
            (Route::Endpoints, _) => self.endpoint_page(moment),
            (Route::Endpoint(id), _) => self.endpoint_detail(moment, id),
            (Route::EndpointQuery, _) => self.endpoint_query(moment),
            (Route::Act(action), _) => self.act(moment, *action),
            (Route::Scan, _) => self.scan(moment),
            (Route::CancelTasks, _) => self.cancel(moment),
            (Route::Tasks, _) => self.task_page(moment),
            (Route::Task(id), _) => self.task_detail(moment, id),
            (Route::SuspiciousObjects, _) => self.suspicious_page(moment),
            (Route::MailSearch, _) => self.mail_search(moment),
            (Route::SandboxFile, _) => self.sandbox_file(moment),
            (Route::SandboxUrls, _) => self.sandbox_urls(moment),
            (Route::SandboxTask(id), _) => self.sandbox_task(moment, id),
            (Route::SandboxResult(id), _) => self.sandbox_result(moment, id),
        }
    }

    /// The 429 of a key that has used up its quota for a path.
    fn throttled(&self, moment: &Moment<'_>, route: &Route<'_>, key: &str) -> Option<Answer> {
        let holder = format!("{key} {}", route.class());
        let wait_ms = self.quota.take(&holder, moment.now_ms, moment.terms()).err()?;
        Some(moment.too_many(wait_ms, Refusal::Quota))
    }

    /// The answer of a fault that strikes every Nth admitted request.
    fn struck(&self, moment: &Moment<'_>) -> Option<Answer> {
        let count = next(&self.counters.admitted);
        let knobs = moment.knobs;
        if strikes(count, knobs.fail_every) {
            return Some(Refused::unexpected().answer().injected());
        }
        if strikes(count, knobs.unavailable_every) {
            return Some(moment.unavailable());
        }
        if strikes(count, knobs.gateway_timeout_every) {
            let title = "504 Gateway Time-out";
            return Some(Answer::html(StatusCode::GATEWAY_TIMEOUT, title).injected());
        }
        if strikes(count, knobs.throttle_every) {
            return Some(moment.too_many(knobs.window_ms, Refusal::Injected).injected());
        }
        None
    }
}

impl<'a> Moment<'a> {
    /// Checks path, method, size and key, in this order.
    fn known(&self) -> Result<(Route<'a>, Known<'a>), Refused> {
        let route = Route::of(&self.asked.path).ok_or_else(Refused::unknown_path)?;
        let methods = route.methods();
        if !methods.split(", ").any(|method| method == self.asked.method.as_str()) {
            return Err(Refused::wrong_method(methods));
        }
        if self.asked.is_too_large {
            return Err(Refused::too_large());
        }
        let known = authenticate(self.asked.key.as_deref(), self.knobs, self.now_ms)?;
        Ok((route, known))
    }

    /// Checks the key's life and permission. The health check knows of neither.
    fn permitted(&self, route: &Route<'_>, known: Known<'_>) -> Result<(), Refused> {
        let areas = route.areas();
        if areas.is_empty() {
            let is_refused = known.is_expired && self.knobs.health_refuses_expired;
            return if is_refused { Err(Refused::invalid_token()) } else { Ok(()) };
        }
        if known.is_expired {
            return Err(Refused::invalid_token());
        }
        areas.iter().try_for_each(|area| authorize(known.key, *area, self.knobs))
    }

    fn terms(&self) -> Terms {
        let Knobs { requests, window_ms, count_refused, .. } = *self.knobs;
        Terms { requests, window_ms, count_refused }
    }

    fn too_many(&self, wait_ms: i64, reason: Refusal) -> Answer {
        let mut answer = Refused::too_many(!self.knobs.throttle_without_code).answer();
        let wait_s = (wait_ms.saturating_add(999) / 1_000).max(1);
        match self.knobs.retry_after {
            RetryAfter::Off => {}
            RetryAfter::Seconds => answer.retry_after_s = Some(wait_s),
            RetryAfter::Date => {
                let end_ms = self.now_ms + self.knobs.date_skew_ms + wait_s * 1_000;
                answer.headers.extend(http_date(end_ms).map(|date| ("retry-after", date)));
            }
        }
        answer.reason = Some(reason);
        answer
    }

    fn unavailable(&self) -> Answer {
        let answer = if self.knobs.unavailable_html {
            Answer::html(StatusCode::SERVICE_UNAVAILABLE, "503 Service Unavailable")
        } else {
            Refused::unavailable().answer()
        };
        answer.injected()
    }
}

fn http_date(epoch_ms: i64) -> Option<String> {
    let date = DateTime::from_timestamp_millis(epoch_ms)?;
    Some(date.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
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
