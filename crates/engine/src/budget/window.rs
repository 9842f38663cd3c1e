//! When a key has room: a sliding log of requests, safe for every window that a vendor may count in.
//!
//! A vendor counts arrivals, in windows whose start we do not see: fixed and anchored at a first
//! request (Cloud App Security), aligned to its clock, or sliding. The log is safe for all of them:
//! request `n` is sent no earlier than one window after request `n - limit` was *answered*, so their
//! arrivals are at least one window apart, whatever the latency. Full bursts of `limit` stay
//! possible, so at saturation nothing is given away but the latency of the answers.

use std::collections::VecDeque;
use std::time::Duration;

use model::budget::Quota;
use model::time::Timestamp;

/// Clocks of vendors are read in whole milliseconds and rounded either way.
const ROUNDING: Duration = Duration::from_millis(10);
/// How long after it was reserved a request may still arrive: the disk has to take the reservation, and
/// the client gives up after a minute.
const LONGEST_WAY: Duration = Duration::from_secs(90);

/// How much later than it was reserved a request of an earlier process may count. Short windows are
/// for vendors that answer at once, so this is never longer than the window.
pub(super) fn slack(per: Duration) -> Duration {
    LONGEST_WAY.min(per)
}

/// The requests that one quota still counts.
#[derive(Debug)]
pub struct Window {
    quota: Quota,
    /// How many requests may be sent in a window now; below the quota after unexpected refusals.
    limit: u32,
    in_flight: u32,
    /// When each counted request was answered, oldest first.
    answered: VecDeque<Timestamp>,
    last_refusal: Option<Timestamp>,
}

impl Window {
    /// A window that already counts requests that an earlier process had reserved, oldest first. When
    /// they arrived is not known: each counts from as late as it may have been, but not from later than
    /// `now`, when that process is gone.
    pub fn new(quota: Quota, reserved: &[Timestamp], now: Timestamp) -> Self {
        let limit = quota.requests.max(1);
        let slack = slack(quota.per);
        let answered = reserved.iter().map(|at| (*at + slack).min(now)).collect();
        Self { quota, limit, in_flight: 0, answered, last_refusal: None }
    }

    /// A window for another quota of the same key: counts what `other` counted so far.
    pub fn succeeding(quota: Quota, other: &Self) -> Self {
        let answered = other.answered.clone();
        let limit = quota.requests.max(1);
        Self { quota, limit, in_flight: other.in_flight, answered, last_refusal: None }
    }

    /// The quota that it counts.
    pub fn quota(&self) -> Quota {
        self.quota
    }

    /// When the next request may be sent: now or earlier, a later time, or `None` while only an
    /// answer still on its way can say.
    pub fn opens_at(&mut self, now: Timestamp) -> Option<Timestamp> {
        self.forget(now);
        self.recover(now);
        let limit = self.limit as usize;
        let counted = self.in_flight as usize + self.answered.len();
        if counted < limit {
            return Some(now);
        }
        let leaving = counted - limit;
        self.answered.get(leaving).map(|answered| *answered + self.quota.per + ROUNDING)
    }

    /// Counts a request that is about to be sent.
    pub fn sent(&mut self) {
        self.in_flight += 1;
    }

    /// Takes back a request that was not sent after all.
    pub fn given_back(&mut self) {
        self.in_flight = self.in_flight.saturating_sub(1);
    }

    /// Counts its answer.
    pub fn answered(&mut self, now: Timestamp) {
        self.in_flight = self.in_flight.saturating_sub(1);
        self.answered.push_back(now);
    }

    /// The vendor refused although this log saw room. Once may be a whim of the vendor; when it
    /// happens again in the next windows, somebody else uses the key: asks for a quarter less.
    pub fn refused(&mut self, now: Timestamp) {
        let windows =
            self.last_refusal.map(|last| now.since(last).div_duration_f64(self.quota.per));
        if windows.is_some_and(|windows| (1.0..3.0).contains(&windows)) {
            self.limit = (self.limit - self.limit.div_ceil(4)).max(1);
        }
        if windows.is_none_or(|windows| windows >= 1.0) {
            self.last_refusal = Some(now);
        }
    }

    /// Requests per minute that may be sent now in the long run.
    pub fn rate_per_minute(&self) -> f64 {
        f64::from(self.limit) * 60.0 / self.quota.per.as_secs_f64().max(0.001)
    }

    /// Trusts the quota a little more after each window without a refusal.
    fn recover(&mut self, now: Timestamp) {
        let Some(last) = self.last_refusal else { return };
        if now.since(last) < self.quota.per * 3 {
            return;
        }
        if self.limit >= self.quota.requests {
            self.last_refusal = None;
        } else {
            self.limit += self.quota.requests.div_ceil(10).min(self.quota.requests - self.limit);
            self.last_refusal = Some(now - self.quota.per * 2);
        }
    }

    fn forget(&mut self, now: Timestamp) {
        while self.answered.front().is_some_and(|old| now >= *old + self.quota.per + ROUNDING) {
            self.answered.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_000_000);

    fn quota(requests: u32, seconds: u64) -> Quota {
        Quota { requests, per: Duration::from_secs(seconds) }
    }

    #[test]
    fn a_burst_of_the_limit_passes_and_the_next_waits_for_the_first_answer_plus_the_window() {
        let mut window = Window::new(quota(2, 60), &[], START);
        window.sent();
        window.sent();
        assert_eq!(window.opens_at(START), None, "nobody has answered yet");
        window.answered(START + Duration::from_secs(1));
        let opens = window.opens_at(START + Duration::from_secs(1));
        assert_eq!(opens, Some(START + Duration::from_secs(61) + ROUNDING));
    }

    #[test]
    fn requests_of_an_earlier_process_count_from_when_they_may_have_arrived() {
        let opens = |seconds: u64, per: u64| {
            let reserved = [START - Duration::from_secs(seconds); 5];
            let opens = Window::new(quota(2, per), &reserved, START).opens_at(START);
            opens.unwrap().since(START)
        };
        let until = |seconds| Duration::from_secs(seconds) + ROUNDING;
        assert_eq!(opens(1, 60), until(60), "not later than the process was gone");
        assert_eq!(opens(61, 60), until(59), "the last of them may have arrived a second ago");
        assert_eq!(opens(119, 60), until(1));
        assert_eq!(opens(121, 60), Duration::ZERO);
        assert_eq!(opens(3, 2), until(1), "short windows wait shortly");
        assert_eq!(opens(600, 900), until(390), "long ones know more exactly");
    }

    #[test]
    fn refusals_in_window_after_window_lower_the_limit_and_quiet_ones_raise_it_again() {
        let mut window = Window::new(quota(20, 60), &[], START);
        window.refused(START);
        window.refused(START + Duration::from_secs(1));
        assert_eq!(window.limit, 20, "one window's refusals are not enough");
        window.refused(START + Duration::from_secs(70));
        assert_eq!(window.limit, 15);
        let mut now = START;
        for _ in 0..10 {
            now = now + Duration::from_secs(180);
            let _ = window.opens_at(now);
        }
        assert_eq!(window.limit, 20);
    }

    proptest! {
        /// A vendor with a window of any anchor, and any latency, never counts more than the limit.
        #[test]
        fn no_fixed_window_of_any_anchor_sees_more_than_the_limit(
            latencies in prop::collection::vec((0u64..3_000, 0u64..3_000), 1..120),
            limit in 1u32..8,
        ) {
            let per = Duration::from_secs(10);
            let mut window = Window::new(Quota { requests: limit, per }, &[], START);
            let mut now = START;
            let mut arrivals = Vec::new();
            let mut pending: Vec<Timestamp> = Vec::new();
            for (there, back) in latencies {
                loop {
                    pending.sort();
                    while pending.first().is_some_and(|answer| *answer <= now) {
                        window.answered(pending.remove(0));
                    }
                    match window.opens_at(now) {
                        Some(open) if open <= now => break,
                        Some(open) => now = pending.first().map_or(open, |answer| open.min(*answer)),
                        None => now = pending[0],
                    }
                }
                window.sent();
                let arrival = now + Duration::from_millis(there);
                arrivals.push(arrival);
                pending.push(arrival + Duration::from_millis(back));
            }
            arrivals.sort();
            for pair in arrivals.windows(limit as usize + 1) {
                prop_assert!(pair[limit as usize].since(pair[0]) >= per, "{pair:?}");
            }
        }
    }
}
