//! `idle`: memory of a server with 1,000 connectors that have nothing to do.
//!
//! Every connector has a key and a stream of its own, was asked once, and waits for the next day.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bench::report::{Aim, Figure};
use bench::samples::Samples;
use simulators::{Options, Volume};
use tokio::runtime::Runtime;

use crate::pages::Vendor;
use crate::server::Server;
use crate::setting::{Setting, pause};

const CONNECTORS: usize = 1_000;
const PATIENCE: Duration = Duration::from_secs(300);
/// Until what was used for the first poll is given back.
const CALM: Duration = Duration::from_secs(10);
const LOOKS: usize = 5;
const MOST_MEGABYTES: f64 = 300.0;

/// Measures.
pub(crate) fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let runtime = Runtime::new()?;
    let keys: Vec<String> = (0..CONNECTORS).map(key).collect();
    let options = Options {
        volume: Volume::PerHour(1.0),
        faults: vec![("keys".to_owned(), keys.join(","))],
        ..Options::default()
    };
    let simulator = simulators::simulator("trend_micro_cas", options)?;
    let vendor = Vendor::serve(&simulator, &runtime)?;
    let place = setting.directory("idle")?;
    let server = Server::start(&setting.tarn, &place.path().join("data"))?;
    let token = server.token()?;
    let (bare, _) = server.memory()?;
    let file = place.path().join("connectors.yaml");
    std::fs::write(&file, document(&vendor.address)?)?;
    let file = file.to_str().context("the directory's name is not Unicode")?;
    let began = Instant::now();
    server.ask(&token, &["connector", "apply", "-f", file])?;
    let applied = began.elapsed();
    while simulator.requests().len() < CONNECTORS {
        ensure!(began.elapsed() < PATIENCE, "not every connector has asked its vendor");
        pause(Duration::from_millis(100));
    }
    pause(CALM);
    let mut looks = Vec::new();
    let mut peak = 0;
    for _ in 0..LOOKS {
        let (resident, most) = server.memory()?;
        looks.push(megabytes(resident));
        peak = most;
        pause(Duration::from_secs(1));
    }
    let refused = simulator.requests().iter().filter(|request| request.status != 200).count();
    ensure!(refused == 0, "{refused} requests were refused");
    let looks = Samples::new(looks).context("nothing was measured")?;
    Ok(vec![Figure {
        name: "idle",
        value: looks.median(),
        unit: "MB resident",
        aim: Some(Aim::AtMost(MOST_MEGABYTES)),
        ratio: None,
        detail: format!(
            "{CONNECTORS} connectors; {:.0} MB without any, {:.0} MB at most; applied in {:.1} s",
            megabytes(bare),
            megabytes(peak),
            applied.as_secs_f64()
        ),
    }])
}

fn key(number: usize) -> String {
    format!("idle-{number:04}")
}

fn document(vendor: &str) -> Result<String> {
    let mut text = "connectors:\n".to_owned();
    for number in 0..CONNECTORS {
        write!(
            text,
            "  - name: connector {number}\n    integration: trend_micro_cas\n    \
             credential: {{ api_keys: {} }}\n    \
             parameters: {{ base_url: \"http://{vendor}\", services: [exchange], events: [securityrisk] }}\n    \
             content_types: [security_events]\n    interval: 24h\n    backfill: 0s\n",
            key(number)
        )?;
    }
    Ok(text)
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
