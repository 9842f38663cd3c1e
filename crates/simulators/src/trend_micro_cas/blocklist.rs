//! The block lists: senders, URLs, and files by SHA-1 and SHA-256, with how entries are rewritten on storage.

use serde_json::{Map, Value};

use super::action_knobs::{ActionKnobs, EmptyLists};
use super::errors::Refused;
use super::parameters::invalid;

/// Most entries of a list, and of a list in a request.
const MOST_ENTRIES: usize = 2_048;

/// One of the lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    Senders,
    Urls,
    Sha1,
    Sha256,
}

impl List {
    const ALL: [Self; 4] = [Self::Senders, Self::Urls, Self::Sha1, Self::Sha256];

    /// The list of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|list| list.name() == name)
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Senders => "senders",
            Self::Urls => "urls",
            Self::Sha1 => "filehashes",
            Self::Sha256 => "file256hashes",
        }
    }

    fn accepts(self, entry: &str) -> bool {
        let is_hash =
            |digits| entry.len() == digits && entry.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_word = !entry.is_empty() && !entry.contains(char::is_whitespace);
        match self {
            Self::Senders => is_word && entry.contains('@'),
            Self::Urls => is_word && !stored_url(entry).is_empty(),
            Self::Sha1 => is_hash(40),
            Self::Sha256 => is_hash(64),
        }
    }

    /// What is stored of an entry.
    fn stored(self, entry: &str) -> String {
        if self == Self::Urls { stored_url(entry) } else { entry.to_owned() }
    }
}

/// A URL without its scheme and a lone trailing slash, its host in lower case.
fn stored_url(entry: &str) -> String {
    let is_scheme = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let bare = match entry.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => rest,
        _ => entry,
    };
    let host_end = bare.find(['/', '?', '#']).unwrap_or(bare.len());
    let (host, rest) = bare.split_at(host_end);
    let rest = if rest == "/" { "" } else { rest };
    format!("{}{rest}", host.to_lowercase())
}

/// A checked change.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) adds: bool,
    /// The entries by list, as they were sent.
    entries: Vec<(List, Vec<String>)>,
}

impl Change {
    /// Checks the body of a request; lists that this deployment does not know are ignored.
    pub(super) fn parse(body: &[u8], absent: &[List]) -> Result<Self, Refused> {
        let malformed = || Refused::BadParameter("The request body is not JSON".to_owned());
        let body: Value = serde_json::from_slice(body).map_err(|_| malformed())?;
        let adds = match body["action_type"].as_str() {
            Some("create") => true,
            Some("delete") => false,
            _ => return Err(invalid("action_type")),
        };
        let rules = body["rules"].as_object().ok_or_else(|| invalid("rules"))?;
        let mut entries = Vec::new();
        for list in List::ALL.into_iter().filter(|list| !absent.contains(list)) {
            let given = match rules.get(list.name()) {
                None | Some(Value::Null) => continue,
                Some(given) => given.as_array().ok_or_else(|| invalid(list.name()))?,
            };
            let accepted = |entry: &Value| {
                entry.as_str().filter(|entry| list.accepts(entry)).map(str::to_owned)
            };
            let accepted: Option<Vec<_>> = given.iter().map(accepted).collect();
            let accepted = accepted.filter(|accepted| accepted.len() <= MOST_ENTRIES);
            entries.push((list, accepted.ok_or_else(|| invalid(list.name()))?));
        }
        if entries.iter().all(|(_, entries)| entries.is_empty()) {
            return Err(invalid("rules"));
        }
        Ok(Self { adds, entries })
    }

    /// Whether a list of lower-case names has one of its entries, as sent or as stored.
    pub(super) fn is_named_in(&self, names: &[String]) -> bool {
        let is_listed = |list: List, entry: &String| {
            [entry.to_lowercase(), list.stored(entry).to_lowercase()]
                .iter()
                .any(|form| names.contains(form))
        };
        let mut lists = self.entries.iter();
        lists.any(|(list, entries)| entries.iter().any(|entry| is_listed(*list, entry)))
    }
}

/// What is blocked: the entries of each list in the order of their coming.
#[derive(Debug, Default)]
pub(super) struct Blocklist([Vec<String>; 4]);

impl Blocklist {
    /// Makes a change, or none of it when a list would be over its cap. Entries that are there already, or are
    /// not there to be deleted, are passed over; letter case makes no other entry.
    pub(super) fn apply(&mut self, change: &Change) -> Result<(), Refused> {
        let mut lists = self.0.clone();
        for (list, entries) in &change.entries {
            let place = &mut lists[*list as usize];
            for entry in entries {
                let stored = list.stored(entry);
                let found =
                    place.iter().position(|own| own.to_lowercase() == stored.to_lowercase());
                match (change.adds, found) {
                    (true, None) => place.push(stored),
                    (false, Some(found)) => drop(place.remove(found)),
                    _ => {}
                }
            }
            if place.len() > MOST_ENTRIES {
                return Err(Refused::BadParameter(format!(
                    "{} holds more than {MOST_ENTRIES} items",
                    list.name()
                )));
            }
        }
        self.0 = lists;
        Ok(())
    }

    /// The lists as this deployment shows them.
    pub(super) fn shown(&self, knobs: &ActionKnobs) -> Map<String, Value> {
        let mut shown = Map::new();
        for list in List::ALL.into_iter().filter(|list| !knobs.absent_lists.contains(list)) {
            let entries = self.entries(list, knobs.trailing_slash);
            let value = match (entries.is_empty(), knobs.empty_lists) {
                (true, EmptyLists::Absent) => continue,
                (true, EmptyLists::Null) => Value::Null,
                _ => Value::from(entries),
            };
            shown.insert(list.name().to_owned(), value);
        }
        shown
    }

    /// All lists with their entries as they are stored.
    pub(super) fn state(&self) -> Map<String, Value> {
        let shown = |list: List| (list.name().to_owned(), Value::from(self.entries(list, false)));
        List::ALL.into_iter().map(shown).collect()
    }

    fn entries(&self, list: List, trailing_slash: bool) -> Vec<String> {
        let ends_host = |entry: &str| list == List::Urls && !entry.contains(['/', '?', '#']);
        let shown = |entry: &String| match trailing_slash && ends_host(entry) {
            true => format!("{entry}/"),
            false => entry.clone(),
        };
        self.0[list as usize].iter().map(shown).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_lose_their_scheme_and_a_lone_slash_and_their_host_its_capitals() {
        for (given, stored) in [
            ("https://Test.Example.com", "test.example.com"),
            ("test.example.com/", "test.example.com"),
            ("HTTP://A.example/Path/?Q=1", "a.example/Path/?Q=1"),
            ("b.example?next=https://C.example", "b.example?next=https://C.example"),
            ("https://", ""),
        ] {
            assert_eq!(stored_url(given), stored, "{given}");
        }
    }
}
