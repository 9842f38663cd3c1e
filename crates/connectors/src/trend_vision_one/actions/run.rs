//! One run with its way to the vendor: URLs, questions that may fail, lists of several pages.

use std::time::Duration;

use model::action::{Halt, Input, Journal, Right};
use model::time::Timestamp;
use model::vendor::{Fault, FetchError};
use serde_json::Value;
use url::Url;

use crate::action::{Ask, Exchange, is_passing, reason};
use crate::client::{link, redact};

/// Pages of a list that are read at most: no list that a run needs is longer, unless it goes in a circle.
const PAGES: u32 = 50;
/// How far apart this machine's clock and the vendor's may be.
pub(super) const SKEW: Duration = Duration::from_secs(300);

/// What every action works with.
pub(super) struct Run<'a> {
    pub(super) exchange: Exchange<'a>,
    pub(super) base: &'a Url,
    pub(super) input: &'a Input,
    pub(super) rights: &'a [Right],
}

impl<'a> Run<'a> {
    pub(super) fn journal(&self) -> &'a dyn Journal {
        self.exchange.journal()
    }

    /// The URL of a path such as `response/tasks`; its steps are escaped where they must be.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}/v3.0/{path}", self.base.path().trim_end_matches('/')));
        url
    }

    /// The URL of something by its id, whatever is in the id.
    pub(super) fn url_of(&self, path: &str, id: &str, rest: &[&str]) -> Url {
        let mut url = self.url(path);
        if let Ok(mut steps) = url.path_segments_mut() {
            steps.push(id).extend(rest);
        }
        url
    }

    /// Text of the vendor's without the keys.
    pub(super) fn clean(&self, text: &str) -> String {
        self.rights.iter().fold(text.to_owned(), |text, right| redact(&text, &right.key.secret))
    }

    /// All records of a list, page by page: the vendor's own links are followed on its own host only, with the
    /// headers of the first page.
    pub(super) async fn list(
        &self,
        step: &str,
        first: &Ask,
        again: impl Fn(Url) -> Ask,
    ) -> Result<Result<Vec<Value>, FetchError>, Halt> {
        let mut records = Vec::new();
        let mut page = self.exchange.inquire(step, first).await?;
        for _ in 0..PAGES {
            let reply = match page {
                Ok(reply) => reply,
                Err(error) => return Ok(Err(error)),
            };
            let Some(items) = reply.body["items"].as_array() else {
                return Ok(Err(unreadable("the answer has no `items`")));
            };
            records.extend(items.iter().cloned());
            let next = reply.body["nextLink"].as_str().filter(|next| !next.is_empty());
            let Some(next) = next.and_then(|next| link::resolve(self.base, next).ok()) else {
                return Ok(Ok(records));
            };
            page = self.exchange.inquire(step, &again(next)).await?;
        }
        Ok(Ok(records))
    }
}

/// Whether the same question may be answered a little later.
pub(super) fn passes(fault: &Fault) -> bool {
    is_passing(fault) || *fault == Fault::Throttled
}

/// A refusal of one thing, or the end of the run: keys, URL and network stop all of it.
pub(super) fn refusal(error: FetchError) -> Result<FetchError, Halt> {
    match error.fault {
        Fault::BadRequest => Ok(error),
        _ => Err(Halt::Fatal(reason(&error))),
    }
}

pub(super) fn unreadable(problem: &str) -> FetchError {
    let detail = problem.to_owned();
    FetchError { fault: Fault::Unreadable, detail, retry_after: None, source: None }
}

/// The name of a step that there may be several of: `post`, `post/2`.
pub(super) fn numbered(step: &str, number: usize) -> String {
    if number == 1 { step.to_owned() } else { format!("{step}/{number}") }
}

/// A time as the vendor takes it: whole seconds.
pub(super) fn seconds(time: Timestamp) -> String {
    Timestamp::from_millis(time.as_millis().div_euclid(1_000) * 1_000).to_string()
}
