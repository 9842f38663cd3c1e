//! The binary and whole scenarios, each area in its module.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests, and the figures they found")]

mod actions_killed;
mod cli;
mod cloud_activity;
mod cloudtrail;
mod conformance;
mod crash;
mod forwarded;
mod from_outside;
mod hunting;
mod lost_catalog;
mod normalize;
mod onboarding;
mod pushed;
mod responding;
mod scenario_s2;
mod support;
mod two_writers;
