//! The lake through its port, on temporary directories.
#![expect(clippy::unwrap_used, reason = "tests")]

mod append;
mod damage;
mod failpoints;
mod latest;
mod power;
mod queries;
mod sql;
mod support;
mod verify;
