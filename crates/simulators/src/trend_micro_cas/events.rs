//! Log retrieval: which page of security events a request gets, with the faults of paging.

use axum::http::StatusCode;

use crate::answer::Answer;
use crate::draw::fraction;

use super::Cas;
use super::errors::Refused;
use super::knobs::Knobs;
use super::page::{Envelope, Page};
use super::paging::{Cursor, NextLink, ending, link, link_base};
use super::population::Lattice;
use super::query::EventsQuery;
use super::requests::{Moment, next, strikes};
use super::window::Window;

pub(super) const PATH: &str = "/v1/siem/security_events";

impl Cas {
    /// A page of records, with the faults of paging.
    pub(super) fn events(&self, moment: &Moment<'_>) -> Result<Answer, Refused> {
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
