//! A page: `{"traceId":…,"next_link":…,"security_events":[…]}`, read with all its known variations.

use bytes::Bytes;
use model::batch::DeadLetter;
use model::record::Record;

use super::ENVELOPE_FIELD;
use crate::cutting::{Document, readable};

/// Members of which at least one makes an object without records an empty page.
const MARKS: [&str; 5] =
    ["traceId", "tracdId", "current_link", "next_link", "last_log_item_generation_time"];
/// Members that make an object a refusal, whatever its status.
const REFUSAL_MARKS: [&str; 3] = ["code", "msg", "message"];

/// A page cut into records.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cut {
    pub(super) records: Vec<Record>,
    pub(super) unusable: Vec<DeadLetter>,
    /// The next link as served; `None` at the end.
    pub(super) next_link: Option<String>,
}

/// Cuts the body of an answer.
pub(super) fn cut(body: &Bytes) -> Result<Cut, &'static str> {
    let text = readable(body);
    let page = Document::object(body, &text).map_err(|_| "the body is not a JSON object")?;
    let items = match page.member(ENVELOPE_FIELD) {
        None | Some("null") if is_envelope(&page) => crate::cutting::Items::default(),
        None | Some("null") => return Err("the body is no page of security events"),
        Some(_) => page.items(ENVELOPE_FIELD).ok_or("`security_events` is no list")?,
    };
    let next_link = next_link(&page)?;
    Ok(Cut { records: items.records, unusable: items.unusable, next_link })
}

/// Whether a body is a page at all.
pub(super) fn looks_like_page(body: &Bytes) -> bool {
    cut(body).is_ok()
}

fn is_envelope(page: &Document<'_>) -> bool {
    let has = |names: &[&str]| names.iter().any(|name| page.member(name).is_some());
    has(&MARKS) && !has(&REFUSAL_MARKS)
}

/// The end of paging has been seen as `""`, `null`, an absent member, and the text `null`.
fn next_link(page: &Document<'_>) -> Result<Option<String>, &'static str> {
    let Some(raw) = page.member("next_link") else { return Ok(None) };
    let link: Option<String> = serde_json::from_str(raw).map_err(|_| "`next_link` is no text")?;
    let link = link.map(|link| link.trim().to_owned());
    Ok(link.filter(|link| !link.is_empty() && !link.eq_ignore_ascii_case("null")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(body: &str) -> Result<Cut, &'static str> {
        super::cut(&Bytes::copy_from_slice(body.as_bytes()))
    }

    fn next_link(member: &str) -> Result<Option<String>, &'static str> {
        cut(&format!(r#"{{"security_events":[]{member}}}"#)).map(|page| page.next_link)
    }

    #[test]
    fn paging_ends_in_four_ways() {
        for end in ["", r#","next_link":"""#, r#","next_link":null"#, r#","next_link":"null""#] {
            assert_eq!(next_link(end), Ok(None), "{end}");
        }
        assert_eq!(
            next_link(r#","next_link":"https:\/\/a\/b""#),
            Ok(Some("https://a/b".to_owned()))
        );
        assert!(next_link(r#","next_link":7"#).is_err());
    }

    #[test]
    fn an_envelope_without_records_is_an_empty_page() {
        for body in [
            r#"{"traceId":"t"}"#,
            r#"{"tracdId":"t"}"#,
            r#"{"next_link":"","security_events":null}"#,
        ] {
            assert!(cut(body).is_ok_and(|page| page.records.is_empty()), "{body}");
        }
    }

    #[test]
    fn other_bodies_are_no_page() {
        for body in [
            "",
            "[]",
            "{}",
            "<html>",
            r#"{"status":"ok"}"#,
            r#"{"code":-4290001,"traceId":"t","msg":"Maximum allowed requests exceeded"}"#,
            r#"{"traceId":"t","security_events":{"a":1}}"#,
            r#"{"traceId":"t","security_events":[{"a":1},"#,
        ] {
            assert!(cut(body).is_err(), "{body}");
        }
    }
}
