//! Stateful fake vendors.
