//! The window of a request: the four cases of start and end, the 72 hours of reach, and the checks.

use crate::times::{HOUR_MS, parse_instant_ms};

use super::errors::Refused;

/// How far back data is reachable, in milliseconds.
pub(super) const REACH_MS: i64 = 72 * HOUR_MS;
/// The length of a window of which only one bound is given, in milliseconds.
const DEFAULT_MS: i64 = 300_000;

/// A resolved window, epoch milliseconds; whether the end belongs to it is a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
}

impl Window {
    /// Resolves the request's bounds against the time now.
    pub(super) fn resolve(
        start: Option<&str>,
        end: Option<&str>,
        now_ms: i64,
        clip_old: bool,
    ) -> Result<Self, Refused> {
        let start = start.map(|text| instant("start", text)).transpose()?;
        let end = end.map(|text| instant("end", text)).transpose()?;
        let (start_ms, end_ms) = match (start, end) {
            (None, None) => (now_ms - DEFAULT_MS, now_ms),
            (Some(start), Some(end)) => (start, end),
            (Some(start), None) => (start, start + DEFAULT_MS),
            (None, Some(end)) => (end - DEFAULT_MS, end),
        };
        if end_ms < start_ms {
            return Err(Refused::BadParameter(
                "The end time is earlier than the start time".to_owned(),
            ));
        }
        let oldest_ms = now_ms - REACH_MS;
        if start_ms >= oldest_ms {
            return Ok(Self { start_ms, end_ms });
        }
        if clip_old {
            return Ok(Self { start_ms: oldest_ms, end_ms });
        }
        Err(Refused::BadParameter("The start time is more than 72 hours ago".to_owned()))
    }
}

/// Reads exactly `yyyy-mm-ddThh:mm:ssZ` or the same with milliseconds.
pub(super) fn instant(name: &str, text: &str) -> Result<i64, Refused> {
    let shaped = |pattern: &str| {
        text.len() == pattern.len()
            && text.bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
                b'0' => byte.is_ascii_digit(),
                other => byte == other,
            })
    };
    let well_shaped = shaped("0000-00-00T00:00:00Z") || shaped("0000-00-00T00:00:00.000Z");
    well_shaped
        .then(|| parse_instant_ms(text))
        .flatten()
        .ok_or_else(|| Refused::BadParameter(format!("The format of {name} is invalid")))
}

#[cfg(test)]
mod tests {

    use super::*;

    const NOW: &str = "2026-03-02T08:00:00Z";

    fn resolve(
        start: Option<&str>,
        end: Option<&str>,
        clip_old: bool,
    ) -> Result<(i64, i64), Refused> {
        let now_ms = ms(NOW);
        Window::resolve(start, end, now_ms, clip_old)
            .map(|window| ((window.start_ms - now_ms) / 1_000, (window.end_ms - now_ms) / 1_000))
    }

    fn ms(text: &str) -> i64 {
        parse_instant_ms(text).unwrap()
    }

    #[test]
    fn the_four_cases_of_start_and_end() {
        let (start, end) = (Some("2026-03-02T07:00:00Z"), Some("2026-03-02T07:30:00.000Z"));
        assert_eq!(resolve(None, None, false), Ok((-300, 0)));
        assert_eq!(resolve(start, end, false), Ok((-3_600, -1_800)));
        assert_eq!(resolve(start, None, false), Ok((-3_600, -3_300)));
        assert_eq!(resolve(None, end, false), Ok((-2_100, -1_800)));
        assert_eq!(resolve(start, start, false), Ok((-3_600, -3_600)));
    }

    #[test]
    fn an_end_before_the_start_is_refused() {
        assert!(resolve(Some("2026-03-02T07:00:01Z"), Some("2026-03-02T07:00:00Z"), true).is_err());
    }

    #[test]
    fn old_starts_are_refused_or_clipped_at_72_hours() {
        let (edge, older) = (Some("2026-02-27T08:00:00Z"), Some("2026-02-27T07:59:59.999Z"));
        assert_eq!(resolve(edge, Some(NOW), false), Ok((-259_200, 0)));
        assert!(resolve(older, Some(NOW), false).is_err());
        assert_eq!(resolve(older, Some(NOW), true), Ok((-259_200, 0)));
    }

    #[test]
    fn only_seconds_or_milliseconds_with_z_are_accepted() {
        for bad in [
            "2026-03-02T07:00:00+00:00",
            "2026-03-02T07:00:00",
            "2026-03-02 07:00:00Z",
            "2026-03-02T07:00:00.000000Z",
            "2026-03-02T07:00:00.1Z",
            "2026-13-02T07:00:00Z",
            "1772438400",
            "",
        ] {
            assert!(resolve(Some(bad), None, true).is_err(), "{bad}");
        }
    }
}
