//! Notes on workbench alerts.

use async_trait::async_trait;
use model::action::{Entity, Halt, ItemState, Outcome, Text};
use model::time::Timestamp;
use serde_json::{Value, json};

use super::alerts::named;
use super::multi_status::last_step;
use super::response::{outcome, told_item, unknown};
use super::run::{Run, SKEW, numbered, refusal, seconds};
use super::words::Words;
use crate::action::{Ask, Change, Taken, Witness, reason};
use crate::client::Method;

const NOTES: Words = Words {
    verb: "add a note to",
    past: "added a note to",
    nouns: "alerts",
    place: " in Trend Vision One",
    none: "No notes were added in Trend Vision One.",
    ja_nouns: "アラート",
    ja_stem: "にメモを追加",
    ja_none: "Trend Vision One で追加したメモはありません。",
};
/// The vendor's limit of a note, in characters.
const LONGEST: usize = 500_000;

/// Adds the note to each alert.
pub(super) async fn act(run: &Run<'_>) -> Result<Outcome, Halt> {
    let content = run.input.text("content");
    if content.chars().count() > LONGEST {
        return Err(Halt::Fatal(Text::new(
            format!("`content` is longer than {LONGEST} characters"),
            format!("`content` が {LONGEST} 文字を超えています"),
        )));
    }
    let mut board = named(run.input);
    let permitted = board.permit(run.journal()).await?;
    for (place, alert) in permitted.iter().enumerate() {
        let (state, detail, id) = match add(run, place + 1, alert, content).await {
            Ok(added) => added,
            Err(Halt::Fatal(why)) if board.has_effects() => {
                board.set_all(ItemState::Pending, ItemState::Failed, &why);
                break;
            }
            Err(halt) => return Err(halt),
        };
        board.set(alert, state, detail);
        if let Some(item) = board.item(alert) {
            item.handle = id;
        }
        board.show_sending(run.journal()).await?;
    }
    let told = board.items().iter().map(|item| {
        let mut told = told_item(item, None, &[]);
        if let Some(members) = told.as_object_mut()
            && let Some(id) = members.remove("task_id")
        {
            members.insert("note_id".to_owned(), id);
        }
        told
    });
    let result = json!({ "items": told.collect::<Value>() });
    Ok(outcome(&NOTES, board, result))
}

async fn add(
    run: &Run<'_>,
    number: usize,
    alert: &Entity,
    content: &str,
) -> Result<(ItemState, Text, Option<String>), Halt> {
    let step = numbered("note", number);
    let ask = Ask::json(Method::Post, url(run, alert), json!({ "content": content }));
    let change = Change { step: &step, targets: std::slice::from_ref(alert), ask };
    let witness = NoteWitness { run, alert, content };
    match run.exchange.change(&change, Some(&witness)).await? {
        Taken::Answered(reply) => {
            let place = reply.headers.get("location").map(String::as_str);
            let id = place.and_then(last_step).map(str::to_owned);
            if let Some(id) = &id {
                // A run that lost its answer must not take this note for its own.
                run.journal().claim(&handle(alert, id)).await?;
            }
            Ok((ItemState::Succeeded, Text::default(), id))
        }
        Taken::Found(value) => {
            let id = value["id"].as_str().map(str::to_owned);
            Ok((ItemState::Succeeded, Text::default(), id))
        }
        Taken::Refused(error) => Ok((ItemState::Failed, reason(&refusal(error)?), None)),
        Taken::Planned => Ok((ItemState::Planned, Text::default(), None)),
        Taken::Unknown(why) => Ok((ItemState::Unknown, unknown(&why), None)),
    }
}

fn url(run: &Run<'_>, alert: &Entity) -> url::Url {
    run.url_of("workbench/alerts", &alert.value, &["notes"])
}

fn handle(alert: &Entity, id: &str) -> String {
    format!("note {} {id}", alert.value)
}

/// Looks for a note with our words that no other run has written.
struct NoteWitness<'a, 'r> {
    run: &'a Run<'r>,
    alert: &'a Entity,
    content: &'a str,
}

#[async_trait]
impl Witness for NoteWitness<'_, '_> {
    async fn look(&self, since: Timestamp) -> Result<Option<Value>, Halt> {
        let mut url = url(self.run, self.alert);
        url.query_pairs_mut()
            .append_pair("startDateTime", &seconds(since - SKEW))
            .append_pair("top", "200");
        let notes = match self.run.list("find", &Ask::get(url), Ask::get).await? {
            Ok(notes) => notes,
            Err(error) => return Err(Halt::Fatal(reason(&error))),
        };
        for note in notes.iter().filter(|note| note["content"] == self.content) {
            let id = match &note["id"] {
                Value::String(id) => id.clone(),
                id => id.to_string(),
            };
            if self.run.journal().claim(&handle(self.alert, &id)).await? {
                return Ok(Some(json!({ "id": id })));
            }
        }
        Ok(None)
    }
}
