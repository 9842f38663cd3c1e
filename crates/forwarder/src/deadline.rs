//! How long something may still take: an invocation ends at a known moment, a daemon's work has no end of its own.

use std::time::{Duration, Instant, SystemTime};

/// A moment after which an answer is of no use.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// There is none.
    pub const NEVER: Self = Self(None);

    /// So long from now.
    pub fn after(span: Duration) -> Self {
        Self(Some(Instant::now() + span))
    }

    /// What is left.
    pub fn left(self) -> Duration {
        self.0.map_or(Duration::MAX, |end| end.saturating_duration_since(Instant::now()))
    }

    /// Waits, unless nothing would be left afterwards. Answers whether it did.
    pub async fn wait(self, span: Duration) -> bool {
        let fits = span < self.left();
        if fits {
            pause(span).await;
        }
        fits
    }
}

/// Waits.
#[expect(clippy::disallowed_methods, reason = "this is the one place that sleeps in real time")]
pub async fn pause(span: Duration) {
    tokio::time::sleep(span).await;
}

/// The time since 1970, as the machine has it.
#[expect(clippy::disallowed_methods, reason = "this is the one place that reads the time")]
pub fn since_epoch() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wait_that_reaches_past_the_end_is_not_begun() {
        let deadline = Deadline::after(Duration::from_secs(3_600));
        assert!(deadline.wait(Duration::from_millis(1)).await);
        assert!(!deadline.wait(Duration::from_secs(7_200)).await);
        assert!(Deadline::NEVER.left() > Duration::from_secs(1 << 40));
    }
}
