//! The simulator's only source of time.
//!
//! Real time, a time set by hand, or a time that somebody else decides; each can be moved forward.
//! No other module of this crate may read the machine's clock.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime};

/// A clock in epoch milliseconds; its copies share the same time.
#[derive(Clone)]
pub struct SimClock {
    source: Arc<dyn Fn() -> i64 + Send + Sync>,
    offset_ms: Arc<AtomicI64>,
}

impl SimClock {
    /// Follows the machine's clock.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the simulators have a clock of their own")]
    pub fn real() -> Self {
        Self::following(Arc::new(|| {
            let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            since_epoch.map_or(0, whole_ms)
        }))
    }

    /// Stands still at `start_ms` (epoch milliseconds) until it is advanced.
    #[must_use]
    pub fn manual(start_ms: i64) -> Self {
        Self::following(Arc::new(move || start_ms))
    }

    /// Follows `source`, which answers epoch milliseconds.
    #[must_use]
    pub fn following(source: Arc<dyn Fn() -> i64 + Send + Sync>) -> Self {
        Self { source, offset_ms: Arc::new(AtomicI64::new(0)) }
    }

    /// The time now in epoch milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        (self.source)().saturating_add(self.offset_ms.load(Ordering::SeqCst))
    }

    /// Moves this clock and all its copies forward.
    pub fn advance(&self, step: Duration) {
        self.offset_ms.fetch_add(whole_ms(step), Ordering::SeqCst);
    }
}

impl fmt::Debug for SimClock {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SimClock").field("now_ms", &self.now_ms()).finish()
    }
}

fn whole_ms(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manual_clock_moves_only_when_advanced_and_copies_share_it() {
        let clock = SimClock::manual(1_000);
        let copy = clock.clone();
        copy.advance(Duration::from_secs(2));
        assert_eq!(clock.now_ms(), 3_000);
    }

    #[test]
    fn following_clock_adds_its_offset_to_the_source() {
        let source = Arc::new(AtomicI64::new(5));
        let read = Arc::clone(&source);
        let clock = SimClock::following(Arc::new(move || read.load(Ordering::SeqCst)));
        clock.advance(Duration::from_millis(10));
        source.store(100, Ordering::SeqCst);
        assert_eq!(clock.now_ms(), 110);
    }

    #[test]
    fn real_clock_is_after_2020() {
        assert!(SimClock::real().now_ms() > 1_577_836_800_000);
    }
}
