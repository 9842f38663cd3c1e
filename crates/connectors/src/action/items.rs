//! The items of a run while it goes on: who is permitted, who is skipped, and what became of each.

use model::action::journal::Verdict;
use model::action::{Entity, EntityKind, Halt, Item, ItemState, Journal, Text};

/// All items of a run, in the order in which they were asked for.
#[derive(Debug, Clone, Default)]
pub struct Board(Vec<Item>);

impl Board {
    /// An empty board.
    pub fn new() -> Self {
        Self::default()
    }

    /// A board with these entities: those of kinds that `supports` knows are pending, the others skipped.
    pub fn of(entities: &[Entity], supports: &[EntityKind]) -> Self {
        let state = |entity: &Entity| {
            let is_supported = supports.contains(&entity.kind);
            if is_supported { ItemState::Pending } else { ItemState::Skipped }
        };
        Self(entities.iter().map(|entity| Item::new(entity.clone(), state(entity))).collect())
    }

    /// Adds an item.
    pub fn push(&mut self, item: Item) {
        self.0.push(item);
    }

    /// The entities in a state, in order.
    pub fn entities(&self, state: ItemState) -> Vec<Entity> {
        let chosen = self.0.iter().filter(|item| item.state == state);
        chosen.map(|item| item.entity.clone()).collect()
    }

    /// The values of the items that a condition holds for, in order.
    pub fn values(&self, holds: impl Fn(ItemState) -> bool) -> Vec<&str> {
        let chosen = self.0.iter().filter(|item| holds(item.state));
        chosen.map(|item| &*item.entity.value).collect()
    }

    /// The item of an entity.
    pub fn item(&mut self, entity: &Entity) -> Option<&mut Item> {
        self.0.iter_mut().find(|item| item.entity.is_same(entity))
    }

    /// Sets the state of an entity's item.
    pub fn set(&mut self, entity: &Entity, state: ItemState, detail: Text) {
        if let Some(item) = self.item(entity) {
            item.state = state;
            item.detail = detail;
        }
    }

    /// Sets the state of every item that is still in another one.
    pub fn set_all(&mut self, from: ItemState, to: ItemState, detail: &Text) {
        for item in self.0.iter_mut().filter(|item| item.state == from) {
            item.state = to;
            item.detail = detail.clone();
        }
    }

    /// Asks the journal for every pending item whether it may be worked on; those that may not leave with
    /// the reason. Answers those that may.
    ///
    /// # Errors
    /// As [`Journal::permit`].
    pub async fn permit(&mut self, journal: &dyn Journal) -> Result<Vec<Entity>, Halt> {
        let pending = self.entities(ItemState::Pending);
        if pending.is_empty() {
            return Ok(pending);
        }
        let verdicts = journal.permit(&pending).await?;
        let mut permitted = Vec::with_capacity(pending.len());
        for (entity, verdict) in pending.into_iter().zip(verdicts) {
            match verdict {
                Verdict::Permitted => permitted.push(entity),
                Verdict::Protected(why) => self.set(&entity, ItemState::Protected, why),
                Verdict::OverCap(why) => self.set(&entity, ItemState::OverCap, why),
            }
        }
        Ok(permitted)
    }

    /// Sets the state of those of these entities that are still pending.
    pub fn set_pending(&mut self, entities: &[Entity], state: ItemState, detail: &Text) {
        for entity in entities {
            if let Some(item) = self.item(entity).filter(|item| item.state == ItemState::Pending) {
                item.state = state;
                item.detail = detail.clone();
            }
        }
    }

    /// Whether something may have been changed: what goes wrong from now on must not hide it.
    pub fn has_effects(&self) -> bool {
        self.0.iter().any(|item| {
            let state = item.state;
            matches!(state, ItemState::Accepted | ItemState::Succeeded | ItemState::Unknown)
        })
    }

    /// Shows how far the sending is, so that a run that ends here tells what it has done.
    ///
    /// # Errors
    /// As [`Journal::progress`].
    pub async fn show_sending(&self, journal: &dyn Journal) -> Result<(), Halt> {
        if journal.is_dry_run() {
            return Ok(());
        }
        let (all, left) = (self.0.len(), self.entities(ItemState::Pending).len());
        let done = all - left;
        let message = Text::new(
            format!("Sending requests: {done} of {all} items so far"),
            format!("要求を送信しています: {all} 件中 {done} 件が終わりました"),
        );
        journal.progress(&self.0, &message).await
    }

    /// All items.
    pub fn items(&self) -> &[Item] {
        &self.0
    }

    /// All items, for an outcome.
    pub fn into_items(self) -> Vec<Item> {
        self.0
    }
}

/// Values as a message lists them: one in each line.
pub fn names(values: &[&str]) -> String {
    values.join("\n")
}
