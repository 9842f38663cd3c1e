//! `append`: how fast new records become durable rows, against the bare floor of [`crate::floor`].
//!
//! Both start from the raw bytes and end when the files are synced. Before anything is timed, both write
//! the same records once, and every row must be the same.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bench::corpus::Corpus;
use bench::report::{Aim, Figure, number};
use bench::samples::Samples;
use bytes::Bytes;
use lake::{Lake, LakeOptions};
use model::ids::TenantId;
use query::store::EventStore as _;
use tokio::runtime::Runtime;

use crate::floor::{Floor, Origin};
use crate::rows;
use crate::setting::Setting;
use crate::source::{self, CONNECTOR, SEED, START, SecurityEvents};

const RECORDS: u64 = 200_000;
const BATCH: usize = 5_000;
const ROUNDS: usize = 5;
/// Records that are written once before, to compare the rows.
const COMPARED: usize = 20_000;
/// Milliseconds between records: the corpus spans two days, and a batch a good hour.
const STEP_MS: u64 = 860;

/// Measures.
pub(crate) fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let runtime = Runtime::new()?;
    let events = SecurityEvents::find()?;
    let records: Vec<Bytes> = Corpus::new(SEED, START, STEP_MS).records(0..RECORDS).collect();
    let sizes = compare(setting, &runtime, &events, &records[..COMPARED])?;
    let (mut floor, mut lake) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let place = setting.directory("append")?;
        floor.push(RECORDS as f64 / through_floor(place.path(), &records)?.as_secs_f64());
        let took = through_lake(place.path(), &runtime, &events, &records)?;
        lake.push(RECORDS as f64 / took.as_secs_f64());
    }
    let floor = Samples::new(floor).context("nothing was measured")?;
    let lake = Samples::new(lake).context("nothing was measured")?;
    Ok(vec![Figure {
        name: "append",
        value: lake.most(),
        unit: "records/s",
        aim: Some(Aim::RatioAtLeast(0.5)),
        ratio: Some(lake.most() / floor.most()),
        detail: format!(
            "best of {ROUNDS}, least {}; floor {}, least {}; median ratio {:.2}; {RECORDS} records in batches of \
             {BATCH}; same rows in {sizes}",
            number(lake.least()),
            number(floor.most()),
            number(floor.least()),
            lake.median() / floor.median(),
        ),
    }])
}

fn through_floor(place: &Path, records: &[Bytes]) -> Result<Duration> {
    let mut floor = Floor::new(
        place.join("floor"),
        Origin {
            tenant: TenantId::default(),
            source: source::ID.to_owned(),
            connector_uid: SecurityEvents::connector().0.to_string(),
            connector_name: CONNECTOR.to_owned(),
            ingest_time: START,
        },
    );
    let started = Instant::now();
    for batch in records.chunks(BATCH) {
        floor.write(batch)?;
    }
    Ok(started.elapsed())
}

fn through_lake(
    place: &Path,
    runtime: &Runtime,
    events: &SecurityEvents,
    records: &[Bytes],
) -> Result<Duration> {
    runtime.block_on(async {
        let options =
            LakeOptions { linger: Duration::ZERO, ..LakeOptions::new(place.join("lake")) };
        let lake = Lake::open(options).await?;
        let mut stored = 0;
        let started = Instant::now();
        for batch in records.chunks(BATCH) {
            let batch = events.batch(batch.iter().cloned(), START)?;
            let receipts = lake.append(vec![batch]).await?;
            stored += receipts.iter().map(|receipt| receipt.stored).sum::<u64>();
        }
        let took = started.elapsed();
        ensure!(stored == records.len() as u64, "only {stored} records were stored");
        Ok(took)
    })
}

/// Makes sure that lake and floor write the same rows; answers the sizes of both.
fn compare(
    setting: &Setting,
    runtime: &Runtime,
    events: &SecurityEvents,
    records: &[Bytes],
) -> Result<String> {
    let place = setting.directory("compare")?;
    through_floor(place.path(), records)?;
    through_lake(place.path(), runtime, events, records)?;
    let (of_floor, floor_bytes) = rows::read(&place.path().join("floor"))?;
    let (of_lake, lake_bytes) = rows::read(&place.path().join("lake/events"))?;
    ensure!(of_floor.keys().eq(of_lake.keys()), "lake and floor write other folders");
    for (folder, rows) in &of_lake {
        let others = &of_floor[folder];
        ensure!(rows.len() == others.len(), "{}: other rows", folder.display());
        if let Some((row, other)) = rows.iter().zip(others).find(|(row, other)| row != other) {
            anyhow::bail!("{}: the lake has\n{row}\nand the floor\n{other}", folder.display());
        }
    }
    Ok(format!("{:.1} and {:.1} MB", megabytes(lake_bytes), megabytes(floor_bytes)))
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
