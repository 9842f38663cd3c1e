//! Behaviour of the catalog on real database files.
#![expect(clippy::unwrap_used, reason = "tests")]

mod budget;
mod connectors;
mod dead_letters;
mod failpoints;
mod holes;
mod keys_and_status;
mod ledger;
mod opening;
mod pages;
mod power;
mod recovery;
mod runs;
mod secrets;
mod stacks;
mod support;
mod tokens;
