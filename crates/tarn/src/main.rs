//! The binary: one process per command.
//!
//! It reads the flags, runs the command, and turns what came of it into an exit code. Start with
//! `cli` for what can be typed, `wiring` for what a process is made of, `commands` for the rest.

mod cli;
mod commands;
mod config;
mod data_dir;
mod env;
mod error;
mod hosting;
mod inputs;
mod logging;
mod moment;
mod output;
mod progress;
mod remote;
mod shutdown;
mod target;
mod wiring;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Parser as _;

use crate::cli::{Cli, Command};
use crate::config::Config;
use crate::error::{Failure, Outcome};

/// Records are made by one thread and dropped by another. The system's allocator keeps for each thread what the
/// others gave back, which made an import take two to three times the memory that it used.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Plans of deeply nested queries are walked by recursion.
const STACK_BYTES: usize = 16 << 20;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Where it goes is closed: then nobody wants to read it.
            drop(error.print());
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match started(cli) {
        Ok(outcome) => ExitCode::from(outcome.code()),
        Err(error) => {
            let code = error::exit_code(&error);
            if code != 0 {
                output::note(format!("error: {}", model::causes::chain(error.as_ref())));
                if let Some(hint) = error::hint(&error) {
                    output::note(format!("hint: {hint}"));
                }
            }
            ExitCode::from(code)
        }
    }
}

fn started(cli: Cli) -> Result<Outcome> {
    let _armed = model::failpoint::arm_from_environment();
    let listen = match &cli.command {
        Command::Serve(arguments) => arguments.listen.as_deref(),
        Command::Demo(arguments) => arguments.listen.as_deref(),
        _ => None,
    };
    let public_url = match &cli.command {
        Command::Serve(arguments) => arguments.public_url.as_ref(),
        Command::Cloudtrail(command) => command.public_url(),
        _ => None,
    };
    let config = Config::load(&cli.global, listen, public_url)?;
    let stays = matches!(cli.command, Command::Serve(_) | Command::Demo(_));
    if stays && cli.global.server.is_some() {
        return Err(Failure::usage("this command runs a server, it does not ask one")
            .hint("leave `--server` out")
            .into());
    }
    logging::start(&config, stays)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK_BYTES)
        .build()
        .context("failed to start the runtime")?
        .block_on(run(cli, config))
}

async fn run(cli: Cli, config: Config) -> Result<Outcome> {
    let Cli { global, command } = cli;
    match command {
        Command::Serve(_) => Box::pin(commands::serve::run(&config)).await,
        Command::Demo(_) => {
            Box::pin(commands::demo::run(config, global.data_dir, global.lake)).await
        }
        Command::Ingest(arguments) => Box::pin(commands::ingest::run(&config, arguments)).await,
        Command::Normalize(arguments) => {
            Box::pin(commands::normalize::run(&config, arguments)).await
        }
        Command::Query(arguments) => Box::pin(commands::query::run(&config, arguments)).await,
        Command::Connector(command) => Box::pin(commands::connector::run(&config, command)).await,
        Command::Lake(command) => Box::pin(commands::lake::run(&config, command)).await,
        Command::DeadLetters(command) => {
            Box::pin(commands::dead_letters::run(&config, command)).await
        }
        Command::Action(command) => Box::pin(commands::action::run(&config, command)).await,
        Command::Cloudtrail(command) => Box::pin(commands::cloudtrail::run(&config, command)).await,
        Command::Responder(command) => Box::pin(commands::responder::run(&config, command)).await,
        Command::Simulate(arguments) => Box::pin(commands::simulate::run(arguments)).await,
    }
}
