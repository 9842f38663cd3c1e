//! `ingest`: what `tarn ingest` costs for CloudTrail's objects, as a process of its own, against a bare
//! program and two others that load the same files. All by the processor's time, which other work on
//! the machine changes little.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use bench::corpus::cloudtrail::{self, OBJECT_RECORDS, Trail, Written};
use bench::report::{Aim, Figure, number};

use crate::measured::{self, Usage};
use crate::rivals::Rivals;
use crate::rows;
use crate::setting::Setting;
use crate::source::{SEED, START};

/// What the records are to the product.
const SOURCE: &str = "aws_cloudtrail.records";
/// Objects of the corpus: a million records of one day.
const OBJECTS: u64 = 200;
/// Of them, those that the slower programs load.
const FEW: u64 = 40;
/// Milliseconds between records.
const STEP_MS: u64 = 86;
const MOST_BYTES: f64 = 1e9;

/// The trail that all figures of this file read.
pub(super) fn trail() -> Trail {
    Trail::new(SEED, START, STEP_MS)
}

/// Measures.
pub(crate) fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let place = setting.directory("ingest")?;
    let (few, rest) = (place.path().join("few"), place.path().join("rest"));
    let first = cloudtrail::write(trail(), 0..FEW, &few)?;
    let second = cloudtrail::write(trail(), FEW..OBJECTS, &rest)?;
    let folders = [few.as_path(), rest.as_path()];
    let corpus = together(first, second);

    let data_dir = place.path().join("data");
    let once = ingest(setting, &data_dir, &folders)?;
    ensure!(once.stored == corpus.records, "only {} records were stored", once.stored);
    let again = ingest(setting, &data_dir, &folders)?;
    ensure!(again.stored == 0, "{} records were stored twice", again.stored);
    let bytes = rows::bytes(&data_dir.join("lake/events"))?;

    let bare = bare(place.path(), &folders)?;
    let likeness = compare(setting)?;
    let rivals = Rivals::ensure(setting.place())?;
    let file = place.path().join("rival.parquet");
    let duckdb = measured::run(&rivals.duckdb(&few, &file), place.path())?.0;
    std::fs::remove_file(&file)?;
    let tenzir = measured::run(&rivals.tenzir(&few, &file), place.path())?.0;

    let mine = rate(corpus, &once.usage);
    Ok(vec![
        speed(corpus, &once.usage, bytes, &bare, &likeness),
        Figure {
            name: "ingest.memory",
            value: once.usage.peak_bytes as f64 / 1e6,
            unit: "MB at most",
            aim: Some(Aim::AtMost(MOST_BYTES / 1e6)),
            ratio: None,
            detail: format!("the second time {} MB", number(again.usage.peak_bytes as f64 / 1e6)),
        },
        Figure {
            name: "ingest.again",
            value: again.usage.processor(),
            unit: "s of processor",
            aim: Some(Aim::RatioAtMost(0.5)),
            ratio: Some(again.usage.processor() / once.usage.processor()),
            detail: format!(
                "the same files a second time: no row stored; the first time {} s; wall {} s",
                number(once.usage.processor()),
                number(again.usage.wall)
            ),
        },
        against(
            "ingest.duckdb",
            mine,
            first,
            &duckdb,
            4.0,
            "DuckDB 2.0.1: nested columns, no raw text",
        ),
        against("ingest.tenzir", mine, first, &tenzir, 3.0, "Tenzir 6.20.0: OCSF, no raw text"),
    ])
}

fn speed(corpus: Written, usage: &Usage, bytes: u64, bare: &Usage, likeness: &str) -> Figure {
    let megabytes = corpus.json_bytes as f64 / 1e6;
    Figure {
        name: "ingest",
        value: rate(corpus, usage),
        unit: "records/s of CPU",
        aim: Some(Aim::RatioAtLeast(0.6)),
        ratio: Some(rate(corpus, usage) / rate(corpus, bare)),
        detail: format!(
            "{} MB/s of JSON per CPU-second; {} records, {} MB of JSON in {} MB of gzip, in {} s of processor \
             and {} s; {} bytes per stored record, {} in the lake's files all told; the bare program {}/s, {} MB; \
             {likeness}",
            number(megabytes / usage.processor()),
            number(corpus.records as f64),
            number(megabytes),
            number(corpus.file_bytes as f64 / 1e6),
            number(usage.processor()),
            number(usage.wall),
            bytes / corpus.records,
            number(bytes as f64 / 1e6),
            number(rate(corpus, bare)),
            number(bare.peak_bytes as f64 / 1e6),
        ),
    }
}

fn against(
    name: &'static str,
    mine: f64,
    loaded: Written,
    usage: &Usage,
    aim: f64,
    what: &str,
) -> Figure {
    Figure {
        name,
        value: rate(loaded, usage),
        unit: "records/s of CPU",
        aim: Some(Aim::RatioAtLeast(aim)),
        ratio: Some(mine / rate(loaded, usage)),
        detail: format!(
            "{what}; {} records in {} s of processor, {} MB at most; the ratio is ours by theirs",
            number(loaded.records as f64),
            number(usage.processor()),
            number(usage.peak_bytes as f64 / 1e6)
        ),
    }
}

/// Records per second of processor.
fn rate(loaded: Written, usage: &Usage) -> f64 {
    loaded.records as f64 / usage.processor()
}

fn together(one: Written, other: Written) -> Written {
    Written {
        records: one.records + other.records,
        json_bytes: one.json_bytes + other.json_bytes,
        file_bytes: one.file_bytes + other.file_bytes,
    }
}

/// What one import cost and stored.
pub(super) struct Imported {
    pub(super) usage: Usage,
    pub(super) stored: u64,
}

/// Imports folders into a data directory.
pub(super) fn ingest(setting: &Setting, data_dir: &Path, folders: &[&Path]) -> Result<Imported> {
    let mut command = Command::new(&setting.tarn);
    command.args(["ingest", "--source", SOURCE, "--data-dir"]).arg(data_dir).args(folders);
    let (usage, said) = measured::run(&command, &parent(data_dir)?)?;
    let word = said.split_whitespace().find_map(|word| word.strip_prefix("stored="));
    let stored = word.with_context(|| format!("the import said `{said}`"))?.parse()?;
    Ok(Imported { usage, stored })
}

/// Lets the bare program write the same rows, in a process of its own.
fn bare(place: &Path, folders: &[&Path]) -> Result<Usage> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--bare").arg(place.join("bare")).args(folders);
    Ok(measured::run(&command, place)?.0)
}

/// Says whether the product and the bare program write the same rows of some objects.
fn compare(setting: &Setting) -> Result<String> {
    let place = setting.directory("compare")?;
    let folder = place.path().join("objects");
    cloudtrail::write(trail(), 0..2, &folder)?;
    let data_dir = place.path().join("data");
    ingest(setting, &data_dir, &[&folder])?;
    bare(place.path(), &[&folder])?;
    let (mine, _) = rows::read(&data_dir.join("lake/events"))?;
    let (others, _) = rows::read(&place.path().join("bare"))?;
    ensure!(mine.keys().eq(others.keys()), "product and bare program write other folders");
    let (mut count, mut differing) = (0, 0);
    for (folder, rows) in &mine {
        let mut mine: Vec<String> = rows.iter().map(|row| without_arrival(row)).collect();
        let mut others: Vec<String> =
            others[folder].iter().map(|row| without_arrival(row)).collect();
        mine.sort_unstable();
        others.sort_unstable();
        let differ = |pair: &(&String, &String)| pair.0 != pair.1;
        if let Some((row, other)) = mine.iter().zip(&others).find(differ) {
            eprintln!("{}: the product has\n{row}\nthe bare program\n{other}", folder.display());
        }
        differing += mine.iter().zip(&others).filter(differ).count();
        count += mine.len();
    }
    Ok(match differing {
        0 => format!("both write the same rows, compared over {count}"),
        differing => format!("of {count} rows {differing} differ between both"),
    })
}

/// A row without the time at which it came in.
fn without_arrival(row: &str) -> String {
    let is_other = |part: &&str| !part.trim_start_matches('{').starts_with("ingest_time=");
    row.split(' ').filter(is_other).collect::<Vec<_>>().join(" ")
}

fn parent(path: &Path) -> Result<PathBuf> {
    Ok(path.parent().context("a data directory lies somewhere")?.to_owned())
}

/// Records of so many objects.
pub(super) fn records(objects: u64) -> u64 {
    objects * OBJECT_RECORDS
}
