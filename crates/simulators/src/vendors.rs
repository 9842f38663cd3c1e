//! The registry: which vendors there are, and what each must offer.
//!
//! Adding a vendor is one folder and one line in `REGISTRY`.

use std::sync::Arc;

use axum::Router;

use crate::clock::SimClock;
use crate::faults::{FaultError, FaultInfo};
use crate::journal::Journal;
use crate::simulator::{Options, Simulator, SimulatorError};
use crate::{mimecast, trend_micro_cas, trend_vision_one};

/// Record numbers of one stream.
#[derive(Debug)]
pub(crate) struct StreamNumbers {
    /// The vendor's number of the stream.
    pub(crate) stream: usize,
    /// The records, in order of generation.
    pub(crate) numbers: Vec<u64>,
}

/// The vendor side of a simulator; the routes under `/_sim/` are made from it.
pub(crate) trait Vendor: Send + Sync {
    /// The vendor's own routes.
    fn routes(self: Arc<Self>) -> Router;
    fn clock(&self) -> &SimClock;
    fn journal(&self) -> &Journal;
    /// The numbers of the streams served now.
    fn streams(&self) -> Vec<usize>;
    /// The name of a stream, such as `sharepoint/dlp`.
    fn stream_name(&self, stream: usize) -> String;
    /// What a perfect collector has of every stream, up to a generation time (epoch ms) if one is given.
    fn held(&self, until_ms: Option<i64>) -> Vec<StreamNumbers>;
    /// Appends the id of a record.
    fn push_id(&self, stream: usize, number: u64, out: &mut String);
    /// Appends a record exactly as it stands in an answer.
    fn push_record(&self, stream: usize, number: u64, out: &mut String);
    /// What actions have changed, as one object; empty where the vendor offers none.
    fn state(&self) -> serde_json::Value {
        serde_json::json!({})
    }
    /// Sets all faults or none.
    fn set_faults(&self, faults: &[(String, String)]) -> Result<(), FaultError>;
    /// Every fault with its value now.
    fn faults(&self) -> Vec<(&'static str, String)>;
}

struct Registration {
    name: &'static str,
    build: fn(Options) -> Result<Arc<dyn Vendor>, SimulatorError>,
    faults: fn() -> Vec<FaultInfo>,
}

const REGISTRY: &[Registration] = &[
    Registration {
        name: "trend_micro_cas",
        build: trend_micro_cas::build,
        faults: trend_micro_cas::fault_list,
    },
    Registration {
        name: "trend_vision_one",
        build: trend_vision_one::build,
        faults: trend_vision_one::fault_list,
    },
    Registration { name: "mimecast", build: mimecast::build, faults: mimecast::fault_list },
];

const NAMES: &[&str] = &["trend_micro_cas", "trend_vision_one", "mimecast"];

/// The names that [`fn@simulator`] accepts.
#[must_use]
pub fn vendor_names() -> &'static [&'static str] {
    NAMES
}

/// The faults of a vendor, or nothing for an unknown name.
#[must_use]
pub fn fault_list(vendor: &str) -> Option<Vec<FaultInfo>> {
    registration(vendor).map(|registration| (registration.faults)())
}

/// Builds the simulator of a vendor.
///
/// # Errors
/// An unknown vendor, a fault that does not exist or does not accept its value, or an impossible volume.
pub fn simulator(vendor: &str, options: Options) -> Result<Simulator, SimulatorError> {
    let Some(registration) = registration(vendor) else {
        return Err(SimulatorError::UnknownVendor {
            name: vendor.to_owned(),
            known: NAMES.join(", "),
        });
    };
    (registration.build)(options).map(Simulator::new)
}

fn registration(vendor: &str) -> Option<&'static Registration> {
    REGISTRY.iter().find(|registration| registration.name == vendor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_registered_ones() {
        let registered: Vec<_> = REGISTRY.iter().map(|registration| registration.name).collect();
        assert_eq!(registered, vendor_names());
    }

    #[test]
    fn unknown_vendor_is_refused_with_the_known_names() {
        let refused = simulator("acme", Options::default()).err().map(|error| error.to_string());
        let known = vendor_names().join(", ");
        assert_eq!(refused, Some(format!("unknown vendor `acme`; known are {known}")));
        assert!(fault_list("acme").is_none());
    }
}
