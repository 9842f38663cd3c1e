//! `tarn responder`: webhooks from templates or by hand, tested, applied, previewed, run.

mod documents;
mod overview;

use anyhow::Result;
use clap::Subcommand;
pub(crate) use documents::edited;

use crate::commands::action::{RunArguments, run_action};
use crate::config::Config;
use crate::error::Outcome;

/// Commands about responders.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The templates that responders can be made from
    Templates(overview::ListArguments),
    /// The responders of the tenant
    List(overview::ListArguments),
    /// A responder's document, secrets masked
    Show(overview::Chosen),
    /// Apply a file of responders; prints the plan
    Apply(documents::ApplyArguments),
    /// Run the tests that stand in a file of responders or a template; nothing is sent
    Test(documents::TestArguments),
    /// Delete a responder; its runs stay in the history
    Delete(overview::Chosen),
    /// What a responder would send for a record; nothing is sent
    Preview(Box<documents::PreviewArguments>),
    /// Run a responder, and wait for its end
    Run(Box<RunArguments>),
}

/// Looks after responders.
///
/// # Errors
/// The catalog, the server or a document fails.
pub(crate) async fn run(config: &Config, command: Command) -> Result<Outcome> {
    match command {
        Command::Templates(arguments) => overview::templates(config, arguments).await,
        Command::List(arguments) => overview::list(config, arguments).await,
        Command::Show(chosen) => overview::show(config, chosen).await,
        Command::Apply(arguments) => documents::apply(config, arguments).await,
        Command::Test(arguments) => documents::test(config, arguments).await,
        Command::Delete(chosen) => overview::delete(config, chosen).await,
        Command::Preview(arguments) => documents::preview(config, *arguments).await,
        Command::Run(arguments) => run_action(config, arguments.of_responder()).await,
    }
}
