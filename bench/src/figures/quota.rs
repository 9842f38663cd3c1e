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
/// Windows that are counted in real time; all lie within the reading of the history.
const SHORT_WINDOWS: usize = 20;
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
    /// Requests that it let through in each of its windows.
    windows: Vec<usize>,
    refused: usize,
}

impl Used {
    /// Sorts requests into the vendor's windows, which follow one another from the first request on;
    /// only whole windows count, and only those before `until`.
    fn of(simulator: &Simulator, window: Duration, until: Option<Timestamp>) -> Result<Self> {
        let (mut windows, mut first): (Vec<usize>, Option<Timestamp>) = (Vec::new(), None);
        let (mut refused, mut last) = (0, Timestamp::EPOCH);
        for request in simulator.requests() {
            let at = Timestamp::parse(&request.at)?;
            if until.is_some_and(|until| at >= until) {
                break;
            }
            if request.status == 429 {
                refused += 1;
                continue;
            }
            let since = at.since(*first.get_or_insert(at));
            let place = usize::try_from(since.as_millis() / window.as_millis())?;
            windows.resize(windows.len().max(place + 1), 0);
            windows[place] += 1;
            last = at;
        }
        let first = first.context("the vendor was never asked")?;
        let whole = last.max(until.unwrap_or(last)).since(first).as_millis() / window.as_millis();
        windows.truncate(usize::try_from(whole)?);
        ensure!(!windows.is_empty(), "history was read within one window");
        Ok(Self { windows, refused })
    }

    fn figure(&self, name: &'static str, window: Duration) -> Figure {
        let used: usize = self.windows.iter().sum();
        let offered = self.windows.len() * LIMIT as usize;
        let full = self.windows.iter().filter(|used| **used >= LIMIT as usize).count();
        Figure {
            name,
            value: used as f64 * 100.0 / offered as f64,
            unit: "% of the quota",
            aim: Some(Aim::AtLeast(LEAST_PERCENT)),
            ratio: None,
            detail: format!(
                "{used} of {offered} requests in {} windows of {} s, {full} of them full; {} refused",
                self.windows.len(),
                window.as_secs(),
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
    Used::of(&simulator, VENDOR_WINDOW, Some(reading_until))
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
    let windows = u32::try_from(SHORT_WINDOWS + 1)?;
    while started.elapsed() < SHORT_WINDOW * windows {
        pause(Duration::from_millis(200));
        // Nobody needs the answers here; they must not pile up.
        vendor.answers.try_iter().for_each(drop);
    }
    let mut used = Used::of(&simulator, SHORT_WINDOW, None)?;
    used.windows.truncate(SHORT_WINDOWS);
    Ok(used)
}
