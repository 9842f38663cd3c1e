//! What the tests of this binary share.

pub(crate) mod books;
pub(crate) mod moto;
pub(crate) mod process;
pub(crate) mod virtual_time;
