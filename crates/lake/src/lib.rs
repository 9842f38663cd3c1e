//! The lake: Delta tables on local disks, exact dedup, and queries inside one tenant's wall.
//!
//! The only crate that names DataFusion, Delta, Arrow, Parquet and `object_store`. Everything enters and
//! leaves through the port [`::query::store::EventStore`], which [`Lake`] implements. Start with
//! `append::settle` for the way in, `query` for the way out and `maintenance` for what is done between.

mod append;
mod columns;
mod commits;
mod durable;
mod error;
mod failpoint;
mod maintenance;
mod query;
mod stats;
mod store;
mod table;
mod verify;

pub use durable::{Disk, LocalDisk};
pub use store::{Lake, LakeOptions};
