//! The life of a request: who asks, within which quota, struck by which fault, answered with which page.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, Response, StatusCode, header};

use crate::answer::{Answer, respond};
use crate::draw::{fraction, mix, push_uuid};
use crate::journal::{Refusal, RequestEntry};
use crate::quota::Terms;
use crate::times::format_instant;

use super::Cas;
use super::access::{authenticate, authorize, bearer};
use super::errors::Refused;
use super::knobs::Knobs;
use super::page::{Envelope, Page};
use super::paging::{Cursor, NextLink, ending, link, link_base};
use super::population::Lattice;
use super::query::EventsQuery;
use super::window::Window;

const PATH: &str = "/v1/siem/security_events";
/// The holder of the quota when all keys of the tenant share it; no key contains a space.
const TENANT: &str = "the tenant";

/// The parts of a request that matter here.
#[derive(Debug)]
struct Asked {
    method: Method,
    path: String,
    query: String,
    host: String,
    key: Option<String>,
}

/// What stays the same while one request is answered.
struct Moment<'a> {
    asked: &'a Asked,
    knobs: &'a Knobs,
    now_ms: i64,
    ordinal: u64,
    trace_id: String,
}

/// Answers every request to the vendor's host.
pub(super) async fn answer(State(cas): State<Arc<Cas>>, request: Request) -> Response<Body> {
    let knobs = cas.knobs();
    let now_ms = cas.clock.now_ms();
    let asked = Asked::of(&request);
    let answer = cas.decide(&asked, &knobs, now_ms);
    cas.journal.write(now_ms, asked.entry(&answer, now_ms), answer.delivered());
    if knobs.delay_ms > 0 {
        latency(Duration::from_millis(knobs.delay_ms)).await;
    }
    respond(answer, knobs.gzip, now_ms.saturating_add(knobs.date_skew_ms))
}

impl Asked {
    fn of(request: &Request) -> Self {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let authority = || request.uri().authority().map(|authority| authority.as_str());
        Self {
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            host: header(header::HOST).or_else(authority).unwrap_or("localhost").to_owned(),
            key: bearer(header(header::AUTHORIZATION)).map(str::to_owned),
        }
    }

    fn entry(&self, answer: &Answer, now_ms: i64) -> RequestEntry {
        RequestEntry {
            at: format_instant(now_ms),
            credential: self.key.clone(),
            method: self.method.to_string(),
            path: self.path.clone(),
            query: self.query.clone(),
            body: None,
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
        let key = match moment.known() {
            Ok(key) => key,
            Err(refused) => return refused.answer(&moment.trace_id),
        };
        if let Some(answer) = self.throttled(&moment, key) {
            return answer;
        }
        if let Err(refused) = authorize(key, knobs) {
            return refused.answer(&moment.trace_id);
        }
        if let Some(answer) = self.struck(&moment, key) {
            return answer;
        }
        self.page(&moment).unwrap_or_else(|refused| refused.answer(&moment.trace_id))
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

    /// A page of records, with the faults of paging.
    fn page(&self, moment: &Moment<'_>) -> Result<Answer, Refused> {
        let knobs = moment.knobs;
        let query = EventsQuery::parse(&moment.asked.query)?;
        let lattice = self.population.lattice(query.stream, knobs);
        let cursor = self.cursor(moment, &query, &lattice)?;
        let chance = [self.seed, query.stream.coordinate(), cursor.low, cursor.page];
        let repeats = cursor.page > 0 && fraction(&chance) * 100.0 < knobs.duplicates_percent;
        let is_visible =
            |number| knobs.late.is_none() || lattice.visible_ms(number) <= moment.now_ms;
        let page =
            self.misled(Page::fill(&cursor, query.limit, repeats, is_visible), &cursor, knobs);
        let count = next(&self.counters.pages);
        if knobs.wrong_type {
            return Ok(Answer::html(StatusCode::OK, "Sign in").injected());
        }
        let poisoned = strikes(count, knobs.poison_every);
        let body = self.envelope(moment, &query, &page, &lattice, poisoned);
        let mut answer = Answer::json(StatusCode::OK, body);
        answer.cut = strikes(count, knobs.cut_every);
        answer.injected = answer.cut;
        answer.records = Some((query.stream.number(), page.numbers));
        Ok(answer)
    }

    /// Where the page begins: at the token, or at the start of the window.
    fn cursor(
        &self,
        moment: &Moment<'_>,
        query: &EventsQuery,
        lattice: &Lattice,
    ) -> Result<Cursor, Refused> {
        let knobs = moment.knobs;
        if let Some(token) = &query.skiptoken {
            let cursor = Cursor::decode(token, query.binding(self.seed))?;
            let outlived =
                knobs.token_life_ms > 0 && moment.now_ms > cursor.issued_ms + knobs.token_life_ms;
            let expired = || Refused::BadParameter("The skiptoken is expired".to_owned());
            return if outlived { Err(expired()) } else { Ok(cursor) };
        }
        let (start, end) = (query.start.as_deref(), query.end.as_deref());
        let window = Window::resolve(start, end, moment.now_ms, knobs.clip_old_start)?;
        let low = lattice.first_at(window.start_ms);
        let after_ms = if knobs.end_exclusive { window.end_ms } else { window.end_ms + 1 };
        let high = lattice.first_at(after_ms.min(moment.now_ms + 1));
        let high = if knobs.streams.contains(&query.stream) { high.max(low) } else { low };
        Ok(Cursor { low, high, order: knobs.order, position: 0, page: 0, issued_ms: moment.now_ms })
    }

    /// The page after the faults that mislead about what comes next.
    fn misled(&self, page: Page, cursor: &Cursor, knobs: &Knobs) -> Page {
        if cursor.page == 0 || page.next.is_none() {
            return page;
        }
        let count = next(&self.counters.continued);
        if strikes(count, knobs.empty_page_with_link) {
            return Page {
                numbers: Vec::new(),
                next: Some(Cursor { page: cursor.page + 1, ..*cursor }),
            };
        }
        if strikes(count, knobs.link_repeat) {
            return Page { next: Some(*cursor), ..page };
        }
        page
    }

    fn envelope(
        &self,
        moment: &Moment<'_>,
        query: &EventsQuery,
        page: &Page,
        lattice: &Lattice,
        poisoned: bool,
    ) -> String {
        let (knobs, ordinal) = (moment.knobs, moment.ordinal);
        let base = link_base(knobs, &moment.asked.host);
        let next_link = match &page.next {
            None => ending(knobs.link_end, ordinal),
            Some(cursor) => {
                let token = cursor.encode(query.binding(self.seed));
                NextLink::Text(link(
                    knobs,
                    &base,
                    &format!("{PATH}?{}&skiptoken={token}", query.untokened),
                ))
            }
        };
        // The two optional members of the envelope are left out now and then.
        let current_link = match ordinal % 32 {
            0 => String::new(),
            _ => format!("{base}{PATH}?{}", moment.asked.query),
        };
        let envelope = Envelope {
            trace_id: (ordinal % 16 != 5).then_some(moment.trace_id.as_str()),
            current_link: &current_link,
            next_link: &next_link,
            shows_empty_time: ordinal.is_multiple_of(2),
            padding: knobs.huge_body,
            poisoned,
            release_ms: knobs.release_ms,
        };
        envelope.write(self.seed, query.stream, lattice, &page.numbers)
    }
}

impl Moment<'_> {
    /// Checks path, method and key, in this order.
    fn known(&self) -> Result<&str, Refused> {
        if self.asked.path != PATH {
            return Err(Refused::UnknownPath);
        }
        if self.asked.method != Method::GET {
            return Err(Refused::WrongMethod);
        }
        authenticate(self.asked.key.as_deref(), self.knobs, self.now_ms)
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
fn next(counter: &AtomicU64) -> u64 {
    counter.fetch_add(1, Ordering::Relaxed) + 1
}

/// Whether a fault of every Nth time strikes at this count; 0 is never.
fn strikes(count: u64, every: u64) -> bool {
    every > 0 && count.is_multiple_of(every)
}

#[expect(clippy::disallowed_methods, reason = "latency is real, whatever the clock says")]
async fn latency(span: Duration) {
    tokio::time::sleep(span).await;
}
