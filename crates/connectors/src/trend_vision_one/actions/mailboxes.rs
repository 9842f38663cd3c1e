//! Actions on messages: put aside, deleted, given back.

use model::action::{Entity, EntityKind, Halt, Item, ItemState, Text};
use serde_json::{Map, Value};

use super::orders::{Intake, Order, member, within};
use super::response::Verb;
use super::run::Run;
use super::words::{HERE, Words};

/// The actions of this file.
pub(super) const VERBS: &[Verb] = &[
    Verb {
        name: "quarantine_message",
        path: "response/emails/quarantine",
        tasks: &["quarantineMessage"],
        intake,
        tells: &[],
        words: Words {
            verb: "quarantine",
            past: "quarantined",
            none: "No messages were quarantined in Trend Vision One.",
            ja_stem: "を隔離",
            ja_none: "Trend Vision One で隔離したメッセージはありません。",
            ..MESSAGES
        },
    },
    Verb {
        name: "delete_message",
        path: "response/emails/delete",
        tasks: &["deleteMessage"],
        intake,
        tells: &[],
        words: Words {
            verb: "delete",
            past: "deleted",
            none: "No messages were deleted in Trend Vision One.",
            ja_stem: "を削除",
            ja_none: "Trend Vision One で削除したメッセージはありません。",
            ..MESSAGES
        },
    },
    Verb {
        name: "restore_message",
        path: "response/emails/restore",
        tasks: &["restoreMessage"],
        intake,
        tells: &[],
        words: Words {
            verb: "restore",
            past: "restored",
            none: "No messages were restored in Trend Vision One.",
            ja_stem: "を復元",
            ja_none: "Trend Vision One で復元したメッセージはありません。",
            ..MESSAGES
        },
    },
];

const MESSAGES: Words = Words {
    verb: "",
    past: "",
    nouns: "messages",
    place: HERE,
    none: "",
    ja_nouns: "メッセージ",
    ja_stem: "",
    ja_none: "",
};

/// Messages by their ids, in one mailbox or in all, and single copies by ids of their own.
fn intake(run: &Run<'_>) -> Result<Intake, Halt> {
    let mailbox = run.input.text("mailbox");
    let by_id = |entity: &Entity| -> Result<Map<String, Value>, Text> {
        within(&entity.value, 1_024)?;
        let mut body = member("messageId", &entity.value);
        // An empty mailbox is not the same as none.
        if !mailbox.is_empty() {
            body.insert("mailBox".to_owned(), Value::from(mailbox));
        }
        Ok(body)
    };
    let mut copies = Vec::new();
    add(&mut copies, &texts(run, "unique_ids"));
    // A revert names its items as entities, and keeps the parameters that tell what their ids are of.
    let mut messages = run.input.entities.clone();
    add(&mut messages, &texts(run, "message_ids"));
    messages.retain(|message| !copies.contains(message));
    let mut intake = Intake::of(&messages, &[EntityKind::MessageId], by_id);
    if !mailbox.is_empty() {
        intake.beside.push(Entity::new(EntityKind::EmailAddress, mailbox));
    }
    for entity in copies {
        let mut item = Item::new(entity.clone(), ItemState::Pending);
        match within(&entity.value, 1_024) {
            Ok(()) => {
                let body = member("uniqueId", &entity.value);
                intake.orders.push(Order { entity, body });
            }
            Err(why) => item = Item::new(entity, ItemState::Invalid).because(why),
        }
        intake.board.push(item);
    }
    Ok(intake)
}

/// The values of a list parameter as they are written: ids of copies differ by the case of letters alone.
fn texts<'r>(run: &'r Run<'_>, name: &str) -> Vec<&'r str> {
    let values = run.input.parameters.get(name).and_then(Value::as_array);
    values.into_iter().flatten().filter_map(Value::as_str).collect()
}

fn add(entities: &mut Vec<Entity>, ids: &[&str]) {
    for id in ids {
        let entity = Entity::new(EntityKind::MessageId, *id);
        if !entities.contains(&entity) {
            entities.push(entity);
        }
    }
}
