//! Stateful fake vendors, as axum routers in process and as a program.
//!
//! Nothing here shares a type with the clients that talk to it: a simulator knows the vendor's contract only.
//! Start at [`fn@simulator`]; `vendors` is the registry, and every vendor is one folder.

mod answer;
mod clock;
mod control;
mod draw;
mod faults;
mod journal;
mod mimecast;
mod quota;
mod release;
mod simulator;
mod times;
mod trend_micro_cas;
mod trend_vision_one;
mod vendors;

pub use clock::SimClock;
pub use faults::{FaultError, FaultInfo};
pub use journal::{HeldRecord, Refusal, RequestEntry, StreamIds};
pub use simulator::{Options, Simulator, SimulatorError, Volume};
pub use vendors::{fault_list, simulator, vendor_names};
