//! How long to wait before the next attempt: full jitter, as a pure function.
//!
//! The client never waits by itself; the engine asks here and sleeps on its own clock.

use std::time::Duration;

/// A wait drawn evenly from zero to `base · 2^attempt`, at most `cap`.
///
/// `attempt` counts from 0; `random` is a number from 0 (inclusive) to 1 (exclusive), and numbers
/// outside are moved to the nearer end.
pub fn delay(attempt: u32, base: Duration, cap: Duration, random: f64) -> Duration {
    let factor = 1_u32.checked_shl(attempt).unwrap_or(u32::MAX);
    let ceiling = base.checked_mul(factor).unwrap_or(cap).min(cap);
    let share = if random.is_finite() { random.clamp(0.0, 1.0) } else { 1.0 };
    ceiling.mul_f64(share).min(cap)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASE: Duration = Duration::from_millis(500);
    const CAP: Duration = Duration::from_secs(60);

    #[test]
    fn the_ceiling_doubles_until_the_cap() {
        let ceilings: Vec<_> = (0..9).map(|attempt| delay(attempt, BASE, CAP, 1.0)).collect();
        let expected = [500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000];
        assert_eq!(ceilings, expected.map(Duration::from_millis));
    }

    #[test]
    fn no_luck_is_no_wait_and_half_luck_is_half_of_it() {
        assert_eq!(delay(3, BASE, CAP, 0.0), Duration::ZERO);
        assert_eq!(delay(3, BASE, CAP, 0.5), Duration::from_secs(2));
    }

    proptest! {
        #[test]
        fn any_input_stays_within_the_cap(attempt: u32, base_ms: u64, cap_ms in 0_u64..1 << 40, random: f64) {
            let cap = Duration::from_millis(cap_ms);
            prop_assert!(delay(attempt, Duration::from_millis(base_ms), cap, random) <= cap);
        }
    }
}
