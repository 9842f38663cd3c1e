//! One run of a responder on one record.

use std::sync::Arc;

use async_trait::async_trait;
use model::action::journal::{ShownAnswer, Step};
use model::action::spec::Effect;
use model::action::{Call, Entity, EntityKind, Halt, Item, ItemState, Outcome, Responds, Text};
use serde_json::{Map, Value, json};

use super::answer::{self, Part, Reading};
use super::error::WebhookError;
use super::masking::Masks;
use super::plan::title;
use super::prepare::{Prepared, is_valid, masks};
use super::responder::{Responder, only_asks, rendered, shown};
use super::send::{SEND, Sent};
use super::values::Scope;
use super::wording;
use crate::action::Board;
use crate::client::host;

/// A responder and the record that it works on.
pub struct Run {
    pub(crate) responder: Arc<Responder>,
    record: Value,
}

/// Work that the host took on, and the things that it is for.
pub(crate) struct Work {
    pub(crate) entities: Vec<Entity>,
    pub(crate) part: Part,
}

impl Run {
    /// A run on what [`super::context`] made of a record.
    pub(crate) fn new(responder: Arc<Responder>, record: Value) -> Self {
        Self { responder, record }
    }

    /// Asks whether the targets may be worked on. Those that may; none when they cannot be told apart from
    /// those that may not.
    async fn permit(
        &self,
        call: &Call<'_>,
        prepared: &Prepared,
        board: &mut Board,
    ) -> Result<Vec<Entity>, Halt> {
        for entity in prepared.targets.iter().filter(|entity| !is_valid(entity)) {
            let kind = entity.kind;
            let why = Text::new(format!("is no {kind}"), format!("{kind} の形式ではありません"));
            board.set(entity, ItemState::Invalid, why);
        }
        let mut permitted = board.entities(ItemState::Pending);
        if !only_asks(&self.responder.document) {
            permitted = board.permit(call.journal).await?;
            if !permitted.is_empty() && !prepared.known_as.is_empty() {
                // Other names of the same things: they are no things of their own, which would count.
                for entity in &prepared.known_as {
                    if let Some(why) = call.journal.is_protected(entity).await? {
                        board.set_all(ItemState::Pending, ItemState::Protected, &why);
                        permitted.clear();
                    }
                }
            }
        }
        let is_part = permitted.len() < prepared.targets.len();
        if !permitted.is_empty() && is_part && !self.responder.plan.names_targets() {
            let why = Text::new(
                "not sent: it stands in one request with something that may not be sent",
                "送信できない対象と同じ要求に含まれるため、送信していません",
            );
            board.set_all(ItemState::Pending, ItemState::Skipped, &why);
            permitted.clear();
        }
        Ok(permitted)
    }

    /// Where the request goes.
    fn place(&self) -> Entity {
        let request = &self.responder.document.request;
        let url = format!("{}://{}", request.protocol.scheme(), request.host);
        Entity::new(EntityKind::Url, url)
    }

    fn outcome(&self, board: Board, works: &[Work], masks: &Masks, is_dry_run: bool) -> Outcome {
        let title = title(&self.responder.document);
        let mut items = board.into_items();
        for item in &mut items {
            item.detail = masks.words(&item.detail);
        }
        let wanted = |state: ItemState| match is_dry_run {
            true => state == ItemState::Planned,
            false => state.is_success(),
        };
        let (is_success, message) = match items.is_empty() {
            false => {
                let message = wording::message(&title, &items, is_dry_run);
                (items.iter().all(|item| wanted(item.state)), message)
            }
            true => {
                let worst = worst(works.iter().map(|work| &work.part));
                let (state, words) = worst.map_or((ItemState::Succeeded, String::new()), |part| {
                    (part.state, masks.text(&part.words))
                });
                let words = Text::same(words);
                let told = (wanted(state), wording::plain(&title, state, &words));
                // Without targets the request is what it is about: its state is the run's.
                items.push(Item::new(self.place(), state).because(words));
                told
            }
        };
        let parts = works.iter().map(|work| {
            json!({ "state": work.part.state, "outputs": work.part.outputs, "words": work.part.words })
        });
        let result = match works.is_empty() {
            true => Value::Null,
            false => masks.value(&json!({ "items": parts.collect::<Vec<_>>() })),
        };
        let tables = wording::table(&items).into_iter().collect();
        Outcome { is_success, message, result, tables, items, enrichment: Vec::new() }
    }
}

#[async_trait]
impl Responds for Run {
    async fn act(&self, call: &Call<'_>) -> Result<Outcome, Halt> {
        let Responder { document, plan, .. } = &*self.responder;
        let journal = call.journal;
        let mut masks = masks(document, &call.input.parameters);
        let prepared = Prepared::new(plan, &self.record, call.input).map_err(WebhookError::halt)?;
        if document.effect == Effect::Contains && prepared.targets.is_empty() {
            return Err(unguarded().halt());
        }
        let mut board = Board::new();
        prepared
            .targets
            .iter()
            .for_each(|entity| board.push(Item::new(entity.clone(), ItemState::Pending)));
        let permitted = self.permit(call, &prepared, &mut board).await?;
        if permitted.is_empty() && !prepared.targets.is_empty() {
            return Ok(self.outcome(board, &[], &masks, false));
        }
        let names = prepared.with_targets(&permitted);
        let request = rendered(plan, &names).map_err(WebhookError::halt)?;
        let step = Step {
            name: SEND,
            is_change: !only_asks(document),
            targets: &permitted,
            request: shown(document, &request, &masks),
        };
        if journal.is_dry_run() && step.is_change {
            journal.planned(&step).await?;
            let mut works = Vec::new();
            if permitted.is_empty() {
                let part = Part {
                    state: ItemState::Planned,
                    words: String::new(),
                    outputs: Default::default(),
                };
                works.push(Work { entities: Vec::new(), part });
            }
            board.set_all(ItemState::Pending, ItemState::Planned, &Text::default());
            return Ok(self.outcome(board, &works, &masks, true));
        }
        let answer = match self.responder.send(call, &step, &request, &mut masks).await? {
            Sent::Answered(answer) => answer,
            Sent::Unknown(detail) => {
                let words = masks.text(&detail);
                let part = Part { state: ItemState::Unknown, words, outputs: Default::default() };
                let works = [Work { entities: permitted, part }];
                show(&mut board, &works, &masks);
                return Ok(self.outcome(board, &works, &masks, false));
            }
        };
        let mut works = self.works(&answer, &names, &permitted, &request.url, &mut board)?;
        show(&mut board, &works, &masks);
        if works.iter().any(|work| work.part.state == ItemState::Accepted) {
            let message = wording::message(&title(document), board.items(), false);
            journal.progress(board.items(), &message).await?;
            self.follow(call, &names, &mut works, &mut board, &mut masks).await?;
        }
        Ok(self.outcome(board, &works, &masks, false))
    }
}

impl Run {
    /// What the answer says, and for which targets.
    fn works(
        &self,
        answer: &ShownAnswer,
        names: &Scope,
        permitted: &[Entity],
        url: &url::Url,
        board: &mut Board,
    ) -> Result<Vec<Work>, Halt> {
        let Responder { document, plan, .. } = &*self.responder;
        let parts = match answer::read(document, plan, answer, names).map_err(WebhookError::halt)? {
            Reading::Taken(parts) => parts,
            Reading::Refused(words) => {
                let said = wording::refused(&title(document), &host(url), answer.status, &words);
                return Err(Halt::Fatal(said));
            }
            Reading::Unclear(why) if only_asks(document) => return Err(why.halt()),
            Reading::Unclear(why) => {
                let words = format!("sent, and its answer cannot be read: needs a person: {why}");
                let part = Part { state: ItemState::Unknown, words, outputs: Map::new() };
                return Ok(vec![Work { entities: permitted.to_vec(), part }]);
            }
        };
        if parts.len() == permitted.len() {
            let pairs = parts.into_iter().zip(permitted);
            return Ok(pairs
                .map(|(part, entity)| Work { entities: vec![entity.clone()], part })
                .collect());
        }
        // One answer for all, or all answers for one.
        if parts.len() == 1 || permitted.len() <= 1 {
            let works = parts.into_iter().map(|part| Work { entities: permitted.to_vec(), part });
            return Ok(works.collect());
        }
        let (found, wanted) = (parts.len(), permitted.len());
        let why = Text::new(
            format!("the answer has {found} items for {wanted} that were sent"),
            format!("{wanted} 件の要求に対して応答は {found} 件でした"),
        );
        board.set_all(ItemState::Pending, ItemState::Unknown, &why);
        Ok(parts.into_iter().map(|part| Work { entities: Vec::new(), part }).collect())
    }
}

/// What takes something away has to say from whom: nobody could be protected from it otherwise.
fn unguarded() -> WebhookError {
    WebhookError::at(
        "target",
        (
            "is missing, and the responder takes something away",
            "がありませんが、対象に制限を加える操作です",
        ),
        (
            "write what it works on, as in `target: { type: host, value: \"{{ tmv1.host_guid }}\" }`",
            "対象を書いてください (例: `target: { type: host, value: \"{{ tmv1.host_guid }}\" }`)",
        ),
    )
}

/// Writes what became of the works to the items that they are for: the worst counts.
pub(crate) fn show(board: &mut Board, works: &[Work], masks: &Masks) {
    let entities: Vec<Entity> = works.iter().flat_map(|work| work.entities.clone()).collect();
    for entity in &entities {
        let own = works.iter().filter(|work| work.entities.contains(entity)).map(|work| &work.part);
        if let (Some(part), Some(item)) = (worst(own), board.item(entity)) {
            item.state = part.state;
            item.detail = Text::same(masks.text(&part.words));
            item.handle = part.handle();
        }
    }
}

/// The part that counts for several.
fn worst<'p>(parts: impl Iterator<Item = &'p Part>) -> Option<&'p Part> {
    let badness = |part: &&Part| match part.state {
        ItemState::Failed => 4,
        ItemState::Unknown => 3,
        ItemState::Expired => 2,
        ItemState::Accepted => 1,
        _ => 0,
    };
    // The first of the worst: `max_by_key` would take the last.
    parts.fold(None, |worst, part| match worst {
        Some(worst) if badness(&worst) >= badness(&part) => Some(worst),
        _ => Some(part),
    })
}
