//! `tarn serve`: collect, and answer the HTTP API, until asked to stop.

use anyhow::Result;
use clap::Args;
use url::Url;

use crate::config::Config;
use crate::error::Outcome;
use crate::hosting::Host;
use crate::output;

/// Flags of `serve`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Address and port to listen on [env: TARN_LISTEN] [default: 127.0.0.1:8717]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,
    /// Where others reach this server, for links [env: TARN_PUBLIC_URL] [default: as requests say]
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<Url>,
}

/// Serves.
///
/// # Errors
/// The address or the data directory is in use, or something cannot be opened.
pub(crate) async fn run(config: &Config) -> Result<Outcome> {
    let host = Host::open(config).await?;
    if let Some(token) = &host.token {
        output::note(format!("admin token: {}", token.expose()));
        output::note("it is shown this once; keep it");
    }
    output::note(format!("listening on {}", host.url()));
    host.run().await?;
    Ok(Outcome::Done)
}
