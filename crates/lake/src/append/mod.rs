//! Appending: one task gathers batches into groups and commits each group at once.
//!
//! [`writer`] gathers, [`settle`] decides the fate of every record of a group, [`seen`] knows which
//! uids are stored, [`build`] normalises and encodes, [`publish`] puts files and commits tables.

pub(crate) mod build;
pub(crate) mod fate;
pub(crate) mod publish;
pub(crate) mod seen;
pub(crate) mod settle;
pub(crate) mod writer;
