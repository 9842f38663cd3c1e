//! `quota`: the share of the vendor's quota that is used while history is read.
//!
//! Two ways: `quota`, the vendor's own 20 requests a minute over 48 streams and three days of history on
//! virtual time, in which answers take no time at all; and `quota.real`, a server process against a vendor
//! whose window is 2 s, where every millisecond of an answer counts thirty times as much.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use bench::report::{Aim, Figure};
use bench::samples::Samples;
use catalog::{Catalog, MasterKey};
use connectors::Registry;
use engine::app::{App, Parts};
use engine::connectors::document::ConnectorFile;
use lake::{Lake, LakeOptions};
use model::clock::{Clock as _, VirtualClock};
use model::ids::{ConnectorName, TenantId};
use model::secret::Secret;
use model::time::Timestamp;
use simulators::{Options, SimClock, Simulator, Volume};
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};

use crate::pages::Vendor;
use crate::server::Server;
use crate::setting::{Setting, pause};
use crate::source::START;
use crate::virtual_time::drive;

const LIMIT: u32 = 20;
const LEAST_PERCENT: f64 = 98.0;
/// Records per stream and hour.
const RATE: f64 = 200.0;
const VENDOR_WINDOW: Duration = Duration::from_secs(60);
const SHORT_WINDOW: Duration = Duration::from_secs(2);
/// How long it is measured in real time: less than reading the history takes.
const REAL_TIME: Duration = Duration::from_secs(60);
/// How long history may take, in virtual time.
const LONGEST: Duration = Duration::from_secs(16 * 3600);
const LOOK_EVERY: Duration = Duration::from_secs(300);

/// Measures.
pub(crate) fn measure(setting: &Setting) -> Result<Vec<Figure>> {
    let place = setting.directory("quota")?;
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let used = runtime.block_on(on_virtual_time(place.path()))?;
    drop(runtime);
    let real = in_real_time(setting, place.path())?;
    Ok(vec![used.figure("quota", VENDOR_WINDOW), real.figure("quota.real", SHORT_WINDOW)])
}

/// What a vendor counted.
struct Used {
    /// Seconds from each request to the one that comes as many later as a window allows.
    cycles: Samples,
    requests: usize,
    refused: usize,
}

impl Used {
    /// Takes the requests before `until`. A cycle can never be shorter than the window, whatever the
    /// vendor's windows begin with; what it is longer was given away.
    fn of(simulator: &Simulator, until: Option<Timestamp>) -> Result<Self> {
        let (mut passed, mut refused) = (Vec::new(), 0);
        for request in simulator.requests() {
            let at = Timestamp::parse(&request.at)?;
            if until.is_some_and(|until| at >= until) {
                break;
            }
            match request.status {
                429 => refused += 1,
                _ => passed.push(at),
            }
        }
        let later = passed.iter().skip(LIMIT as usize);
        let cycles = passed.iter().zip(later).map(|(one, later)| later.since(*one).as_secs_f64());
        let cycles = Samples::new(cycles).context("history was read within one window")?;
        Ok(Self { cycles, requests: passed.len(), refused })
    }

    fn figure(&self, name: &'static str, window: Duration) -> Figure {
        let window = window.as_secs_f64();
        Figure {
            name,
            value: window * 100.0 / self.cycles.mean(),
            unit: "% of the quota",
            aim: Some(Aim::AtLeast(LEAST_PERCENT)),
            ratio: None,
            detail: format!(
                "{LIMIT} requests took {:.3} s on average, {:.3} to {:.3} s, where {window} s is allowed; \
                 {} requests, {} refused",
                self.cycles.mean(),
                self.cycles.least(),
                self.cycles.most(),
                self.requests,
                self.refused
            ),
        }
    }
}

fn options(window: Duration, clock: SimClock) -> Options {
    let window = format!("{}s", window.as_secs());
    let faults = [("requests", LIMIT.to_string()), ("window", window)];
    Options {
        volume: Volume::PerHour(RATE),
        faults: faults.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        clock,
        ..Options::default()
    }
}

fn document(vendor: &str, window: Duration) -> String {
    format!(
        "connectors:\n  - name: history\n    integration: trend_micro_cas\n    credential: {{ api_keys: sim-key }}\n    \
         parameters: {{ base_url: \"http://{vendor}\" }}\n    quota: {{ requests: {LIMIT}, per: {}s }}\n",
        window.as_secs()
    )
}

async fn on_virtual_time(place: &std::path::Path) -> Result<Used> {
    let clock = VirtualClock::starting_at(START);
    let following = clock.clone();
    let sim_clock = SimClock::following(Arc::new(move || following.now().as_millis()));
    let simulator = simulators::simulator("trend_micro_cas", options(VENDOR_WINDOW, sim_clock))?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    tokio::spawn(simulator.clone().serve(listener, std::future::pending()));

    let linger = Duration::from_millis(5);
    let store = Lake::open(LakeOptions { linger, ..LakeOptions::new(place.join("lake")) }).await?;
    let master = MasterKey::from_text(&Secret::new("00".repeat(32)))?;
    let app = App::open(Parts {
        catalog: Catalog::open("sqlite::memory:", &master).await?,
        store: Arc::new(store),
        clock: Arc::new(clock.clone()),
        registry: Registry::new(),
        regions: BTreeMap::new(),
        responders: Default::default(),
    })
    .await?;
    let documents = ConnectorFile::read(&document(&address, VENDOR_WINDOW))?.connectors;
    app.apply(documents, false, "benchmark").await?;
    app.start().await?;
    let (tenant, name) = (TenantId::default(), ConnectorName::new("history")?);
    let mut reading_until = START;
    loop {
        drive(&clock, clock.now() + LOOK_EVERY).await;
        let status = app.status(&tenant, &name).await?;
        let edge = START - LOOK_EVERY * 2;
        let is_reading =
            status.streams.iter().flat_map(|stream| &stream.open).any(|open| open.start < edge);
        if !is_reading {
            break;
        }
        reading_until = clock.now();
        ensure!(reading_until.since(START) < LONGEST, "history is not read to its end");
    }
    app.stop_collecting().await;
    Used::of(&simulator, Some(reading_until))
}

fn in_real_time(setting: &Setting, place: &std::path::Path) -> Result<Used> {
    let runtime = Runtime::new()?;
    let simulator =
        simulators::simulator("trend_micro_cas", options(SHORT_WINDOW, SimClock::real()))?;
    let vendor = Vendor::serve(&simulator, &runtime)?;
    let server = Server::start(&setting.tarn, &place.join("data"))?;
    let token = server.token()?;
    let file = place.join("connectors.yaml");
    std::fs::write(&file, document(&vendor.address, SHORT_WINDOW))?;
    let file = file.to_str().context("the directory's name is not Unicode")?;
    server.ask(&token, &["connector", "apply", "-f", file])?;
    let started = Instant::now();
    while started.elapsed() < REAL_TIME {
        pause(Duration::from_millis(200));
        // Nobody needs the answers here; they must not pile up.
        vendor.answers.try_iter().for_each(drop);
    }
    Used::of(&simulator, None)
}
