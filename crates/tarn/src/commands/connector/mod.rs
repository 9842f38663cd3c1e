//! `tarn connector`: vendor accounts from the catalogue to their ledger.
//!
//! Both roads print the same rows: what a data directory gives is shaped as the server's answers.

mod catalogue;
mod create;
mod documents;
mod overview;
mod preview;
mod switch;
mod work;

use anyhow::Result;
use clap::{Args, Subcommand};
use model::ids::ConnectorName;

use crate::config::Config;
use crate::error::Outcome;
use crate::output::Format;

/// Commands about connectors.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The integrations of this build and what each needs
    Types(catalogue::Arguments),
    /// All connectors with their state
    List(Listing),
    /// A connector's document, secrets masked; `apply` takes it again
    Show(documents::ShowArguments),
    /// Make one connector from flags
    Create(Box<create::Arguments>),
    /// Make connectors what a file says, and print the plan
    Apply(documents::ApplyArguments),
    /// Ask the vendor once for each content type; exit code 1 when it fails
    Test(Named),
    /// Collect now, until everything up to now is read; exit code 3 when streams are left
    Run(Named),
    /// How each stream is and how far it has come
    Status(overview::StatusArguments),
    /// Read older history
    Backfill(work::BackfillArguments),
    /// What a transform would do to the last stored records
    Preview(preview::Arguments),
    /// Collect again
    Enable(Named),
    /// Stop collecting; cursors stay
    Disable(Named),
    /// Delete a connector, its secrets and cursors; what it collected stays
    Delete(Named),
}

/// One connector.
#[derive(Debug, Args)]
pub(crate) struct Named {
    /// The connector
    #[arg(value_name = "NAME")]
    name: ConnectorName,
    /// How the answer is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A list.
#[derive(Debug, Args)]
pub(crate) struct Listing {
    /// How the list is printed
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// Carries a command out.
///
/// # Errors
/// Says what could not be done.
pub(crate) async fn run(config: &Config, command: Command) -> Result<Outcome> {
    match command {
        Command::Types(arguments) => catalogue::types(config, arguments).await,
        Command::List(listing) => overview::list(config, listing.format).await,
        Command::Show(arguments) => documents::show(config, arguments).await,
        Command::Create(arguments) => create::create(config, *arguments).await,
        Command::Apply(arguments) => documents::apply(config, arguments).await,
        Command::Test(named) => work::test(config, named).await,
        Command::Run(named) => work::run(config, named).await,
        Command::Status(arguments) => overview::status(config, arguments).await,
        Command::Backfill(arguments) => work::backfill(config, arguments).await,
        Command::Preview(arguments) => preview::preview(config, arguments).await,
        Command::Enable(named) => switch::set(config, named, true).await,
        Command::Disable(named) => switch::set(config, named, false).await,
        Command::Delete(named) => switch::delete(config, named).await,
    }
}
