//! The names that expressions may read, and which one was meant by a wrong one.

use std::collections::BTreeSet;
use std::sync::Arc;

use model::ocsf::Class;
use model::ocsf::schema::{self, Kind};
use model::source::{Source, Sources};

use super::context::{HELPERS, VISION_ONE};
use crate::trend_vision_one::flat_fields;

/// Our own columns, and the names of a source.
const OWN: [&str; 11] = [
    "tenant_uid",
    "uid",
    "source",
    "connector_uid",
    "connector_name",
    "ingest_time",
    "day",
    "raw_data",
    "msg_class",
    "sensor_type",
    "msg_origin",
];

/// The names that records of some sources have.
pub(crate) struct Fields {
    classes: Vec<Class>,
    prefixes: BTreeSet<String>,
    helpers: Vec<String>,
}

impl Fields {
    /// The names of these sources; of every source when none is chosen.
    pub(crate) fn of(chosen: &[String], sources: &Sources) -> Self {
        let is_chosen = |source: &&Arc<Source>| chosen.is_empty() || chosen.contains(&source.id);
        let used: Vec<_> = sources.iter().filter(is_chosen).collect();
        let mut classes: Vec<Class> = Vec::new();
        for class in used.iter().flat_map(|source| &source.classes) {
            if !classes.contains(class) {
                classes.push(*class);
            }
        }
        let prefixes: BTreeSet<_> =
            used.iter().map(|source| source.msg_origin.source.clone()).collect();
        let helpers = if prefixes.contains(VISION_ONE) { flat_fields::names() } else { Vec::new() };
        Self { classes, prefixes, helpers }
    }

    /// Whether a dotted path can be there in a record.
    pub(crate) fn has(&self, path: &str) -> bool {
        let (top, rest) = path.split_once('.').unwrap_or((path, ""));
        if OWN.contains(&top) || self.prefixes.contains(top) {
            return true;
        }
        if top == HELPERS {
            return self.helpers.iter().any(|name| name == rest);
        }
        self.classes.iter().any(|class| has_attribute(*class, path))
    }

    /// The name that was probably meant.
    pub(crate) fn near(&self, path: &str, others: &[String]) -> Option<String> {
        let mut known: Vec<String> = others.to_vec();
        known.extend(self.helpers.iter().map(|name| format!("{HELPERS}.{name}")));
        known.extend(OWN.iter().map(|name| (*name).to_owned()));
        known.extend(self.prefixes.iter().cloned());
        for class in &self.classes {
            names(schema::attributes(*class), "", path.matches('.').count(), &mut known);
        }
        let found = known.into_iter().map(|name| (distance(path, &name), name)).min()?;
        (found.0 <= 2 + path.len() / 6).then_some(found.1)
    }
}

/// Whether a class has this path; below any JSON everything may be there.
fn has_attribute(class: Class, path: &str) -> bool {
    let mut siblings = schema::attributes(class);
    for step in path.split('.') {
        let Some(found) = siblings.iter().find(|attribute| attribute.name == step) else {
            return false;
        };
        match found.kind {
            Kind::Json => return true,
            Kind::Object(object) => siblings = object.attributes,
            _ => siblings = &[],
        }
    }
    true
}

/// The dotted names down to this depth.
fn names(
    attributes: &'static [schema::Attribute],
    above: &str,
    depth: usize,
    known: &mut Vec<String>,
) {
    for attribute in attributes {
        let name = format!("{above}{}", attribute.name);
        if let Kind::Object(object) = attribute.kind
            && depth > 0
        {
            names(object.attributes, &format!("{name}."), depth - 1, known);
        }
        known.push(name);
    }
}

/// How many letters have to change to make one text of the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().enumerate() {
        let mut corner = row[0];
        row[0] = index + 1;
        for (at, other) in right.iter().enumerate() {
            let changed = corner + usize::from(letter != *other);
            corner = row[at + 1];
            row[at + 1] = changed.min(row[at] + 1).min(corner + 1);
        }
    }
    row[right.len()]
}
