//! What an action is done to: found by what an item names.

use serde_json::{Map, Value, json};

use super::accounts;
use super::inventory::Machine;
use super::item::Selector;
use super::mailboxes::{MAILS, Mail, ORGANIZATION};

/// One target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Endpoint {
        guid: String,
        name: &'static str,
    },
    /// The key and the value.
    Object(&'static str, String),
    /// The number of a copy in [`MAILS`].
    Mail(usize),
    Account {
        name: &'static str,
        directory: &'static str,
    },
}

impl Target {
    /// Every target that a selector names; deleted mail is not there any more.
    pub(super) fn named(
        selector: &Selector,
        machines: &[Machine],
        is_deleted: impl Fn(usize) -> bool,
    ) -> Vec<Self> {
        let of_machines = |is_meant: &dyn Fn(&Machine) -> bool| {
            let found = machines.iter().filter(|machine| is_meant(machine));
            found.map(|m| Self::Endpoint { guid: m.guid.clone(), name: m.name }).collect()
        };
        let of_mails = |is_meant: &dyn Fn(&Mail) -> bool| {
            let found = MAILS.iter().enumerate().filter(|(_, mail)| is_meant(mail));
            found
                .map(|(place, _)| place)
                .filter(|place| !is_deleted(*place))
                .map(Self::Mail)
                .collect()
        };
        match selector {
            Selector::Guid(guid) => of_machines(&|m| m.guid.eq_ignore_ascii_case(guid)),
            Selector::EndpointName(name) => of_machines(&|m| m.name.eq_ignore_ascii_case(name)),
            Selector::Object(kind, value) => vec![Self::Object(kind, value.clone())],
            Selector::UniqueId(id) => of_mails(&|mail| mail.unique_id == id),
            Selector::Message(id, mailbox) => of_mails(&|mail| {
                let is_there = |mailbox: &String| mail.mailbox.eq_ignore_ascii_case(mailbox);
                mail.message_id == id && mailbox.as_ref().is_none_or(is_there)
            }),
            Selector::Account(name) => {
                let found = accounts::find(name).into_iter();
                found
                    .flat_map(|(name, directories)| {
                        directories.iter().map(move |directory| Self::Account { name, directory })
                    })
                    .collect()
            }
        }
    }

    /// Whether one of these names, in any case, is one of the target's own.
    pub(super) fn is_among(&self, names: &[String]) -> bool {
        let own: Vec<&str> = match self {
            Self::Endpoint { guid, name } => vec![guid, name],
            Self::Object(_, value) => vec![value],
            Self::Mail(place) => MAILS
                .get(*place)
                .map_or_else(Vec::new, |mail| vec![mail.message_id, mail.unique_id, mail.mailbox]),
            Self::Account { name, .. } => vec![name],
        };
        names.iter().any(|name| own.iter().any(|own| own.eq_ignore_ascii_case(name)))
    }

    /// The members that name it in a task.
    pub(super) fn members(&self) -> Map<String, Value> {
        let members = match self {
            Self::Endpoint { guid, name } => json!({ "agentGuid": guid, "endpointName": name }),
            Self::Object(kind, value) => json!({ *kind: value }),
            Self::Mail(place) => MAILS.get(*place).map_or(Value::Null, |mail| {
                json!({
                    "messageId": mail.message_id, "mailBox": mail.mailbox, "messageSubject": mail.subject,
                    "uniqueId": mail.unique_id, "organizationId": ORGANIZATION,
                })
            }),
            Self::Account { name, directory } => json!({ "iam": directory, "accountName": name }),
        };
        match members {
            Value::Object(members) => members,
            _ => Map::new(),
        }
    }
}
