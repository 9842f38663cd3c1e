//! The binary and whole scenarios, each area in its module.
#![expect(clippy::unwrap_used, reason = "tests")]

mod cli;
mod scenario_s2;
mod support;
