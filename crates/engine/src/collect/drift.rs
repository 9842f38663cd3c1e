//! What a stream's records look like, learned field by field, and where they have departed from it.
//!
//! A vendor adds fields, changes their types and stops sending them without a word. Nothing is lost
//! by that, since the raw record is kept, but a mapping may say less than before and nobody would
//! know. So the first records of a stream teach its shape, and every departure afterwards is counted,
//! with an example. Pure: no clock, no I/O. See `docs/decisions/0008-drift-is-learned.md`.

mod walk;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use model::time::Timestamp;
use serde::{Deserialize, Serialize};

pub use walk::Kind;
use walk::Value;

/// Records that teach the shape; also how many in a row must lack a field that all of those had.
const LEARNING: u64 = 100;
/// Fields that are remembered. Beyond are maps whose keys are data.
const MOST_FIELDS: usize = 2_000;
/// Departures that are remembered.
const MOST_DRIFTS: usize = 200;

/// The shape of a stream's records as it rests in the catalog.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Records looked at; repeats count again.
    records: u64,
    fields: BTreeMap<String, Field>,
    drifts: BTreeMap<String, Drift>,
    /// Whether anything but a counter changed since it was stored.
    #[serde(skip)]
    is_changed: bool,
}

/// A field as the records showed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Field {
    kinds: Vec<Kind>,
    /// Records that had it.
    seen: u64,
    /// The last of them, counted from 1.
    last: u64,
    /// A record of the learning had it.
    is_known: bool,
    /// Every record of the learning had it.
    is_steady: bool,
}

/// A departure from the shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Drift {
    /// What happened to the field.
    pub change: Change,
    /// Records that show it.
    pub records: u64,
    /// When it was first seen.
    pub since: Timestamp,
    /// When it was last seen.
    pub last: Timestamp,
    /// The value of the first record that shows it; nothing for a field that vanished.
    pub example: Option<String>,
    /// The last record that was counted.
    #[serde(default, skip_serializing)]
    ordinal: u64,
}

/// What happened to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// No record of the learning had it.
    Unknown,
    /// Its values are of another type.
    Type,
    /// Every record of the learning had it, and the newest ones do not.
    Vanished,
}

/// The shape as it was stored; none was stored before the first page, or by a newer version.
pub fn stored(shape: Option<serde_json::Value>) -> Arc<Mutex<Shape>> {
    let shape = shape.and_then(|shape| serde_json::from_value(shape).ok());
    Arc::new(Mutex::new(shape.unwrap_or_default()))
}

/// The shape for a moment; a page that came to grief leaves it usable.
pub fn lock(shape: &Mutex<Shape>) -> MutexGuard<'_, Shape> {
    shape.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Change {
    /// As status answers write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown field",
            Self::Type => "other type",
            Self::Vanished => "vanished field",
        }
    }
}

impl Shape {
    /// Looks at a record. Bytes that are no JSON say nothing.
    pub fn observe(&mut self, raw: &[u8], now: Timestamp) {
        self.records += 1;
        walk::fields(raw, |path, value| self.note(path, value, now));
        if self.records == LEARNING {
            for field in self.fields.values_mut() {
                field.is_steady = field.seen == LEARNING;
            }
            self.is_changed = true;
        }
        if self.records > LEARNING {
            self.note_vanished(now);
        }
    }

    /// The departures, by field.
    pub fn drifts(&self) -> &BTreeMap<String, Drift> {
        &self.drifts
    }

    /// Whether it should be stored, which the caller does now.
    pub fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.is_changed)
    }

    fn note(&mut self, path: &str, value: &Value<'_>, now: Timestamp) {
        let is_learning = self.records <= LEARNING;
        if !self.fields.contains_key(path) {
            if self.fields.len() >= MOST_FIELDS {
                return;
            }
            let field = Field {
                kinds: Vec::new(),
                seen: 0,
                last: 0,
                is_known: is_learning,
                is_steady: false,
            };
            self.fields.insert(path.to_owned(), field);
            self.is_changed = true;
        }
        let Some(field) = self.fields.get_mut(path) else { return };
        if field.last != self.records {
            field.last = self.records;
            field.seen += 1;
        }
        let is_new_kind = value.kind.is_some_and(|kind| !field.kinds.contains(&kind));
        if !field.is_known {
            self.count(path, Change::Unknown, value, now);
        } else if is_new_kind && (is_learning || field.kinds.is_empty()) {
            field.kinds.extend(value.kind);
            self.is_changed = true;
        } else if is_new_kind {
            // What departs is not learned, so that it is counted as long as it lasts.
            self.count(path, Change::Type, value, now);
        }
    }

    /// Counts a record that departs, once however often it does so.
    fn count(&mut self, path: &str, change: Change, value: &Value<'_>, now: Timestamp) {
        let is_known = self.drifts.get(path).is_some_and(|drift| drift.change == change);
        if !is_known {
            if self.drifts.len() >= MOST_DRIFTS {
                return;
            }
            let example = Some(value.shown());
            let drift = Drift { change, records: 0, since: now, last: now, example, ordinal: 0 };
            self.drifts.insert(path.to_owned(), drift);
        }
        let Some(drift) = self.drifts.get_mut(path) else { return };
        if drift.ordinal != self.records {
            drift.ordinal = self.records;
            drift.records += 1;
            drift.last = now;
            self.is_changed = true;
        }
    }

    /// A field that all had and that is missing for long has vanished; one that is back has not.
    fn note_vanished(&mut self, now: Timestamp) {
        for (path, field) in self.fields.iter().filter(|(_, field)| field.is_steady) {
            let missing = self.records - field.last;
            let has_room = self.drifts.len() < MOST_DRIFTS;
            let known = self.drifts.get_mut(path).filter(|drift| drift.change == Change::Vanished);
            match known {
                Some(_) if missing == 0 => {
                    self.drifts.remove(path);
                    self.is_changed = true;
                }
                Some(drift) => (drift.records, drift.last) = (missing, now),
                None if missing >= LEARNING && has_room => {
                    let drift = Drift {
                        change: Change::Vanished,
                        records: missing,
                        since: now,
                        last: now,
                        example: None,
                        ordinal: 0,
                    };
                    self.drifts.insert(path.clone(), drift);
                    self.is_changed = true;
                }
                None => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_000_000_000_000);

    fn taught() -> Shape {
        let mut shape = Shape::default();
        for number in 0..LEARNING {
            let some = if number % 3 == 0 { r#","rare":null"# } else { "" };
            let raw =
                format!(r#"{{"id":{number},"user":{{"name":"a"}},"list":[{{"n":1}}]{some}}}"#);
            shape.observe(raw.as_bytes(), NOW);
        }
        shape
    }

    const USUAL: &str = r#"{"id":1,"user":{"name":"a"},"list":[{"n":1}]}"#;

    #[test]
    fn what_the_first_records_show_is_no_drift() {
        let mut shape = taught();
        shape.observe(br#"{"id":2.5,"user":{"name":null},"list":[],"rare":"now a text"}"#, NOW);
        assert_eq!(shape.drifts().len(), 0, "{:?}", shape.drifts());
    }

    #[test]
    fn an_unknown_field_is_counted_once_for_each_record_with_its_first_value() {
        let mut shape = taught();
        shape.observe(br#"{"id":1,"user":{"name":"a","tier":"gold"},"list":[{"n":1}]}"#, NOW);
        shape.observe(br#"{"id":1,"user":{"name":"a","tier":7},"list":[{"n":1}]}"#, NOW);
        shape.observe(USUAL.as_bytes(), NOW);
        let drift = &shape.drifts()["user.tier"];
        assert_eq!((drift.change, drift.records), (Change::Unknown, 2));
        assert_eq!(drift.example.as_deref(), Some("gold"));
        assert_eq!(shape.drifts().len(), 1);
    }

    #[test]
    fn another_type_is_counted_as_long_as_it_lasts() {
        let mut shape = taught();
        for _ in 0..3 {
            shape.observe(br#"{"id":"x7","user":{"name":"a"},"list":[{"n":1},{"n":2}]}"#, NOW);
        }
        shape.observe(USUAL.as_bytes(), NOW);
        let drift = &shape.drifts()["id"];
        assert_eq!((drift.change, drift.records), (Change::Type, 3));
        assert_eq!(drift.example.as_deref(), Some("x7"));
    }

    #[test]
    fn a_field_that_all_had_vanishes_and_comes_back() {
        let mut shape = taught();
        for _ in 1..LEARNING {
            shape.observe(br#"{"id":1,"list":[{"n":1}]}"#, NOW);
        }
        assert_eq!(shape.drifts().len(), 0);
        shape.observe(br#"{"id":1,"list":[{"n":1}]}"#, NOW);
        assert_eq!(shape.drifts()["user"].change, Change::Vanished);
        assert_eq!(shape.drifts()["user.name"].records, LEARNING);
        shape.observe(USUAL.as_bytes(), NOW);
        assert_eq!(shape.drifts().len(), 0);
    }

    #[test]
    fn it_rests_as_it_was_and_says_when_it_must_be_stored() {
        let mut shape = taught();
        assert!(shape.take_changed());
        shape.observe(USUAL.as_bytes(), NOW);
        assert!(!shape.take_changed(), "a counter alone is not worth a write");
        shape.observe(br#"{"new":[true]}"#, NOW);
        assert!(shape.take_changed());
        let stored = serde_json::to_string(&shape).unwrap();
        let again: Shape = serde_json::from_str(&stored).unwrap();
        assert_eq!(serde_json::to_string(&again).unwrap(), stored);
        assert_eq!(again.drifts()["new"].example.as_deref(), Some("[…]"));
    }

    #[test]
    fn keys_that_are_data_do_not_fill_the_memory() {
        let mut shape = Shape::default();
        for number in 0..10_000 {
            shape.observe(format!(r#"{{"m":{{"k{number}":1}}}}"#).as_bytes(), NOW);
        }
        assert_eq!((shape.fields.len(), shape.drifts.len()), (MOST_FIELDS, MOST_DRIFTS));
    }

    proptest! {
        #[test]
        fn any_bytes_are_looked_at_without_harm(records in prop::collection::vec(
            prop_oneof![any::<Vec<u8>>(), "[\\[\\]{}:,\"a-c0-9 .\\\\u]{0,40}".prop_map(String::into_bytes)],
            0..150,
        )) {
            let mut shape = Shape::default();
            for raw in &records {
                shape.observe(raw, NOW);
            }
            prop_assert_eq!(shape.records, records.len() as u64);
            prop_assert!(shape.drifts.values().all(|drift| drift.records <= shape.records));
        }
    }
}
