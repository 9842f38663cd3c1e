//! Everything that talks to vendors or knows their data: one folder per integration, and what they share.
//!
//! Start at [`Registry`]; then read [`client`], the only way to a vendor, and `trend_micro_cas`, the
//! first integration. [`transform`] wraps a mapping in a user's own program, [`formats`] reads saved
//! records from files. Nothing here names the lake or the catalog.

pub mod action;
mod attack;
mod aws_cloudtrail;
pub mod client;
mod cutting;
pub mod formats;
mod mimecast;
mod parameters;
mod registry;
#[cfg(feature = "transforms")]
pub mod transform;
mod trend_micro_cas;
mod trend_vision_one;
pub mod webhook;

pub use aws_cloudtrail::{S3File, S3Files, onboarding, trail};
pub use registry::Registry;
