//! `start`: from starting `tarn serve` on a lake and a catalog with 5,000 commits to its readiness.

use anyhow::{Context as _, Result};
use bench::report::{Aim, Figure};
use bench::samples::Samples;

use crate::server::Server;
use crate::setting::Setting;

const ROUNDS: usize = 5;
const MOST_SECONDS: f64 = 2.0;

/// Measures.
pub(crate) fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let grown = setting.history()?.data_dir();
    let empty = setting.directory("start")?;
    let (mut full, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        full.push(Server::start(&setting.tarn, &grown)?.started_in.as_secs_f64());
        bare.push(
            Server::start(&setting.tarn, &empty.path().join("data"))?.started_in.as_secs_f64(),
        );
    }
    let full = Samples::new(full).context("nothing was measured")?;
    let bare = Samples::new(bare).context("nothing was measured")?;
    Ok(vec![Figure {
        name: "start",
        value: full.median(),
        unit: "s to ready",
        aim: Some(Aim::AtMost(MOST_SECONDS)),
        ratio: None,
        detail: format!(
            "median of {ROUNDS} with 5,000 commits, {:.2} to {:.2} s; an empty data directory {:.2} s",
            full.least(),
            full.most(),
            bare.median()
        ),
    }])
}
