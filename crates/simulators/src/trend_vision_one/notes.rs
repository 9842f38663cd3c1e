//! Notes on alerts: added, listed, edited and deleted by clients; there are none at first.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicU64;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::answer::Answer;
use crate::draw::mix;

use super::VisionOne;
use super::alerts::{check_match, etag};
use super::errors::Refused;
use super::filter::Filter;
use super::page::{TOKEN, offset, order, page_text, sort_records};
use super::paging::{end, link, skip_token};
use super::parameters::{Parameters, instant, seconds};
use super::requests::{Moment, next};

const TOPS: [usize; 3] = [50, 100, 200];
const ORDERS: [&str; 3] = ["id", "createdDateTime", "lastUpdatedDateTime"];
const FILTERS: [&str; 4] = ["id", "creatorMailAddress", "creatorName", "lastUpdatedBy"];
const LONGEST: usize = 500_000;

/// All notes by alert.
#[derive(Debug, Default)]
pub(super) struct Notes {
    written: Mutex<BTreeMap<u64, Vec<Note>>>,
    /// Notes ever written: an id is not given twice.
    count: AtomicU64,
}

#[derive(Debug, Clone)]
struct Note {
    id: u64,
    content: String,
    created_ms: i64,
    updated_ms: Option<i64>,
}

impl Note {
    fn record(&self) -> Value {
        json!({
            "id": self.id, "content": self.content, "creatorMailAddress": Value::Null,
            "creatorName": "soc-api", "createdDateTime": seconds(self.created_ms),
            "lastUpdatedBy": self.updated_ms.map(|_| "soc-api"),
            "lastUpdatedDateTime": self.updated_ms.map(seconds),
        })
    }
}

impl Notes {
    fn all(&self) -> MutexGuard<'_, BTreeMap<u64, Vec<Note>>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The alert, id and content of every note that there is.
    pub(super) fn written(&self) -> Vec<(u64, u64, String)> {
        let all = self.all();
        let of_alert = |(alert, notes): (&u64, &Vec<Note>)| {
            let alert = *alert;
            notes.iter().map(|note| (alert, note.id, note.content.clone())).collect::<Vec<_>>()
        };
        all.iter().flat_map(of_alert).collect()
    }
}

impl VisionOne {
    /// Adds a note: 201, an empty body, and where the note is.
    pub(super) fn note_add(&self, moment: &Moment<'_>, id: &str) -> Result<Answer, Refused> {
        let (alert, _, _) = self.shown(moment, id)?;
        let content = content(moment)?;
        let number = next(&self.notes.count);
        let note = Note { id: number, content, created_ms: moment.now_ms, updated_ms: None };
        let mut all = self.notes.all();
        all.entry(alert).or_default().push(note);
        drop(all);
        self.touch(moment, alert);
        let mut answer = Answer::json(StatusCode::CREATED, "");
        let place = format!("http://{}/v3/workbench/alerts/{id}/notes/{number}", moment.asked.host);
        answer.headers.push(("location", place));
        Ok(answer)
    }

    /// A page of an alert's notes.
    pub(super) fn note_page(&self, moment: &Moment<'_>, id: &str) -> Result<Answer, Refused> {
        let (alert, _, _) = self.shown(moment, id)?;
        let parameters = Parameters::read(&moment.asked.query);
        let start_ms = parameters.instant("startDateTime").map_err(bad)?.unwrap_or(0);
        let end_ms = parameters.instant("endDateTime").map_err(bad)?.unwrap_or(moment.now_ms);
        let target = parameters.get("dateTimeTarget").unwrap_or("createdDateTime");
        if !["createdDateTime", "lastUpdatedDateTime"].contains(&target) {
            return Err(bad("\"dateTimeTarget\" is invalid".to_owned()));
        }
        let order = order(parameters.get("orderBy").unwrap_or("createdDateTime desc"), &ORDERS)
            .ok_or_else(|| bad("\"orderBy\" is invalid".to_owned()))?;
        let top = parameters.top(&TOPS, 50).map_err(bad)?;
        let filter = moment.asked.filter.as_deref();
        let filter =
            filter.map(|text| Filter::parse(text, &FILTERS, 1_024)).transpose().map_err(bad)?;
        let offset = offset(moment).map_err(bad)?;
        let mut rows: Vec<(u64, Value)> = self.note_records(alert);
        rows.retain(|(_, record)| {
            let at_ms = record[target].as_str().and_then(instant);
            let values = |field: &str| match &record[field] {
                Value::String(text) => vec![text.clone()],
                Value::Number(number) => vec![number.to_string()],
                _ => Vec::new(),
            };
            at_ms.is_some_and(|at_ms| (start_ms..=end_ms).contains(&at_ms))
                && filter.as_ref().is_none_or(|filter| filter.accepts(&values))
        });
        sort_records(&mut rows, &order);
        let has_more = rows.len() > offset + top;
        let items: Vec<String> =
            rows.iter().skip(offset).take(top).map(|(_, record)| record.to_string()).collect();
        let mut members = Map::new();
        if has_more {
            let token = skip_token(offset + top, None);
            let (host, path) = (&moment.asked.host, &moment.asked.path);
            let url = link(moment.knobs, host, path, &moment.asked.query, (TOKEN, &token));
            members.insert("nextLink".to_owned(), Value::from(url));
        } else {
            end(&mut members, moment.knobs.link_end, moment.ordinal);
        }
        Ok(Answer::json(StatusCode::OK, page_text(&members, &items, moment.knobs)))
    }

    /// One note with its ETag, which is quoted.
    pub(super) fn note_detail(
        &self,
        moment: &Moment<'_>,
        id: &str,
        note: &str,
    ) -> Result<Answer, Refused> {
        let (alert, _, _) = self.shown(moment, id)?;
        let all = self.notes.all();
        let note = all.get(&alert).and_then(|notes| find(notes, note)).ok_or_else(missing)?;
        let mut answer = Answer::json(StatusCode::OK, note.record().to_string());
        answer.headers.push(("etag", note_etag(moment, note)));
        Ok(answer)
    }

    /// Changes a note's content.
    pub(super) fn note_edit(
        &self,
        moment: &Moment<'_>,
        id: &str,
        note: &str,
    ) -> Result<Answer, Refused> {
        let (alert, _, _) = self.shown(moment, id)?;
        let content = content(moment)?;
        {
            let mut all = self.notes.all();
            let notes = all.get_mut(&alert).ok_or_else(missing)?;
            let place = notes.iter().position(|known| known.id.to_string() == note);
            let note = place.and_then(|place| notes.get_mut(place)).ok_or_else(missing)?;
            check_match(moment.asked, &note_etag(moment, note))?;
            note.content = content;
            note.updated_ms = Some(moment.now_ms);
        }
        self.touch(moment, alert);
        Ok(Answer::json(StatusCode::NO_CONTENT, ""))
    }

    /// Deletes notes: one 204 for the whole list.
    pub(super) fn notes_delete(&self, moment: &Moment<'_>, id: &str) -> Result<Answer, Refused> {
        let (alert, _, _) = self.shown(moment, id)?;
        let items: Vec<Map<String, Value>> = serde_json::from_slice(&moment.asked.body)
            .map_err(|_| bad("The request body is not a list".to_owned()))?;
        let ids: Vec<u64> =
            items.iter().filter_map(|item| item.get("id").and_then(Value::as_u64)).collect();
        let mut all = self.notes.all();
        let notes = all.entry(alert).or_default();
        if ids.len() != items.len() || ids.iter().any(|id| !notes.iter().any(|note| note.id == *id))
        {
            return Err(missing());
        }
        notes.retain(|note| !ids.contains(&note.id));
        Ok(Answer::json(StatusCode::NO_CONTENT, ""))
    }

    fn note_records(&self, alert: u64) -> Vec<(u64, Value)> {
        let all = self.notes.all();
        let notes = all.get(&alert).into_iter().flatten();
        notes.map(|note| (note.id, note.record())).collect()
    }

    /// Moves the alert's update time, where the fault says that notes do.
    fn touch(&self, moment: &Moment<'_>, alert: u64) {
        if moment.knobs.notes_touch {
            self.interventions.edit(alert, moment.now_ms, None, None);
        }
    }
}

fn find<'n>(notes: &'n [Note], id: &str) -> Option<&'n Note> {
    notes.iter().find(|note| note.id.to_string() == id)
}

/// The content decides: two edits in one second, of one length, are two versions.
fn note_etag(moment: &Moment<'_>, note: &Note) -> String {
    let at_ms = note.updated_ms.unwrap_or(note.created_ms);
    let content = note.content.bytes().fold(0, |state, byte| mix(&[state, u64::from(byte)]));
    let tag = etag(moment.knobs, mix(&[note.id, content]), at_ms, 0);
    if tag.ends_with('"') { tag } else { format!("\"{tag}\"") }
}

fn content(moment: &Moment<'_>) -> Result<String, Refused> {
    let body: Value = serde_json::from_slice(&moment.asked.body).unwrap_or_default();
    let content = body.get("content").and_then(Value::as_str);
    let fits = content.filter(|text| !text.is_empty() && text.chars().count() <= LONGEST);
    fits.map(str::to_owned).ok_or_else(|| bad("\"content\" is missing or too long".to_owned()))
}

fn bad(problem: String) -> Refused {
    Refused::workbench(StatusCode::BAD_REQUEST, &problem, 3_090_003)
}

fn missing() -> Refused {
    Refused::workbench(StatusCode::NOT_FOUND, "The note does not exist", 3_090_008)
}
