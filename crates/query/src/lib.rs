//! Hunting languages and the one checked query that they all become.
//!
//! Text goes in through [`taegis`] or [`lucene`]; a [`plan::Query`] comes out; who executes it is none of this
//! crate's business: that is the port [`store::EventStore`]. Field names are resolved in [`fields`],
//! with the vendors' names for them in `aliases`.

mod aliases;
mod check;
pub mod fields;
pub mod language;
pub mod lucene;
mod near;
pub mod plan;
pub mod store;
mod syntax;
pub mod taegis;
