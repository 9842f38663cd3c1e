//! Which small files are merged. No I/O.
//!
//! While a day is written to, files are merged with others of about their size, so that a row is
//! rewritten a few times at most on its way into a large file. Once it is quiet, what is left over is
//! merged too, but not a large file for the sake of a few rows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::time::{Day, Timestamp};
use query::store::maintenance::Effort;

use crate::table::file::DataFile;
use crate::table::state::TableState;

/// Files of one tenant and day that become one.
pub(crate) type Inputs = Vec<Arc<DataFile>>;

/// Files of about the same size that are worth a merge while more of them come.
const FAN_IN: usize = 8;
/// Sizes count as about the same up to this factor.
const STEP: u64 = 8;
/// A file may be so many times as large as all smaller ones that it is merged with.
const MOST_UNEVEN: u64 = 8;
/// The most files of one merge: each is open while it lasts.
const MOST_INPUTS: usize = 256;
/// A day that no row came in for so long is quiet.
const QUIET: Duration = Duration::from_secs(15 * 60);

/// The merges that are due, each of at least two files that are smaller than `file_bytes`, and of no
/// more together.
pub(crate) fn merges(
    state: &TableState,
    file_bytes: u64,
    now: Timestamp,
    effort: Effort,
) -> Vec<Inputs> {
    if effort == Effort::Skip {
        return Vec::new();
    }
    let mut merges = Vec::new();
    for (_, days) in state.tenants() {
        for files in days.values().flat_map(|files| by_expiry(files)) {
            let small: Inputs = files.into_iter().filter(|f| is_small(f, file_bytes)).collect();
            merges.extend(chosen(small, file_bytes, now, effort));
        }
    }
    // The order of a hash map is no order.
    merges.sort_by(|one, other| one[0].path.cmp(&other[0].path));
    merges
}

/// Almost full files stay as they are.
fn is_small(file: &DataFile, file_bytes: u64) -> bool {
    file.size_bytes < file_bytes / 4 * 3
}

/// Files of one day apart by when they expire: rows without a time expire by when they came in.
fn by_expiry(files: &[Arc<DataFile>]) -> Vec<Inputs> {
    let mut apart: BTreeMap<Option<Day>, Inputs> = BTreeMap::new();
    for file in files {
        let timeless = file.day == Timestamp::EPOCH.day();
        let came = timeless.then(|| file.added.day());
        apart.entry(came).or_default().push(Arc::clone(file));
    }
    apart.into_values().collect()
}

fn chosen(small: Inputs, file_bytes: u64, now: Timestamp, effort: Effort) -> Vec<Inputs> {
    let newest = small.iter().map(|file| file.added).max();
    let is_quiet = newest.is_some_and(|newest| now.since(newest) >= QUIET);
    let sets = match effort {
        Effort::Now => vec![small],
        _ if is_quiet => vec![even(small)],
        _ => tiers(small),
    };
    sets.into_iter().flat_map(|files| packed(files, file_bytes)).collect()
}

/// Without files that are far larger than all smaller ones together.
fn even(mut files: Inputs) -> Inputs {
    files.sort_by_key(|file| file.size_bytes);
    let mut sum = 0;
    let is_worth = |file: &Arc<DataFile>| {
        let is_worth = sum == 0 || file.size_bytes <= sum * MOST_UNEVEN;
        sum += file.size_bytes.max(1);
        is_worth
    };
    files.into_iter().take_while(is_worth).collect()
}

/// Sets of files of about the same size, as far as there are enough of them.
fn tiers(files: Inputs) -> Vec<Inputs> {
    let mut tiers: BTreeMap<u32, Inputs> = BTreeMap::new();
    for file in files {
        // The smallest files are all about the same: what they cost is their number.
        let tier = (file.size_bytes >> 16).max(1).ilog(STEP);
        tiers.entry(tier).or_default().push(file);
    }
    tiers.into_values().filter(|files| files.len() >= FAN_IN).collect()
}

/// Neighbours in time together, up to the size of a full file.
fn packed(mut files: Inputs, file_bytes: u64) -> Vec<Inputs> {
    files.sort_by(|one, other| (one.earliest, &one.path).cmp(&(other.earliest, &other.path)));
    let mut packs: Vec<(u64, Inputs)> = Vec::new();
    for file in files {
        let size = file.size_bytes;
        match packs.last_mut() {
            Some((sum, pack)) if *sum + size <= file_bytes && pack.len() < MOST_INPUTS => {
                *sum += size;
                pack.push(file);
            }
            _ => packs.push((size, vec![file])),
        }
    }
    packs.into_iter().map(|(_, pack)| pack).filter(|pack| pack.len() > 1).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap as Map;

    use model::ids::TenantId;

    use super::*;
    use crate::table::entry::Entry;

    const FULL: u64 = 128 << 20;
    const SMALL: u64 = 10_000;

    fn minutes(count: u64) -> Timestamp {
        Day(20_000).start() + Duration::from_secs(60 * count)
    }

    fn file(number: usize, day: i32, size_bytes: u64, added: Timestamp) -> Arc<DataFile> {
        let time = Timestamp::from_micros(Day(day).start().as_micros() + number as i64);
        Arc::new(DataFile {
            path: format!("day={day}/{number:05}"),
            tenant: TenantId::default(),
            day: Day(day),
            version: 1,
            origin: 1,
            added,
            size_bytes,
            rows: 1,
            earliest: time,
            latest: time,
            sources: Map::new(),
            data_change: true,
        })
    }

    fn sizes(files: Vec<Arc<DataFile>>, effort: Effort, now: Timestamp) -> Vec<Vec<u64>> {
        let mut state = TableState::default();
        state.apply(0, &Entry { added: files, ..Entry::default() });
        let found = merges(&state, FULL, now, effort);
        found.iter().map(|pack| pack.iter().map(|file| file.size_bytes).collect()).collect()
    }

    fn files(day: i32, sizes: &[u64]) -> Vec<Arc<DataFile>> {
        let sizes = sizes.iter().enumerate();
        sizes.map(|(number, size)| file(number, day, *size, minutes(0))).collect()
    }

    #[test]
    fn a_busy_day_merges_files_of_one_size_when_they_are_many() {
        let seven = files(20_000, &[SMALL; 7]);
        assert!(sizes(seven, Effort::WhenDue, minutes(1)).is_empty());
        let mut some = [SMALL; 9].to_vec();
        some.extend([5 << 20; 3]);
        let found = sizes(files(20_000, &some), Effort::WhenDue, minutes(1));
        assert_eq!(found, [vec![SMALL; 9]]);
    }

    #[test]
    fn a_quiet_day_merges_the_rest_but_no_large_file_for_a_few_rows() {
        let found =
            sizes(files(20_000, &[SMALL, 3 * SMALL, 80 << 20]), Effort::WhenDue, minutes(15));
        assert_eq!(found, [vec![SMALL, 3 * SMALL]]);
        let found = sizes(files(20_000, &[SMALL, 80 << 20]), Effort::Now, minutes(0));
        assert_eq!(found, [vec![SMALL, 80 << 20]]);
    }

    #[test]
    fn merges_stay_within_a_day_and_the_size_of_a_file() {
        let mut all = files(20_000, &[60 << 20; 5]);
        all.extend(files(20_001, &[SMALL; 2]));
        all.extend(files(20_002, &[SMALL, 127 << 20]));
        let found = sizes(all, Effort::Now, minutes(0));
        assert_eq!(found, [vec![60 << 20; 2], vec![60 << 20; 2], vec![SMALL; 2]]);
        assert!(sizes(files(20_000, &[SMALL; 2]), Effort::Skip, minutes(99)).is_empty());
    }

    #[test]
    fn rows_without_a_time_are_merged_with_those_of_the_day_they_came_in() {
        let all = (0..4).map(|n| file(n, 0, SMALL + n as u64 / 2, minutes(n as u64 / 2 * 1440)));
        let found = sizes(all.collect(), Effort::Now, minutes(0));
        assert_eq!(found, [vec![SMALL; 2], vec![SMALL + 1; 2]]);
    }
}
