//! The stream of events: what became visible, in pages of at most a hundred, a day back at most.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::times::{DAY_MS, HOUR_MS, parse_instant_ms};

use super::Mimecast;
use super::asked::SiemQuery;
use super::errors;
use super::files::ordered;
use super::paging::{accepted, encode, mask, put_next, unmask};
use super::service::{Moment, next, strikes};
use super::siem_records::Transport;
use super::streams::Stream;

/// How far back the stream goes, in milliseconds.
pub(super) const REACH_MS: i64 = DAY_MS;
const KIND: &str = "live";

/// Where the stream goes on: an instant, and the events of that instant that were passed already.
#[derive(Debug, Clone)]
struct Position {
    streams: Vec<Stream>,
    from_ms: i64,
    passed: usize,
    end_ms: i64,
}

/// An event that is visible: when it became so, and which it is.
type Visible = (i64, Stream, u64);

impl Mimecast {
    /// A page of events.
    pub(super) fn live(&self, moment: &Moment<'_>) -> Answer {
        self.try_live(moment).unwrap_or_else(|refused| refused)
    }

    fn try_live(&self, moment: &Moment<'_>) -> Result<Answer, Answer> {
        let knobs = moment.knobs;
        let bad = |message: String| {
            let status = StatusCode::BAD_REQUEST;
            errors::siem(status, "err_bad_request", &message, knobs.siem_fail_shape)
        };
        let query = SiemQuery::parse(&moment.asked.query, knobs).map_err(bad)?;
        let position = match &query.next_page {
            Some(token) => {
                Position::of_token(token, moment, self.seed).ok_or_else(|| errors::stale(knobs))?
            }
            None => first(&query, moment).map_err(bad)?,
        };
        let count = next(&self.counters.siem_pages);
        let continued = query.next_page.is_some();
        let again =
            continued && strikes(next(&self.counters.siem_continued), knobs.stuck_token_every);
        let is_empty = continued && strikes(count, knobs.empty_page_every);
        let is_short = strikes(count, knobs.short_page_every);
        let size = if is_short { (query.page_size / 2).max(1) } else { query.page_size };
        let mut events = self.events(&position, moment);
        let has_more = events.len() > size || is_empty;
        events.truncate(if is_empty { 0 } else { size });
        let token = match &query.next_page {
            Some(token) if events.is_empty() || again => token.clone(),
            _ => position.behind(&events).encode(moment.now_ms, self.seed),
        };
        let mut page = Map::new();
        page.insert("value".to_owned(), self.values(&events, moment));
        if !strikes(count, knobs.missing_next_every) {
            put_next(&mut page, &token, knobs);
        }
        page.insert("pageSize".to_owned(), json!(events.len()));
        page.insert("isCaughtUp".to_owned(), json!(!has_more && !again));
        let mut answer = Answer::json(StatusCode::OK, Value::Object(page).to_string());
        answer.records = events.first().map(|(_, stream, _)| {
            let own = events.iter().filter(|(_, other, _)| other == stream);
            (stream.number(), own.map(|(_, _, number)| *number).collect())
        });
        self.note_others(&events);
        Ok(answer)
    }

    /// The journal takes one stream per answer; those of the other types are noted here.
    fn note_others(&self, events: &[Visible]) {
        let Some((_, first, _)) = events.first() else { return };
        for stream in Stream::all().filter(|stream| stream != first) {
            let own = events.iter().filter(|(_, other, _)| *other == stream);
            let numbers: Vec<u64> = own.map(|(_, _, number)| *number).collect();
            self.journal.also_served(stream.number(), &numbers);
        }
    }

    /// Everything visible from a position on, in the order in which it became visible.
    fn events(&self, position: &Position, moment: &Moment<'_>) -> Vec<Visible> {
        let knobs = moment.knobs;
        let from_ms = position.from_ms.max(moment.now_ms - REACH_MS);
        let to_ms = position.end_ms.min(moment.now_ms + 1);
        let mut events = Vec::new();
        for stream in position.streams.iter().filter(|stream| knobs.streams.contains(stream)) {
            let lattice = self.population.lattice(*stream, knobs);
            let numbers = lattice.visible_between(from_ms, to_ms);
            events.extend(numbers.into_iter().map(|n| (lattice.visible_ms(n), *stream, n)));
        }
        events.sort_unstable();
        let passed = if from_ms == position.from_ms { position.passed } else { 0 };
        events.drain(..passed.min(events.len()));
        events
    }

    fn values(&self, events: &[Visible], moment: &Moment<'_>) -> Value {
        let places = (0_u64..).zip(events).map(|(place, _)| place).collect();
        let write = |place: u64| {
            let (_, stream, number) = events[usize::try_from(place).unwrap_or(0)];
            let mut text = String::new();
            self.write(stream, number, Transport::Live, moment.knobs, &mut text);
            serde_json::from_str(&text).unwrap_or(Value::Null)
        };
        Value::Array(ordered(places, moment.knobs.order).into_iter().map(write).collect())
    }
}

impl Position {
    fn of_token(token: &str, moment: &Moment<'_>, seed: u64) -> Option<Self> {
        let [mask, from_ms, passed, end_ms, ..] =
            accepted(KIND, token, seed, (moment.knobs, moment.now_ms))?;
        let passed = usize::try_from(passed).unwrap_or(0);
        Some(Self { streams: unmask(mask), from_ms, passed, end_ms })
    }

    /// The position behind the events of a page.
    fn behind(&self, events: &[Visible]) -> Self {
        let Some((last_ms, _, _)) = events.last() else { return self.clone() };
        let of_instant = events.iter().filter(|(at_ms, _, _)| at_ms == last_ms).count();
        let before = if *last_ms == self.from_ms { self.passed } else { 0 };
        Self { from_ms: *last_ms, passed: before + of_instant, ..self.clone() }
    }

    fn encode(&self, now_ms: i64, seed: u64) -> String {
        let passed = i64::try_from(self.passed).unwrap_or(0);
        let fields = [mask(&self.streams), self.from_ms, passed, self.end_ms, now_ms, 0];
        encode(KIND, fields, seed)
    }
}

/// The first page of a range of instants.
fn first(query: &SiemQuery, moment: &Moment<'_>) -> Result<Position, String> {
    let instant = |name: &str, text: &Option<String>| match text {
        None => Ok(None),
        Some(text) => parse_instant_ms(text)
            .filter(|_| text.ends_with('Z'))
            .map(Some)
            .ok_or_else(|| format!("{name} must be yyyy-MM-ddTHH:mm:ss.SSSZ")),
    };
    let start_ms = instant("dateRangeStartsAt", &query.starts_at)?;
    let end_ms = instant("dateRangeEndsAt", &query.ends_at)?;
    let start_ms = start_ms.unwrap_or(moment.now_ms - HOUR_MS);
    if start_ms < moment.now_ms - REACH_MS && !moment.knobs.clip_old_start {
        return Err("dateRangeStartsAt is more than 24 hours ago".to_owned());
    }
    let end_ms = end_ms.unwrap_or(i64::MAX);
    if end_ms < start_ms {
        return Err("dateRangeEndsAt is before dateRangeStartsAt".to_owned());
    }
    Ok(Position { streams: query.streams.clone(), from_ms: start_ms, passed: 0, end_ms })
}
