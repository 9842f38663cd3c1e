//! `EARLIEST`, `LATEST` and `LATEST=true`, and the texts that say a time.

use std::time::Duration;

use model::time::{Day, Timestamp};

use crate::language::QueryError;
use crate::plan::TimeRange;
use crate::syntax::{Condition, Setting, SettingKind};

const HINT: &str = "write a span back from now such as -24h (s, m, h, d, w), or a UTC time in \
                    quotes such as '2026-03-02T08:00:00Z'";

/// The conditions that are joined by `AND` at the top; the settings among them go to `settings`.
pub(super) fn split<'t>(
    condition: Option<&'t Condition>,
    settings: &mut Vec<&'t Setting>,
) -> Vec<&'t Condition> {
    let mut conditions: Vec<&Condition> = match condition {
        None => Vec::new(),
        Some(Condition::All(parts)) => parts.iter().collect(),
        Some(condition) => vec![condition],
    };
    conditions.retain(|condition| match condition {
        Condition::Setting(setting) => {
            settings.push(setting);
            false
        }
        _ => true,
    });
    conditions
}

/// The mistake of a setting that is not at the top.
pub(super) fn misplaced(setting: &Setting) -> QueryError {
    let message = format!("{} cannot stand inside OR, NOT or parentheses", name(setting.kind));
    QueryError::new(message, setting.span.clone()).with_hint(
        "it holds for the whole query: write it last, and put parentheses around what OR joins",
    )
}

/// The range of event time that the settings leave, and whether only the newest versions count.
pub(super) fn settings(
    settings: &[&Setting],
    now: Timestamp,
) -> Result<(TimeRange, bool), QueryError> {
    let mut range = TimeRange::default();
    let mut latest = None;
    for setting in settings {
        let is_second = match setting.kind {
            SettingKind::Version => latest.replace(setting.value.value == "true").is_some(),
            SettingKind::Earliest => range.earliest.replace(time_of(setting, now)?.start).is_some(),
            SettingKind::Latest => {
                let moment = time_of(setting, now)?;
                range.latest.replace(moment.start + moment.covers).is_some()
            }
        };
        if is_second {
            let message = format!("{} is given twice", name(setting.kind));
            return Err(QueryError::new(message, setting.span.clone()).with_hint("leave one out"));
        }
        if let TimeRange { earliest: Some(earliest), latest: Some(latest) } = range
            && latest <= earliest
        {
            let error = QueryError::new("EARLIEST is not before LATEST", setting.span.clone());
            return Err(error.with_hint("swap them, or widen the range"));
        }
    }
    if range.earliest.is_some() && range.latest.is_none() {
        // Until now, and now is part of it.
        range.latest = Some(now + Duration::from_micros(1));
    }
    Ok((range, latest.unwrap_or(false)))
}

fn time_of(setting: &Setting, now: Timestamp) -> Result<Moment, QueryError> {
    moment(&setting.value.value, now).ok_or_else(|| {
        let message = format!("`{}` is not a time", setting.value.value);
        QueryError::new(message, setting.value.span.clone()).with_hint(HINT)
    })
}

fn name(kind: SettingKind) -> &'static str {
    match kind {
        SettingKind::Earliest => "EARLIEST",
        SettingKind::Latest => "LATEST",
        SettingKind::Version => "LATEST=true",
    }
}

/// A time as written: where it begins, and how much it covers by its precision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) start: Timestamp,
    pub(super) covers: Duration,
}

/// Reads `-24h`, `2026-03-02T08:00:00Z`, `2026-03-02 08:00`, `2026-03-02`; without a zone it is UTC.
pub(super) fn moment(text: &str, now: Timestamp) -> Option<Moment> {
    let text = text.trim();
    if let Some(span) = text.strip_prefix('-') {
        return Some(Moment { start: now - back(span)?, covers: Duration::ZERO });
    }
    if let Some(day) = Day::parse(text) {
        return Some(Moment { start: day.start(), covers: Duration::from_secs(86_400) });
    }
    let (body, zone) = split_zone(text);
    let (body, covers) = match body.len() {
        16 => (format!("{body}:00"), Duration::from_secs(60)),
        19 => (body.to_owned(), Duration::from_secs(1)),
        _ => (body.to_owned(), Duration::ZERO),
    };
    let start = Timestamp::parse(&format!("{}{zone}", body.replacen(' ', "T", 1))).ok()?;
    Some(Moment { start, covers })
}

/// Reads what [`moment`] reads, and times that are counted from `now`: `now`, `now-24h`, `now+1h`.
pub(super) fn moment_from_now(text: &str, now: Timestamp) -> Option<Moment> {
    let Some(rest) = text.trim().strip_prefix("now") else { return moment(text, now) };
    let start = match (rest.strip_prefix('-'), rest.strip_prefix('+')) {
        (Some(span), _) => now - back(span)?,
        (_, Some(span)) => now + back(span)?,
        _ if rest.is_empty() => now,
        _ => return None,
    };
    Some(Moment { start, covers: Duration::ZERO })
}

/// The length of `24h`.
fn back(span: &str) -> Option<Duration> {
    let unit = span.chars().last()?;
    let count: u64 = span.strip_suffix(unit)?.parse().ok()?;
    let seconds = match unit.to_ascii_lowercase() {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    count.checked_mul(seconds).map(Duration::from_secs)
}

/// Date and time, and the offset behind them: `Z` when there is none.
fn split_zone(text: &str) -> (&str, &str) {
    if let Some(body) = text.strip_suffix(['Z', 'z']) {
        return (body, "Z");
    }
    let at = text.len().saturating_sub(6);
    match text.split_at_checked(at) {
        Some((body, zone)) if body.len() > 10 && zone.starts_with(['+', '-']) => (body, zone),
        _ => (text, "Z"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covered(text: &str) -> Option<(String, u64)> {
        let now = Timestamp::from_millis(1_772_438_400_000);
        moment(text, now).map(|moment| (moment.start.to_string(), moment.covers.as_secs()))
    }

    #[test]
    fn a_time_covers_what_its_precision_says() {
        let of = |start: &str, seconds| Some((start.to_owned(), seconds));
        assert_eq!(covered("2026-03-02T23:59:59Z"), of("2026-03-02T23:59:59Z", 1));
        assert_eq!(covered("2026-03-02T23:59:59.5Z"), of("2026-03-02T23:59:59.500Z", 0));
        assert_eq!(covered("2026-03-02 23:59"), of("2026-03-02T23:59:00Z", 60));
        assert_eq!(covered("2026-03-02"), of("2026-03-02T00:00:00Z", 86_400));
        assert_eq!(covered("2026-03-02T09:00:00+09:00"), of("2026-03-02T00:00:00Z", 1));
        assert_eq!(covered("-90m"), of("2026-03-02T06:30:00Z", 0));
    }

    #[test]
    fn times_may_be_counted_from_now() {
        let now = Timestamp::from_millis(1_772_438_400_000);
        let start = |text| moment_from_now(text, now).map(|moment| moment.start.to_string());
        let is = |text: &str| Some(text.to_owned());
        assert_eq!(start("now"), is("2026-03-02T08:00:00Z"));
        assert_eq!(start("now-24h"), is("2026-03-01T08:00:00Z"));
        assert_eq!(start("now+30m"), is("2026-03-02T08:30:00Z"));
        assert_eq!(start("-1d"), is("2026-03-01T08:00:00Z"));
        assert_eq!(start("2026-03-02"), is("2026-03-02T00:00:00Z"));
        for text in ["now/d", "now-1M/M", "now 24h", "nowhere", "now--1h"] {
            assert_eq!(start(text), None, "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in [
            "",
            "-",
            "-h",
            "-1y",
            "-1.5h",
            "24h",
            "now",
            "2026-13-01",
            "-９h",
            "日本語日本語日本語",
        ] {
            assert_eq!(covered(text), None, "{text}");
        }
        assert_eq!(covered("-99999999999999999999w"), None);
    }
}
