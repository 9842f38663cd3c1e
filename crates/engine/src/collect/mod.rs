//! Collection: one runner per connector asks its vendor for what is due and appends what it gets.
//!
//! Data flows through [`page`]: fetch, identify, append, then cursor and ledger in one transaction
//! (I1, I3). [`runner`] decides what is asked next, in the order of I4; [`cursor`] is where a stream
//! stands, by intervals of time ([`coverage`]), by the vendor's [`token`] or by what a queue still holds
//! ([`delivery`]); [`supervisor`] starts and stops runners so that editing one never touches another.

pub mod coverage;
pub mod cursor;
pub mod delivery;
pub mod drift;
pub mod keys;
pub mod page;
pub mod runner;
pub mod status;
pub mod stream;
pub mod supervisor;
pub mod target;
pub mod token;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use catalog::Catalog;
use model::clock::Clock;
use model::ids::{BatchId, InstallId};
use query::store::EventStore;

use crate::budget::Budgets;

/// What every runner shares.
#[derive(Clone)]
pub struct Services {
    /// Cursors, ledger, budgets, status.
    pub catalog: Catalog,
    /// Where events rest.
    pub store: Arc<dyn EventStore>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// The request budgets.
    pub budgets: Budgets,
    /// This data directory.
    pub install: InstallId,
    /// Appends of this process that failed.
    pub failed: FailedAppends,
}

/// Batches whose append failed. What of them is in the lake all the same nobody will enter who
/// appended them: their records are appended again, under another batch.
#[derive(Debug, Clone, Default)]
pub struct FailedAppends(Arc<Mutex<BTreeSet<BatchId>>>);

impl FailedAppends {
    /// Remembers one.
    pub fn add(&self, batch: BatchId) {
        self.lock().insert(batch);
    }

    /// Watches over an append until it is entered. Dropped before, because its task came to grief or
    /// was cut off, the batch counts as failed.
    #[must_use]
    pub fn watch(&self, batch: BatchId) -> Watch {
        Watch { failed: self.clone(), batch, is_entered: false }
    }

    /// Those until now.
    pub fn until_now(&self) -> BTreeSet<BatchId> {
        self.lock().clone()
    }

    /// Forgets some that were looked after.
    pub fn forget(&self, batches: &BTreeSet<BatchId>) {
        self.lock().retain(|batch| !batches.contains(batch));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<BatchId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An append that is not entered yet.
#[derive(Debug)]
pub struct Watch {
    failed: FailedAppends,
    batch: BatchId,
    is_entered: bool,
}

impl Watch {
    /// The ledger knows of it, or there is nothing to know.
    pub fn entered(mut self) {
        self.is_entered = true;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if !self.is_entered {
            self.failed.add(self.batch);
        }
    }
}
