//! A mapping with a transform around it, and the preview that people see before they save one.

use std::sync::Arc;

use model::identity::Identity;
use model::mapping::{EventSink, Mapping, Unusable, Verdict};
use model::ocsf::schema::attributes;
use model::ocsf::{Class, Event};
use serde_json::{Map, Value};

use super::{Run, Transform};

/// Attributes that a transform cannot change, beside those that follow from the class.
const FIXED: [&str; 1] = ["time"];
/// Attributes of `metadata` that a transform cannot change.
const FIXED_METADATA: [&str; 4] = ["uid", "tenant_uid", "version", "product"];

/// A mapping whose events pass through a transform.
pub struct TransformedMapping {
    inner: Arc<dyn Mapping>,
    transform: Transform,
}

impl TransformedMapping {
    /// Wraps a mapping.
    pub fn new(inner: Arc<dyn Mapping>, transform: Transform) -> Self {
        Self { inner, transform }
    }
}

impl Mapping for TransformedMapping {
    fn identify(&self, raw: &[u8]) -> Result<Identity, Unusable> {
        self.inner.identify(raw)
    }

    fn normalise(&self, raw: &[u8], sink: &mut dyn EventSink) -> Verdict {
        let mut between = Between { transform: &self.transform, raw, sink, verdict: Verdict::Kept };
        match self.inner.normalise(raw, &mut between) {
            Verdict::Kept => between.verdict,
            other => other,
        }
    }
}

/// The sink that the inner mapping sees.
struct Between<'s> {
    transform: &'s Transform,
    raw: &'s [u8],
    sink: &'s mut dyn EventSink,
    verdict: Verdict,
}

impl EventSink for Between<'_> {
    fn push(&mut self, event: &Event<'_>) {
        match transformed(self.transform, event, self.raw) {
            Ok(Some(event)) => self.sink.push(&event),
            Ok(None) => self.verdict = Verdict::Filtered,
            Err(reason) => self.verdict = Verdict::Refused(reason),
        }
    }
}

/// The event after the transform; `None` when it dropped the event.
fn transformed(
    transform: &Transform,
    event: &Event<'_>,
    raw: &[u8],
) -> Result<Option<Event<'static>>, String> {
    let before = event.to_value();
    let mut after = match transform.run(before.clone(), raw) {
        Run::Edited(value) => value,
        Run::Dropped => return Ok(None),
        Run::Failed(reason) => return Err(reason),
    };
    restore(event.class(), &before, &mut after);
    let event = Event::from_value(event.class(), after).stamped();
    match missing(event.class(), &before, &event.to_value()) {
        Some(name) => Err(format!("the transform took away `{name}`, which its class demands")),
        None => Ok(Some(event)),
    }
}

/// Puts back what a transform cannot change.
fn restore(class: Class, before: &Value, after: &mut Value) {
    let Some(before) = before.as_object() else { return };
    if !after.is_object() {
        let odd = std::mem::take(after);
        *after = Value::Object(Map::from_iter([("value".to_owned(), odd)]));
    }
    let Some(members) = after.as_object_mut() else { return };
    put_back(before, members, &FIXED);
    let none = Map::new();
    let metadata_before = before.get("metadata").and_then(Value::as_object).unwrap_or(&none);
    if !members.get("metadata").is_some_and(Value::is_object) {
        members.insert("metadata".to_owned(), Value::Object(Map::new()));
    }
    if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
        put_back(metadata_before, metadata, &FIXED_METADATA);
    }
    for attribute in attributes(class) {
        // The text beside an id says nothing once the id is gone.
        let Some(text) = attribute.text else { continue };
        if !members.contains_key(attribute.name) && members.get(text) == before.get(text) {
            members.remove(text);
        }
    }
}

fn put_back(before: &Map<String, Value>, after: &mut Map<String, Value>, names: &[&str]) {
    for name in names {
        match before.get(*name) {
            Some(value) => after.insert((*name).to_owned(), value.clone()),
            None => after.remove(*name),
        };
    }
}

/// A required attribute that the event had and has no more.
fn missing(class: Class, before: &Value, after: &Value) -> Option<&'static str> {
    let demanded = attributes(class)
        .iter()
        .filter(|attribute| attribute.required && attribute.profile.is_none());
    demanded
        .map(|attribute| attribute.name)
        .find(|name| before.get(name).is_some() && after.get(name).is_none())
}

/// What a transform makes of one record.
#[derive(Debug, Clone, PartialEq)]
pub enum Preview {
    /// The event before and after.
    Edited {
        /// As the mapping alone makes it.
        before: Value,
        /// As it would be stored.
        after: Value,
    },
    /// The record would be dropped and counted as filtered.
    Dropped {
        /// As the mapping alone makes it.
        before: Value,
    },
    /// The record would become a dead letter.
    Failed {
        /// As the mapping alone makes it; nothing when that fails already.
        before: Option<Value>,
        /// Why.
        reason: String,
    },
}

/// Shows what a transform would make of raw records; stores nothing.
pub fn preview<'r>(
    transform: &Transform,
    mapping: &dyn Mapping,
    records: impl IntoIterator<Item = &'r [u8]>,
) -> Vec<Preview> {
    records.into_iter().map(|raw| preview_one(transform, mapping, raw)).collect()
}

fn preview_one(transform: &Transform, mapping: &dyn Mapping, raw: &[u8]) -> Preview {
    if let Err(unusable) = mapping.identify(raw) {
        return Preview::Failed { before: None, reason: unusable.to_string() };
    }
    let mut seen = Seen { transform, raw, preview: None };
    let verdict = mapping.normalise(raw, &mut seen);
    seen.preview.unwrap_or_else(|| Preview::Failed {
        before: None,
        reason: match verdict {
            Verdict::Refused(reason) => reason,
            Verdict::Kept | Verdict::Filtered => "the mapping made no event".to_owned(),
        },
    })
}

struct Seen<'s> {
    transform: &'s Transform,
    raw: &'s [u8],
    preview: Option<Preview>,
}

impl EventSink for Seen<'_> {
    fn push(&mut self, event: &Event<'_>) {
        let before = event.to_value();
        self.preview = Some(match transformed(self.transform, event, self.raw) {
            Ok(Some(after)) => Preview::Edited { before, after: after.to_value() },
            Ok(None) => Preview::Dropped { before },
            Err(reason) => Preview::Failed { before: Some(before), reason },
        });
    }
}
