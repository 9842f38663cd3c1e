//! Where a stream of SIEM events goes on: the vendor's token, or the first instant, and the files of that listing
//! that are done. It is what the engine keeps as the cursor.
//!
//! Links are not kept: they run out, and they are keys to their files.

use model::vendor::{Continuation, Fault, FetchError};
use serde::{Deserialize, Serialize};

/// How SIEM events are fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Transport {
    /// Files, listed in pages.
    Batch,
    /// Events, in pages.
    Stream,
}

/// A place in a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Place {
    /// The transport that the token belongs to.
    pub(super) transport: Transport,
    /// Where the page begins.
    pub(super) from: From,
    /// Objects of the page that are done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) done: Vec<String>,
    /// The vendor answered the token that it was asked with, though there was more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) circle: bool,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum From {
    /// At the vendor's token.
    Token(String),
    /// At a day or an instant, as the transport writes it.
    Start(String),
}

impl Place {
    /// The beginning of a page.
    pub(super) fn new(transport: Transport, from: From) -> Self {
        Self { transport, from, done: Vec::new(), circle: false }
    }

    /// Reads a continuation.
    ///
    /// # Errors
    /// It is of the other transport, or of no version that is known: begin again by time.
    pub(super) fn read(
        continuation: &Continuation,
        transport: Transport,
    ) -> Result<Self, FetchError> {
        let place = serde_json::from_str::<Self>(&continuation.0).ok();
        match place.filter(|place| place.transport == transport) {
            Some(place) if place.circle => {
                let detail = "the vendor answered the paging token that it was asked with";
                Err(failed(Fault::RepeatedLink, detail))
            }
            Some(place) => Ok(place),
            None => Err(failed(Fault::ExpiredLink, "the cursor belongs to the other transport")),
        }
    }

    /// The continuation that leads here.
    pub(super) fn written(&self) -> Continuation {
        let text = serde_json::to_string(self).expect("texts and truths can be written");
        Continuation(text)
    }

    /// Whether the page was reached by a token.
    pub(super) fn is_continued(&self) -> bool {
        matches!(self.from, From::Token(_))
    }
}

fn failed(fault: Fault, detail: &str) -> FetchError {
    FetchError { fault, detail: detail.to_owned(), retry_after: None, source: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_comes_back_and_one_of_the_other_transport_begins_again() {
        let mut place = Place::new(Transport::Batch, From::Token("NDU1NA==".to_owned()));
        place.done.push("/cg/1.json.gz".to_owned());
        let written = place.written();
        assert_eq!(Place::read(&written, Transport::Batch).unwrap(), place);
        let error = Place::read(&written, Transport::Stream).unwrap_err();
        assert_eq!(error.fault, Fault::ExpiredLink);
        let odd = Place::read(&Continuation("x".to_owned()), Transport::Batch);
        assert_eq!(odd.unwrap_err().fault, Fault::ExpiredLink);
    }

    #[test]
    fn a_circle_is_told_at_the_next_step() {
        let place = Place {
            circle: true,
            ..Place::new(Transport::Stream, From::Start("2026-10-01T00:00:00.000Z".to_owned()))
        };
        let error = Place::read(&place.written(), Transport::Stream).unwrap_err();
        assert_eq!(error.fault, Fault::RepeatedLink);
    }
}
