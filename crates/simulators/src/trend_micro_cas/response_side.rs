//! The state of the response side: batches, their effects, and the block lists.

use std::sync::{Arc, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::Cas;
use super::batches::Batches;
use super::blocklist::Blocklist;
use super::effects::Effects;
use super::mails::Mails;

/// Everything that requests have changed at the vendor.
#[derive(Debug, Default)]
pub(super) struct ResponseSide {
    pub(super) batches: Batches,
    effects: Effects,
    pub(super) blocklist: Blocklist,
}

impl Cas {
    /// The state as it was left.
    pub(super) fn response(&self) -> MutexGuard<'_, ResponseSide> {
        self.response.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state at a time: what was due by then is done.
    pub(super) fn settled(&self, now_ms: i64) -> MutexGuard<'_, ResponseSide> {
        let mails = self.mails();
        let mut response = self.response();
        let ResponseSide { batches, effects, .. } = &mut *response;
        batches.settle(effects, &mails, now_ms);
        response
    }

    /// The mails of now.
    pub(super) fn mails(&self) -> Arc<Mails> {
        Arc::clone(&self.mails.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What actions have changed, as one object.
    pub(super) fn changes(&self) -> Value {
        let now_ms = self.clock.now_ms();
        let response = self.settled(now_ms);
        json!({
            "blocklist": response.blocklist.state(),
            "mails": response.effects.mails(),
            "accounts": response.effects.accounts(),
            "batches": response.batches.state(now_ms),
        })
    }
}
