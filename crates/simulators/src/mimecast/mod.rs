//! The fake Mimecast: access tokens, SIEM events as files and as a stream, TTP logs, quota and misbehaviour.
//!
//! Start at `service` for the life of a request; `population` says which records exist, `siem_records` and
//! `ttp_rows` write them.

mod access;
mod asked;
mod batch;
mod errors;
mod fault_table;
mod files;
mod held;
mod knobs;
mod live;
mod paging;
mod population;
mod service;
mod siem_records;
mod story;
mod streams;
mod ttp;
mod ttp_rows;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;

use crate::clock::SimClock;
use crate::faults::{FaultError, FaultInfo};
use crate::journal::Journal;
use crate::quota::Quota;
use crate::simulator::{Options, SimulatorError};
use crate::vendors::{StreamNumbers, Vendor};

use access::Tokens;
use knobs::Knobs;
use population::Population;
use siem_records::Transport;
use streams::Stream;

/// The state of one simulated vendor with one tenant.
struct Mimecast {
    seed: u64,
    clock: SimClock,
    population: Population,
    knobs: RwLock<Arc<Knobs>>,
    journal: Journal,
    quota: Quota,
    tokens: Tokens,
    counters: Counters,
}

/// What the faults that strike every Nth time count.
#[derive(Debug, Default)]
struct Counters {
    /// Calls that passed the quota.
    admitted: AtomicU64,
    /// Calls with a token that is good.
    authorized: AtomicU64,
    /// SIEM pages, of files or of events.
    siem_pages: AtomicU64,
    /// SIEM pages that were asked with a token.
    siem_continued: AtomicU64,
    /// Links of files.
    links: AtomicU64,
    /// Pages of TTP logs.
    ttp_pages: AtomicU64,
    /// Pages of TTP logs that were asked with a token.
    ttp_continued: AtomicU64,
    /// Answers with records or links.
    bodies: AtomicU64,
}

/// Builds the simulator; its history is counted back from the clock's time now.
pub(crate) fn build(options: Options) -> Result<Arc<dyn Vendor>, SimulatorError> {
    let mut knobs = Knobs::documented();
    for (name, value) in &options.faults {
        knobs.set(name, value)?;
    }
    let population = Population::new(options.seed, options.clock.now_ms(), options.volume, &knobs)?;
    Ok(Arc::new(Mimecast {
        seed: options.seed,
        clock: options.clock,
        population,
        knobs: RwLock::new(Arc::new(knobs)),
        journal: Journal::default(),
        quota: Quota::default(),
        tokens: Tokens::default(),
        counters: Counters::default(),
    }))
}

/// The faults of this vendor.
pub(crate) fn fault_list() -> Vec<FaultInfo> {
    fault_table::FAULTS.iter().map(|fault| fault.info).collect()
}

impl Mimecast {
    /// The settings now; a request keeps the ones it began with.
    fn knobs(&self) -> Arc<Knobs> {
        Arc::clone(&self.knobs.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Appends a record as it stands in an answer of this transport.
    fn write(
        &self,
        stream: Stream,
        number: u64,
        transport: Transport,
        knobs: &Knobs,
        out: &mut String,
    ) {
        let at_ms = self.population.lattice(stream, knobs).generation_ms(number);
        if stream.ttp().is_some() {
            ttp_rows::push_record(self.seed, stream, number, at_ms, knobs, out);
        } else {
            let form = (transport, knobs);
            siem_records::push_record(self.seed, stream, number, at_ms, form, out);
        }
    }
}

impl Vendor for Mimecast {
    fn routes(self: Arc<Self>) -> Router {
        Router::new().fallback(service::answer).with_state(self)
    }

    fn clock(&self) -> &SimClock {
        &self.clock
    }

    fn journal(&self) -> &Journal {
        &self.journal
    }

    fn streams(&self) -> Vec<usize> {
        self.knobs().streams.iter().map(|stream| stream.number()).collect()
    }

    fn stream_name(&self, stream: usize) -> String {
        Stream::numbered(stream).map_or_else(String::new, Stream::name)
    }

    fn held(&self, until_ms: Option<i64>) -> Vec<StreamNumbers> {
        self.held_numbers(until_ms)
    }

    fn push_id(&self, stream: usize, number: u64, out: &mut String) {
        let Some(stream) = Stream::numbered(stream) else { return };
        let at_ms = self.population.lattice(stream, &self.knobs()).generation_ms(number);
        if stream.ttp().is_some() {
            ttp_rows::push_id(self.seed, stream, number, at_ms, out);
        } else {
            siem_records::push_id(self.seed, stream, number, at_ms, out);
        }
    }

    fn push_record(&self, stream: usize, number: u64, out: &mut String) {
        let knobs = self.knobs();
        let transport = if knobs.live_is_held { Transport::Live } else { Transport::Batch };
        if let Some(stream) = Stream::numbered(stream) {
            self.write(stream, number, transport, &knobs, out);
        }
    }

    fn set_faults(&self, faults: &[(String, String)]) -> Result<(), FaultError> {
        let mut current = self.knobs.write().unwrap_or_else(PoisonError::into_inner);
        let mut knobs = Knobs::clone(&current);
        for (name, value) in faults {
            knobs.set(name, value)?;
        }
        *current = Arc::new(knobs);
        Ok(())
    }

    fn faults(&self) -> Vec<(&'static str, String)> {
        self.knobs().texts()
    }
}
