//! What the tests of this binary share.

pub mod virtual_time;
