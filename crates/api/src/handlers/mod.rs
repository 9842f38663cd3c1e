//! The handlers, one file per resource: take out of the request, call the engine, answer.

pub(crate) mod actions;
pub(crate) mod connectors;
pub(crate) mod dead_letters;
pub(crate) mod documents;
pub(crate) mod events;
pub(crate) mod forwarder;
pub(crate) mod health;
pub(crate) mod integrations;
pub(crate) mod lake;
pub(crate) mod ledger;
pub(crate) mod metrics;
pub(crate) mod query;
pub(crate) mod responders;
pub(crate) mod retention;
pub(crate) mod root;
pub(crate) mod runs;
pub(crate) mod stacks;
pub(crate) mod status;
