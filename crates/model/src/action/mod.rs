//! Response actions: what an integration or a responder can do at a vendor, and how it is told.
//!
//! [`spec`] declares an action, [`input`] is what somebody asks of it, [`journal`] is what it writes down
//! before and after each request, and [`outcome`] is what it answers: the same for a person, a playbook, the
//! command line and the API.

pub mod entity;
pub mod input;
pub mod journal;
pub mod outcome;
pub mod run;
pub mod spec;
pub mod text;

use async_trait::async_trait;

use crate::budget::Budget;
use crate::vendor::Key;

pub use entity::{Entity, EntityKind};
pub use input::{Input, InvalidInput};
pub use journal::{Halt, Journal};
pub use outcome::{Item, ItemState, Outcome};
pub use run::RunState;
pub use spec::ActionSpec;
pub use text::{Locale, Text};

/// One key with the right to send with it.
pub struct Right {
    /// The key.
    pub key: Key,
    /// The budget of this key, at the priority of actions.
    pub budget: Box<dyn Budget>,
}

/// One run of an action: what is asked, with which keys, and where each step is written down.
pub struct Call<'a> {
    /// The action's name inside its integration: `mitigate_accounts`.
    pub action: &'a str,
    /// What is asked; checked against the action's declaration.
    pub input: &'a Input,
    /// The keys that may be used, the first first; never empty.
    pub rights: &'a [Right],
    /// Where each step is written down before and after it is done.
    pub journal: &'a dyn Journal,
}

/// Something that runs actions: a connection to a vendor, or a responder.
#[async_trait]
pub trait Responds: Send + Sync {
    /// Runs an action from its beginning, or, when the journal remembers steps of it, goes on from there: a
    /// change that the journal has an answer to is not sent again.
    ///
    /// # Errors
    /// The run ends without an outcome, for a reason that stops all of it, or stops to go on later.
    async fn act(&self, call: &Call<'_>) -> Result<Outcome, Halt>;
}
