//! Results of actions: by batch or by the time of their requests, in pages.

use serde_json::{Map, Value};

use crate::answer::Answer;

use super::Cas;
use super::action::Kind;
use super::batches::{Batch, BatchItem, Batches};
use super::errors::Refused;
use super::listing::Listing;
use super::parameters::Parameters;
use super::requests::Moment;
use super::token::Token;
use super::window::Window;

/// Most records in a page, and the number when none is asked for.
const MOST_RECORDS: usize = 500;

/// What is asked for.
enum Wanted {
    Batch(String),
    Window(Window),
}

impl Wanted {
    fn of(given: &Parameters, moment: &Moment<'_>) -> Result<Self, Refused> {
        match (given.get("batch_id"), given.get("start"), given.get("end")) {
            (Some(id), None, None) if !id.is_empty() => Ok(Self::Batch(id.to_owned())),
            (None, start @ Some(_), end @ Some(_)) => {
                let clips = moment.knobs.clip_old_start;
                Window::resolve(start, end, moment.now_ms, clips).map(Self::Window)
            }
            _ => Err(Refused::BadParameter(
                "Either batch_id or both start and end are needed".to_owned(),
            )),
        }
    }
}

impl Cas {
    /// A page of results, in the order of the requests.
    pub(super) fn results(&self, moment: &Moment<'_>, kind: Kind) -> Result<Answer, Refused> {
        let names = ["batch_id", "start", "end", "limit", "skiptoken"];
        let given = Parameters::read(&moment.asked.query, &names)?;
        let limit = given.limit(MOST_RECORDS, MOST_RECORDS)?;
        let token = given.get("skiptoken").map(Token::decode).transpose()?;
        let wanted = Wanted::of(&given, moment)?;
        let mut response = self.settled(moment.now_ms);
        let batches = wanted.among(&mut response.batches, kind, moment, token.is_some())?;
        let of_batch = |batch| Batch::items(batch).map(move |item| (batch, item));
        let all: Vec<(&Batch, &BatchItem)> = batches.into_iter().flat_map(of_batch).collect();
        let from = match &token {
            None => 0,
            Some(token) => passed(&all, token)?,
        };
        let page = &all[from..all.len().min(from + limit)];
        let last = page.last().filter(|_| from + limit < all.len());
        let skew_ms = moment.knobs.actions.executed_skew_ms;
        let listing = Listing {
            before: before(moment, page.len()),
            name: "actions",
            items: page
                .iter()
                .map(|(batch, item)| item.record(batch, moment.now_ms, skew_ms))
                .collect(),
            next: last.map(|(batch, item)| Token::after(batch.requested_ms, &item.id)),
            token,
        };
        drop(response);
        Ok(self.list(moment, listing))
    }
}

impl Wanted {
    /// The batches that are wanted and shown.
    fn among<'b>(
        &self,
        batches: &'b mut Batches,
        kind: Kind,
        moment: &Moment<'_>,
        is_continued: bool,
    ) -> Result<Vec<&'b Batch>, Refused> {
        let knobs = &moment.knobs.actions;
        let is_visible =
            |batch: &Batch| batch.requested_ms.saturating_add(knobs.status_lag_ms) <= moment.now_ms;
        match self {
            Self::Batch(id) => match batches.find(kind, id).filter(|batch| is_visible(batch)) {
                Some(batch) => {
                    batch.polls += u64::from(!is_continued);
                    let is_shown = batch.polls > knobs.empty_polls;
                    Ok(if is_shown { vec![&*batch] } else { Vec::new() })
                }
                None if knobs.unknown_is_empty => Ok(Vec::new()),
                None => Err(Refused::UnknownBatch),
            },
            Self::Window(window) => {
                let span = window.start_ms..=window.end_ms;
                let is_within = |batch: &&Batch| span.contains(&batch.requested_ms);
                Ok(batches.of(kind).filter(is_within).filter(|batch| is_visible(batch)).collect())
            }
        }
    }
}

/// How many records come up to the one that the token names, which is included.
fn passed(all: &[(&Batch, &BatchItem)], token: &Token) -> Result<usize, Refused> {
    let found = all.iter().position(|(_, item)| item.id == token.id);
    found
        .map(|place| place + 1)
        .ok_or_else(|| Refused::BadParameter("The skiptoken is invalid".to_owned()))
}

/// The members before the links.
fn before(moment: &Moment<'_>, count: usize) -> Map<String, Value> {
    let members = [
        ("code", Value::from(0)),
        ("msg", Value::from("")),
        ("traceId", Value::from(moment.trace_id.as_str())),
        ("count", Value::from(count)),
    ];
    members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
