//! The real clock.

use std::time::Duration;

use model::clock::{Clock, Sleep};
use model::time::Timestamp;

/// The machine's time, slept for by the async runtime.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

/// Longest single nap: a machine that was suspended, or whose time was set, is noticed this soon.
const LONGEST_NAP: Duration = Duration::from_secs(30);

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads the time")]
    fn now(&self) -> Timestamp {
        chrono::Utc::now().into()
    }

    fn sleep_until(&self, deadline: Timestamp) -> Sleep {
        Box::pin(async move {
            loop {
                let left = deadline.since(Self.now());
                if left.is_zero() {
                    return;
                }
                nap(left.min(LONGEST_NAP)).await;
            }
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the one place that sleeps in real time")]
async fn nap(span: Duration) {
    tokio::time::sleep(span).await;
}
