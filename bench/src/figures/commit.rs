//! `commit`: how long a small append takes once its table has seen 1, 1,000 and 5,000 commits, with
//! maintenance running beside it.
//!
//! Three lakes of these ages take one append each in turn, so that the ratio means something on a
//! machine that is not quite at rest.

use anyhow::Result;
use bench::report::{Aim, Figure};

use crate::history::POINTS;
use crate::setting::Setting;

/// Flat within what repeated runs differ by.
const MOST_GROWTH: f64 = 1.25;

/// Measures.
pub(crate) fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let appends = setting.history()?.time_appends()?;
    let points = POINTS.iter().zip(&appends).map(|(point, samples)| {
        format!(
            "at {point}: {:.1} ms ({:.1} to {:.1})",
            samples.median(),
            samples.least(),
            samples.percentile(95)
        )
    });
    let (first, last) = (appends[0].median(), appends[appends.len() - 1].median());
    Ok(vec![Figure {
        name: "commit",
        value: last,
        unit: "ms at 5,000 commits",
        aim: Some(Aim::RatioAtMost(MOST_GROWTH)),
        ratio: Some(last / first),
        detail: format!(
            "median of {} appends of 10 records (least to 95th percentile): {}",
            appends[0].count(),
            points.collect::<Vec<_>>().join(", ")
        ),
    }])
}
