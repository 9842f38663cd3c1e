//! Pulling: a queue tells of new objects, and a listing of the bucket finds those of which the news was lost.
//!
//! Start at [`connection`]. A queue is read by [`reception`]: [`notification`] says what a message means, [`object`]
//! reads what it announces, [`intake`] lets it gather for the engine. [`listing`] walks over a bucket, and
//! [`reconciliation`] reads what it finds. [`session`] is who asks, [`failure`] what refusals mean. [`trail`] is the
//! door for the client that sends records on. AWS's own crates are named here and nowhere else in this crate.

mod address;
mod body;
mod connection;
mod failure;
mod intake;
mod key;
mod listing;
mod memory;
mod notification;
mod object;
mod queue;
mod reception;
mod reconciliation;
mod s3_files;
mod session;
mod settings;
pub mod trail;

pub(super) use connection::CloudTrailConnection;
pub use s3_files::{S3File, S3Files};
