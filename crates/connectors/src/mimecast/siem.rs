//! Pages of the SIEM routes: a listing of files, or events themselves, with the token that follows them.

use bytes::Bytes;
use chrono::SecondsFormat;
use model::batch::DeadLetter;
use model::record::Record;
use model::time::Timestamp;
use serde_json::Value;
use url::Url;

use super::address;
use super::place::{From, Place, Transport};
use crate::client;
use crate::cutting::{Document, readable};

/// The vendor's most, of files and of events.
const FULL_PAGE: u32 = 100;
/// Members of which at least one makes an object without `value` an empty page.
const MARKS: [&str; 4] = ["@nextPage", "@nextLink", "isCaughtUp", "pageSize"];

/// A file that is listed. Its link is a key to it and does not print.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its host and path, which stay when the link is made anew.
    pub(super) object: String,
    pub(super) url: Url,
}

impl std::fmt::Debug for Listed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_tuple("Listed").field(&self.object).finish()
    }
}

/// A page of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listing {
    /// Each object once.
    pub(super) files: Vec<Listed>,
    /// Items that name no file.
    pub(super) unusable: Vec<DeadLetter>,
    pub(super) next: Next,
}

/// A page of events.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Events {
    pub(super) records: Vec<Record>,
    pub(super) unusable: Vec<DeadLetter>,
    pub(super) next: Next,
}

/// What follows a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Next {
    pub(super) token: Option<String>,
    pub(super) is_caught_up: bool,
}

/// The URL of a page.
pub(super) fn page_url(base: &Url, event_type: &str, place: &Place, page_size: Option<u32>) -> Url {
    let path = match place.transport {
        Transport::Batch => "/siem/v1/batch/events/cg",
        Transport::Stream => "/siem/v1/events/cg",
    };
    let size = page_size.unwrap_or(FULL_PAGE).clamp(1, FULL_PAGE);
    let mut url = address::below(base, path);
    let mut query = url.query_pairs_mut();
    query.append_pair("type", event_type);
    if place.transport == Transport::Stream {
        // Which of the two names the stream honours is not documented; the other is ignored.
        query.append_pair("types", event_type);
    }
    query.append_pair("pageSize", &size.to_string());
    match &place.from {
        // With a token, dates are ignored.
        From::Token(token) => query.append_pair("nextPage", token),
        From::Start(start) => query.append_pair("dateRangeStartsAt", start),
    };
    drop(query);
    url
}

/// Where a range of time begins, as a transport writes it: files go by day, events by millisecond.
pub(super) fn start(transport: Transport, time: Timestamp) -> From {
    From::Start(match transport {
        Transport::Batch => time.day().to_string(),
        Transport::Stream => time.to_chrono().to_rfc3339_opts(SecondsFormat::Millis, true),
    })
}

/// Reads a page of files.
pub(super) fn listing(body: &Bytes, base: &Url) -> Result<Listing, &'static str> {
    let text = readable(body);
    let page = page(body, &text)?;
    let items: Vec<Value> = match page.member("value") {
        None => Vec::new(),
        Some(raw) => serde_json::from_str::<Option<Vec<Value>>>(raw)
            .map_err(|_| "`value` is no list")?
            .unwrap_or_default(),
    };
    let mut listing = Listing { files: Vec::new(), unusable: Vec::new(), next: next(&page)? };
    for item in items {
        match item["url"].as_str().and_then(|url| listed(url, base)) {
            // The vendor lists a file twice now and then, with another signature.
            Some(file) if listing.files.iter().any(|known| known.object == file.object) => {}
            Some(file) => listing.files.push(file),
            None => listing.unusable.push(DeadLetter {
                raw: Bytes::from(unsigned(item).to_string()),
                reason: "the listing names a file without a usable link".to_owned(),
            }),
        }
    }
    Ok(listing)
}

/// Reads a page of events.
pub(super) fn events(body: &Bytes) -> Result<Events, &'static str> {
    let text = readable(body);
    let page = page(body, &text)?;
    let items = match page.member("value") {
        None | Some("null") => crate::cutting::Items::default(),
        Some(_) => page.items("value").ok_or("`value` is no list")?,
    };
    Ok(Events { records: items.records, unusable: items.unusable, next: next(&page)? })
}

fn page<'b>(body: &'b Bytes, text: &'b str) -> Result<Document<'b>, &'static str> {
    let page = Document::object(body, text).map_err(|_| "the body is not a JSON object")?;
    let is_page =
        page.member("value").is_some() || MARKS.iter().any(|name| page.member(name).is_some());
    if is_page { Ok(page) } else { Err("the body is no page of events") }
}

/// A link of a listing. Files may lie at any host; one without TLS is taken only where the vendor
/// itself is reached without, as a simulator is.
fn listed(url: &str, base: &Url) -> Option<Listed> {
    let url = Url::parse(url.trim()).ok()?;
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && base.scheme() == "http");
    let is_plain = url.username().is_empty() && url.password().is_none();
    let is_file = is_safe && is_plain && url.host_str().is_some();
    is_file.then(|| Listed { object: format!("{}{}", client::host(&url), url.path()), url })
}

/// An item of a listing without what makes its link a key.
fn unsigned(mut item: Value) -> Value {
    if let Some(Value::String(link)) = item.get_mut("url") {
        let plain = link.split(['?', '#']).next().unwrap_or_default();
        let plain = match plain.split_once("://") {
            Some((scheme, rest)) => {
                let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
                format!("{scheme}://{host}{path}")
            }
            None => plain.to_owned(),
        };
        *link = plain;
    }
    item
}

fn next(page: &Document<'_>) -> Result<Next, &'static str> {
    let text = |name: &str| match page.member(name) {
        None => Ok(None),
        Some(raw) => serde_json::from_str::<Option<String>>(raw)
            .map(|text| text.filter(|text| !text.trim().is_empty()))
            .map_err(|_| "the paging token is no text"),
    };
    let token = match text("@nextPage")? {
        Some(token) => Some(token),
        None => text("@nextLink")?,
    };
    let is_caught_up = matches!(page.member("isCaughtUp"), Some("true" | "\"true\""));
    Ok(Next { token, is_caught_up })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base() -> Url {
        Url::parse("https://api.gate.example").unwrap()
    }

    fn read(body: &str) -> Result<Listing, &'static str> {
        listing(&Bytes::copy_from_slice(body.as_bytes()), &base())
    }

    #[test]
    fn a_page_is_asked_by_token_or_by_date_and_never_by_both() {
        let place = Place::new(Transport::Batch, From::Token("NDU1NA==".to_owned()));
        assert_eq!(
            page_url(&base(), "url protect", &place, None).as_str(),
            "https://api.gate.example/siem/v1/batch/events/cg?type=url+protect&pageSize=100&nextPage=NDU1NA%3D%3D"
        );
        let time = Timestamp::parse("2026-10-01T23:59:59.5Z").unwrap();
        let place = Place::new(Transport::Batch, start(Transport::Batch, time));
        let url = page_url(&base(), "av", &place, Some(900));
        assert!(url.as_str().ends_with("pageSize=100&dateRangeStartsAt=2026-10-01"), "{url}");
        let place = Place::new(Transport::Stream, start(Transport::Stream, time));
        let url = page_url(&base(), "av", &place, Some(0));
        assert!(
            url.as_str().ends_with(
                "/events/cg?type=av&types=av&pageSize=1&dateRangeStartsAt=2026-10-01T23%3A59%3A59.500Z"
            ),
            "{url}"
        );
    }

    #[test]
    fn a_file_is_listed_once_whatever_its_signature() {
        let page = read(
            r#"{"value":[{"url":"https://files.example/a.gz?X-Amz-Signature=1","size":7},
                {"url":"https://files.example/a.gz?X-Amz-Signature=2"},{"url":"https://files.example/b.gz"},
                {"url":"https://others.example/a.gz"}],
                "@nextPage":"T","isCaughtUp":true}"#,
        )
        .unwrap();
        let objects: Vec<_> = page.files.iter().map(|file| file.object.as_str()).collect();
        assert_eq!(objects, ["files.example/a.gz", "files.example/b.gz", "others.example/a.gz"]);
        assert!(!format!("{page:?}").contains("Signature"), "links do not print");
        assert_eq!(page.next, Next { token: Some("T".to_owned()), is_caught_up: true });
    }

    #[test]
    fn the_token_stands_under_either_name_or_nowhere() {
        let token = |members: &str| read(&format!("{{\"value\":[]{members}}}")).unwrap().next.token;
        assert_eq!(token(r#","@nextPage":"a","@nextLink":"b""#).as_deref(), Some("a"));
        assert_eq!(token(r#","@nextLink":"b""#).as_deref(), Some("b"));
        assert_eq!(token(r#","@nextPage":"","@nextLink":null"#), None);
        assert!(read(r#"{"value":[],"@nextPage":7}"#).is_err());
    }

    #[test]
    fn links_that_lead_to_no_safe_file_become_dead_letters() {
        for link in ["", "ftp://f.example/a", "http://f.example/a", "https://u:p@f.example/a", "/a"]
        {
            let page = read(&format!(r#"{{"value":[{{"url":"{link}"}}]}}"#)).unwrap();
            assert_eq!((page.files.len(), page.unusable.len()), (0, 1), "{link}");
        }
        assert_eq!(read(r#"{"value":[7,null]}"#).unwrap().unusable.len(), 2);
        let page = read(
            r#"{"value":[{"url":"http://u:p@f.example/a?X-Amz-Signature=s1gned"},
                {"url":"/a?X-Amz-Signature=s1gned#x"}]}"#,
        );
        let letters = page.unwrap().unusable;
        assert_eq!(&letters[0].raw[..], br#"{"url":"http://f.example/a"}"#, "links are keys");
        assert_eq!(&letters[1].raw[..], br#"{"url":"/a"}"#);
    }

    #[test]
    fn an_envelope_without_events_is_an_empty_page_and_other_bodies_are_none() {
        for body in [r#"{"isCaughtUp":true}"#, r#"{"value":null,"@nextPage":"T"}"#] {
            assert!(read(body).is_ok_and(|page| page.files.is_empty()), "{body}");
            let page = events(&Bytes::copy_from_slice(body.as_bytes()));
            assert!(page.is_ok_and(|page| page.records.is_empty()), "{body}");
        }
        for body in ["", "[]", "{}", "<html>", r#"{"value":{}}"#, r#"{"value":[{"a":1},"#] {
            assert!(read(body).is_err(), "{body}");
            assert!(events(&Bytes::copy_from_slice(body.as_bytes())).is_err(), "{body}");
        }
    }
}
