//! The listing of files: which files there are, who is next, and the links that lead to them.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::draw::fraction;
use crate::times::{DAY_MS, format_instant, parse_instant_ms};

use super::Mimecast;
use super::asked::SiemQuery;
use super::errors;
use super::files::FileId;
use super::knobs::Knobs;
use super::paging::{accepted, encode, mask, put_next, unmask};
use super::service::{Moment, next, strikes};
use super::streams::Stream;

/// How far back files are listed, in milliseconds.
pub(super) const REACH_MS: i64 = 7 * DAY_MS;
/// Most events that a file repeats of the one before.
const MOST_REPEATS: usize = 3;
const KIND: &str = "batch";

/// Where a listing goes on: the span of time of the next file, and its place among those of the span.
#[derive(Debug, Clone)]
struct Position {
    streams: Vec<Stream>,
    span: i64,
    place: usize,
    /// The first span that is not asked for.
    end: i64,
}

impl Mimecast {
    /// A page of files.
    pub(super) fn listing(&self, moment: &Moment<'_>) -> Answer {
        self.try_listing(moment).unwrap_or_else(|refused| refused)
    }

    fn try_listing(&self, moment: &Moment<'_>) -> Result<Answer, Answer> {
        let knobs = moment.knobs;
        let bad = |message: String| {
            let status = StatusCode::BAD_REQUEST;
            errors::siem(status, "err_bad_request", &message, knobs.siem_fail_shape)
        };
        let query = SiemQuery::parse(&moment.asked.query, knobs).map_err(bad)?;
        let mut position = match &query.next_page {
            Some(token) => {
                Position::of_token(token, moment, self.seed).ok_or_else(|| errors::stale(knobs))?
            }
            None => first(&query, moment).map_err(bad)?,
        };
        let count = next(&self.counters.siem_pages);
        let continued = query.next_page.is_some();
        let again = continued && {
            let count = next(&self.counters.siem_continued);
            strikes(count, knobs.stuck_token_every)
        };
        let oldest = (moment.now_ms - REACH_MS).div_euclid(knobs.file_ms) + 1;
        if position.span < oldest {
            (position.span, position.place) = (oldest, 0);
        }
        let end = position.end.min(moment.now_ms.div_euclid(knobs.file_ms));
        let is_short = strikes(count, knobs.short_page_every);
        let size = if is_short { (query.page_size / 2).max(1) } else { query.page_size };
        let is_empty = strikes(count, knobs.empty_page_every) && continued;
        let files = if is_empty { Vec::new() } else { self.take(&mut position, end, size, knobs) };
        let caught_up = position.span >= end && !again;
        // An idle stream answers the token that it was asked with.
        let token = match &query.next_page {
            Some(token) if files.is_empty() || again => token.clone(),
            _ => position.encode(moment.now_ms, self.seed),
        };
        let mut page = Map::new();
        page.insert("value".to_owned(), self.links(&files, moment, count));
        if !strikes(count, knobs.missing_next_every) {
            put_next(&mut page, &token, knobs);
        }
        page.insert("isCaughtUp".to_owned(), json!(caught_up));
        Ok(Answer::json(StatusCode::OK, Value::Object(page).to_string()))
    }

    /// Takes up to `size` files and moves the position behind them.
    fn take(&self, position: &mut Position, end: i64, size: usize, knobs: &Knobs) -> Vec<FileId> {
        let mut taken = Vec::new();
        while position.span < end {
            let files = self.files_of(&position.streams, position.span, knobs);
            let left = files.get(position.place..).unwrap_or_default();
            if left.is_empty() {
                position.span += 1;
                position.place = 0;
                continue;
            }
            if taken.len() == size {
                break;
            }
            let count = left.len().min(size - taken.len());
            taken.extend_from_slice(&left[..count]);
            position.place += count;
        }
        taken
    }

    /// The files of one span of time.
    fn files_of(&self, streams: &[Stream], span: i64, knobs: &Knobs) -> Vec<FileId> {
        let mut files = Vec::new();
        for stream in streams.iter().filter(|stream| knobs.streams.contains(stream)) {
            let events = u64::try_from(self.span_numbers(*stream, span, knobs).len()).unwrap_or(0);
            let parts = events.div_ceil(knobs.file_records);
            files.extend((0..parts).map(|part| FileId { stream: *stream, span, part }));
        }
        files
    }

    fn span_numbers(&self, stream: Stream, span: i64, knobs: &Knobs) -> Vec<u64> {
        let lattice = self.population.lattice(stream, knobs);
        lattice.visible_between(span * knobs.file_ms, (span + 1) * knobs.file_ms)
    }

    /// The events of a file: those of its own part, after some of the file before if that fault strikes.
    pub(super) fn file_numbers(&self, file: FileId, knobs: &Knobs) -> Vec<u64> {
        let part = |span: i64, part: u64| -> Vec<u64> {
            let size = usize::try_from(knobs.file_records).unwrap_or(usize::MAX);
            let skipped = usize::try_from(part).unwrap_or(0).saturating_mul(size);
            let all = self.span_numbers(file.stream, span, knobs);
            all.into_iter().skip(skipped).take(size).collect()
        };
        let own = part(file.span, file.part);
        let chance = [self.seed, file.stream.coordinate(), file.span.cast_unsigned(), 0xdd];
        if fraction(&chance) * 100.0 >= knobs.repeat_records_percent {
            return own;
        }
        let before = part(file.span - 1, 0);
        let repeated = before.len().saturating_sub(MOST_REPEATS);
        before[repeated..].iter().copied().chain(own).collect()
    }

    /// The descriptors of files with fresh links.
    fn links(&self, files: &[FileId], moment: &Moment<'_>, count: u64) -> Value {
        let knobs = moment.knobs;
        let repeated = strikes(count, knobs.repeat_link_every);
        let listed = files.iter().chain(files.first().filter(|_| repeated));
        let describe = |file: &FileId| {
            let is_dead = strikes(next(&self.counters.links), knobs.dead_link_every);
            let events = self.file_numbers(*file, knobs).len();
            json!({
                "url": self.link(*file, moment, is_dead),
                // An estimate: the compressed size is known when the file is written.
                "size": 120 + events * 90,
                "expiry": format_instant(moment.now_ms + knobs.link_life_ms),
            })
        };
        Value::Array(listed.map(describe).collect())
    }
}

impl Position {
    fn of_token(token: &str, moment: &Moment<'_>, seed: u64) -> Option<Self> {
        let [mask, span, place, end, ..] =
            accepted(KIND, token, seed, (moment.knobs, moment.now_ms))?;
        let place = usize::try_from(place).unwrap_or(0);
        Some(Self { streams: unmask(mask), span, place, end })
    }

    fn encode(&self, now_ms: i64, seed: u64) -> String {
        let place = i64::try_from(self.place).unwrap_or(0);
        encode(KIND, [mask(&self.streams), self.span, place, self.end, now_ms, 0], seed)
    }
}

/// The first page of a range of days.
fn first(query: &SiemQuery, moment: &Moment<'_>) -> Result<Position, String> {
    let knobs = moment.knobs;
    let today_ms = moment.now_ms.div_euclid(DAY_MS) * DAY_MS;
    let oldest_ms = (moment.now_ms - REACH_MS).div_euclid(DAY_MS) * DAY_MS;
    let start_ms = match &query.starts_at {
        None => today_ms,
        Some(text) => day(text).ok_or("dateRangeStartsAt must be YYYY-MM-DD")?,
    };
    if start_ms < oldest_ms && !knobs.clip_old_start {
        return Err("dateRangeStartsAt is more than 7 days ago".to_owned());
    }
    let end_ms = match &query.ends_at {
        None => i64::MAX,
        Some(text) => day(text).ok_or("dateRangeEndsAt must be YYYY-MM-DD")? + DAY_MS,
    };
    if end_ms <= start_ms {
        return Err("dateRangeEndsAt is before dateRangeStartsAt".to_owned());
    }
    Ok(Position {
        streams: query.streams.clone(),
        span: start_ms.max(oldest_ms).div_euclid(knobs.file_ms),
        place: 0,
        end: end_ms.div_euclid(knobs.file_ms),
    })
}

/// The first millisecond of a day.
fn day(text: &str) -> Option<i64> {
    (text.len() == "2026-10-01".len()).then(|| parse_instant_ms(&format!("{text}T00:00:00Z")))?
}
