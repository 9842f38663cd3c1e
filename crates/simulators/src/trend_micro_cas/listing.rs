//! A page of mails or of action results: its envelope and links, with the faults of paging and delivery.

use axum::http::StatusCode;
use serde_json::{Map, Value};

use crate::answer::Answer;

use super::Cas;
use super::paging::{NextLink, ending, link, link_base};
use super::parameters::untokened;
use super::requests::{Moment, next, strikes};
use super::token::Token;

/// A page before the faults of paging.
#[derive(Debug)]
pub(super) struct Listing {
    /// The members before the links; `count` is corrected when a fault empties the page.
    pub(super) before: Map<String, Value>,
    /// The name of the list.
    pub(super) name: &'static str,
    pub(super) items: Vec<Value>,
    /// The token of the request.
    pub(super) token: Option<Token>,
    /// The token of the next page.
    pub(super) next: Option<Token>,
}

impl Cas {
    pub(super) fn list(&self, moment: &Moment<'_>, listing: Listing) -> Answer {
        let knobs = moment.knobs;
        let mut listing = self.misled_list(moment, listing);
        let count = next(&self.counters.pages);
        if knobs.wrong_type {
            return Answer::html(StatusCode::OK, "Sign in").injected();
        }
        let mut body = listing.before;
        if body.contains_key("count") {
            body.insert("count".to_owned(), Value::from(listing.items.len()));
        }
        let (path, base) = (&moment.asked.path, link_base(knobs, &moment.asked.host));
        let current = format!("{base}{}", target(path, &moment.asked.query));
        body.insert("current_link".to_owned(), Value::from(current));
        let next_link = match &listing.next {
            None => ending(knobs.link_end, moment.ordinal),
            Some(token) => {
                let query = untokened(&moment.asked.query);
                let joint = if query.is_empty() { "" } else { "&" };
                let query = format!("{query}{joint}skiptoken={}", token.encode());
                NextLink::Text(link(knobs, &base, &target(path, &query)))
            }
        };
        let shown = match next_link {
            NextLink::Text(link) => Some(Value::from(link)),
            NextLink::Null => Some(Value::Null),
            NextLink::Absent => None,
        };
        body.extend(shown.map(|link| ("next_link".to_owned(), link)));
        if strikes(count, knobs.poison_every) {
            listing.items.push(Value::from("poison"));
        }
        body.insert(listing.name.to_owned(), Value::Array(listing.items));
        if knobs.huge_body > 0 {
            body.insert("padding".to_owned(), Value::from("x".repeat(knobs.huge_body)));
        }
        let mut answer = Answer::json(StatusCode::OK, Value::Object(body).to_string());
        answer.cut = strikes(count, knobs.cut_every);
        answer.injected = answer.cut;
        answer
    }

    /// The page after the faults that mislead about what comes next.
    fn misled_list(&self, moment: &Moment<'_>, mut listing: Listing) -> Listing {
        let (Some(token), Some(_)) = (&listing.token, &listing.next) else { return listing };
        let count = next(&self.counters.continued);
        if strikes(count, moment.knobs.empty_page_with_link) {
            let empty_pages = token.empty_pages + 1;
            listing.next = Some(Token { empty_pages, ..token.clone() });
            listing.items.clear();
        } else if strikes(count, moment.knobs.link_repeat) {
            listing.next = Some(token.clone());
        }
        listing
    }
}

/// Path and query; without a query, the path alone.
fn target(path: &str, query: &str) -> String {
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}
