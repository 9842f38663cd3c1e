//! The Delta tables: one per class, each with its log and the state that follows from it.
//!
//! [`log`] reads and writes entries, [`state`] is what they add up to, [`tables`] holds the states of
//! all classes, [`data`] reads data files with the plain Parquet reader.

pub(crate) mod data;
pub(crate) mod entry;
pub(crate) mod log;
pub(crate) mod state;
pub(crate) mod tables;
