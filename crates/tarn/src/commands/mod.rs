//! The commands, one file each: read the flags, call the engine or a server, print.

pub(crate) mod action;
pub(crate) mod cloudtrail;
pub(crate) mod connector;
pub(crate) mod dead_letters;
pub(crate) mod demo;
pub(crate) mod ingest;
pub(crate) mod lake;
pub(crate) mod normalize;
pub(crate) mod query;
pub(crate) mod responder;
pub(crate) mod serve;
pub(crate) mod simulate;
