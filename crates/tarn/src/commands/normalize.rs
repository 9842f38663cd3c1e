//! `tarn normalize`: records in, one OCSF event per line out. Touches no lake and no data directory.

use anyhow::Result;
use clap::Args;

use crate::commands::ingest;
use crate::config::Config;
use crate::error::Outcome;
use crate::inputs;
use crate::output::{self, Out};
use crate::wiring::Local;

/// Flags of `normalize`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What the records are: `integration.content_type`
    #[arg(long, value_name = "SOURCE")]
    source: String,
    /// Files, directories or s3:// URLs of JSON, JSON arrays, NDJSON or saved pages, also gzipped; `-` is stdin
    #[arg(value_name = "FILE", default_value = "-")]
    files: Vec<String>,
}

/// Normalises.
///
/// # Errors
/// The source is unknown, a file cannot be opened, or the output cannot be written.
pub(crate) async fn run(config: &Config, arguments: Arguments) -> Result<Outcome> {
    let local = Local::bare(config).await?;
    let reading = local.app.reading(&arguments.source)?;
    let mut out = Out::new();
    let (mut unusable, mut passed_over) = (0_u64, 0_u64);
    for input in inputs::expand(&arguments.files).await? {
        let name = input.name();
        let mut events = reading.normalise(&name, input.open().await?)?;
        for (index, item) in events.by_ref().enumerate() {
            match item {
                Ok(event) => out.json_line(&event)?,
                Err(dead) => {
                    unusable += 1;
                    output::note(format!("{name}: record {}: {}", index + 1, dead.reason));
                }
            }
        }
        passed_over += events.passed_over();
    }
    ingest::tell_passed_over(passed_over);
    out.flush()?;
    Ok(if unusable == 0 { Outcome::Done } else { Outcome::Partly })
}
