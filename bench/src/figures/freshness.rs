//! `freshness`: from the vendor's answer to the moment a query finds the record.
//!
//! A live vendor, a real server with its defaults, and somebody who asks over and over. The time is
//! taken for the newest record of every answer that holds new ones.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bench::report::{Aim, Figure};
use bench::samples::Samples;
use simulators::{Options, Volume};
use tokio::runtime::Runtime;

use crate::pages::{Answer, Vendor};
use crate::server::Server;
use crate::setting::{Setting, pause};

/// Answers before this only show what the vendor held already.
const WARM_UP: Duration = Duration::from_secs(15);
const MEASURED: Duration = Duration::from_secs(60);
/// What was not found until then is never found.
const PATIENCE: Duration = Duration::from_secs(30);
const ROUND: Duration = Duration::from_millis(20);
const MOST_SECONDS: f64 = 3.0;
/// Records per hour in each of the twelve streams of mail.
const RATE: f64 = 1_200.0;

/// Measures.
pub(crate) fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let runtime = Runtime::new()?;
    let faults = [("requests", "20"), ("window", "2s")];
    let options = Options {
        volume: Volume::PerHour(RATE),
        faults: faults.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        ..Options::default()
    };
    let simulator = simulators::simulator("trend_micro_cas", options)?;
    let vendor = Vendor::serve(&simulator, &runtime)?;
    let place = setting.directory("freshness")?;
    let server = Server::start(&setting.tarn, &place.path().join("data"))?;
    let token = server.token()?;
    let file = place.path().join("connectors.yaml");
    std::fs::write(&file, document(&vendor.address))?;
    let file = file.to_str().context("the directory's name is not Unicode")?;
    server.ask(&token, &["connector", "apply", "-f", file])?;

    let mut watch = Watch::new();
    while watch.started.elapsed() < WARM_UP + MEASURED || !watch.awaited.is_empty() {
        vendor.answers.try_iter().for_each(|answer| watch.take(&answer));
        watch.look(&server, &token)?;
        pause(ROUND);
    }
    let found = Samples::new(watch.found).context("no answer held a new record")?;
    let queries = Samples::new(watch.queries).context("nobody asked")?;
    Ok(vec![Figure {
        name: "freshness",
        value: found.percentile(95),
        unit: "s (p95)",
        aim: Some(Aim::AtMost(MOST_SECONDS)),
        ratio: None,
        detail: format!(
            "p50 {:.2}, max {:.2} s over {} answers; a query took {:.0} ms (median)",
            found.median(),
            found.most(),
            found.count(),
            queries.median() * 1_000.0
        ),
    }])
}

fn document(vendor: &str) -> String {
    format!(
        "connectors:\n  - name: fresh\n    integration: trend_micro_cas\n    credential: {{ api_keys: sim-key }}\n    \
         parameters: {{ base_url: \"http://{vendor}\", services: [exchange, gmail, exchangeserver] }}\n    \
         quota: {{ requests: 20, per: 2s }}\n    interval: 5s\n    backfill: 0s\n"
    )
}

/// What was answered and is not found yet, and how long the rest took.
struct Watch {
    started: Instant,
    seen: HashSet<String>,
    awaited: HashMap<String, Instant>,
    found: Vec<f64>,
    queries: Vec<f64>,
}

impl Watch {
    fn new() -> Self {
        Self {
            started: Instant::now(),
            seen: HashSet::new(),
            awaited: HashMap::new(),
            found: Vec::new(),
            queries: Vec::new(),
        }
    }

    /// Takes an answer in: the newest of its new records is awaited.
    fn take(&mut self, answer: &Answer) {
        let mut newest = None;
        for id in answer.ids() {
            if self.seen.insert(id.clone()) {
                newest = Some(id);
            }
        }
        let asked = answer.at.duration_since(self.started);
        if let Some(id) = newest.filter(|_| asked > WARM_UP && asked < WARM_UP + MEASURED) {
            self.awaited.insert(id, answer.at);
        }
    }

    /// Asks for what is awaited.
    fn look(&mut self, server: &Server, token: &str) -> Result<()> {
        let Some(oldest) = self.awaited.values().min() else { return Ok(()) };
        ensure!(oldest.elapsed() < PATIENCE, "a record is not found after {PATIENCE:?}");
        let ids: Vec<String> = self.awaited.keys().map(|id| format!("'{id}'")).collect();
        let asked = Instant::now();
        let rows = server.rows(
            token,
            &format!(
                "SELECT metadata.uid AS id FROM events WHERE metadata.uid IN ({})",
                ids.join(", ")
            ),
        )?;
        self.queries.push(asked.elapsed().as_secs_f64());
        for row in rows {
            let id = row["id"].as_str().context("a row without an id")?;
            if let Some(answered) = self.awaited.remove(id) {
                self.found.push(answered.elapsed().as_secs_f64());
            }
        }
        Ok(())
    }
}
