//! The ground floor: the words of Tarn as types, and the ports through which the floors above meet.
//!
//! Nothing here does I/O, knows an async runtime or names Arrow. Start with [`record::Record`],
//! follow it through [`identity`], [`batch`] and [`ledger`], then read the port [`vendor::Integration`].

pub mod action;
pub mod batch;
pub mod budget;
pub mod causes;
pub mod clock;
pub mod connector;
pub mod failpoint;
pub mod hint;
pub mod identity;
pub mod ids;
pub mod ledger;
pub mod manifest;
pub mod mapping;
pub mod ocsf;
pub mod record;
pub mod secret;
pub mod source;
pub mod time;
pub mod vendor;
