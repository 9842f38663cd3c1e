//! Logs to stderr, as the filter and the format say.

use std::io::{self, IsTerminal as _};

use anyhow::Result;
use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat};
use crate::error::Failure;

/// What is logged by a process that stays: our own steps, and what others warn of.
const STAYING: &str =
    "warn,tarn=info,api=info,engine=info,lake=info,catalog=info,connectors=info,query=info";
/// What is logged by a command that ends.
const PASSING: &str = "error,tarn=warn,engine=warn,lake=warn,catalog=warn,connectors=warn";

/// Starts logging.
///
/// # Errors
/// The filter is none.
pub(crate) fn start(config: &Config, stays: bool) -> Result<()> {
    let default = if stays { STAYING } else { PASSING };
    let directives = config.log.as_deref().unwrap_or(default);
    let filter = EnvFilter::try_new(directives).map_err(|error| {
        Failure::usage(format!("the log filter `{directives}` cannot be used"))
            .hint("write a level such as `info`, or directives such as `info,engine=debug`")
            .cause(error)
    })?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let started = match config.log_format {
        LogFormat::Text => log.with_ansi(io::stderr().is_terminal()).try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| Failure::new("failed to start logging").cause(error).into())
}
