//! `tarn ingest`: bulk import of files, also of those in a bucket. Its last line on stdout is the ledger line.

use std::io::{self, Read};
use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use anyhow::{Context as _, Result};
use clap::Args;
use futures::{StreamExt as _, stream};
use indicatif::ProgressBar;
use model::ledger::Counts;
use reqwest::Body;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::config::Config;
use crate::error::{Failure, Outcome};
use crate::inputs::{self, Input};
use crate::output::{self, Format};
use crate::progress;
use crate::remote::Remote;
use crate::target::Target;
use crate::wiring::Local;

/// Bytes that are sent to a server at once.
const CHUNK: usize = 256 << 10;

/// Files that are under way side by side, so that the appends of small ones go together. As many as there are
/// processors are read at the same time: more would not be faster, and each costs the memory of a thread.
const SIDE_BY_SIDE: usize = 8;

/// Flags of `ingest`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// What the records are: `integration.content_type`
    #[arg(long, value_name = "SOURCE")]
    source: String,
    /// How the ledger line is printed: `table` is the plain line
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Files, directories or s3:// URLs of JSON, JSON arrays, NDJSON or saved pages, also gzipped;
    /// `-` is stdin
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<String>,
}

/// Imports.
///
/// # Errors
/// The source is unknown, a path cannot be read, or the lake fails. What was imported before stays.
pub(crate) async fn run(config: &Config, arguments: Arguments) -> Result<Outcome> {
    let inputs = inputs::expand(&arguments.paths).await?;
    let target = Target::open(config).await?;
    let imported = import(&target, config, &arguments.source, &inputs).await;
    target.close().await;
    let Imported { counts, conflicts, passed_over } = imported?;
    tell_passed_over(passed_over);
    if conflicts > 0 {
        output::note(format!(
            "another writer of the lake committed first (conflicts={conflicts}): looked up again, \
             nothing is stored twice"
        ));
    }
    print(arguments.format, counts)?;
    if counts.dead_lettered == 0 {
        return Ok(Outcome::Done);
    }
    output::note(format!(
        "{} records could not become events; `tarn dead-letters list` says why",
        counts.dead_lettered
    ));
    Ok(Outcome::Partly)
}

/// Says how many documents were no records, if there were any.
pub(crate) fn tell_passed_over(count: u64) {
    if count > 0 {
        let what = if count == 1 { "document holds" } else { "documents hold" };
        output::note(format!("{count} {what} no records, such as digests: passed over"));
    }
}

/// Prints the ledger line, or the same keys as JSON or CSV.
pub(crate) fn print(format: Format, counts: Counts) -> Result<()> {
    let value = serde_json::to_value(counts)?;
    match format {
        Format::Table => output::line(counts.to_string()),
        Format::Json | Format::Ndjson => output::line(value.to_string()),
        Format::Csv => output::list(format, &COUNTS, &[value]),
    }
}

const COUNTS: [output::Column; 5] = [
    output::column("SERVED", "served"),
    output::column("STORED", "stored"),
    output::column("DUPLICATE", "duplicate"),
    output::column("FILTERED", "filtered"),
    output::column("DEAD-LETTERED", "dead_lettered"),
];

/// What became of the files so far.
#[derive(Debug, Clone, Copy, Default)]
struct Imported {
    counts: Counts,
    conflicts: u64,
    passed_over: u64,
}

async fn import(
    target: &Target,
    config: &Config,
    source: &str,
    inputs: &[Input],
) -> Result<Imported> {
    let sizes: Option<Vec<u64>> = inputs.iter().map(Input::size).collect();
    let bar = progress::bytes(sizes.map(|sizes| sizes.iter().sum()), "importing");
    let readers = Arc::new(Semaphore::new(thread::available_parallelism().map_or(2, NonZero::get)));
    let imports = stream::iter(inputs).map(|input| async {
        let imported = match target {
            Target::Local(local) => {
                let turn = readers.clone().acquire_owned().await?;
                import_here(local, config, source, input, turn, &bar).await
            }
            Target::Remote(remote) => upload(remote, source, input, &bar).await,
        };
        imported.with_context(|| format!("failed to import `{}`", input.name()))
    });
    let mut imports = std::pin::pin!(imports.buffer_unordered(SIDE_BY_SIDE));
    let (mut done, mut total) = (0_usize, Imported::default());
    while let Some(imported) = imports.next().await {
        match imported {
            Ok(imported) => {
                total.counts += imported.counts;
                total.conflicts += imported.conflicts;
                total.passed_over += imported.passed_over;
            }
            Err(error) => {
                bar.finish_and_clear();
                if done > 0 {
                    let (all, counts) = (inputs.len(), total.counts);
                    output::note(format!("{done} of {all} files are imported: {counts}"));
                }
                return Err(error);
            }
        }
        done += 1;
    }
    bar.finish_and_clear();
    Ok(total)
}

async fn import_here(
    local: &Local,
    config: &Config,
    source: &str,
    input: &Input,
    turn: OwnedSemaphorePermit,
    bar: &ProgressBar,
) -> Result<Imported> {
    let reading = local.app.reading(source)?;
    let reader = InTurn { input: bar.wrap_read(input.open().await?), _turn: turn };
    let told = |standing: engine::import::Progress| bar.set_message(standing.counts.to_string());
    let name = input.name();
    let import = local.app.import(&reading, &config.tenant, &name, reader, told);
    let engine::import::Progress { counts, conflicts, passed_over, .. } = import.await?;
    Ok(Imported { counts, conflicts, passed_over })
}

/// A file whose turn it is to be read. Whoever drops it lets the next one be read.
struct InTurn<R> {
    input: R,
    _turn: OwnedSemaphorePermit,
}

impl<R: Read> Read for InTurn<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.input.read(buffer)
    }
}

/// Sends the bytes of a file as they are; the server reads them as an import here would.
async fn upload(
    remote: &Remote,
    source: &str,
    input: &Input,
    bar: &ProgressBar,
) -> Result<Imported> {
    let name = input.name();
    let reader = bar.wrap_read(input.open().await?);
    let chunks = stream::unfold(Some(reader), async |reader| {
        let mut reader = reader?;
        let read = tokio::task::spawn_blocking(move || {
            let mut chunk = Vec::with_capacity(CHUNK);
            let read = reader.by_ref().take(CHUNK as u64).read_to_end(&mut chunk);
            (read, chunk, reader)
        });
        match read.await {
            Ok((Ok(0), ..)) => None,
            Ok((Ok(_), chunk, reader)) => Some((Ok(chunk), Some(reader))),
            Ok((Err(error), ..)) => Some((Err(error), None)),
            Err(error) => Some((Err(std::io::Error::other(error)), None)),
        }
    });
    let told = |standing: &serde_json::Value| {
        if let Ok(counts) = counts(standing) {
            bar.set_message(counts.to_string());
        }
    };
    let parameters = [("source", source), ("name", name.as_str())];
    let body = Body::wrap_stream(chunks);
    let answer = remote.upload(&["events"], &parameters, body, told).await?;
    let conflicts = answer["conflicts"].as_u64().unwrap_or(0);
    let passed_over = answer["passed_over"].as_u64().unwrap_or(0);
    Ok(Imported { counts: counts(&answer)?, conflicts, passed_over })
}

/// Reads the counts out of an answer of the server.
pub(crate) fn counts(answer: &serde_json::Value) -> Result<Counts> {
    serde_json::from_value(answer["counts"].clone())
        .map_err(|error| Failure::new("the server's answer has no counts").cause(error))
        .context("failed to read what was imported")
}
