//! A running fake vendor: its router, and typed views of its journal for tests in the same process.

use std::future::Future;
use std::io;
use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt;
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::net::TcpListener;

use crate::clock::SimClock;
use crate::control;
use crate::faults::FaultError;
use crate::journal::{HeldRecord, RequestEntry, StreamIds};
use crate::vendors::Vendor;

/// How a simulator is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// The same seed makes the same records.
    pub seed: u64,
    /// How many records there are.
    pub volume: Volume,
    /// Faults as (name, value); later ones win.
    pub faults: Vec<(String, String)>,
    /// The simulator's time.
    pub clock: SimClock,
}

impl Default for Options {
    /// Seed 1, 60 records per stream and hour, no faults, the machine's clock.
    fn default() -> Self {
        Self { seed: 1, volume: Volume::PerHour(60.0), faults: Vec::new(), clock: SimClock::real() }
    }
}

/// How many records a simulator has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Volume {
    /// This many over all streams, spread over the 71 h before the start (so that all are within reach for a
    /// while), then silence.
    Events(u64),
    /// Records per stream and hour, from 80 h before the start and going on for ever. The same seed, rate and
    /// instant give the same records whenever the simulator is started.
    PerHour(f64),
}

/// Why a simulator could not be built.
#[derive(Debug, Error)]
pub enum SimulatorError {
    /// There is no such vendor.
    #[error("unknown vendor `{name}`; known are {known}")]
    UnknownVendor {
        /// The name that was given.
        name: String,
        /// All names, comma separated.
        known: String,
    },
    /// A fault could not be set.
    #[error("failed to set a fault")]
    Fault(#[from] FaultError),
    /// The volume is impossible.
    #[error("volume {volume:?} is out of range: {accepts}")]
    Volume {
        /// The volume that was given.
        volume: Volume,
        /// What is possible, in words.
        accepts: &'static str,
    },
}

/// A fake vendor; its copies share one state.
#[derive(Clone)]
pub struct Simulator {
    vendor: Arc<dyn Vendor>,
}

impl Simulator {
    pub(crate) fn new(vendor: Arc<dyn Vendor>) -> Self {
        Self { vendor }
    }

    /// The vendor's routes and those under `/_sim/`.
    pub fn router(&self) -> Router {
        control::routes(self.clone()).merge(Arc::clone(&self.vendor).routes())
    }

    /// Ids of the records that a perfect collector has by now, by stream, oldest first.
    #[must_use]
    pub fn held(&self) -> Vec<StreamIds> {
        self.held_until(None)
    }

    /// As [`Simulator::held`], only records generated up to `until_ms` (epoch milliseconds, inclusive).
    #[must_use]
    pub fn held_until(&self, until_ms: Option<i64>) -> Vec<StreamIds> {
        let held = self.vendor.held(until_ms);
        held.into_iter().map(|stream| self.stream_ids(stream.stream, &stream.numbers)).collect()
    }

    /// As [`Simulator::held_until`], with the digest of each record's bytes; this generates every record.
    #[must_use]
    pub fn held_with_sha256(&self, until_ms: Option<i64>) -> Vec<(String, Vec<HeldRecord>)> {
        let held = self.vendor.held(until_ms);
        held.iter().map(|held| self.digests(held.stream, &held.numbers)).collect()
    }

    /// Ids of the records in complete 200 answers, by stream, in the order of serving, repeats repeated.
    #[must_use]
    pub fn served(&self) -> Vec<StreamIds> {
        let streams = self.vendor.streams();
        streams
            .into_iter()
            .map(|stream| self.stream_ids(stream, &self.vendor.journal().served(stream)))
            .collect()
    }

    /// As [`Simulator::served`], each record once, with the digest of its bytes; this generates every record.
    #[must_use]
    pub fn served_with_sha256(&self) -> Vec<(String, Vec<HeldRecord>)> {
        let of_stream = |stream| {
            let mut numbers = self.vendor.journal().served(stream);
            numbers.sort_unstable();
            numbers.dedup();
            self.digests(stream, &numbers)
        };
        self.vendor.streams().into_iter().map(of_stream).collect()
    }

    /// All requests to the vendor's routes, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestEntry> {
        self.vendor.journal().requests()
    }

    /// What actions have changed at the vendor: what `/_sim/state` answers.
    #[must_use]
    pub fn state(&self) -> serde_json::Value {
        self.vendor.state()
    }

    /// The simulator's time.
    #[must_use]
    pub fn clock(&self) -> &SimClock {
        self.vendor.clock()
    }

    /// Every fault with its value now.
    #[must_use]
    pub fn faults(&self) -> Vec<(&'static str, String)> {
        self.vendor.faults()
    }

    /// Changes one fault.
    ///
    /// # Errors
    /// The fault does not exist or does not accept the value.
    pub fn set_fault(&self, name: &str, value: &str) -> Result<(), FaultError> {
        self.set_faults(&[(name.to_owned(), value.to_owned())])
    }

    /// Changes all these faults, or none when one of them cannot be set.
    ///
    /// # Errors
    /// A fault does not exist or does not accept its value.
    pub fn set_faults(&self, faults: &[(String, String)]) -> Result<(), FaultError> {
        self.vendor.set_faults(faults)
    }

    /// Answers requests until `shutdown` completes and the open ones are answered.
    ///
    /// # Errors
    /// The listener fails.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        // Without it, small answers wait for the client's delayed acknowledgement.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        axum::serve(listener, self.router()).with_graceful_shutdown(shutdown).await
    }

    fn stream_ids(&self, stream: usize, numbers: &[u64]) -> StreamIds {
        let ids = numbers.iter().map(|number| self.id(stream, *number)).collect();
        StreamIds { stream: self.vendor.stream_name(stream), ids }
    }

    /// The name of a stream, and its records with their digests.
    fn digests(&self, stream: usize, numbers: &[u64]) -> (String, Vec<HeldRecord>) {
        let mut text = String::new();
        let record = |number: &u64| {
            text.clear();
            self.vendor.push_record(stream, *number, &mut text);
            let sha256 = hex::encode(Sha256::digest(text.as_bytes()));
            HeldRecord { id: self.id(stream, *number), sha256 }
        };
        let records = numbers.iter().map(record).collect();
        (self.vendor.stream_name(stream), records)
    }

    fn id(&self, stream: usize, number: u64) -> String {
        let mut id = String::with_capacity(36);
        self.vendor.push_id(stream, number, &mut id);
        id
    }
}
