//! Lists in pages: each next link is checked before the key goes there, and no list goes round in a circle.

use std::collections::BTreeSet;

use model::action::Halt;
use model::vendor::{Fault, FetchError};
use serde_json::{Map, Value};
use url::Url;

use super::{Desk, Manner, failed};
use crate::client::link;

/// More pages than any list has that the vendor keeps.
const MOST_PAGES: usize = 2_000;

/// What to do after a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Then {
    Continue,
    Stop,
}

/// Shows every record of a list to `visit`, page after page, until it has enough. Items that are no objects are
/// passed over.
pub(super) async fn walk(
    desk: &Desk<'_>,
    step: &str,
    first: Url,
    list: &str,
    manner: Manner,
    visit: &mut (dyn FnMut(Map<String, Value>) -> Then + Send),
) -> Result<Result<(), FetchError>, Halt> {
    let mut seen = BTreeSet::new();
    let mut url = first;
    for number in 1..=MOST_PAGES {
        let name = if number == 1 { step.to_owned() } else { format!("{step}/page/{number}") };
        let mut page = match desk.try_get(&name, url.clone(), manner).await? {
            Ok(page) => page,
            Err(error) => return Ok(Err(error)),
        };
        let records = match page.remove(list) {
            Some(Value::Array(records)) => records,
            Some(Value::Null) => Vec::new(),
            _ => {
                let detail = format!("the answer has no list `{list}`");
                return Ok(Err(failed(Fault::Unreadable, detail)));
            }
        };
        for record in records {
            let Value::Object(record) = record else { continue };
            if visit(record) == Then::Stop {
                return Ok(Ok(()));
            }
        }
        let Some(next) = next_link(&page) else { return Ok(Ok(())) };
        seen.insert(url);
        url = match link::resolve(desk.base, next) {
            Ok(next) => next,
            Err(foreign) => {
                let detail = format!("link was not followed away from {}", foreign.expected);
                return Ok(Err(failed(Fault::ForeignLink, detail)));
            }
        };
        if seen.contains(&url) {
            break;
        }
    }
    Ok(Err(failed(Fault::RepeatedLink, format!("the list `{list}` does not end"))))
}

/// Where a page says to go on. The end is written in several ways.
fn next_link(page: &Map<String, Value>) -> Option<&str> {
    let link = ["next_link", "next_Link"].iter().find_map(|name| page.get(*name)?.as_str())?.trim();
    (!link.is_empty() && link != "null").then_some(link)
}

/// A text member; empty when it is missing, null or no text.
pub(super) fn text<'r>(record: &'r Map<String, Value>, name: &str) -> &'r str {
    record.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_end_of_a_list_is_written_in_several_ways() {
        let link = |page: Value| next_link(page.as_object().unwrap()).map(str::to_owned);
        for end in [
            json!({}),
            json!({ "next_link": null }),
            json!({ "next_link": "" }),
            json!({ "next_link": "null" }),
        ] {
            assert_eq!(link(end), None);
        }
        assert_eq!(
            link(json!({ "next_Link": " /v1/x?skiptoken=a " })).as_deref(),
            Some("/v1/x?skiptoken=a")
        );
    }
}
