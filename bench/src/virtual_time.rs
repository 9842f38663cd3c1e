//! Drives a virtual clock: it moves only while every worker is parked, and real I/O goes on meanwhile.

use std::time::Duration;

use model::clock::{Clock as _, VirtualClock};
use model::time::Timestamp;

/// Turns of the scheduler that let every woken task reach its next resting place.
const TURNS: u32 = 64;

/// Lets virtual time pass until `until`. Only for a current-thread runtime.
pub(crate) async fn drive(clock: &VirtualClock, until: Timestamp) {
    loop {
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        if clock.now() >= until && clock.is_idle() {
            return;
        }
        if !clock.advance_to_next(until) {
            // Somebody waits for real I/O: the disk or a socket.
            real_pause().await;
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "sockets and disks need real time")]
async fn real_pause() {
    tokio::time::sleep(Duration::from_micros(100)).await;
}
