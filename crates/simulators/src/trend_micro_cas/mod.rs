//! The fake Trend Micro Cloud App Security: log retrieval, investigation, mitigation and block lists, with the
//! vendor's windows, paging, quota and misbehaviour.
//!
//! Start at `requests` for the life of a request. `population` says which events exist, `records` writes them;
//! `mails` has the mails that are found, `response_side` what actions have changed.

mod access;
mod action;
mod action_knobs;
mod batches;
mod blocklist;
mod blocklist_requests;
mod criteria;
mod effects;
mod errors;
mod events;
mod fault_table;
mod fault_values;
mod held;
mod knobs;
mod listing;
mod mail_table;
mod mails;
mod mitigation;
mod page;
mod paging;
mod parameters;
mod population;
mod query;
mod records;
mod requests;
mod response_side;
mod results;
mod streams;
mod sweep;
mod token;
mod vocabulary;
mod window;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use axum::Router;

use crate::clock::SimClock;
use crate::faults::{FaultError, FaultInfo};
use crate::journal::Journal;
use crate::quota::Quota;
use crate::simulator::{Options, SimulatorError};
use crate::vendors::{StreamNumbers, Vendor};

use knobs::Knobs;
use mails::Mails;
use population::Population;
use response_side::ResponseSide;
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
    start_ms: i64,
    mails: RwLock<Arc<Mails>>,
    response: Mutex<ResponseSide>,
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
    /// POSTs that took effect since `lose_answer` was set.
    effective_posts: AtomicU64,
}

/// Builds the simulator; its history is counted back from the clock's time now.
pub(crate) fn build(options: Options) -> Result<Arc<dyn Vendor>, SimulatorError> {
    let mut knobs = Knobs::default();
    for (name, value) in &options.faults {
        knobs.set(name, value)?;
    }
    let start_ms = options.clock.now_ms();
    let population = Population::new(options.seed, start_ms, options.volume, &knobs)?;
    let mails = Mails::new(options.seed, start_ms, knobs.actions.mails);
    Ok(Arc::new(Cas {
        seed: options.seed,
        clock: options.clock,
        population,
        knobs: RwLock::new(Arc::new(knobs)),
        journal: Journal::default(),
        quota: Quota::default(),
        counters: Counters::default(),
        start_ms,
        mails: RwLock::new(Arc::new(mails)),
        response: Mutex::default(),
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
        Router::new().fallback(requests::answer).with_state(self)
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

    fn state(&self) -> serde_json::Value {
        self.changes()
    }

    fn set_faults(&self, faults: &[(String, String)]) -> Result<(), FaultError> {
        let mut current = self.knobs.write().unwrap_or_else(PoisonError::into_inner);
        let mut knobs = Knobs::clone(&current);
        for (name, value) in faults {
            knobs.set(name, value)?;
        }
        if knobs.actions.mails != current.actions.mails {
            let mails = Mails::new(self.seed, self.start_ms, knobs.actions.mails);
            *self.mails.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(mails);
        }
        if faults.iter().any(|(name, _)| name == "lose_answer") {
            self.counters.effective_posts.store(0, Ordering::Relaxed);
        }
        *current = Arc::new(knobs);
        Ok(())
    }

    fn faults(&self) -> Vec<(&'static str, String)> {
        self.knobs().texts()
    }
}
