//! What can be typed: the commands, and the flags that all of them share.
//!
//! Only the shape of the command line is decided here; each command's own flags stand beside the
//! command. What a flag leaves open is filled in by `config`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use model::ids::TenantId;
use model::secret::Secret;
use url::Url;

use crate::commands::{
    action, cloudtrail, connector, dead_letters, demo, ingest, lake, normalize, query, responder,
    serve, simulate,
};

const AFTER_HELP: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 partly done.
Try `tarn demo` first: it needs nothing.";

/// Security data platform in one binary: collect, normalise to OCSF, keep, search, and prove that
/// nothing is lost.
#[derive(Debug, Parser)]
#[command(name = "tarn", version, after_help = AFTER_HELP, max_term_width = 100)]
pub(crate) struct Cli {
    /// Flags of every command.
    #[command(flatten)]
    pub(crate) global: Global,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Flags that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Where to work")]
pub(crate) struct Global {
    /// Work on the server at this URL [env: TARN_SERVER]
    #[arg(long, global = true, value_name = "URL", conflicts_with_all = ["data_dir", "lake"])]
    pub(crate) server: Option<Url>,
    /// Access token for the server [env: TARN_TOKEN]
    #[arg(long, global = true, value_name = "TOKEN", value_parser = secret)]
    pub(crate) token: Option<Secret>,
    /// Work on this data directory [env: TARN_DATA_DIR] [default: ./tarn-data]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// Directory of the lake [env: TARN_LAKE] [default: lake in the data directory]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) lake: Option<PathBuf>,
    /// Tenant to act in [env: TARN_TENANT] [default: default]
    #[arg(long, global = true, value_name = "TENANT")]
    pub(crate) tenant: Option<TenantId>,
    /// Configuration file [env: TARN_CONFIG]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Collect, and answer the HTTP API
    Serve(serve::Arguments),
    /// See it work: a fake vendor, a server and a ready-made connector in one process
    Demo(demo::Arguments),
    /// Import files of records
    Ingest(ingest::Arguments),
    /// Turn records into OCSF events without storing them
    Normalize(normalize::Arguments),
    /// Search the events
    Query(query::Arguments),
    /// Set up vendor accounts and look after them
    #[command(subcommand)]
    Connector(connector::Command),
    /// Look at the lake, prove that it is whole, and look after it
    #[command(subcommand)]
    Lake(lake::Command),
    /// Records that could not become events
    #[command(subcommand)]
    DeadLetters(dead_letters::Command),
    /// Onboard AWS accounts for CloudTrail: links, stacks, templates
    #[command(subcommand)]
    Cloudtrail(cloudtrail::Command),
    /// Act at the vendors, and see what became of it
    #[command(subcommand)]
    Action(action::Command),
    /// Webhooks of your own: templates, documents, tests
    #[command(subcommand)]
    Responder(responder::Command),
    /// Run a fake vendor
    Simulate(simulate::Arguments),
}

#[expect(clippy::unnecessary_wraps, reason = "the shape that clap asks for")]
fn secret(text: &str) -> Result<Secret, String> {
    Ok(Secret::new(text))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
