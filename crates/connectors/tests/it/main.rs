//! Integration tests of the crate: the client against servers that behave and servers that do not, the
//! mapping against samples and arbitrary data, transforms, and file formats.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests")]

mod cas_actions;
mod cloudtrail;
mod faults;
mod formats;
mod golden;
mod memory_journal;
mod mimecast;
mod ocsf;
mod onboarding;
mod paging;
mod properties;
mod proxies;
mod secrets;
mod servers;
mod settings;
mod support;
mod tls;
#[cfg(feature = "transforms")]
mod transforms;
mod vision;
