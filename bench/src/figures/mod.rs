//! The figures, one file each. A figure measures and says what it saw; it never judges by failing.

mod append;
mod commit;
mod freshness;
mod growth;
mod idle;
mod ingest;
mod normalise;
mod quota;
mod start;

use anyhow::Result;
use bench::report::Figure;

use crate::setting::Setting;

/// Measures, and gives one figure or several that belong together.
type Measure = fn(&Setting) -> Result<Vec<Figure>>;

/// Every figure in the order in which they are measured: those of the processor first.
pub(crate) const FIGURES: &[(&str, Measure)] = &[
    ("normalise", normalise::measure),
    ("append", append::measure),
    ("commit", commit::measure),
    ("start", start::measure),
    ("freshness", freshness::measure),
    ("idle", idle::measure),
    ("quota", quota::measure),
];

/// Figures that are measured only when they are named: they take minutes, gigabytes, and programs of
/// others.
pub(crate) const ON_REQUEST: &[(&str, Measure)] =
    &[("ingest", ingest::measure), ("growth", growth::measure)];
