//! What the tests of this binary share.

pub(crate) mod virtual_time;
