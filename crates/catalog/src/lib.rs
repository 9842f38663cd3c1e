//! All mutable metadata by database URL: tenants, tokens, connectors with sealed credentials,
//! cursors, the completeness ledger, dead letters, budgets, stacks, runs of actions, status, audit.
//!
//! It holds no events and has no clock: whoever writes says when. SQL stays portable between SQLite
//! and PostgreSQL. Start with [`Catalog::open`], then read [`Catalog::apply_page`], the one
//! transaction after an append.

mod action;
mod allowance;
mod applied;
mod audit;
mod budget;
mod columns;
mod connector;
mod credential;
mod cursor;
mod database;
mod dead_letter;
mod enrolment;
mod error;
mod failpoint;
mod key_health;
mod ledger;
mod master_key;
mod open;
mod page;
mod push;
mod replay;
mod seal;
mod setting;
mod shape;
mod stack;
mod status;
mod tenant;
mod token;

pub use action::{
    Begun, Cap, EntityProperty, NewRun, PermitAsk, ProtectedEntity, RunFilter, StoredAttempt,
    StoredResponder, StoredRun, StoredStep,
};
pub use allowance::Allowance;
pub use applied::Recovered;
pub use audit::AuditEntry;
pub use budget::Reservation;
pub use connector::StoredConnector;
pub use database::file_url;
pub use dead_letter::{DeadLetterFilter, DeadLetterPage, DeadLetterState, StoredDeadLetter};
pub use enrolment::{Enrolment, EnrolmentAsk};
pub use error::{CatalogError, ErrorKind, Result};
pub use key_health::{KeyHealth, KeyOutcome};
pub use ledger::{
    IntervalKind, IntervalState, LedgerBalance, LedgerFilter, LedgerRow, StreamLedger, UnknownWord,
};
pub use master_key::MasterKey;
pub use open::{Catalog, KeyId};
pub use page::{Applied, PageCommit};
pub use push::{KnownPush, PushKey};
pub use replay::ReplayOutcome;
pub use stack::{OfferedStack, SignOfLife, StackRow, WantedStack};
pub use status::StreamStatus;
pub use token::TokenRow;
