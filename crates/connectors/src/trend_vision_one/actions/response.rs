//! The one shape of most actions: post items, read the answer item by item, follow the tasks to their end.

use model::action::journal::{Ending, Memory};
use model::action::{Entity, Halt, Item, ItemState, Outcome, Text};
use serde_json::{Map, Value, json};

use super::multi_status::{Answer, Said};
use super::orders::{Intake, Order, chunks, description, keyed};
use super::run::{Run, numbered};
use super::tasks::{Desk, Follower};
use super::witness::TaskWitness;
use super::words::Words;
use crate::action::{Ask, Board, Change, Insistence, Taken, reason};
use crate::client::Method;

/// One action of this shape.
#[derive(Debug)]
pub(super) struct Verb {
    /// The action's name.
    pub(super) name: &'static str,
    /// Where items are posted.
    pub(super) path: &'static str,
    /// What the vendor calls it in a task, over one target and over several, in every spelling.
    pub(super) tasks: &'static [&'static str],
    /// What the input asks for.
    pub(super) intake: fn(&Run<'_>) -> Result<Intake, Halt>,
    /// Members of a finished task that are told in the result, by the name that they have there.
    pub(super) tells: &'static [(&'static str, &'static str)],
    /// What it says.
    pub(super) words: Words,
}

/// Something that the vendor works on, on behalf of an entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Work {
    pub(super) entity: Entity,
    pub(super) id: String,
}

/// Runs an action of this shape.
pub(super) async fn act(run: &Run<'_>, verb: &Verb) -> Result<Outcome, Halt> {
    let description = description(run.input)?;
    let mut intake = (verb.intake)(run)?;
    intake.guard(run.journal()).await?;
    let permitted = intake.board.permit(run.journal()).await?;
    intake.keep(&permitted);
    let Intake { board, orders, .. } = intake;
    let mut posting = Posting { run, verb, description, board, works: Vec::new() };
    posting.post_all(&orders).await?;
    let Posting { mut board, works, .. } = posting;
    let follower = Follower { run, desk: Desk::Response, words: &verb.words };
    let mut records = follower.follow(&mut board, &works).await?;
    if !verb.tells.is_empty() {
        follower.complete(&mut records, verb.tells).await?;
    }
    let results: Value = board
        .items()
        .iter()
        .map(|item| {
            let record = item.handle.as_ref().and_then(|id| records.get(id));
            told_item(item, record, verb.tells)
        })
        .collect();
    Ok(outcome(&verb.words, board, json!({ "items": results })))
}

/// An outcome with its message.
pub(super) fn outcome(words: &Words, board: Board, result: Value) -> Outcome {
    let items = board.into_items();
    let is_success =
        items.iter().any(|item| item.state.is_success() || item.state == ItemState::Planned);
    let mut outcome = Outcome::said(is_success, words.told(&items));
    outcome.result = result;
    outcome.items = items;
    outcome
}

/// One item in the JSON result.
pub(super) fn told_item(item: &Item, record: Option<&Value>, tells: &[(&str, &str)]) -> Value {
    let mut told = json!({
        "type": item.entity.kind, "value": item.entity.value, "state": item.state,
    });
    if !item.detail.is_empty() {
        told["detail"] = Value::from(&*item.detail.en);
    }
    if let Some(id) = &item.handle {
        told["task_id"] = Value::from(&**id);
    }
    if let Some(status) = record.and_then(|record| record["status"].as_str()) {
        told["task_status"] = Value::from(status);
    }
    let found = tells.iter().filter_map(|(theirs, ours)| Some((*ours, record?.get(*theirs)?)));
    for (name, value) in found.filter(|(_, value)| !value.is_null()) {
        told[name] = value.clone();
    }
    told
}

/// The requests of one run.
struct Posting<'a, 'r> {
    run: &'a Run<'r>,
    verb: &'a Verb,
    description: &'a str,
    board: Board,
    works: Vec<Work>,
}

impl Posting<'_, '_> {
    /// Sends everything. What fails as a whole after something was accepted fails only for its own items of which
    /// nothing is known, so that the tasks that are there are followed.
    async fn post_all(&mut self, orders: &[Order]) -> Result<(), Halt> {
        for (place, chunk) in chunks(orders, self.description).into_iter().enumerate() {
            let chunk = &orders[chunk];
            match self.post(&numbered("post", place + 1), chunk).await {
                Err(Halt::Fatal(why)) if place > 0 || self.board.has_effects() => {
                    let entities: Vec<Entity> =
                        chunk.iter().map(|order| order.entity.clone()).collect();
                    self.board.set_pending(&entities, ItemState::Failed, &why);
                }
                ended => ended?,
            }
            self.board.show_sending(self.run.journal()).await?;
        }
        Ok(())
    }

    /// Sends one request. When its answer was lost and the vendor has tasks for some of its items only, the
    /// others are sent once more: the vendor says again why it refused them.
    async fn post(&mut self, step: &str, orders: &[Order]) -> Result<(), Halt> {
        let missing = self.post_once(step, orders).await?;
        if missing.is_empty() {
            return Ok(());
        }
        let still = self.post_once(&format!("{step}/again"), &missing).await?;
        self.set(&still, ItemState::Unknown, &unanswered());
        Ok(())
    }

    /// Sends one request, and answers the orders that may be sent again.
    async fn post_once(&mut self, step: &str, orders: &[Order]) -> Result<Vec<Order>, Halt> {
        let run = self.run;
        let bodies = self.bodies(step, orders);
        let targets: Vec<Entity> = orders.iter().map(|order| order.entity.clone()).collect();
        let ask = Ask::json(Method::Post, run.url(self.verb.path), Value::Array(bodies.clone()));
        let change = Change { step, targets: &targets, ask };
        let witness = TaskWitness::new(run, self.verb.tasks, bodies);
        match run.exchange.change(&change, Some(&witness)).await? {
            Taken::Answered(reply) => match Answer::read(&reply.body, orders.len()) {
                Answer::Whole(words) => Err(Halt::fatal(run.clean(&words))),
                Answer::Items(said) => {
                    let lost = self.take(orders, said).await?;
                    self.recover(&lost, &witness, orders).await?;
                    Ok(Vec::new())
                }
            },
            Taken::Refused(error) => Err(Halt::Fatal(reason(&error))),
            Taken::Found(value) => {
                let found = value.as_array().cloned().unwrap_or_default();
                let mut missing = Vec::new();
                for (place, order) in orders.iter().enumerate() {
                    match found.get(place).and_then(Value::as_str) {
                        Some(id) => self.accept(order, id, Text::default()),
                        None => missing.push(order.clone()),
                    }
                }
                Ok(missing)
            }
            Taken::Planned => {
                self.set(orders, ItemState::Planned, &Text::default());
                Ok(Vec::new())
            }
            Taken::Unknown(why) => {
                self.set(orders, ItemState::Unknown, &unknown(&why));
                Ok(Vec::new())
            }
        }
    }

    /// Takes what was said of each order; answers the places of those that nothing was said of.
    async fn take(&mut self, orders: &[Order], said: Vec<Said>) -> Result<Vec<usize>, Halt> {
        let mut lost = Vec::new();
        for (place, (order, said)) in orders.iter().zip(said).enumerate() {
            match said {
                Said::Accepted(id) => {
                    // A run that lost its answer must not take this task for its own.
                    self.run.journal().claim(&id).await?;
                    self.accept(order, &id, Text::default());
                }
                Said::Duplicate(id) => self.accept(order, &id, in_progress()),
                Said::Refused(words) => {
                    let words = Text::same(self.run.clean(&words));
                    self.board.set(&order.entity, ItemState::Failed, words);
                }
                Said::Nothing => lost.push(place),
            }
        }
        Ok(lost)
    }

    /// Looks for the tasks of orders that the vendor took and said nothing of.
    async fn recover(
        &mut self,
        lost: &[usize],
        witness: &TaskWitness<'_, '_>,
        orders: &[Order],
    ) -> Result<(), Halt> {
        if lost.is_empty() {
            return Ok(());
        }
        let since = self.run.journal().started_at();
        let insistence = Insistence::UntilSettled;
        let looked = self.run.exchange.look_until_settled(witness, since, insistence).await?;
        let found = looked.ok().flatten().and_then(|found| found.as_array().cloned());
        let found = found.unwrap_or_default();
        for place in lost {
            let order = &orders[*place];
            match found.get(*place).and_then(Value::as_str) {
                Some(id) => self.accept(order, id, Text::default()),
                None => self.board.set(&order.entity, ItemState::Unknown, unanswered()),
            }
        }
        Ok(())
    }

    fn bodies(&self, step: &str, orders: &[Order]) -> Vec<Value> {
        let body = |(place, order): (usize, &Order)| {
            let key = self.run.journal().key(&format!("{step}#{place}"));
            let mut body: Map<String, Value> = order.body.clone();
            body.insert("description".to_owned(), Value::from(keyed(self.description, &key)));
            Value::Object(body)
        };
        orders.iter().enumerate().map(body).collect()
    }

    fn accept(&mut self, order: &Order, id: &str, detail: Text) {
        if let Some(item) = self.board.item(&order.entity) {
            item.state = ItemState::Accepted;
            item.detail = detail;
            item.handle = Some(id.to_owned());
        }
        self.works.push(Work { entity: order.entity.clone(), id: id.to_owned() });
    }

    fn set(&mut self, orders: &[Order], state: ItemState, detail: &Text) {
        for order in orders {
            self.board.set(&order.entity, state, detail.clone());
        }
    }
}

/// What an item says while a task does the same that somebody else asked for.
fn in_progress() -> Text {
    Text::new("already in progress", "すでに処理中です")
}

fn unanswered() -> Text {
    Text::new(
        "the vendor's answer says nothing of it, and no task for it was found",
        "応答に結果がなく、該当するタスクも見つかりません",
    )
}

/// Why nobody can say what came of a change.
pub(super) fn unknown(why: &str) -> Text {
    Text::new(why, format!("送信済みですが、結果を確認できません: {why}"))
}

/// The HTTP status that a change was refused with, as the journal has it.
pub(super) async fn refused_with(run: &Run<'_>, step: &str) -> Result<Option<u16>, Halt> {
    match run.journal().recall(step).await? {
        Memory::Ended(Ending::Answered { answer }) => Ok(Some(answer.status)),
        _ => Ok(None),
    }
}
