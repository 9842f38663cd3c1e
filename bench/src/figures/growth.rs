//! `growth`: what a record costs to import when the lake holds 10^5 rows, and when it holds 10^7.
//!
//! Both lakes take the same further objects, whose hours they hold already in part, and are measured as
//! processes of their own. It takes some minutes and some gigabytes.

use std::path::Path;

use anyhow::{Result, ensure};
use bench::corpus::cloudtrail;
use bench::report::{Aim, Figure, number};

use super::ingest::{Imported, ingest, records, trail};
use crate::setting::Setting;

/// Objects in the small lake: 10^5 records.
const SMALL: u64 = 20;
/// Objects in the big lake: 10^7 records.
const BIG: u64 = 2_000;
/// Objects that both take then.
const MORE: u64 = 40;
/// Objects that lie on the disk at once.
const STEP: u64 = 200;
/// Within what repeated runs differ by.
const MOST_GROWTH: f64 = 1.15;

/// Measures.
pub(crate) fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let place = setting.directory("growth")?;
    let (small, big) = (place.path().join("small"), place.path().join("big"));
    fill(setting, place.path(), &small, BIG - SMALL..BIG)?;
    fill(setting, place.path(), &big, 0..BIG)?;
    let more = place.path().join("more");
    cloudtrail::write(trail(), BIG..BIG + MORE, &more)?;
    let of_small = ingest(setting, &small, &[&more])?;
    let of_big = ingest(setting, &big, &[&more])?;
    for imported in [&of_small, &of_big] {
        ensure!(imported.stored == records(MORE), "only {} records were stored", imported.stored);
    }
    Ok(vec![Figure {
        name: "growth",
        value: cost(&of_big),
        unit: "us of CPU per record",
        aim: Some(Aim::RatioAtMost(MOST_GROWTH)),
        ratio: Some(cost(&of_big) / cost(&of_small)),
        detail: format!(
            "{} records into {} rows; {} us into {} rows; at most {} and {} MB",
            number(records(MORE) as f64),
            number(records(BIG) as f64),
            number(cost(&of_small)),
            number(records(SMALL) as f64),
            number(of_big.usage.peak_bytes as f64 / 1e6),
            number(of_small.usage.peak_bytes as f64 / 1e6)
        ),
    }])
}

/// Microseconds of processor per record.
fn cost(imported: &Imported) -> f64 {
    imported.usage.processor() * 1e6 / records(MORE) as f64
}

/// Imports objects, some at a time so that their files do not fill the disk.
fn fill(
    setting: &Setting,
    place: &Path,
    data_dir: &Path,
    objects: std::ops::Range<u64>,
) -> Result<()> {
    let mut start = objects.start;
    while start < objects.end {
        let end = objects.end.min(start + STEP);
        let folder = place.join("step");
        cloudtrail::write(trail(), start..end, &folder)?;
        let imported = ingest(setting, data_dir, &[&folder])?;
        ensure!(imported.stored == records(end - start), "only {} were stored", imported.stored);
        std::fs::remove_dir_all(&folder)?;
        start = end;
    }
    Ok(())
}
