//! The Delta tables: one per class, each with its log and the state that follows from it.
//!
//! [`log`] reads and writes entries, [`state`] is what they add up to, [`snapshot`] keeps that sum so
//! that older entries may go, [`tables`] holds the states of all classes, [`data`] reads data files
//! with the plain Parquet reader.

pub(crate) mod checkpoint;
pub(crate) mod data;
pub(crate) mod entry;
pub(crate) mod file;
pub(crate) mod log;
pub(crate) mod snapshot;
pub(crate) mod state;
pub(crate) mod tables;
pub(crate) mod tally;
