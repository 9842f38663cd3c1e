//! A workbench alert's status and verdict, changed only as it was read.

use async_trait::async_trait;
use model::action::{Entity, EntityKind, Halt, Input, ItemState, Outcome, Text};
use model::time::Timestamp;
use model::vendor::FetchError;
use serde_json::{Map, Value, json};

use super::response::{outcome, refused_with, told_item, unknown};
use super::run::{Run, numbered, refusal};
use super::words::{HERE, Words};
use crate::action::{Ask, Board, Change, Taken, Witness, reason};
use crate::client::Method;

const ALERTS: Words = Words {
    verb: "update",
    past: "updated",
    nouns: "alerts",
    place: HERE,
    none: "No alerts were updated in Trend Vision One.",
    ja_nouns: "アラート",
    ja_stem: "を更新",
    ja_none: "Trend Vision One で更新したアラートはありません。",
};
/// Our names of what can be changed, and the vendor's.
const MEMBERS: [(&str, &str); 2] =
    [("status", "status"), ("investigation_result", "investigationResult")];
/// The vendor's status for an alert that changed since it was read.
const CHANGED_SINCE: u16 = 412;
/// How often the change is put on what was read: once more after somebody else was quicker.
const ATTEMPTS: [&str; 2] = ["", "/again"];

/// Changes alerts.
pub(super) async fn act(run: &Run<'_>) -> Result<Outcome, Halt> {
    let wanted: Map<String, Value> = MEMBERS
        .iter()
        .map(|(ours, theirs)| ((*theirs).to_owned(), Value::from(run.input.text(ours))))
        .filter(|(_, value)| value != "")
        .collect();
    if wanted.is_empty() {
        return Err(Halt::Fatal(Text::new(
            "neither `status` nor `investigation_result` is given",
            "`status` と `investigation_result` のどちらも指定されていません",
        )));
    }
    let mut board = named(run.input);
    let permitted = board.permit(run.journal()).await?;
    for (place, alert) in permitted.iter().enumerate() {
        match update(run, place + 1, alert, &wanted).await {
            Ok((state, detail)) => board.set(alert, state, detail),
            Err(Halt::Fatal(why)) if board.has_effects() => {
                board.set_all(ItemState::Pending, ItemState::Failed, &why);
                break;
            }
            Err(halt) => return Err(halt),
        }
        board.show_sending(run.journal()).await?;
    }
    let told = board.items().iter().map(|item| told_item(item, None, &[]));
    let mut result = json!({ "items": told.collect::<Value>() });
    for (ours, theirs) in MEMBERS {
        if let Some(value) = wanted.get(theirs) {
            result[ours] = value.clone();
        }
    }
    Ok(outcome(&ALERTS, board, result))
}

/// The alerts of an input: its entities, and the one that a parameter names.
pub(super) fn named(input: &Input) -> Board {
    let mut entities = input.entities.clone();
    let id = input.text("alert_id");
    let entity = Entity::new(EntityKind::Alert, id);
    if !id.is_empty() && !entities.iter().any(|known| known.is_same(&entity)) {
        entities.push(entity);
    }
    let mut board = Board::of(&entities, &[EntityKind::Alert]);
    for entity in board.entities(ItemState::Pending) {
        let is_id = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_');
        if entity.value.is_empty() || !entity.value.chars().all(is_id) {
            let why = Text::new("is no alert's id", "アラートの ID ではありません");
            board.set(&entity, ItemState::Invalid, why);
        }
    }
    board
}

async fn update(
    run: &Run<'_>,
    number: usize,
    alert: &Entity,
    wanted: &Map<String, Value>,
) -> Result<(ItemState, Text), Halt> {
    let mut refused = None;
    for attempt in ATTEMPTS {
        let read = format!("{}{attempt}", numbered("alert", number));
        let known = match known(run, &read, alert, wanted).await? {
            Ok(known) => known,
            Err(error) => return Ok((ItemState::Failed, reason(&refusal(error)?))),
        };
        if known["is_already"] == true {
            return Ok((ItemState::Already, Text::default()));
        }
        let step = format!("{}{attempt}", numbered("patch", number));
        let body = Value::Object(wanted.clone());
        let mut ask = Ask::json(Method::Patch, url(run, alert), body);
        if let Some(tag) = known["etag"].as_str() {
            ask = ask.header("if-match", tag);
        }
        let change = Change { step: &step, targets: std::slice::from_ref(alert), ask };
        let witness = AlertWitness { run, alert, wanted };
        match run.exchange.change(&change, Some(&witness)).await? {
            Taken::Answered(_) | Taken::Found(_) => {
                return Ok((ItemState::Succeeded, Text::default()));
            }
            Taken::Planned => return Ok((ItemState::Planned, Text::default())),
            Taken::Unknown(why) => return Ok((ItemState::Unknown, unknown(&why))),
            Taken::Refused(error) => {
                let why = reason(&refusal(error)?);
                if refused_with(run, &step).await? != Some(CHANGED_SINCE) {
                    return Ok((ItemState::Failed, why));
                }
                refused = Some(why);
            }
        }
    }
    Ok((ItemState::Failed, refused.unwrap_or_default()))
}

/// What the change goes by: the alert's version, and whether there is anything to change. Read once, so that a
/// later life of the run does not take its own change for somebody else's.
async fn known(
    run: &Run<'_>,
    step: &str,
    alert: &Entity,
    wanted: &Map<String, Value>,
) -> Result<Result<Value, FetchError>, Halt> {
    if let Some(known) = run.exchange.remembered(step).await? {
        return Ok(Ok(known));
    }
    let reply = match run.exchange.inquire("read", &Ask::get(url(run, alert))).await? {
        Ok(reply) => reply,
        Err(error) => return Ok(Err(error)),
    };
    let known = json!({
        "etag": reply.headers.get("etag").map(|tag| strong(tag)),
        "is_already": is_so(&reply.body, wanted),
    });
    run.exchange.remember(step, known.clone()).await?;
    Ok(Ok(known))
}

fn url(run: &Run<'_>, alert: &Entity) -> url::Url {
    run.url_of("workbench/alerts", &alert.value, &[])
}

fn is_so(record: &Value, wanted: &Map<String, Value>) -> bool {
    wanted.iter().all(|(name, value)| record[name] == *value)
}

/// A version as the vendor wants it back: in quotes, whatever it came in, and never weak.
fn strong(tag: &str) -> String {
    let tag = tag.trim();
    let bare = tag.strip_prefix("W/").unwrap_or(tag);
    format!("\"{}\"", bare.trim_matches('"'))
}

/// Reads back whether the alert is as it was to become.
struct AlertWitness<'a, 'r> {
    run: &'a Run<'r>,
    alert: &'a Entity,
    wanted: &'a Map<String, Value>,
}

#[async_trait]
impl Witness for AlertWitness<'_, '_> {
    async fn look(&self, _since: Timestamp) -> Result<Option<Value>, Halt> {
        match self.run.exchange.inquire("find", &Ask::get(url(self.run, self.alert))).await? {
            Ok(reply) if is_so(&reply.body, self.wanted) => {
                Ok(Some(Value::Object(self.wanted.clone())))
            }
            Ok(_) => Ok(None),
            Err(error) => Err(Halt::Fatal(reason(&error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_quoted_and_strong() {
        for tag in ["abc", "\"abc\"", "W/\"abc\"", " W/abc "] {
            assert_eq!(strong(tag), "\"abc\"", "{tag}");
        }
    }
}
