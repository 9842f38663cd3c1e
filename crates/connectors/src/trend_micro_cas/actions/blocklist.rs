//! The block lists as the vendor serves them, and changes of them.
//!
//! Only entries that were added through the API are served, all at once, without pages.

use async_trait::async_trait;
use model::action::{Halt, Text};
use model::time::Timestamp;
use serde_json::{Map, Value, json};

use super::entries::{Entry, List, host_of};
use super::{Desk, Manner};
use crate::action::{Ask, Witness, reason};

const PATH: &str = "/v1/remediation/mails";
/// Most entries of a list.
pub(super) const MOST_ENTRIES: usize = 2_048;

/// What is blocked; a list that was not served is `None`: it is empty, or an older deployment does not know it.
#[derive(Debug, Default)]
pub(super) struct Blocklist([Option<Vec<String>>; 4]);

impl Blocklist {
    /// Asks for the lists.
    pub(super) async fn ask(desk: &Desk<'_>, step: &str) -> Result<Self, Halt> {
        Ok(Self::read(&desk.get(step, desk.url(PATH, &[])).await?))
    }

    fn read(answer: &Map<String, Value>) -> Self {
        let rules = answer.get("rules");
        let list = |list: List| {
            let entries = rules?.get(list.name())?.as_array()?.iter();
            Some(entries.filter_map(Value::as_str).map(str::to_owned).collect())
        };
        Self(List::ALL.map(list))
    }

    /// The entries of a list.
    pub(super) fn entries(&self, list: List) -> &[String] {
        self.0[list as usize].as_deref().unwrap_or_default()
    }

    /// Whether a list was served at all.
    pub(super) fn shows(&self, list: List) -> bool {
        self.0[list as usize].is_some()
    }

    /// The entry as it is stored.
    pub(super) fn find(&self, entry: &Entry) -> Option<&str> {
        let form = entry.list.form(&entry.value);
        let mut stored = self.entries(entry.list).iter();
        stored.find(|stored| entry.list.form(stored) == form).map(String::as_str)
    }

    /// As [`Blocklist::find`], but whatever the case of the letters: the vendor may hold such entries for one.
    fn holds(&self, entry: &Entry) -> bool {
        let form = entry.list.form(&entry.value).to_lowercase();
        self.entries(entry.list).iter().any(|own| entry.list.form(own).to_lowercase() == form)
    }

    /// Whether an entry of the same host is blocked.
    pub(super) fn blocks_host(&self, url: &str) -> bool {
        let Some(host) = host_of(url) else { return false };
        self.entries(List::Urls).iter().any(|stored| host_of(stored).as_ref() == Some(&host))
    }
}

/// What a change does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Add,
    Remove,
}

/// The request that adds or removes entries, each form once.
pub(super) fn request(desk: &Desk<'_>, direction: Direction, entries: &[Entry]) -> Ask {
    let mut rules = Map::new();
    for list in List::ALL {
        let mut forms = Vec::new();
        let mut values = Vec::new();
        for entry in entries.iter().filter(|entry| entry.list == list) {
            let form = list.form(&entry.value);
            if !forms.contains(&form) {
                forms.push(form);
                values.push(Value::from(entry.value.as_str()));
            }
        }
        if !values.is_empty() {
            rules.insert(list.name().to_owned(), Value::Array(values));
        }
    }
    let action = match direction {
        Direction::Add => "create",
        Direction::Remove => "delete",
    };
    desk.post(PATH, json!({ "action_type": action, "rules": rules }))
}

/// Looks at the lists for what a change was to make of them.
pub(super) struct ListWitness<'a> {
    pub(super) desk: &'a Desk<'a>,
    pub(super) direction: Direction,
    pub(super) entries: &'a [Entry],
}

#[async_trait]
impl Witness for ListWitness<'_> {
    async fn look(&self, _: Timestamp) -> Result<Option<Value>, Halt> {
        let url = self.desk.url(PATH, &[]);
        let answer = self.desk.try_get("witness", url, Manner::Ask).await?;
        let lists = Blocklist::read(&answer.map_err(|error| Halt::Fatal(reason(&error)))?);
        let is_done = match self.direction {
            // A list that is not served cannot testify.
            Direction::Add => {
                let mut seen =
                    self.entries.iter().filter(|entry| lists.shows(entry.list)).peekable();
                seen.peek().is_some() && seen.all(|entry| lists.holds(entry))
            }
            Direction::Remove => !self.entries.iter().any(|entry| lists.holds(entry)),
        };
        Ok(is_done.then(|| json!({ "code": 0 })))
    }
}

/// Why an entry cannot be added to a list that is full.
pub(super) fn full(list: List) -> Text {
    let name = list.name();
    Text::new(
        format!("the list `{name}` takes {MOST_ENTRIES} entries at most: remove some first"),
        format!("リスト `{name}` の上限は {MOST_ENTRIES} 件です。先に不要な項目を削除してください"),
    )
}

/// Why an entry is not there although the vendor took it.
pub(super) fn unknown_list(list: List) -> Text {
    let name = list.name();
    Text::new(
        format!(
            "the vendor took the request and shows no list `{name}`: this deployment may not know it"
        ),
        format!(
            "要求は受理されましたが、リスト `{name}` が見当たりません。この環境では対応していない可能性があります"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_may_be_missing_null_or_odd() {
        let lists = |answer: Value| Blocklist::read(answer.as_object().unwrap());
        for empty in [
            json!({}),
            json!({ "rules": null }),
            json!({ "rules": [] }),
            json!({ "rules": { "urls": null, "senders": "x", "filehashes": 1 } }),
        ] {
            let lists = lists(empty);
            assert!(List::ALL.iter().all(|list| !lists.shows(*list)));
        }
        let lists = lists(json!({ "rules": { "urls": ["A.example/", 7, "b.example/x"] } }));
        let entry = |value: &str| Entry { list: List::Urls, value: value.to_owned() };
        assert_eq!(lists.find(&entry("https://a.example")), Some("A.example/"));
        assert_eq!(lists.find(&entry("https://b.example/X")), None);
        assert!(lists.holds(&entry("https://b.example/X")));
        assert!(
            lists.blocks_host("ftp://B.example/other") && !lists.blocks_host("http://c.example")
        );
    }
}
