//! Drives a virtual clock: it moves only while every worker is parked, and real I/O goes on meanwhile.

use std::time::Duration;

use model::clock::{Clock, VirtualClock};
use model::time::Timestamp;

/// Turns of the scheduler that let every woken task reach its next resting place.
const TURNS: u32 = 64;

/// Lets virtual time pass until `until`. Only for a current-thread runtime.
pub(crate) async fn drive(clock: &VirtualClock, until: Timestamp) {
    loop {
        settle().await;
        if clock.now() >= until && clock.is_idle() {
            return;
        }
        if !clock.advance_to_next(until) {
            // Somebody waits for real I/O: the disk or a socket.
            real_pause().await;
        }
    }
}

/// Lets virtual time pass for as long as a future needs.
pub(crate) async fn during<T>(clock: &VirtualClock, future: impl Future<Output = T>) -> T {
    let mut future = std::pin::pin!(future);
    loop {
        tokio::select! {
            biased;
            answer = &mut future => return answer,
            () = real_pause() => {
                settle().await;
                clock.advance_to_next(clock.now() + Duration::from_millis(100));
            }
        }
    }
}

async fn settle() {
    for _ in 0..TURNS {
        tokio::task::yield_now().await;
    }
}

#[expect(clippy::disallowed_methods, reason = "sockets and disks need real time")]
async fn real_pause() {
    tokio::time::sleep(Duration::from_micros(100)).await;
}
