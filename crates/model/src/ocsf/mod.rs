//! OCSF events as structs: what mappings write and the lake stores.
//!
//! The structs come from the table in `content/ocsf/` (`cargo xtask codegen`). A mapping fills the
//! struct of its [`Class`], turns it into an [`Event`] and calls [`Event::stamp`], which writes all
//! that follows from the rest. Text borrows from the record's bytes wherever it can.

pub mod check;
pub mod format;
mod generated;
mod json;
pub mod schema;
mod sort;
mod stamp;

pub use generated::class::{Class, VERSION};
pub use generated::event::Event;
pub use generated::objects;
pub use generated::values;
pub use json::Json;

pub use generated::account_change::AccountChange;
pub use generated::api_activity::ApiActivity;
pub use generated::authentication::Authentication;
pub use generated::base_event::BaseEvent;
pub use generated::data_security_finding::DataSecurityFinding;
pub use generated::detection_finding::DetectionFinding;
pub use generated::email_activity::EmailActivity;
pub use generated::entity_management::EntityManagement;
pub use generated::file_hosting::FileHosting;
pub use generated::http_activity::HttpActivity;

use serde_json::Value;

impl Class {
    /// The class whose table has this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// The class of this number.
    pub fn from_uid(uid: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.uid() == uid)
    }
}

impl std::fmt::Display for Class {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Event<'_> {
    /// The event as OCSF JSON; attributes without a value are absent.
    pub fn to_value(&self) -> Value {
        serde_json::to_value(self).unwrap_or(Value::Null)
    }
}

impl Event<'static> {
    /// Reads an event of a class. Never fails and never loses a value: what the class has no place
    /// for, and what is of the wrong type or form, moves to `unmapped` under its own path. Nulls and
    /// empty objects and lists at attributes count as absent.
    pub fn from_value(class: Class, value: Value) -> Self {
        sort::event(class, value)
    }
}

#[cfg(test)]
mod tests;
