//! Hunting languages and the one checked query that they all become.
//!
//! Text goes in through [`taegis`]; a [`plan::Query`] comes out; who executes it is none of this
//! crate's business: that is the port [`store::EventStore`]. Field names and their aliases are in
//! [`fields`].

pub mod fields;
pub mod plan;
pub mod store;
pub mod taegis;
