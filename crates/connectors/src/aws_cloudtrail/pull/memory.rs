//! The objects whose records are stored already, so that neither a repeated notification nor the listing reads
//! them again. A help, not a promise: what is forgotten is read again, and the lake drops what it holds.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Mutex, PoisonError};

use super::notification::Object;

/// Objects that are remembered: two days of an account that writes a file every second.
const CAPACITY: usize = 200_000;

/// What is remembered: 16 bytes for each object.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<Seen>);

#[derive(Debug, Default)]
struct Seen {
    known: HashSet<u64>,
    in_order: VecDeque<u64>,
}

impl Memory {
    /// Whether this content of an object is stored. An object of unknown content is not.
    pub(super) fn has(&self, object: &Object) -> bool {
        let Some(digest) = digest(object) else { return false };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).known.contains(&digest)
    }

    /// Remembers an object; the oldest is forgotten when there are too many.
    pub(super) fn add(&self, object: &Object) {
        let Some(digest) = digest(object) else { return };
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !seen.known.insert(digest) {
            return;
        }
        seen.in_order.push_back(digest);
        if seen.in_order.len() > CAPACITY
            && let Some(oldest) = seen.in_order.pop_front()
        {
            seen.known.remove(&oldest);
        }
    }
}

/// Not secret and only of this process: a plain hash will do.
fn digest(object: &Object) -> Option<u64> {
    let tag = object.tag.as_ref()?;
    let mut hasher = DefaultHasher::new();
    (&object.bucket, &object.key, tag).hash(&mut hasher);
    Some(hasher.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(key: usize, tag: Option<&str>) -> Object {
        let tag = tag.map(str::to_owned);
        Object { bucket: "b".to_owned(), key: key.to_string(), tag, region: None }
    }

    #[test]
    fn an_object_is_remembered_with_its_content_and_not_for_ever() {
        let memory = Memory::default();
        memory.add(&object(0, Some("a")));
        memory.add(&object(1, None));
        assert!(memory.has(&object(0, Some("a"))));
        assert!(!memory.has(&object(0, Some("b"))), "written anew");
        assert!(!memory.has(&object(1, None)), "of unknown content");
        for key in 1..=CAPACITY {
            memory.add(&object(key, Some("a")));
        }
        assert!(!memory.has(&object(0, Some("a"))));
        assert!(memory.has(&object(CAPACITY, Some("a"))));
    }
}
