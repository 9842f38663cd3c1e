//! Measures the product: `bench [NAME…]` prints one line per figure.
//!
//! Start with [`figures`]: one file per figure. Run it through `cargo xtask bench`, which builds this
//! program and the server for release first.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures are printed for whoever measures"
)]

mod figures;
mod floor;
mod history;
mod http;
mod measured;
mod pages;
mod processor;
mod rivals;
mod rows;
mod server;
mod setting;
mod source;
mod virtual_time;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use engine::clock::SystemClock;
use model::clock::Clock as _;

use figures::{FIGURES, ON_REQUEST};
use setting::Setting;

/// Measures the product, one line per figure.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    /// The figures to measure; all but `ingest` and `growth` when none is named
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// Measure nothing: load the folders that are named into this one, as barely as can be
    #[arg(long, value_name = "DIR", hide = true)]
    bare: Option<PathBuf>,
    /// Print one JSON object per figure
    #[arg(long)]
    json: bool,
    /// Directory to work in, on the disk that is to be measured; left as it was found
    #[arg(long, value_name = "DIR", default_value = ".")]
    place: PathBuf,
    /// The server's binary; the one beside this program when it is not given
    #[arg(long, value_name = "FILE")]
    tarn: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<()> {
    if let Some(bare) = &arguments.bare {
        return floor::trail::load(&arguments.names, bare);
    }
    let all = || FIGURES.iter().chain(ON_REQUEST);
    let known = || all().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    if let Some(name) = arguments.names.iter().find(|name| !all().any(|(n, _)| n == name)) {
        bail!("there is no figure `{name}`; there are {}", known());
    }
    let setting = Setting::new(&arguments.place, arguments.tarn.as_deref())?;
    let is_wanted = |name: &str| arguments.names.iter().any(|wanted| wanted == name);
    let by_default = FIGURES.iter().filter(|_| arguments.names.is_empty());
    let by_name = all().filter(|(name, _)| is_wanted(name));
    for (name, measure) in by_default.chain(by_name) {
        eprintln!("measuring {name} …");
        let figures = measure(&setting).with_context(|| format!("failed to measure `{name}`"))?;
        for figure in figures {
            let line = if arguments.json {
                figure.json(&setting.machine, &SystemClock.now().to_string())?
            } else {
                figure.line(&setting.machine)
            };
            println!("{line}");
        }
    }
    Ok(())
}
