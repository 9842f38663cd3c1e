//! The engine against the simulators, on virtual time, over real HTTP, with the store in memory.

mod connector_test;
mod gap_repair;
mod hot_reload;
mod recovery;
mod shared_key;
mod world;
