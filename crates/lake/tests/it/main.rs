//! The lake through its port, on temporary directories.
#![expect(clippy::unwrap_used, reason = "tests")]

mod append;
mod clean_up;
mod compaction;
mod damage;
mod failpoints;
mod flicker;
mod latest;
mod power;
mod queries;
mod retention;
mod snapshots;
mod sql;
mod support;
mod verify;
mod wall;
