//! Integration tests of the crate: portions, the token's life with a crash at each step, and the built binary as a
//! function and as a daemon against AWS as moto plays it and a server that fails on purpose.
#![expect(clippy::unwrap_used, clippy::disallowed_methods, clippy::print_stdout, reason = "tests")]

mod bodies;
mod bootstrap;
mod daemon;
mod function;
mod portions;
mod refusals;
mod support;
mod token;
