//! What requests and answers look like: types of this crate only, one file per resource.
//!
//! They are a promise to clients. Types of the engine are turned into them field by field, so that a
//! change below does not change the API unseen.

pub(crate) mod action;
pub(crate) mod apply;
pub(crate) mod connector;
pub(crate) mod counts;
pub(crate) mod dead_letter;
pub(crate) mod document;
pub(crate) mod forwarder;
pub(crate) mod import;
pub(crate) mod integration;
pub(crate) mod lake;
pub(crate) mod ledger;
pub(crate) mod maintenance;
pub(crate) mod preview;
pub(crate) mod query;
pub(crate) mod responder;
pub(crate) mod retention;
pub(crate) mod run;
pub(crate) mod server;
pub(crate) mod stack;
pub(crate) mod status;
pub(crate) mod test;
