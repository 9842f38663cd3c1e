//! Drives the simulators through their routers, as a client would.
#![expect(clippy::unwrap_used, reason = "test code")]

mod client;
mod control;
mod delivery;
mod keys_and_quota;
mod mimecast;
mod misleading_pages;
mod retrieval;
mod vision;
mod vision_actions;
mod vision_delivery;
mod vision_pytmv1;
mod vision_sandbox;
mod vision_state;
mod vision_tasks;
mod wire;
