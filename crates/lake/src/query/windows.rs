//! Cuts the time that a query covers into windows that hold a bounded number of rows, so that whole
//! events can be read in order of time without sorting everything at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::query::plan::TimeRange;
use model::time::{Day, Timestamp};

use crate::table::file::DataFile;

/// Rows that one window may hold as far as the log can tell; the first windows are smaller, so that
/// the first page comes soon.
const FIRST_ROWS: u64 = 20_000;
const MOST_ROWS: u64 = 160_000;

/// Windows from the earliest to the latest, without holes between files.
pub(crate) fn windows<'f>(
    files: impl Iterator<Item = &'f Arc<DataFile>>,
    range: TimeRange,
    newest_first: bool,
) -> Vec<TimeRange> {
    let mut days: BTreeMap<Day, u64> = BTreeMap::new();
    for file in files {
        let before = range.earliest.is_some_and(|earliest| file.latest < earliest);
        let behind = range.latest.is_some_and(|latest| file.earliest >= latest);
        if !before && !behind {
            *days.entry(file.day).or_default() += file.rows;
        }
    }
    let mut days: Vec<(Day, u64)> = days.into_iter().collect();
    if newest_first {
        days.reverse();
    }
    let mut windows = Vec::new();
    let mut limit = FIRST_ROWS;
    let mut open: Option<(Day, Day, u64)> = None;
    for (day, rows) in days {
        open = match open {
            Some((one, _, sum)) if sum + rows <= limit => Some((one, day, sum + rows)),
            previous => {
                if let Some((one, other, sum)) = previous {
                    cut(one.min(other), one.max(other), sum, limit, newest_first, &mut windows);
                    limit = (limit * 2).min(MOST_ROWS);
                }
                Some((day, day, rows))
            }
        };
    }
    if let Some((one, other, sum)) = open {
        cut(one.min(other), one.max(other), sum, limit, newest_first, &mut windows);
    }
    windows.into_iter().map(|window| clamp(window, range)).collect()
}

/// Cuts a span of days into equal parts when it holds too many rows.
fn cut(
    first: Day,
    last: Day,
    rows: u64,
    limit: u64,
    newest_first: bool,
    windows: &mut Vec<(Timestamp, Timestamp)>,
) {
    let (start, end) = (first.start().as_micros(), Day(last.0 + 1).start().as_micros());
    let parts = i64::try_from(rows.div_ceil(limit).clamp(1, 24 * 60)).unwrap_or(1);
    let step = (end - start) / parts;
    let mut cuts: Vec<(Timestamp, Timestamp)> = (0..parts)
        .map(|part| {
            let until = if part + 1 == parts { end } else { start + (part + 1) * step };
            (Timestamp::from_micros(start + part * step), Timestamp::from_micros(until))
        })
        .collect();
    if newest_first {
        cuts.reverse();
    }
    windows.extend(cuts);
}

fn clamp((start, end): (Timestamp, Timestamp), range: TimeRange) -> TimeRange {
    TimeRange {
        earliest: Some(range.earliest.map_or(start, |earliest| earliest.max(start))),
        latest: Some(range.latest.map_or(end, |latest| latest.min(end))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap as Map;

    use model::ids::TenantId;

    use super::*;

    fn file(day: i32, rows: u64) -> Arc<DataFile> {
        Arc::new(DataFile {
            path: format!("{day}"),
            tenant: TenantId::default(),
            day: Day(day),
            version: 1,
            origin: 1,
            added: Day(day).start(),
            size_bytes: 1,
            rows,
            earliest: Day(day).start(),
            latest: Timestamp::from_micros(Day(day + 1).start().as_micros() - 1),
            sources: Map::new(),
            data_change: true,
        })
    }

    #[test]
    fn small_days_share_a_window_and_big_days_are_cut() {
        let files = [file(10, 10), file(11, 10), file(12, 90_000), file(20, 5)];
        let found = windows(files.iter(), TimeRange::default(), true);
        let spans: Vec<(i64, i64)> = found
            .iter()
            .map(|window| {
                let hours =
                    |time: Option<Timestamp>| time.map_or(0, |t| t.as_micros() / 3_600_000_000);
                (hours(window.earliest), hours(window.latest))
            })
            .collect();
        assert_eq!(spans[0], (20 * 24, 21 * 24));
        assert_eq!(spans.last(), Some(&(10 * 24, 12 * 24)));
        assert_eq!(spans.len(), 5);
        assert!(spans[1..4].iter().all(|(start, end)| end - start == 8));
    }

    #[test]
    fn the_range_of_the_query_bounds_the_windows() {
        let range = TimeRange { earliest: Some(Day(11).start()), latest: None };
        let files = [file(10, 10), file(11, 10)];
        let found = windows(files.iter(), range, false);
        assert_eq!(found, [TimeRange { earliest: range.earliest, latest: Some(Day(12).start()) }]);
    }
}
