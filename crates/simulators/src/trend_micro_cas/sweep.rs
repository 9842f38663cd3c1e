//! Threat investigation: the search over mails of the last 90 days.

use serde_json::{Map, Value};

use crate::answer::Answer;
use crate::times::DAY_MS;

use super::Cas;
use super::criteria::{self, Criteria};
use super::errors::Refused;
use super::listing::Listing;
use super::mails::{KEPT_DAYS, Mail};
use super::parameters::{Parameters, invalid, whole};
use super::requests::Moment;
use super::token::Token;
use super::window::instant;

pub(super) const PATH: &str = "/v1/sweeping/mails";
/// Records in a page when no number is asked for.
const FEW_RECORDS: usize = 20;
/// Most records in a page.
const MOST_RECORDS: usize = 1_000;
/// The length of a window of which at most one bound is given, in milliseconds.
const DEFAULT_MS: i64 = 7 * DAY_MS;

/// A checked search.
#[derive(Debug)]
struct Search {
    criteria: Criteria,
    /// The window, both ends included, epoch milliseconds.
    start_ms: i64,
    end_ms: i64,
    limit: usize,
    token: Option<Token>,
}

impl Search {
    fn parse(text: &str, now_ms: i64) -> Result<Self, Refused> {
        let own = ["lastndays", "start", "end", "limit", "skiptoken"];
        let names: Vec<_> = criteria::NAMES.into_iter().chain(own).collect();
        let given = Parameters::read(text, &names)?;
        let (start_ms, end_ms) = window(&given, now_ms)?;
        Ok(Self {
            criteria: Criteria::of(&given)?,
            start_ms: start_ms.max(now_ms - KEPT_DAYS * DAY_MS),
            end_ms: end_ms.min(now_ms),
            limit: given.limit(FEW_RECORDS, MOST_RECORDS)?,
            token: given.get("skiptoken").map(Token::decode).transpose()?,
        })
    }

    fn finds(&self, mail: &Mail) -> bool {
        let is_ahead = |token: &Token| mail.place() > (token.at_ms, token.id.as_str());
        self.token.as_ref().is_none_or(is_ahead) && self.criteria.are_met_by(mail)
    }
}

/// The asked window before it is clipped to what is kept.
fn window(given: &Parameters, now_ms: i64) -> Result<(i64, i64), Refused> {
    let bound = |name| given.get(name).map(|text| instant(name, text)).transpose();
    let (start, end) = (bound("start")?, bound("end")?);
    if let Some(days) = given.get("lastndays") {
        if start.is_some() || end.is_some() {
            return Err(Refused::BadParameter(
                "lastndays cannot be used together with start or end".to_owned(),
            ));
        }
        let days = whole(days).and_then(|days| i64::try_from(days).ok());
        let days = days.filter(|days| (1..=KEPT_DAYS).contains(days));
        let days = days.ok_or_else(|| invalid("lastndays"))?;
        return Ok((now_ms - days * DAY_MS, now_ms));
    }
    let (start_ms, end_ms) = match (start, end) {
        (None, None) => (now_ms - DEFAULT_MS, now_ms),
        (Some(start), Some(end)) => (start, end),
        (Some(start), None) => (start, start + DEFAULT_MS),
        (None, Some(end)) => (end - DEFAULT_MS, end),
    };
    if end_ms < start_ms {
        return Err(Refused::BadParameter(
            "The end time is earlier than the start time".to_owned(),
        ));
    }
    Ok((start_ms, end_ms))
}

impl Cas {
    /// A page of mails, oldest first. Deleted mails are still found: what is kept is their metadata.
    pub(super) fn sweep(&self, moment: &Moment<'_>) -> Result<Answer, Refused> {
        let search = Search::parse(&moment.asked.query, moment.now_ms)?;
        let mails = self.mails();
        let in_window = mails.between(search.start_ms, search.end_ms).iter();
        let mut found = in_window.filter(|mail| search.finds(mail));
        let page: Vec<_> = found.by_ref().take(search.limit).collect();
        let has_more = found.next().is_some();
        let last = page.last().filter(|_| has_more).map(|mail| mail.place());
        let mut before = Map::new();
        before.insert("traceId".to_owned(), Value::from(moment.trace_id.as_str()));
        let listing = Listing {
            before,
            name: "value",
            items: page.iter().map(|mail| mail.record()).collect(),
            next: last.map(|(at_ms, id)| Token::after(at_ms, id)),
            token: search.token,
        };
        Ok(self.list(moment, listing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW_MS: i64 = 1_772_438_400_000;

    fn days(text: &str) -> Option<(i64, i64)> {
        let search = Search::parse(text, NOW_MS).ok()?;
        Some(((search.start_ms - NOW_MS) / DAY_MS, (search.end_ms - NOW_MS) / DAY_MS))
    }

    #[test]
    fn windows_have_two_styles_and_reach_90_days() {
        for (text, expected) in [
            ("", Some((-7, 0))),
            ("lastndays=1", Some((-1, 0))),
            ("lastndays=90", Some((-90, 0))),
            ("start=2026-02-20T08:00:00Z", Some((-10, -3))),
            ("end=2026-02-20T08:00:00.000Z", Some((-17, -10))),
            ("start=2026-02-20T08:00:00Z&end=2026-02-21T08:00:00Z", Some((-10, -9))),
            ("start=2025-01-01T00:00:00Z&end=2026-02-21T08:00:00Z", Some((-90, -9))),
            ("lastndays=91", None),
            ("lastndays=0", None),
            ("lastndays=-1", None),
            ("lastndays=", None),
            ("lastndays=7&start=2026-02-20T08:00:00Z", None),
            ("lastndays=7&end=2026-02-20T08:00:00Z", None),
            ("start=2026-02-21T08:00:00Z&end=2026-02-20T08:00:00Z", None),
            ("start=yesterday", None),
        ] {
            assert_eq!(days(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_query_breaks_the_search(text in "\\PC{0,60}", value in "\\PC{0,20}", place in 0_usize..17) {
            drop(Search::parse(&text, NOW_MS));
            let own = ["lastndays", "start", "end", "limit", "skiptoken"];
            let name = criteria::NAMES.into_iter().chain(own).nth(place).unwrap_or_default();
            drop(Search::parse(&format!("{name}={value}"), NOW_MS));
        }
    }
}
