//! A request quota: a fixed window per key, anchored at the key's first request.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The terms of a quota.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// Requests allowed in one window.
    pub(crate) requests: u64,
    /// Length of the window in milliseconds.
    pub(crate) window_ms: i64,
    /// Whether a refused request starts the wait anew.
    pub(crate) count_refused: bool,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    opened_ms: i64,
    taken: u64,
}

/// The open windows by key.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    windows: Mutex<HashMap<String, Window>>,
}

impl Quota {
    /// Takes one request of `key`, or answers how many milliseconds are left until the window ends.
    pub(crate) fn take(&self, key: &str, now_ms: i64, terms: Terms) -> Result<(), i64> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let window =
            windows.entry(key.to_owned()).or_insert(Window { opened_ms: now_ms, taken: 0 });
        if now_ms >= window.opened_ms.saturating_add(terms.window_ms) {
            *window = Window { opened_ms: now_ms, taken: 0 };
        }
        if window.taken < terms.requests {
            window.taken += 1;
            return Ok(());
        }
        if terms.count_refused {
            window.opened_ms = now_ms;
        }
        Err(window.opened_ms + terms.window_ms - now_ms)
    }

    /// Milliseconds until the open window of `key` ends; 0 when none is open.
    pub(crate) fn remaining_ms(&self, key: &str, now_ms: i64, terms: Terms) -> i64 {
        let windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        windows.get(key).map_or(0, |window| (window.opened_ms + terms.window_ms - now_ms).max(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TERMS: Terms = Terms { requests: 2, window_ms: 60_000, count_refused: false };

    #[test]
    fn window_is_anchored_at_the_first_request_of_each_key() {
        let quota = Quota::default();
        assert_eq!(quota.take("a", 10_000, TERMS), Ok(()));
        assert_eq!(quota.take("a", 69_000, TERMS), Ok(()));
        assert_eq!(quota.take("a", 69_999, TERMS), Err(1));
        assert_eq!(quota.take("b", 69_999, TERMS), Ok(()));
        assert_eq!(quota.take("a", 70_000, TERMS), Ok(()));
        assert_eq!(quota.remaining_ms("a", 70_500, TERMS), 59_500);
    }

    #[test]
    fn refused_requests_extend_the_wait_only_when_counted() {
        let terms = Terms { count_refused: true, ..TERMS };
        let quota = Quota::default();
        assert_eq!(quota.take("a", 0, terms), Ok(()));
        assert_eq!(quota.take("a", 0, terms), Ok(()));
        assert_eq!(quota.take("a", 50_000, terms), Err(60_000));
        assert_eq!(quota.take("a", 60_000, terms), Err(60_000));
        assert_eq!(quota.take("a", 120_000, terms), Ok(()));
    }
}
