//! Drives the simulators through their routers, as a client would.
#![expect(clippy::unwrap_used, reason = "test code")]

mod cas_blocklist;
mod cas_faults;
mod cas_mitigation;
mod cas_sweep;
mod client;
mod control;
mod delivery;
mod keys_and_quota;
mod mimecast;
mod misleading_pages;
mod retrieval;
mod vision;
mod wire;
