//! The use cases of Tarn behind one [`app::App`]: collect, take in, import, search,
//! verify, and tend.
//!
//! The CLI and the HTTP API both call `App` and nothing else. The lake and the vendors are reached
//! through their ports only. Start with [`app`], then [`collect`] for the road of a record.

pub mod access;
pub mod actions;
pub mod app;
pub mod budget;
pub mod clock;
pub mod collect;
pub mod connectors;
pub mod dead_letters;
pub mod error;
pub mod hunt;
pub mod import;
pub mod lake;
pub mod maintenance;
pub mod recovery;
mod replayed_document;
pub mod retention;
pub mod stacks;
