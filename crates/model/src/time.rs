//! Points in time, spans between them, and UTC days, in the lake's resolution: microseconds.

use std::fmt;
use std::ops::{Add, Sub};
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// A point in time: microseconds since 1970-01-01T00:00:00Z. Serialised as RFC 3339 text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

/// A text that is not a point in time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an RFC 3339 time such as 2026-03-02T08:00:00Z")]
pub struct InvalidTimestamp(String);

impl Timestamp {
    /// 1970-01-01T00:00:00Z, which also stands for "the record has no usable time".
    pub const EPOCH: Self = Self(0);
    /// Times before 2000-01-01 or from 2100-01-01 on count as none, whatever the clock says.
    const PLAUSIBLE: std::ops::Range<i64> = 946_684_800_000_000..4_102_444_800_000_000;

    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From milliseconds since the epoch; saturates at the ends of the range.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1000))
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the epoch, rounded towards the past.
    pub const fn as_millis(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Reads RFC 3339 text with any offset and fraction.
    ///
    /// # Errors
    /// The text is not RFC 3339.
    pub fn parse(text: &str) -> Result<Self, InvalidTimestamp> {
        DateTime::parse_from_rfc3339(text.trim())
            .map(|time| Self(time.timestamp_micros()))
            .map_err(|_| InvalidTimestamp(text.to_owned()))
    }

    /// Itself when it lies in 2000..2100, else `None`: such times come from broken records.
    pub fn plausible(self) -> Option<Self> {
        Self::PLAUSIBLE.contains(&self.0).then_some(self)
    }

    /// The UTC day it lies in.
    pub fn day(self) -> Day {
        Day(i32::try_from(self.0.div_euclid(MICROS_PER_DAY)).unwrap_or(0))
    }

    /// As a `chrono` time, clamped to what that type can hold.
    pub fn to_chrono(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// The span from an earlier time to this one; zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// Text with whole milliseconds and `Z`, the form that every vendor accepts.
    pub fn to_rfc3339_millis(self) -> String {
        self.to_chrono().to_rfc3339_opts(SecondsFormat::Millis, true)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_micros())
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_micros()).unwrap_or(i64::MAX)))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.to_chrono().to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// A UTC day: days since 1970-01-01. Printed and serialised as `2026-03-02`, the lake's partition
/// value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Day(pub i32);

impl Day {
    /// Reads `2026-03-02`.
    pub fn parse(text: &str) -> Option<Self> {
        let date = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        let days = date.signed_duration_since(chrono::NaiveDate::default()).num_days();
        i32::try_from(days).ok().map(Self)
    }

    /// The first instant of the day.
    pub fn start(self) -> Timestamp {
        Timestamp(i64::from(self.0) * MICROS_PER_DAY)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.start().to_chrono().format("%Y-%m-%d"))
    }
}

impl Serialize for Day {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is not a day")))
    }
}

/// A span of time from `start` (inclusive) to `end` (exclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Interval {
    /// The first instant inside.
    pub start: Timestamp,
    /// The first instant after.
    pub end: Timestamp,
}

impl Interval {
    /// How long it lasts; zero when it is empty.
    pub fn width(self) -> Duration {
        self.end.since(self.start)
    }

    /// Whether no instant lies inside.
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// Cuts at a point inside: the part before, the part from there on.
    pub fn split_at(self, point: Timestamp) -> (Self, Self) {
        (Self { start: self.start, end: point }, Self { start: point, end: self.end })
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.start, self.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_outside_2000_to_2100_count_as_none() {
        assert!(Timestamp::parse("1999-12-31T23:59:59Z").unwrap().plausible().is_none());
        assert!(Timestamp::parse("2000-01-01T00:00:00Z").unwrap().plausible().is_some());
        assert!(Timestamp::parse("2099-12-31T23:59:59Z").unwrap().plausible().is_some());
        assert!(Timestamp::parse("2100-01-01T00:00:00Z").unwrap().plausible().is_none());
    }

    #[test]
    fn a_day_is_utc_whatever_the_offset_of_the_text() {
        let time = Timestamp::parse("2026-03-02T08:30:00+09:00").unwrap();
        assert_eq!(time.day().to_string(), "2026-03-01");
        assert_eq!(Day::parse("2026-03-01"), Some(time.day()));
        assert_eq!(time.to_rfc3339_millis(), "2026-03-01T23:30:00.000Z");
    }
}
