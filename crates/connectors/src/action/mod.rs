//! What every vendor's actions share: the exchange of requests under a journal, and how they are shown.
//!
//! Start at [`exchange::Exchange`].

pub mod exchange;
mod fault;
mod items;
mod shown;

pub use exchange::{
    Ask, Change, Exchange, Insistence, Refuse, Reply, SHORTEST_WAIT, Taken, Witness, is_passing,
};
pub use fault::reason;
pub use items::{Board, names};
pub use shown::{masked, shown_answer};
