//! The fake Trend Micro Cloud App Security: log retrieval with its windows, paging, quota and misbehaviour.
//!
//! Start at `events` for the life of a request; `population` says which records exist, `records` writes them.

mod access;
mod errors;
mod events;
mod fault_table;
mod held;
mod knobs;
mod page;
mod paging;
mod population;
mod query;
mod records;
mod streams;
mod vocabulary;
mod window;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;

use crate::clock::SimClock;
use crate::faults::{FaultError, FaultInfo};
use crate::journal::Journal;
use crate::quota::Quota;
use crate::simulator::{Options, SimulatorError};
use crate::vendors::{StreamNumbers, Vendor};

use knobs::Knobs;
use population::Population;
use streams::Stream;

/// The state of one simulated vendor with one tenant.
struct Cas {
    seed: u64,
    clock: SimClock,
    population: Population,
    knobs: RwLock<Arc<Knobs>>,
    journal: Journal,
    quota: Quota,
    counters: Counters,
}

/// What the faults that strike every Nth time count.
#[derive(Debug, Default)]
struct Counters {
    /// Requests to known paths.
    requests: AtomicU64,
    /// Requests that passed the quota.
    admitted: AtomicU64,
    /// Pages of records.
    pages: AtomicU64,
    /// Pages that were reached by a token and have a next link.
    continued: AtomicU64,
}

/// Builds the simulator; its history is counted back from the clock's time now.
pub(crate) fn build(options: Options) -> Result<Arc<dyn Vendor>, SimulatorError> {
    let mut knobs = Knobs::default();
    for (name, value) in &options.faults {
        knobs.set(name, value)?;
    }
    let population = Population::new(options.seed, options.clock.now_ms(), options.volume, &knobs)?;
    Ok(Arc::new(Cas {
        seed: options.seed,
        clock: options.clock,
        population,
        knobs: RwLock::new(Arc::new(knobs)),
        journal: Journal::default(),
        quota: Quota::default(),
        counters: Counters::default(),
    }))
}

/// The faults of this vendor.
pub(crate) fn fault_list() -> Vec<FaultInfo> {
    fault_table::FAULTS.iter().map(|fault| fault.info).collect()
}

impl Cas {
    /// The settings now; a request keeps the ones it began with.
    fn knobs(&self) -> Arc<Knobs> {
        Arc::clone(&self.knobs.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Vendor for Cas {
    fn routes(self: Arc<Self>) -> Router {
        Router::new().fallback(events::answer).with_state(self)
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
        if let Some(stream) = Stream::numbered(stream) {
            records::push_id(out, self.seed, stream, number);
        }
    }

    fn push_record(&self, stream: usize, number: u64, out: &mut String) {
        if let Some(stream) = Stream::numbered(stream) {
            let knobs = self.knobs();
            let generation_ms = self.population.lattice(stream, &knobs).generation_ms(number);
            records::push_record(out, self.seed, stream, number, generation_ms, knobs.release_ms);
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
