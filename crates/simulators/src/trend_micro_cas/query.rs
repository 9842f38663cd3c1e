//! The parameters of a log retrieval request, checked.

use crate::draw::mix;

use super::errors::Refused;
use super::parameters::{Parameters, invalid, untokened};
use super::streams::{Stream, is_service};

/// Most records in a page, and the number when none is asked for.
const MOST_RECORDS: usize = 500;

/// A checked request; the bounds are still text, because a token makes them void.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EventsQuery {
    pub(super) stream: Stream,
    pub(super) start: Option<String>,
    pub(super) end: Option<String>,
    /// Records in a page, 1 to 500.
    pub(super) limit: usize,
    pub(super) skiptoken: Option<String>,
    /// The query as it was sent, without its token.
    pub(super) untokened: String,
}

impl EventsQuery {
    /// Checks a query string; unknown parameters are ignored, repeated ones refused.
    pub(super) fn parse(text: &str) -> Result<Self, Refused> {
        let names = ["service", "event", "start", "end", "limit", "skiptoken"];
        let given = Parameters::read(text, &names)?;
        let [service, event] = ["service", "event"].map(|name| given.get(name).unwrap_or_default());
        if !is_service(service) {
            return Err(invalid("service"));
        }
        let stream = Stream::requested(service, event).ok_or_else(|| invalid("event"))?;
        let owned = |name| given.get(name).map(str::to_owned);
        Ok(Self {
            stream,
            start: owned("start"),
            end: owned("end"),
            limit: given.limit(MOST_RECORDS, MOST_RECORDS)?,
            skiptoken: owned("skiptoken"),
            untokened: untokened(text),
        })
    }

    /// A number that stands for everything but the token.
    pub(super) fn binding(&self, seed: u64) -> u64 {
        let text = format!("{:?}", (self.stream.number(), &self.start, &self.end, self.limit));
        text.bytes().fold(mix(&[seed]), |state, byte| mix(&[state, u64::from(byte)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_size_is_500_unless_a_smaller_one_is_asked_for() {
        let limit = |text: &str| {
            EventsQuery::parse(&format!("service=box&event=dlp{text}")).map(|query| query.limit)
        };
        assert_eq!(limit(""), Ok(500));
        assert_eq!(limit("&limit=1"), Ok(1));
        for bad in ["501", "0", "-1", "+5", "ten", ""] {
            assert!(limit(&format!("&limit={bad}")).is_err(), "{bad}");
        }
    }

    #[test]
    fn services_and_events_are_single_known_and_given_once() {
        for bad in [
            "",
            "service=box",
            "event=dlp",
            "service=box,gmail&event=dlp",
            "service=office365&event=dlp",
            "service=box&event=spam",
            "service=Box&event=dlp",
            "service=box&event=dlp&event=dlp",
        ] {
            assert!(EventsQuery::parse(bad).is_err(), "{bad}");
        }
        assert!(EventsQuery::parse("service=box&event=dlp&lang=ja").is_ok());
    }

    #[test]
    fn the_token_is_taken_out_and_does_not_change_the_binding() -> Result<(), Refused> {
        let first = EventsQuery::parse("service=box&event=dlp&start=2026-03-02T07%3A00%3A00Z")?;
        let next = EventsQuery::parse(
            "service=box&event=dlp&skiptoken=abc=&start=2026-03-02T07%3A00%3A00Z",
        )?;
        assert_eq!(next.skiptoken.as_deref(), Some("abc="));
        assert_eq!(next.untokened, first.untokened);
        assert_eq!(next.binding(1), first.binding(1));
        let other = EventsQuery::parse("service=box&event=dlp&start=2026-03-02T07%3A00%3A01Z")?;
        assert_ne!(other.binding(1), first.binding(1));
        Ok(())
    }
}
