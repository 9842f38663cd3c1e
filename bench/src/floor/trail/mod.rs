//! The bare floor under importing CloudTrail: unpacks objects, reads their records, fills the columns
//! that the product fills and writes the same Parquet files. One process, as many threads as cores.
//!
//! It believes that every object is whole and every record is as the corpus makes them; it looks nothing
//! up, keeps no log and no ledger, and has each object in memory as a whole.

mod mapping;
mod record;
mod row;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context as _, Result, anyhow, bail};
use arrow::array::{AsArray as _, RecordBatch};
use flate2::read::MultiGzDecoder;
use model::ids::TenantId;
use model::ocsf::Class;
use model::time::{Day, Timestamp};

use super::column::Column as _;
use mapping::Origin;
use record::Record;
use row::RowColumns;

/// Objects whose rows go into files together, as in the groups that the product appends.
const TOGETHER: usize = 8;

/// Loads the objects below folders into Parquet files below another.
pub(crate) fn load(folders: &[String], into: &Path) -> Result<()> {
    let mut paths = Vec::new();
    for folder in folders {
        list(Path::new(folder), &mut paths)?;
    }
    paths.sort();
    let groups: Vec<&[PathBuf]> = paths.chunks(TOGETHER).collect();
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        while let Some(group) = groups.get(next.fetch_add(1, Ordering::Relaxed)) {
            load_group(group, into)?;
        }
        Ok(())
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(work)).collect();
        let mut ended = threads.into_iter().map(|thread| thread.join());
        ended.try_for_each(|ended| ended.map_err(|_| anyhow!("a thread panicked"))?)
    })
}

fn list(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(&path, paths)?;
        } else {
            paths.push(path);
        }
    }
    Ok(())
}

fn load_group(paths: &[PathBuf], into: &Path) -> Result<()> {
    let texts: Vec<String> = paths.iter().map(|path| unpacked(path)).collect::<Result<_>>()?;
    let mut order = Vec::new();
    let mut records = Vec::new();
    for text in &texts {
        let items = text.strip_prefix("{\"Records\":").context("an object of another form")?;
        for raw in sonic_rs::to_array_iter(items) {
            let Cow::Borrowed(raw) = raw?.as_raw_cow() else { bail!("a copied record") };
            let record: Record<'_> = sonic_rs::from_str(raw)?;
            let time = seconds(record.event_time).context("a record without a time")? * 1_000_000;
            order.push((mapping::class(&record), time, records.len()));
            records.push((record, raw));
        }
    }
    order.sort_unstable();
    let origin = Origin::new(&TenantId::default());
    let mut open: BTreeMap<(Class, Day), RowColumns> = BTreeMap::new();
    for (class, time, place) in order {
        let (record, raw) = &records[place];
        let day = Timestamp::from_micros(time).day();
        mapping::put(class, record, raw, time, &origin, open.entry((class, day)).or_default())?;
    }
    for ((class, day), mut columns) in open {
        let rows = columns.finish().context("a file without a row")?;
        place(into, class, day, &RecordBatch::from(rows.as_struct()))?;
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "the corpus is our own, and its sizes are known")]
fn unpacked(path: &Path) -> Result<String> {
    let mut text = String::with_capacity(10 << 20);
    MultiGzDecoder::new(File::open(path)?)
        .read_to_string(&mut text)
        .with_context(|| format!("failed to unpack `{}`", path.display()))?;
    Ok(text)
}

fn place(into: &Path, class: Class, day: Day, rows: &RecordBatch) -> Result<()> {
    let folder = into.join(class.name()).join("tenant_uid=default").join(format!("day={day}"));
    std::fs::create_dir_all(&folder)?;
    let path = folder.join(format!("part-{}.parquet", uuid::Uuid::now_v7()));
    super::store(&path, &super::encoded(rows)?)
        .with_context(|| format!("failed to write `{}`", path.display()))
}

/// Seconds since 1970 of `2026-03-02T08:00:00Z`, by counting days.
fn seconds(text: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| text.get(range)?.parse::<i64>().ok();
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    // Years begin in March here, so that the day that comes and goes is the last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let since_1970 = days - 719_468;
    Some(((since_1970 * 24 + number(11..13)?) * 60 + number(14..16)?) * 60 + number(17..19)?)
}
