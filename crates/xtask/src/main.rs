//! Development tasks, run as `cargo xtask TASK`.
//!
//! Start with [`mod@test`]: it is the gate that every change passes, here and in CI.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a developer reads what the tasks print"
)]

mod bench;
mod codegen;
mod demo;
mod forwarder;
mod moto;
mod prerequisites;
mod python;
mod pytmv1;
mod schemas;
mod steps;
mod test;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::{Result, bail};

use workspace::Workspace;

const USAGE: &str = "\
usage: cargo xtask TASK

  test               every check: format, lints, tidy, generated files, tests, documentation
  demo [ARGUMENT]…   build and start `tarn demo` with these arguments
  bench [ARGUMENT]…  build for release and measure; see docs/benchmarks.md
  codegen [--check]  write (or compare) what is generated from content/ocsf/
  schemas            fetch the OCSF JSON schemas that tests validate against
  moto               install the stand-in for AWS that tests talk to, and cfn-lint
  pytmv1             install the client of Vision One that its simulator is held against
  forwarder          build the CloudTrail client's zips for Lambda
  tidy               the rules of this repository that no other tool checks";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let workspace = Workspace::find()?;
    match arguments.as_slice() {
        ["test"] => test::run(&workspace),
        ["demo", rest @ ..] => demo::run(&workspace, rest),
        ["bench", rest @ ..] => bench::run(&workspace, rest),
        ["codegen"] => codegen::run(&workspace.root, false),
        ["codegen", "--check"] => codegen::run(&workspace.root, true),
        ["schemas"] => {
            prerequisites::ensure()?;
            schemas::ensure(&workspace).map(drop)
        }
        ["moto"] => {
            prerequisites::ensure()?;
            moto::ensure(&workspace).map(drop)
        }
        ["pytmv1"] => {
            prerequisites::ensure()?;
            pytmv1::ensure(&workspace).map(drop)
        }
        ["forwarder"] => {
            prerequisites::ensure()?;
            forwarder::run(&workspace)
        }
        ["tidy"] => tidy::run(&workspace),
        [] | ["help" | "-h" | "--help"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("there is no task `{}`\n\n{USAGE}", arguments.join(" ")),
    }
}
