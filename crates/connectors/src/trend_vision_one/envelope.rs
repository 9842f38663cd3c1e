//! A page: `{"items":[…],"totalCount":…,"nextLink":…}`, with what differs from list to list.

use bytes::Bytes;
use model::batch::DeadLetter;
use model::record::Record;

use super::ENVELOPE_FIELD;
use crate::cutting::{Document, Items, readable};

/// Members of which at least one makes an object without records an empty page.
const MARKS: [&str; 4] = ["totalCount", "count", "nextLink", "labels"];
/// Members that make an object a refusal, whatever its status; the vendor has misspelt the first.
const REFUSAL_MARKS: [&str; 4] = ["error", "errror", "code", "message"];

/// A page cut into records.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) records: Vec<Record>,
    pub(super) unusable: Vec<DeadLetter>,
    /// The next link as served; `None` at the end.
    pub(super) next_link: Option<String>,
    /// How many records the whole walk has, where the vendor says so.
    pub(super) total: Option<u64>,
}

impl Cut {
    /// Items in the page.
    pub(super) fn served(&self) -> u64 {
        (self.records.len() + self.unusable.len()) as u64
    }
}

/// Cuts the body of an answer.
pub(super) fn cut(body: &Bytes) -> Result<Cut, &'static str> {
    let text = readable(body);
    let page = Document::object(body, &text).map_err(|_| "the body is not a JSON object")?;
    let has = |names: &[&str]| names.iter().any(|name| page.member(name).is_some());
    if page.member(ENVELOPE_FIELD).is_none() && (has(&REFUSAL_MARKS) || !has(&MARKS)) {
        return Err("the body is no page");
    }
    let items = match page.member(ENVELOPE_FIELD) {
        // Null has been seen where an empty list is meant.
        None | Some("null") => Items::default(),
        Some(_) => page.items(ENVELOPE_FIELD).ok_or("`items` is no list")?,
    };
    let total = page.member("totalCount").and_then(|text| serde_json::from_str(text).ok());
    let next_link = next_link(&page)?;
    Ok(Cut { records: items.records, unusable: items.unusable, next_link, total })
}

/// Whether a body is a page at all.
pub(super) fn looks_like_page(body: &Bytes) -> bool {
    cut(body).is_ok()
}

/// Paging ends with an absent, null or empty link.
fn next_link(page: &Document<'_>) -> Result<Option<String>, &'static str> {
    let Some(raw) = page.member("nextLink") else { return Ok(None) };
    let link: Option<String> = serde_json::from_str(raw).map_err(|_| "`nextLink` is no text")?;
    let link = link.map(|link| link.trim().to_owned());
    Ok(link.filter(|link| !link.is_empty() && !link.eq_ignore_ascii_case("null")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(body: &str) -> Result<Cut, &'static str> {
        super::cut(&Bytes::copy_from_slice(body.as_bytes()))
    }

    #[test]
    fn paging_ends_in_three_ways() {
        for end in ["", r#","nextLink":"""#, r#","nextLink":null"#] {
            let page = cut(&format!(r#"{{"items":[{{}}]{end}}}"#)).unwrap();
            assert_eq!((page.next_link, page.records.len()), (None, 1), "{end}");
        }
        let page = cut(r#"{"items":[],"nextLink":"https:\/\/a\/b","totalCount":7}"#).unwrap();
        assert_eq!((page.next_link.as_deref(), page.total), (Some("https://a/b"), Some(7)));
    }

    #[test]
    fn null_and_absent_items_are_an_empty_page_where_it_is_one() {
        for body in [r#"{"items":null}"#, r#"{"totalCount":0}"#, r#"{"items":null,"count":0}"#] {
            assert!(cut(body).is_ok_and(|page| page.served() == 0), "{body}");
        }
        for body in [
            "",
            "[]",
            "{}",
            "<html>",
            r#"{"status":"available"}"#,
            r#"{"items":{"a":1}}"#,
            r#"{"error":{"code":"x"},"count":0}"#,
            r#"{"errror":{}}"#,
        ] {
            assert!(cut(body).is_err(), "{body}");
        }
    }
}
