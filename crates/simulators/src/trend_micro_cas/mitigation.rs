//! Requests for actions: the checks of their elements, and the batch that answers them.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use crate::answer::Answer;

use super::Cas;
use super::action::{Action, Item, Kind, Service, Target};
use super::action_knobs::ActionKnobs;
use super::errors::Refused;
use super::parameters::invalid;
use super::requests::Moment;
use super::window::instant;

pub(super) const MAILS_PATH: &str = "/v1/mitigation/mails";
pub(super) const ACCOUNTS_PATH: &str = "/v1/mitigation/accounts";

impl Cas {
    /// Takes the actions of a request, or refuses all of them.
    pub(super) fn mitigate(&self, moment: &Moment<'_>, kind: Kind) -> Result<Answer, Refused> {
        let knobs = &moment.knobs.actions;
        let items = items(&moment.asked.body, kind, knobs)?;
        if items.iter().any(|item| item.is_named_in(&knobs.refuse_items)) {
            let refused = Refused::BadParameter("The request is refused".to_owned());
            return Ok(refused.answer(&moment.trace_id).injected());
        }
        let batch_id = self.response().batches.open(self.seed, kind, items, moment.now_ms, knobs);
        // The vendor's help page "Take actions on email messages" misspells the member.
        let trace_name = if moment.ordinal % 8 == 3 { "tracdId" } else { "traceId" };
        let body =
            json!({ "code": 0, "msg": "", "batch_id": batch_id, trace_name: moment.trace_id });
        Ok(Answer::json(StatusCode::CREATED, body.to_string()))
    }
}

/// Checks a whole body.
fn items(body: &[u8], kind: Kind, knobs: &ActionKnobs) -> Result<Vec<Item>, Refused> {
    let malformed =
        || Refused::BadParameter("The request body is not a JSON array of actions".to_owned());
    let elements: Vec<Value> = serde_json::from_slice(body).map_err(|_| malformed())?;
    if elements.is_empty() {
        return Err(malformed());
    }
    let item = |element: &Value| item(element.as_object().ok_or_else(malformed)?, kind, knobs);
    elements.iter().map(item).collect()
}

/// Checks one element.
fn item(element: &Map<String, Value>, kind: Kind, knobs: &ActionKnobs) -> Result<Item, Refused> {
    let action = Action::named(kind, required(element, "action_type")?)
        .ok_or_else(|| invalid("action_type"))?;
    let service =
        Service::named(required(element, "service")?).ok_or_else(|| invalid("service"))?;
    if required(element, "account_provider")? != service.provider() {
        return Err(invalid("account_provider"));
    }
    let target = match kind {
        Kind::Mails => mail(element, action)?,
        Kind::Accounts => Target::Account(address(element, "account_user_email")?),
    };
    let item = Item { action, service, target };
    if !item.is_supported() && !knobs.gmail_fails {
        return Err(invalid(if kind == Kind::Mails { "action_type" } else { "service" }));
    }
    Ok(item)
}

fn mail(element: &Map<String, Value>, action: Action) -> Result<Target, Refused> {
    let id = |name| Ok::<_, Refused>(optional(element, name)?.map(str::to_owned));
    let (message_id, unique_id) = (id("mail_message_id")?, id("mail_unique_id")?);
    if message_id.is_none() && unique_id.is_none() {
        return Err(invalid("mail_message_id or mail_unique_id"));
    }
    let time = |name| instant(name, required(element, name)?);
    if action == Action::RestoreMail {
        time("detection_time")?;
        required(element, "mail_log_id")?;
    }
    Ok(Target::Mail {
        mailbox: address(element, "mailbox")?,
        message_id,
        unique_id,
        delivery_ms: time("mail_message_delivery_time")?,
    })
}

/// An address with something on both sides of its `@`.
fn address(element: &Map<String, Value>, name: &str) -> Result<String, Refused> {
    let text = required(element, name)?;
    let is_address = |(local, domain): (&str, &str)| {
        !local.is_empty() && !domain.is_empty() && !domain.contains('@')
    };
    match text.split_once('@').is_some_and(is_address) && !text.contains(char::is_whitespace) {
        true => Ok(text.to_owned()),
        false => Err(invalid(name)),
    }
}

fn required<'e>(element: &'e Map<String, Value>, name: &str) -> Result<&'e str, Refused> {
    optional(element, name)?.ok_or_else(|| invalid(name))
}

/// A member that is a text; null and an empty text are as good as none.
fn optional<'e>(element: &'e Map<String, Value>, name: &str) -> Result<Option<&'e str>, Refused> {
    match element.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
        Some(_) => Err(invalid(name)),
    }
}
