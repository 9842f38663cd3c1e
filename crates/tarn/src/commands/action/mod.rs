//! `tarn action`: what can be done at the vendors, doing it, and what became of it.

mod asked;
mod guard;
mod history;
mod run;

use anyhow::Result;
use clap::Subcommand;

use crate::config::Config;
use crate::error::Outcome;

pub(crate) use asked::parameter;
pub(crate) use run::{RunArguments, run as run_action};

/// Commands about actions.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The actions of this build
    List(run::ListArguments),
    /// An action with the schema of what it takes and answers
    Show(run::ShowArguments),
    /// Run an action, and wait for its end
    Run(Box<RunArguments>),
    /// What was run, the newest first
    History(history::HistoryArguments),
    /// One run with every request that it sent
    Status(history::Chosen),
    /// Take back what a run did
    Revert(history::RevertArguments),
    /// Do a run again: what did not succeed, or what is given instead
    Retry(history::RetryArguments),
    /// Stop a run; what the vendor has accepted goes on there
    Cancel(history::Chosen),
    /// Go on with the runs that a stopped process left behind
    Resume(history::ResumeArguments),
    /// Protect entities from every action that takes something away
    Protect(guard::ProtectArguments),
    /// End a protection
    Unprotect(guard::UnprotectArguments),
    /// What is protected
    Protected(guard::ListArguments),
    /// Let an action take away only so many things in an hour
    Cap(guard::CapArguments),
    /// Lift a cap
    Uncap(guard::UncapArguments),
    /// The caps
    Caps(guard::ListArguments),
    /// What actions learned about an entity
    Entity(guard::EntityArguments),
}

/// Looks after actions.
///
/// # Errors
/// The catalog, the server or the vendor fails.
pub(crate) async fn run(config: &Config, command: Command) -> Result<Outcome> {
    match command {
        Command::List(arguments) => run::list(config, arguments).await,
        Command::Show(arguments) => run::show(config, arguments).await,
        Command::Run(arguments) => run_action(config, *arguments).await,
        Command::History(arguments) => history::list(config, arguments).await,
        Command::Status(chosen) => history::status(config, chosen).await,
        Command::Revert(arguments) => history::revert(config, arguments).await,
        Command::Retry(arguments) => history::retry(config, arguments).await,
        Command::Cancel(chosen) => history::cancel(config, chosen).await,
        Command::Resume(arguments) => history::resume(config, arguments).await,
        Command::Protect(arguments) => guard::protect(config, arguments).await,
        Command::Unprotect(arguments) => guard::unprotect(config, arguments).await,
        Command::Protected(arguments) => guard::protected(config, arguments).await,
        Command::Cap(arguments) => guard::cap(config, arguments).await,
        Command::Uncap(arguments) => guard::uncap(config, arguments).await,
        Command::Caps(arguments) => guard::caps(config, arguments).await,
        Command::Entity(arguments) => guard::entity(config, arguments).await,
    }
}
