//! Patience with files that cannot be had: each is tried a few times, and given up only when others come through.
//!
//! A file host that refuses everything is no reason to give up anything; one bad file is no reason to hold up its
//! stream for ever.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Fetches that a file gets when the answer was about this file, and when it may have been the network.
const TRIES: (u32, u32) = (5, 12);

/// What is to blame for a failed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// The link may have run out, or the file is gone: a fresh link tells.
    Link,
    /// The file host's answer was about this file, and will not change.
    File,
    /// The file, the file host or the way there.
    Unclear,
}

/// What is known about files that failed.
#[derive(Debug, Default)]
pub(super) struct Patience(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// Files that could be fetched: proof that the way to the file host is open.
    fetched: u64,
    misses: HashMap<String, Misses>,
}

/// The failures of one file.
#[derive(Debug, Default)]
struct Misses {
    count: u32,
    /// Files that had been fetched at the last of them.
    fetched: u64,
}

/// What to do about a file that failed again.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Try again later.
    Wait,
    /// It had its tries, and nothing shows yet that others come through.
    Prove,
    /// It had its tries while others came through.
    GiveUp,
}

impl Patience {
    /// Notes that a file came through.
    pub(super) fn fetched(&self, object: &str) {
        let mut known = self.known();
        known.fetched += 1;
        known.misses.remove(object);
    }

    /// Notes that a file failed.
    pub(super) fn missed(&self, object: &str, blame: Blame) -> Verdict {
        let mut known = self.known();
        let fetched = known.fetched;
        let misses = known.misses.entry(object.to_owned()).or_default();
        misses.count += 1;
        let before = std::mem::replace(&mut misses.fetched, fetched);
        let (tries, is_proven) = match blame {
            Blame::Link | Blame::File => (TRIES.0, fetched > 0),
            // What came through an hour ago says nothing about the network now.
            Blame::Unclear => (TRIES.1, fetched > before),
        };
        match misses.count >= tries {
            false => Verdict::Wait,
            true if is_proven => Verdict::GiveUp,
            true => Verdict::Prove,
        }
    }

    /// Forgets a file that was given up.
    pub(super) fn forget(&self, object: &str) {
        self.known().misses.remove(object);
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn misses(patience: &Patience, blame: Blame, times: u32) -> Vec<Verdict> {
        (0..times).map(|_| patience.missed("a", blame)).collect()
    }

    #[test]
    fn a_file_gets_its_tries_and_counts_anew_when_it_came() {
        let patience = Patience::default();
        patience.fetched("b");
        for blame in [Blame::Link, Blame::File] {
            assert_eq!(misses(&patience, blame, TRIES.0 - 1), [const { Verdict::Wait }; 4]);
            patience.fetched("a");
            assert_eq!(misses(&patience, blame, TRIES.0).pop(), Some(Verdict::GiveUp));
            patience.forget("a");
        }
    }

    #[test]
    fn nothing_is_given_up_while_nothing_comes_through() {
        let patience = Patience::default();
        assert_eq!(misses(&patience, Blame::File, 9).pop(), Some(Verdict::Prove));
        patience.fetched("b");
        assert_eq!(misses(&patience, Blame::Unclear, 20).pop(), Some(Verdict::Prove));
        patience.fetched("b");
        assert_eq!(misses(&patience, Blame::Unclear, 1).pop(), Some(Verdict::GiveUp));
    }
}
