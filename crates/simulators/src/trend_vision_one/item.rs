//! One item of an action's request, read and checked; and what an item is refused with.

use serde_json::{Map, Value, json};

use super::action::{Action, Kind};

const OBJECTS: [&str; 6] = ["url", "domain", "ip", "senderMailAddress", "fileSha1", "fileSha256"];
const DESCRIPTION: usize = 20_480;

/// Whom an item names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selector {
    Guid(String),
    EndpointName(String),
    /// The key and the value.
    Object(&'static str, String),
    /// A message, in one mailbox or in all.
    Message(String, Option<String>),
    UniqueId(String),
    Account(String),
}

/// A checked item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) selector: Selector,
    pub(super) description: Option<String>,
    /// The action's own fields, such as `filePath`.
    pub(super) details: Map<String, Value>,
}

/// Why an item is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ItemRefused {
    Required(String),
    Format(String),
    TargetNotFound,
    NotSupported,
    /// A task, named by its id, is doing the same already.
    Duplicate(String),
    Denied(&'static str),
    NotFound,
    Internal,
}

impl ItemRefused {
    /// The item's status, code and message.
    pub(super) fn parts(&self) -> (u16, &'static str, String) {
        let (status, code, message) = match self {
            Self::Required(field) => {
                return (
                    400,
                    "BadRequest",
                    format!("Invalid request - Required fields not found: {field}."),
                );
            }
            Self::Format(field) => {
                return (
                    400,
                    "BadRequest",
                    format!("Invalid request - Invalid field format: {field}."),
                );
            }
            Self::TargetNotFound => (400, "BadRequest", "Target not found."),
            Self::NotSupported => (
                400,
                "NotSupported",
                "Action not supported. Install or upgrade the agent program on the target endpoint.",
            ),
            Self::Duplicate(_) => (400, "TaskError", "Task duplication."),
            Self::Denied(message) => (403, "AccessDenied", *message),
            Self::NotFound => (404, "NotFound", "Not found."),
            Self::Internal => (500, "InternalServerError", "Internal server error."),
        };
        (status, code, message.to_owned())
    }

    /// `{"error":{…}}`.
    pub(super) fn body(&self) -> Value {
        let (_, code, message) = self.parts();
        json!({ "error": { "code": code, "message": message } })
    }
}

impl Wanted {
    /// Reads an item of an action.
    ///
    /// # Errors
    /// A field is missing or not of its form, or several fields name the target.
    pub(super) fn read(action: Action, item: &Value) -> Result<Self, ItemRefused> {
        let fields = item.as_object().ok_or_else(|| ItemRefused::Format("item".to_owned()))?;
        let description = text(fields, "description", DESCRIPTION)?;
        let selector = match action.kind() {
            Kind::Endpoint => endpoint(fields)?,
            Kind::Object => object(fields)?,
            Kind::Mail => mail(fields)?,
            Kind::Account => Selector::Account(required(fields, "accountName", 255)?),
        };
        let mut details = Map::new();
        let mut keep = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                details.insert(name.to_owned(), Value::from(value));
            }
        };
        match action {
            Action::CollectFile => keep("filePath", Some(required(fields, "filePath", 1_024)?)),
            Action::TerminateProcess => {
                let digest = required(fields, "fileSha1", 40)?;
                keep("fileSha1", Some(hexadecimal("fileSha1", digest, 40)?));
                keep("fileName", text(fields, "fileName", 1_024)?);
            }
            Action::RunScript => {
                keep("fileName", Some(required(fields, "fileName", 255)?));
                keep("parameter", text(fields, "parameter", 1_024)?);
            }
            _ => {}
        }
        Ok(Self { selector, description, details })
    }
}

/// A text; one that is empty, too long or no text is not of its form.
fn text(
    fields: &Map<String, Value>,
    name: &str,
    most: usize,
) -> Result<Option<String>, ItemRefused> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if !text.is_empty() && text.chars().count() <= most => {
            Ok(Some(text.clone()))
        }
        Some(_) => Err(ItemRefused::Format(name.to_owned())),
    }
}

fn required(fields: &Map<String, Value>, name: &str, most: usize) -> Result<String, ItemRefused> {
    text(fields, name, most)?.ok_or_else(|| ItemRefused::Required(name.to_owned()))
}

/// The one of these keys that is there; the contract has no words for a second one, so that one is called wrong.
fn only<'n>(fields: &Map<String, Value>, names: &[&'n str]) -> Result<&'n str, ItemRefused> {
    let mut given = names.iter().filter(|name| fields.get(**name).is_some_and(|v| !v.is_null()));
    let first = given.next().ok_or_else(|| ItemRefused::Required(names.join(" or ")))?;
    match given.next() {
        Some(second) => Err(ItemRefused::Format((*second).to_owned())),
        None => Ok(first),
    }
}

/// Reads exactly one of `agentGuid` and `endpointName`.
pub(super) fn endpoint(fields: &Map<String, Value>) -> Result<Selector, ItemRefused> {
    if only(fields, &["agentGuid", "endpointName"])? == "endpointName" {
        return required(fields, "endpointName", 255).map(Selector::EndpointName);
    }
    let guid = required(fields, "agentGuid", 36)?;
    let is_guid = guid.len() == 36 && guid.chars().all(|c| c.is_ascii_hexdigit() || c == '-');
    if is_guid {
        Ok(Selector::Guid(guid))
    } else {
        Err(ItemRefused::Format("agentGuid".to_owned()))
    }
}

fn object(fields: &Map<String, Value>) -> Result<Selector, ItemRefused> {
    let name = only(fields, &OBJECTS)?;
    let most = match name {
        "fileSha1" => 160,
        "fileSha256" => 256,
        _ => 255,
    };
    let value = required(fields, name, most)?;
    let is_plain = !value.chars().any(char::is_whitespace);
    let is_well_formed = match name {
        "url" => url::Url::parse(&value).is_ok_and(|url| url.has_host()),
        "domain" => is_plain && value.contains('.') && !value.contains(['/', ':', '@']),
        "ip" => value.parse::<std::net::IpAddr>().is_ok(),
        "senderMailAddress" => is_plain && value.split('@').count() == 2,
        "fileSha1" => return Ok(Selector::Object(name, hexadecimal(name, value, 40)?)),
        _ => return Ok(Selector::Object(name, hexadecimal(name, value, 64)?)),
    };
    if is_well_formed {
        Ok(Selector::Object(name, value))
    } else {
        Err(ItemRefused::Format(name.to_owned()))
    }
}

fn mail(fields: &Map<String, Value>) -> Result<Selector, ItemRefused> {
    if only(fields, &["messageId", "uniqueId"])? == "uniqueId" {
        if fields.get("mailBox").is_some_and(|mailbox| !mailbox.is_null()) {
            return Err(ItemRefused::Format("mailBox".to_owned()));
        }
        return required(fields, "uniqueId", 1_024).map(Selector::UniqueId);
    }
    let message = required(fields, "messageId", 1_024)?;
    Ok(Selector::Message(message, text(fields, "mailBox", 1_024)?))
}

fn hexadecimal(name: &str, value: String, digits: usize) -> Result<String, ItemRefused> {
    let is_digest = value.len() == digits && value.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_digest { Ok(value) } else { Err(ItemRefused::Format(name.to_owned())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_item_is_read_or_refused(text in any::<String>(), action in 0_usize..4) {
            let action = [Action::Isolate, Action::Block, Action::DeleteMessage, Action::CollectFile][action];
            for name in ["agentGuid", "endpointName", "url", "domain", "ip", "fileSha1", "messageId", "uniqueId"] {
                if let Err(refused) = Wanted::read(action, &json!({ name: text })) {
                    prop_assert!(refused.parts().2.starts_with("Invalid request - "));
                }
            }
        }
    }
}
