//! Faults: named knobs with a help text and a default, set from `NAME=VALUE` or at run time.
//!
//! A vendor lists its knobs as a table of `Fault`s over its own settings struct, so that the list that is
//! shown and the names that are accepted cannot differ.

use serde::Serialize;
use thiserror::Error;

use crate::times::{parse_duration_ms, parse_instant_ms};

/// What a user needs to know about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FaultInfo {
    /// The name used in `NAME=VALUE`.
    pub name: &'static str,
    /// The values that it accepts, in words.
    pub accepts: &'static str,
    /// The value in force when nothing is said.
    pub default: &'static str,
    /// What it does.
    pub help: &'static str,
}

/// Why a fault could not be set.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FaultError {
    /// The vendor has no such fault.
    #[error("unknown fault `{name}`; known are {known}")]
    Unknown {
        /// The name that was given.
        name: String,
        /// All names, comma separated.
        known: String,
    },
    /// The value is not one that the fault accepts.
    #[error("fault `{name}` does not accept `{value}`: it takes {accepts}")]
    Invalid {
        /// The fault.
        name: &'static str,
        /// The value that was given.
        value: String,
        /// The values that it accepts, in words.
        accepts: &'static str,
    },
}

/// One knob over the settings `S`.
pub(crate) struct Fault<S> {
    pub(crate) info: FaultInfo,
    pub(crate) apply: fn(&mut S, &str) -> Option<()>,
}

/// Sets the fault `name` in `settings`; nothing changes when it fails.
pub(crate) fn set<S>(
    table: &[Fault<S>],
    settings: &mut S,
    name: &str,
    value: &str,
) -> Result<&'static str, FaultError> {
    let Some(fault) = table.iter().find(|fault| fault.info.name == name) else {
        let known = table.iter().map(|fault| fault.info.name).collect::<Vec<_>>().join(", ");
        return Err(FaultError::Unknown { name: name.to_owned(), known });
    };
    let info = fault.info;
    (fault.apply)(settings, value.trim()).map(|()| info.name).ok_or_else(|| FaultError::Invalid {
        name: info.name,
        value: value.to_owned(),
        accepts: info.accepts,
    })
}

/// `on` or `off` (also `true` and `false`, as JSON sends them).
pub(crate) fn switch(value: &str) -> Option<bool> {
    match value {
        "on" | "true" => Some(true),
        "off" | "false" => Some(false),
        _ => None,
    }
}

/// A whole number from `least`.
pub(crate) fn whole(value: &str, least: u64) -> Option<u64> {
    value.parse().ok().filter(|number| *number >= least)
}

/// A percentage from 0 to 100, with or without `%`.
pub(crate) fn percent(value: &str) -> Option<f64> {
    let number: f64 = value.strip_suffix('%').unwrap_or(value).parse().ok()?;
    (0.0..=100.0).contains(&number).then_some(number)
}

/// A duration in milliseconds; `0` is accepted without a unit.
pub(crate) fn duration(value: &str) -> Option<i64> {
    if value == "0" { Some(0) } else { parse_duration_ms(value) }
}

/// A duration that may point into the past: `-3m`.
pub(crate) fn signed_duration(value: &str) -> Option<i64> {
    match value.strip_prefix('-') {
        Some(backwards) => duration(backwards).map(|amount| -amount),
        None => duration(value),
    }
}

/// A time in RFC 3339 as epoch milliseconds, or `off`.
pub(crate) fn instant(value: &str) -> Option<Option<i64>> {
    if value == "off" { Some(None) } else { parse_instant_ms(value).map(Some) }
}

/// `START/END` in RFC 3339 as epoch milliseconds, end after start.
pub(crate) fn period(value: &str) -> Option<(i64, i64)> {
    let (start, end) = value.split_once('/')?;
    let (start, end) = (parse_instant_ms(start)?, parse_instant_ms(end)?);
    (start < end).then_some((start, end))
}

/// Comma-separated names; an empty text is an empty list.
pub(crate) fn names(value: &str) -> Vec<String> {
    value.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Comma-separated `NAME:VALUE` pairs, split at the first colon.
pub(crate) fn pairs<V>(value: &str, read: impl Fn(&str) -> Option<V>) -> Option<Vec<(String, V)>> {
    names(value)
        .iter()
        .map(|pair| {
            let (name, text) = pair.split_once(':')?;
            Some((name.to_owned(), read(text)?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Fault<u64>] = &[Fault {
        info: FaultInfo {
            name: "size",
            accepts: "a whole number from 1",
            default: "1",
            help: "sets the size",
        },
        apply: |settings, value| {
            *settings = whole(value, 1)?;
            Some(())
        },
    }];

    #[test]
    fn errors_name_the_fault_and_what_it_accepts() {
        let mut size = 5;
        let unknown = set(TABLE, &mut size, "sice", "3").map_err(|error| error.to_string());
        assert_eq!(unknown, Err("unknown fault `sice`; known are size".to_owned()));
        let bad = set(TABLE, &mut size, "size", "0").map_err(|error| error.to_string());
        assert_eq!(
            bad,
            Err("fault `size` does not accept `0`: it takes a whole number from 1".to_owned())
        );
        assert_eq!(size, 5);
        assert_eq!(set(TABLE, &mut size, "size", " 3 "), Ok("size"));
        assert_eq!(size, 3);
    }

    #[test]
    fn values_are_read_or_refused() {
        assert_eq!(percent("2.5%"), Some(2.5));
        assert_eq!(percent("101"), None);
        assert_eq!(signed_duration("-3m"), Some(-180_000));
        assert_eq!(period("2026-03-02T01:00:00Z/2026-03-02T00:00:00Z"), None);
        assert_eq!(
            pairs("a:on,b:off", switch),
            Some(vec![("a".to_owned(), true), ("b".to_owned(), false)])
        );
        assert_eq!(pairs("a", switch), None);
        assert!(names("").is_empty());
    }
}
