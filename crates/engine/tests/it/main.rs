//! The engine against the simulators, on virtual time, over real HTTP, with the store in memory.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests, and the figures they found")]

mod actions;
mod connector_test;
mod dead_letters;
mod gap_repair;
mod hot_reload;
mod maintenance;
mod matching;
mod mimecast;
mod recovery;
mod shared_key;
mod side_by_side;
mod stacks;
mod store_failures;
mod troubled;
mod vision;
mod world;
