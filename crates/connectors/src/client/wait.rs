//! How long a vendor asks us to wait: `Retry-After` and `X-RateLimit-Reset`.
//!
//! Dates are read against the answer's own `Date` header, so that no clock of ours is needed.

use std::time::Duration;

use chrono::DateTime;
use model::time::Timestamp;

/// Longest wait that is believed; a vendor that names a longer one is asked again after this.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// Numbers from here on are points in time, not spans: 2001-09-09 in seconds.
const FIRST_POINT_SECONDS: f64 = 1e9;
/// Numbers from here on are points in time in milliseconds.
const FIRST_POINT_MILLIS: f64 = 1e12;

/// Reads an HTTP date such as `Mon, 02 Mar 2026 08:00:00 GMT`.
pub(super) fn http_date(text: &str) -> Option<Timestamp> {
    DateTime::parse_from_rfc2822(text.trim())
        .ok()
        .map(|time| Timestamp::from_micros(time.timestamp_micros()))
}

/// The wait that a `Retry-After` header asks for: seconds, or a date.
pub(super) fn retry_after(text: &str, vendor_time: Option<Timestamp>) -> Option<Duration> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return span(seconds);
    }
    Some(http_date(text)?.since(vendor_time?).min(LONGEST))
}

/// What the number in an `X-RateLimit-Reset` header means; vendors differ, and do not say it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResetUnit {
    /// Seconds to wait, or a point in time in seconds or milliseconds: its size tells.
    #[default]
    BySize,
    /// Milliseconds to wait.
    Milliseconds,
}

/// The wait that an `X-RateLimit-Reset` header asks for.
pub(super) fn rate_limit_reset(
    text: &str,
    unit: ResetUnit,
    vendor_time: Option<Timestamp>,
) -> Option<Duration> {
    let number: f64 = text.trim().parse().ok()?;
    if unit == ResetUnit::Milliseconds {
        return span(number / 1000.0);
    }
    if number < FIRST_POINT_SECONDS {
        return span(number);
    }
    let millis = if number < FIRST_POINT_MILLIS { number * 1000.0 } else { number };
    #[expect(clippy::cast_possible_truncation, reason = "casts from float saturate")]
    let reset = Timestamp::from_millis(millis as i64);
    Some(reset.since(vendor_time?).min(LONGEST))
}

fn span(seconds: f64) -> Option<Duration> {
    (seconds >= 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST).min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Mon, 02 Mar 2026 08:00:00 GMT";

    #[test]
    fn retry_after_is_seconds_or_a_date_after_the_answers_own() {
        let now = http_date(DATE);
        assert_eq!(now.map(|time| time.to_string()).as_deref(), Some("2026-03-02T08:00:00Z"));
        assert_eq!(retry_after("30", None), Some(Duration::from_secs(30)));
        assert_eq!(retry_after(" 1.5 ", None), Some(Duration::from_millis(1_500)));
        assert_eq!(
            retry_after("Mon, 02 Mar 2026 08:01:40 GMT", now),
            Some(Duration::from_secs(100))
        );
        assert_eq!(retry_after("Mon, 02 Mar 2026 07:00:00 GMT", now), Some(Duration::ZERO));
        assert_eq!(retry_after(DATE, None), None);
        for odd in ["", "soon", "-5", "NaN"] {
            assert_eq!(retry_after(odd, now), None, "{odd}");
        }
        assert_eq!(retry_after("1e300", None), Some(LONGEST));
    }

    #[test]
    fn a_reset_is_a_span_or_a_point_in_time() {
        let now = http_date(DATE);
        let reset = |text, now| rate_limit_reset(text, ResetUnit::BySize, now);
        assert_eq!(reset("42", None), Some(Duration::from_secs(42)));
        assert_eq!(reset("1772438430", now), Some(Duration::from_secs(30)));
        assert_eq!(reset("1772438430000", now), Some(Duration::from_secs(30)));
        assert_eq!(reset("1772438430", None), None);
        assert_eq!(reset("later", now), None);
    }

    #[test]
    fn a_reset_in_milliseconds_is_one_whatever_its_size() {
        let reset = |text| rate_limit_reset(text, ResetUnit::Milliseconds, http_date(DATE));
        assert_eq!(reset("900000"), Some(Duration::from_secs(900)));
        assert_eq!(reset("250"), Some(Duration::from_millis(250)));
        assert_eq!(reset("1772438430000"), Some(LONGEST));
        assert_eq!(reset("-1"), None);
    }
}
