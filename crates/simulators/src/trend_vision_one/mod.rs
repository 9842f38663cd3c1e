//! The fake Trend Vision One: workbench alerts that change, audit logs, attack techniques, and their misbehaviour.
//!
//! Start at `requests` for the life of a request. `lattice` says which records exist, `history` what becomes of an
//! alert, the `*_record` modules write them. Actions begin in `response`, become `tasks`, and end in `effects`.

mod access;
mod accounts;
mod action;
mod alert_record;
mod alerts;
mod audit;
mod audit_record;
mod books;
mod digests;
mod effects;
mod endpoints;
mod errors;
mod fault_table;
mod filter;
mod held;
mod history;
mod inventory;
mod item;
mod knobs;
mod lattice;
mod mail_search;
mod mailboxes;
mod multipart;
mod notes;
mod page;
mod paging;
mod parameters;
mod pipelines;
mod requests;
mod response;
mod response_knobs;
mod routes;
mod sandbox;
mod search_query;
mod state;
mod streams;
mod suspicious_objects;
mod targets;
mod task_list;
mod tasks;
mod technique_record;
mod techniques;
mod vocabulary;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, PoisonError, RwLock};

use axum::Router;

use crate::clock::SimClock;
use crate::faults::{FaultError, FaultInfo};
use crate::journal::Journal;
use crate::quota::Quota;
use crate::simulator::{Options, SimulatorError};
use crate::vendors::{StreamNumbers, Vendor};

use books::Ledger;
use history::Interventions;
use knobs::Knobs;
use lattice::Population;
use notes::Notes;
use pipelines::Pipelines;
use streams::Stream;

/// The state of one simulated company.
struct VisionOne {
    seed: u64,
    /// When it was built, epoch milliseconds.
    started_ms: i64,
    clock: SimClock,
    population: Population,
    knobs: RwLock<Arc<Knobs>>,
    journal: Journal,
    quota: Quota,
    counters: Counters,
    /// What clients and faults did to alerts.
    interventions: Interventions,
    notes: Notes,
    pipelines: Pipelines,
    /// What actions did.
    ledger: Ledger,
}

/// What the faults that strike every Nth time count.
#[derive(Debug, Default)]
struct Counters {
    /// Requests to known paths.
    requests: AtomicU64,
    /// Requests that passed the quota and the permissions.
    admitted: AtomicU64,
    /// Pages of records.
    answered: AtomicU64,
    /// Pages that should go on.
    pages: AtomicU64,
    /// Pages that were reached by a token and have a next link.
    continued: AtomicU64,
    /// Pages of alerts that were reached by a token.
    continued_alerts: AtomicU64,
}

/// Builds the simulator; its history is counted back from the clock's time now.
pub(crate) fn build(options: Options) -> Result<Arc<dyn Vendor>, SimulatorError> {
    let mut knobs = Knobs::default();
    for (name, value) in &options.faults {
        knobs.set(name, value)?;
    }
    let started_ms = options.clock.now_ms();
    let population = Population::new(options.seed, started_ms, options.volume)?;
    Ok(Arc::new(VisionOne {
        seed: options.seed,
        started_ms,
        clock: options.clock,
        population,
        knobs: RwLock::new(Arc::new(knobs)),
        journal: Journal::default(),
        quota: Quota::default(),
        counters: Counters::default(),
        interventions: Interventions::default(),
        notes: Notes::default(),
        pipelines: Pipelines::default(),
        ledger: Ledger::default(),
    }))
}

/// The faults of this vendor.
pub(crate) fn fault_list() -> Vec<FaultInfo> {
    knobs::all_faults().collect()
}

impl VisionOne {
    /// The settings now; a request keeps the ones it began with.
    fn knobs(&self) -> Arc<Knobs> {
        Arc::clone(&self.knobs.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Vendor for VisionOne {
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
        Stream::numbered(stream).map_or_else(String::new, |stream| stream.name().to_owned())
    }

    fn held(&self, until_ms: Option<i64>) -> Vec<StreamNumbers> {
        self.held_numbers(until_ms)
    }

    /// The vendor's id. An alert's is the same for all its versions; an audit log has none, so its digest stands in.
    fn push_id(&self, stream: usize, number: u64, out: &mut String) {
        match Stream::numbered(stream) {
            Some(Stream::Alerts) => out.push_str(&self.alert_id(number / history::VERSIONS)),
            Some(Stream::AuditLogs) => out.push_str(&self.audit_digest(number)),
            Some(Stream::Techniques) => out.push_str(&technique_record::uuid(self.seed, number)),
            None => {}
        }
    }

    fn push_record(&self, stream: usize, number: u64, out: &mut String) {
        match Stream::numbered(stream) {
            Some(Stream::Alerts) => out.push_str(&self.alert_text(number)),
            Some(Stream::AuditLogs) => out.push_str(&self.audit_text(number, &self.knobs())),
            Some(Stream::Techniques) => out.push_str(&self.technique_text(number, true)),
            None => {}
        }
    }

    fn state(&self) -> serde_json::Value {
        self.changed()
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
