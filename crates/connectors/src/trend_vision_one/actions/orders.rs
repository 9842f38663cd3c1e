//! What an action asks of the vendor, item by item, and how items are put together into requests.

use std::ops::Range;

use model::action::{Entity, EntityKind, Halt, Input, ItemState, Journal, Text};
use serde_json::{Map, Value};

use crate::action::Board;

/// The vendor's limit of a description, in characters.
const DESCRIPTION: usize = 20_480;
/// Most items of one request. The vendor names no limit; 50 stay below its other lists' smallest page, and a
/// lost answer leaves no more than 50 items in doubt.
const ITEMS: usize = 50;
/// Most bytes of one request: the vendor refuses more than 1 MB.
const BYTES: usize = 900_000;
/// Bytes of an item besides what it names: the idempotency key, quotes and commas.
const MARGIN: usize = 512;

/// One item: on behalf of whom, and what is sent, without its description.
#[derive(Debug, Clone)]
pub(super) struct Order {
    pub(super) entity: Entity,
    pub(super) body: Map<String, Value>,
}

/// What an input asks for: every item with its state, and the orders of those that can be sent.
#[derive(Debug, Default)]
pub(super) struct Intake {
    pub(super) board: Board,
    pub(super) orders: Vec<Order>,
    /// What the orders touch beside their entities: if one is protected, nothing is sent.
    pub(super) beside: Vec<Entity>,
}

impl Intake {
    /// Makes orders of the entities of these kinds; an entity that is not what its kind says is invalid.
    pub(super) fn of(
        entities: &[Entity],
        kinds: &[EntityKind],
        order: impl Fn(&Entity) -> Result<Map<String, Value>, Text>,
    ) -> Self {
        let mut board = Board::of(entities, kinds);
        let mut orders = Vec::new();
        for entity in board.entities(ItemState::Pending) {
            match order(&entity) {
                Ok(body) => orders.push(Order { entity, body }),
                Err(why) => board.set(&entity, ItemState::Invalid, why),
            }
        }
        Self { board, orders, beside: Vec::new() }
    }

    /// Takes everything back where something beside the entities is protected.
    ///
    /// # Errors
    /// The journal cannot say.
    pub(super) async fn guard(&mut self, journal: &dyn Journal) -> Result<(), Halt> {
        for entity in &self.beside {
            if let Some(why) = journal.is_protected(entity).await? {
                let mut detail = Text::same(format!("{}: ", entity.value));
                detail.push(&why);
                self.board.set_all(ItemState::Pending, ItemState::Protected, &detail);
            }
        }
        Ok(())
    }

    /// Drops the orders of those that are not among the permitted.
    pub(super) fn keep(&mut self, permitted: &[Entity]) {
        self.orders.retain(|order| permitted.contains(&order.entity));
    }
}

/// The description that the input asks for.
pub(super) fn description(input: &Input) -> Result<&str, Halt> {
    let text = input.text("description");
    if text.chars().count() > DESCRIPTION {
        return Err(Halt::Fatal(Text::new(
            format!("`description` is longer than {DESCRIPTION} characters"),
            format!("`description` が {DESCRIPTION} 文字を超えています"),
        )));
    }
    Ok(text)
}

/// A description that ends with an idempotency key, cut so that both fit: the task is known by it.
pub(super) fn keyed(description: &str, key: &str) -> String {
    let mark = mark(key);
    let room = DESCRIPTION.saturating_sub(mark.chars().count());
    let kept: String = description.chars().take(room).collect();
    format!("{}{mark}", kept.trim_end()).trim_start().to_owned()
}

/// How a key stands at the end of a description.
pub(super) fn mark(key: &str) -> String {
    format!(" [tarn {key}]")
}

/// Whether a description carries a key of ours, whosever it is.
pub(super) fn is_marked(description: &str) -> bool {
    description.contains("[tarn ")
}

/// The orders request by request, as places: the same in every life of the run.
pub(super) fn chunks(orders: &[Order], description: &str) -> Vec<Range<usize>> {
    let described = Value::from(description).to_string().len() + MARGIN;
    let (mut chunks, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (place, order) in orders.iter().enumerate() {
        let more = Value::Object(order.body.clone()).to_string().len() + described;
        if place > start && (place - start == ITEMS || bytes + more > BYTES) {
            chunks.push(start..place);
            (start, bytes) = (place, 0);
        }
        bytes += more;
    }
    if start < orders.len() {
        chunks.push(start..orders.len());
    }
    chunks
}

/// One member, as most orders have.
pub(super) fn member(name: &str, value: &str) -> Map<String, Value> {
    Map::from_iter([(name.to_owned(), Value::from(value))])
}

/// A value that is not longer than the vendor takes.
pub(super) fn within(value: &str, most: usize) -> Result<(), Text> {
    if value.is_empty() {
        return Err(Text::new("is empty", "値が空です"));
    }
    if value.chars().count() > most {
        return Err(Text::new(
            format!("is longer than {most} characters"),
            format!("{most} 文字を超えています"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders(count: usize) -> Vec<Order> {
        let order = |number: usize| {
            let name = format!("host-{number}");
            Order {
                body: member("endpointName", &name),
                entity: Entity::new(EntityKind::Host, name),
            }
        };
        (0..count).map(order).collect()
    }

    #[test]
    fn requests_are_cut_by_items_and_by_bytes() {
        assert!(chunks(&[], "").is_empty());
        assert_eq!(chunks(&orders(50), "short").len(), 1);
        assert_eq!(chunks(&orders(101), "short"), [0..50, 50..100, 100..101]);
        let long = "理".repeat(DESCRIPTION);
        assert_eq!(chunks(&orders(20), &long), [0..14, 14..20]);
    }

    #[test]
    fn a_key_fits_behind_every_description() {
        assert_eq!(keyed("", "k1"), "[tarn k1]");
        assert_eq!(keyed("from an alert ", "k1"), "from an alert [tarn k1]");
        let text = keyed(&"理".repeat(DESCRIPTION), "k1");
        assert_eq!(text.chars().count(), DESCRIPTION);
        assert!(text.ends_with(&mark("k1")) && is_marked(&text) && !is_marked("[tarn"));
    }
}
