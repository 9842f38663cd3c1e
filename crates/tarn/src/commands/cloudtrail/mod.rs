//! `tarn cloudtrail`: stacks of AWS accounts, from their link to their end.

mod publish;
mod stacks;
mod template;

use anyhow::Result;
use clap::Subcommand;
use url::Url;

use crate::config::Config;
use crate::error::Outcome;

/// Commands about stacks.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a stack and the link that puts it up
    Link(stacks::LinkArguments),
    /// All stacks and how they are doing
    List(stacks::ListArguments),
    /// A stack and how it is doing
    Show(stacks::Chosen),
    /// Give a stack a new lease, also a revoked one
    Renew(stacks::RenewArguments),
    /// Take a stack back: its client is refused from now on
    Revoke(stacks::Chosen),
    /// Print a stack's template
    Template(template::Arguments),
    /// Put templates and the client's code into a bucket, so that links can be made
    Publish(publish::Arguments),
}

impl Command {
    /// Where the accounts reach the server, where the command says so.
    pub(crate) fn public_url(&self) -> Option<&Url> {
        match self {
            Self::Link(arguments) => arguments.reached.public_url.as_ref(),
            Self::Renew(arguments) => arguments.reached.public_url.as_ref(),
            _ => None,
        }
    }
}

/// Looks after stacks.
///
/// # Errors
/// The catalog, the server or AWS fails.
pub(crate) async fn run(config: &Config, command: Command) -> Result<Outcome> {
    match command {
        Command::Template(arguments) => template::run(arguments),
        Command::Publish(arguments) => publish::run(config, arguments).await,
        Command::Link(arguments) => stacks::link(config, arguments).await,
        Command::List(arguments) => stacks::list(config, arguments).await,
        Command::Show(chosen) => stacks::show(config, chosen).await,
        Command::Renew(arguments) => stacks::renew(config, arguments).await,
        Command::Revoke(chosen) => stacks::revoke(config, chosen).await,
    }
}
