//! Tells which entities are on the block list.

use std::collections::BTreeMap;

use model::action::outcome::Enrichment;
use model::action::{Entity, EntityKind, Halt, ItemState, Outcome, Text};
use serde_json::{Map, Value};

use super::Desk;
use super::blocklist::Blocklist;
use super::entries::{self, Entry, List, Reading};
use super::messages::{Sentence, is_failure};
use crate::action::Board;

pub(super) const NAME: &str = "enrich_entities";

const DONE: Sentence = Sentence::open(
    "Successfully retrieved information about the following entities from Trend Micro Cloud App Security: ",
    "Trend Micro Cloud App Security から次のエンティティの情報を取得しました: ",
);
const FAILED: Sentence = Sentence::open(
    "\nAction wasn't able to retrieve information about the following entities from Trend Micro Cloud App Security: ",
    "\nTrend Micro Cloud App Security から次のエンティティの情報は取得できませんでした: ",
);

/// How an entity is on the block list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Match {
    /// The very entry.
    Exact,
    /// An entry of the same host, which is what users of the earlier integrations know as blocked.
    Host,
    None,
}

pub(super) async fn run(desk: &Desk<'_>) -> Result<Outcome, Halt> {
    let mut board = Board::of(
        &desk.input().entities,
        &[EntityKind::Url, EntityKind::Hash, EntityKind::EmailAddress, EntityKind::User],
    );
    let mut readable = Vec::new();
    for entity in board.entities(ItemState::Pending) {
        match entries::read(&entity) {
            Reading::Entry(entry) => readable.push((entity, entry)),
            Reading::Invalid(why) => board.set(&entity, ItemState::Invalid, why),
            Reading::Unsupported => board.set(&entity, ItemState::Skipped, Text::default()),
        }
    }
    let mut result = Map::new();
    let mut enrichment = Vec::new();
    if !readable.is_empty() {
        let lists = Blocklist::ask(desk, "list").await?;
        for (entity, entry) in readable {
            let found = find(&lists, &entry);
            let (state, detail) = found.item();
            board.set(&entity, state, detail);
            if found != Match::None {
                push_blocked(&mut result, &entry);
            }
            enrichment.push(found.enrichment(entity));
        }
    }
    let mut outcome = told(board);
    if !result.is_empty() {
        outcome.result = Value::Object(result);
    }
    // Also what is not blocked is kept: what was known before may no longer be true.
    outcome.enrichment = enrichment;
    Ok(outcome)
}

fn find(lists: &Blocklist, entry: &Entry) -> Match {
    if lists.find(entry).is_some() {
        Match::Exact
    } else if entry.list == List::Urls && lists.blocks_host(&entry.value) {
        Match::Host
    } else {
        Match::None
    }
}

fn push_blocked(result: &mut Map<String, Value>, entry: &Entry) {
    let name = match entry.list {
        List::Urls => "blocked_urls",
        List::Sha1 | List::Sha256 => "blocked_hashes",
        List::Senders => "blocked_senders",
    };
    let list = result.entry(name).or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(list) = list {
        list.push(Value::from(entry.value.as_str()));
    }
}

impl Match {
    fn item(self) -> (ItemState, Text) {
        match self {
            Self::Exact => (ItemState::Succeeded, Text::new("blocked", "ブロック対象です")),
            Self::Host => {
                let detail = Text::new("its host is blocked", "ホストがブロック対象です");
                (ItemState::Succeeded, detail)
            }
            Self::None => {
                let detail = Text::new("not on the block list", "ブロックリストにありません");
                (ItemState::Failed, detail)
            }
        }
    }

    fn enrichment(self, entity: Entity) -> Enrichment {
        let is_blocked = self != Self::None;
        let blocked = if is_blocked { "True" } else { "False" };
        let mut properties = BTreeMap::from([("TMCAS_blocked".to_owned(), blocked.to_owned())]);
        let kind = match self {
            Self::Exact => Some("exact"),
            Self::Host => Some("host"),
            Self::None => None,
        };
        properties.extend(kind.map(|kind| ("TMCAS_match".to_owned(), kind.to_owned())));
        Enrichment { entity, properties, is_suspicious: is_blocked }
    }
}

fn told(board: Board) -> Outcome {
    let found = board.values(|state| state == ItemState::Succeeded);
    let missed = board.values(is_failure);
    let mut message;
    if found.is_empty() {
        message = Text::new(
            "No entities were enriched using information from Trend Micro Cloud App Security.",
            "Trend Micro Cloud App Security の情報を付加できたエンティティはありません。",
        );
    } else {
        message = DONE.about(&found);
        if !missed.is_empty() {
            message.push(&FAILED.about(&missed));
        }
    }
    let mut outcome = Outcome::said(!found.is_empty(), message);
    outcome.items = board.into_items();
    outcome
}
