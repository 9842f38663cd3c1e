//! The names that one evaluation reads: what it looked for and did not find is what an error names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::Value as Evaluated;
use minijinja::value::{Enumerator, Object, ObjectRepr};
use serde_json::{Map, Value};

use super::values::{self, evaluated};

/// What was looked for and not found, as dotted paths.
#[derive(Debug, Clone, Default)]
pub(crate) struct Missed(Arc<Mutex<BTreeSet<String>>>);

impl Missed {
    fn add(&self, path: String) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(path);
    }

    /// The paths in alphabetical order.
    pub(crate) fn paths(&self) -> BTreeSet<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// An object that remembers what it was asked for in vain.
#[derive(Debug)]
struct Watched {
    path: String,
    members: BTreeMap<String, Evaluated>,
    missed: Missed,
}

impl Object for Watched {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Map
    }

    fn get_value(self: &Arc<Self>, key: &Evaluated) -> Option<Evaluated> {
        let key = key.as_str()?;
        let found = self.members.get(key).filter(|value| !value.is_undefined());
        if found.is_none() {
            self.missed.add(joined(&self.path, key));
        }
        found.cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(self.members.keys().map(|key| Evaluated::from(key.as_str())).collect())
    }
}

/// The names as an expression sees them; what it misses is added to `missed`.
pub(crate) fn watched(names: &Map<String, Value>, missed: &Missed) -> Evaluated {
    object(names, "", missed)
}

fn object(map: &Map<String, Value>, path: &str, missed: &Missed) -> Evaluated {
    let members = map.iter().map(|(key, value)| {
        let value = match value {
            Value::Object(inner) => object(inner, &joined(path, key), missed),
            value if values::is_blank(value) => Evaluated::UNDEFINED,
            value => evaluated(value),
        };
        (key.clone(), value)
    });
    let members = members.collect();
    Evaluated::from_object(Watched { path: path.to_owned(), members, missed: missed.clone() })
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}
