//! Actions: their runs with the journal of each, what guards entities from them, what they learned, and the
//! responders that people made.

mod guard;
mod property;
mod responder;
mod run;
mod step;

pub use guard::{Cap, PermitAsk, ProtectedEntity};
pub use property::EntityProperty;
pub use responder::StoredResponder;
pub use run::{Begun, NewRun, RunFilter, StoredRun};
pub use step::{StoredAttempt, StoredStep};
