//! Collection: one runner per connector asks its vendor for what is due and appends what it gets.
//!
//! Data flows through [`page`]: fetch, identify, append, then cursor and ledger in one transaction
//! (I1, I3). [`runner`] decides what is asked next, in the order of I4; [`coverage`] is the cursor;
//! [`supervisor`] starts and stops runners so that editing one never touches another.

pub mod coverage;
pub mod keys;
pub mod page;
pub mod runner;
pub mod status;
pub mod stream;
pub mod supervisor;
pub mod target;

use std::sync::Arc;

use catalog::Catalog;
use model::clock::Clock;
use model::ids::InstallId;
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
}
