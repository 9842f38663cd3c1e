//! Adding to and removing from the block list: what has to change is worked out once, sent at once, and told
//! item by item.

use model::action::{Entity, EntityKind, Halt, ItemState, Outcome, Text};
use model::vendor::{Fault, FetchError};
use serde::{Deserialize, Serialize};

use super::blocklist::{self, Blocklist, Direction, ListWitness, MOST_ENTRIES, full, unknown_list};
use super::entries::{self, Entry, List, Reading};
use super::messages::{Sentence, is_failure, is_success, push_remarks, unknown};
use super::parts::{Part, Parts};
use super::{Desk, failed};
use crate::action::{Board, Change, Taken, reason};

/// The words of one direction.
pub(super) struct Words {
    /// Nothing had to change for these.
    pub(super) already: Sentence,
    /// It was done for none.
    pub(super) none: Text,
    pub(super) done: Sentence,
    pub(super) failed: Sentence,
}

/// What is to be sent, kept for the next life: there the lists already show what this one has done.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Plan {
    changes: Vec<Planned>,
    already: Vec<Entity>,
    full: Vec<(Entity, List)>,
    /// The lists that were not served.
    unseen: Vec<List>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Planned {
    entity: Entity,
    entry: Entry,
}

/// How one request ended.
enum Sent {
    Done,
    Planned,
    Refused(FetchError),
    Unknown(String),
}

/// Makes a change of all entities that the block list knows.
pub(super) async fn run(
    desk: &Desk<'_>,
    direction: Direction,
    words: &Words,
) -> Result<Outcome, Halt> {
    let mut board = Board::of(
        &desk.input().entities,
        &[EntityKind::Url, EntityKind::Hash, EntityKind::EmailAddress, EntityKind::User],
    );
    let readable = read(&mut board);
    if readable.is_empty() {
        return Ok(told(board, words));
    }
    let plan = plan(desk, direction, readable).await?;
    for entity in &plan.already {
        board.set(entity, ItemState::Already, Text::default());
    }
    for (entity, list) in &plan.full {
        board.set(entity, ItemState::Failed, full(*list));
    }
    let permitted = board.permit(desk.journal()).await?;
    let is_permitted = |planned: &&Planned| permitted.contains(&planned.entity);
    let changes: Vec<_> = plan.changes.iter().filter(is_permitted).cloned().collect();
    match send_all(desk, direction, &changes, &mut board).await {
        // What was done before stays done, and is told.
        Err(Halt::Fatal(why)) if board.has_effects() => {
            board.set_all(ItemState::Pending, ItemState::Failed, &why);
        }
        ended => ended?,
    }
    confirm_unseen(desk, &plan.unseen, &changes, &mut board).await?;
    Ok(told(board, words))
}

/// The entities that can be entries; the others leave with the reason.
fn read(board: &mut Board) -> Vec<Planned> {
    let mut readable = Vec::new();
    for entity in board.entities(ItemState::Pending) {
        match entries::read(&entity) {
            Reading::Entry(entry) => readable.push(Planned { entity, entry }),
            Reading::Invalid(why) => board.set(&entity, ItemState::Invalid, why),
            Reading::Unsupported => board.set(&entity, ItemState::Skipped, Text::default()),
        }
    }
    readable
}

/// What has to change, by the lists as they were when the run began.
async fn plan(desk: &Desk<'_>, direction: Direction, readable: Vec<Planned>) -> Result<Plan, Halt> {
    if let Some(plan) = desk.recall("plan").await? {
        return Ok(plan);
    }
    let lists = Blocklist::ask(desk, "list").await?;
    let unseen = List::ALL.into_iter().filter(|list| !lists.shows(*list)).collect();
    let mut plan = Plan { unseen, ..Plan::default() };
    for Planned { entity, mut entry } in readable {
        let stored = lists.find(&entry).map(str::to_owned);
        match (direction, stored) {
            (Direction::Add, Some(_)) | (Direction::Remove, None) => plan.already.push(entity),
            (Direction::Add, None) => {
                let of_list = |planned: &&Planned| planned.entry.list == entry.list;
                let added = plan.changes.iter().filter(of_list).count();
                if lists.entries(entry.list).len() + added >= MOST_ENTRIES {
                    plan.full.push((entity, entry.list));
                } else {
                    plan.changes.push(Planned { entity, entry });
                }
            }
            (Direction::Remove, Some(stored)) => {
                // The vendor is asked to remove what it shows: its own form of the entry.
                entry.value = stored;
                plan.changes.push(Planned { entity, entry });
            }
        }
    }
    desk.keep("plan", &plan).await?;
    Ok(plan)
}

async fn send_all(
    desk: &Desk<'_>,
    direction: Direction,
    changes: &[Planned],
    board: &mut Board,
) -> Result<(), Halt> {
    let mut parts = Parts::of(changes.len(), usize::MAX);
    while let Some(part) = parts.pop() {
        let chosen = &changes[part.range.clone()];
        let (state, detail) = match send(desk, direction, &part, chosen).await? {
            Sent::Done => (ItemState::Succeeded, Text::default()),
            Sent::Planned => (ItemState::Planned, Text::default()),
            Sent::Unknown(detail) => (ItemState::Unknown, unknown(&detail)),
            Sent::Refused(error) if parts.halve(&part, &error) => continue,
            Sent::Refused(error) if error.fault == Fault::WrongUrl => {
                return Err(Halt::Fatal(reason(&error)));
            }
            Sent::Refused(error) => (ItemState::Failed, reason(&error)),
        };
        for planned in chosen {
            board.set(&planned.entity, state, detail.clone());
        }
        board.show_sending(desk.journal()).await?;
    }
    Ok(())
}

async fn send(
    desk: &Desk<'_>,
    direction: Direction,
    part: &Part,
    chosen: &[Planned],
) -> Result<Sent, Halt> {
    let targets: Vec<_> = chosen.iter().map(|planned| planned.entity.clone()).collect();
    let entries: Vec<_> = chosen.iter().map(|planned| planned.entry.clone()).collect();
    let ask = blocklist::request(desk, direction, &entries);
    let change = Change { step: &part.step, targets: &targets, ask };
    let witness = ListWitness { desk, direction, entries: &entries };
    let mut taken = desk.exchange.change(&change, Some(&witness)).await?;
    if let Taken::Answered(reply) = &taken {
        taken = match desk.object(reply) {
            Ok(_) => return Ok(Sent::Done),
            Err(error) if reply.body.is_object() => Taken::Refused(error),
            // Accepted, and unreadable.
            Err(_) => desk.confirm(&part.step, &witness).await?,
        };
    }
    Ok(match taken {
        Taken::Found(_) => Sent::Done,
        Taken::Planned => Sent::Planned,
        Taken::Refused(error) => Sent::Refused(error),
        Taken::Unknown(detail) => Sent::Unknown(detail),
        Taken::Answered(_) => Sent::Refused(failed(Fault::Unreadable, "no answer")),
    })
}

/// Looks whether lists that were not served before are served now: a deployment that does not know a list
/// takes the request and ignores what is in it.
async fn confirm_unseen(
    desk: &Desk<'_>,
    unseen: &[List],
    changes: &[Planned],
    board: &mut Board,
) -> Result<(), Halt> {
    let done = board.entities(ItemState::Succeeded);
    let is_unseen =
        |planned: &&Planned| unseen.contains(&planned.entry.list) && done.contains(&planned.entity);
    let unsure: Vec<_> = changes.iter().filter(is_unseen).collect();
    if unsure.is_empty() {
        return Ok(());
    }
    let lists = match Blocklist::ask(desk, "confirm").await {
        Ok(lists) => lists,
        // It was taken: that the look at it failed is no reason to say otherwise.
        Err(Halt::Fatal(_)) => return Ok(()),
        Err(stop) => return Err(stop),
    };
    for planned in unsure {
        let list = planned.entry.list;
        if !lists.shows(list) {
            board.set(&planned.entity, ItemState::Failed, unknown_list(list));
        }
    }
    Ok(())
}

/// The outcome. A run that found everything as it was to be succeeded; one in which nothing could be done did not.
fn told(board: Board, words: &Words) -> Outcome {
    let mut message = Text::default();
    let already = board.values(|state| state == ItemState::Already);
    let done = board.values(|state| state == ItemState::Succeeded);
    let failures = board.values(is_failure);
    let is_success = is_success(&board);
    if !already.is_empty() {
        message.push(&words.already.about(&already));
    }
    if !is_success {
        message.push(&words.none);
    }
    if !done.is_empty() {
        message.push(&words.done.about(&done));
    }
    if is_success && !failures.is_empty() {
        message.push(&words.failed.about(&failures));
    }
    push_remarks(&mut message, &board);
    let mut outcome = Outcome::said(is_success, message);
    outcome.items = board.into_items();
    outcome
}
