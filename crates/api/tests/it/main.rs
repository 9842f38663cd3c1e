//! The API from outside: requests into the router, status and body out of it.
#![expect(clippy::unwrap_used, reason = "tests")]

mod access;
mod actions;
mod connectors;
mod documents;
mod events;
mod forwarder;
mod lake;
mod openapi;
mod query;
mod responders;
mod runs;
mod server;
mod stacks;
mod status;
mod store;
mod support;
