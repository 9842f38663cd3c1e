//! `tarn simulate`: a fake vendor that misbehaves on demand.

use anyhow::{Context as _, Result};
use clap::Args;
use serde_json::json;
use simulators::{Options, Volume};
use tokio::net::TcpListener;

use crate::error::{Failure, Outcome};
use crate::output::{self, Format, column};
use crate::shutdown;

/// Flags of `simulate`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The vendor: trend_micro_cas, trend_vision_one or mimecast
    #[arg(value_name = "VENDOR")]
    vendor: String,
    /// List the faults and end
    #[arg(long)]
    faults: bool,
    /// How the list of faults is printed
    #[arg(long, value_enum, default_value_t, requires = "faults")]
    format: Format,
    /// Address and port to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9001")]
    listen: String,
    /// The same seed makes the same records
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// This many records over all streams, then silence
    #[arg(long, value_name = "N", conflicts_with = "rate")]
    events: Option<u64>,
    /// Records per stream and hour, for ever [default: 60]
    #[arg(long, value_name = "R")]
    rate: Option<f64>,
    /// Misbehave; may be given several times
    #[arg(long = "fault", value_name = "NAME=VALUE", value_parser = fault)]
    chosen: Vec<(String, String)>,
}

fn fault(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write NAME=VALUE")?;
    Ok((name.trim().to_owned(), value.trim().to_owned()))
}

/// Runs the simulator until it is stopped.
///
/// # Errors
/// The vendor or a fault is unknown, or the address cannot be listened on.
pub(crate) async fn run(arguments: Arguments) -> Result<Outcome> {
    if arguments.faults {
        return list(&arguments);
    }
    let volume = match (arguments.events, arguments.rate) {
        (Some(events), _) => Volume::Events(events),
        (None, Some(rate)) => Volume::PerHour(rate),
        (None, None) => Options::default().volume,
    };
    let options =
        Options { seed: arguments.seed, volume, faults: arguments.chosen, ..Options::default() };
    let simulator = simulators::simulator(&arguments.vendor, options).map_err(|error| {
        Failure::usage(format!("the simulator `{}` cannot be started", arguments.vendor))
            .hint(format!("`tarn simulate {} --faults` lists the faults", arguments.vendor))
            .cause(error)
    })?;
    let listener = bind(&arguments.listen).await?;
    output::line(format!("http://{}", listener.local_addr()?))?;
    simulator.serve(listener, shutdown::asked()).await.context("the simulator failed")?;
    Ok(Outcome::Done)
}

/// Listens on an address.
///
/// # Errors
/// The address is none, or something else listens there.
pub(crate) async fn bind(address: &str) -> Result<TcpListener> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::new(format!("failed to listen on `{address}`"))
            .hint("choose another address with `--listen`; port 0 takes a free one")
            .cause(error)
            .into()
    })
}

fn list(arguments: &Arguments) -> Result<Outcome> {
    let Some(faults) = simulators::fault_list(&arguments.vendor) else {
        return Err(Failure::usage(format!("unknown vendor `{}`", arguments.vendor))
            .hint(format!("write one of: {}", simulators::vendor_names().join(", ")))
            .into());
    };
    let rows: Vec<_> = faults
        .iter()
        .map(|fault| {
            json!({
                "name": fault.name, "default": fault.default, "accepts": fault.accepts,
                "help": fault.help,
            })
        })
        .collect();
    let columns = [
        column("NAME", "name"),
        column("DEFAULT", "default"),
        column("ACCEPTS", "accepts"),
        column("WHAT IT DOES", "help"),
    ];
    output::list(arguments.format, &columns, &rows)?;
    Ok(Outcome::Done)
}
