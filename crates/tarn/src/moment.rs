//! Points in time as people type them: `24h` ago, or RFC 3339.

use std::str::FromStr;
use std::time::Duration;

use model::manifest::duration_text;
use model::time::Timestamp;

/// A point in time, possibly relative to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// So long before now.
    Ago(Duration),
    /// Exactly then.
    At(Timestamp),
}

impl Moment {
    /// The time that is meant.
    pub(crate) fn resolve(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(span) => now - span,
            Self::At(time) => time,
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(time) = Timestamp::parse(text) {
            return Ok(Self::At(time));
        }
        if text == "now" {
            return Ok(Self::Ago(Duration::ZERO));
        }
        duration_text::parse(text).map(Self::Ago).map_err(|_| {
            "write a span such as 24h or 7d, or a time such as 2026-03-02T08:00:00Z".to_owned()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_count_back_from_now_and_times_stand() {
        let now = Timestamp::from_millis(1_772_409_600_000);
        let resolve =
            |text: &str| text.parse::<Moment>().map(|moment| moment.resolve(now).to_string());
        assert_eq!(resolve("24h"), Ok((now - Duration::from_secs(86_400)).to_string()));
        assert_eq!(resolve("2026-03-02T09:00:00+09:00"), Ok(now.to_string()));
        assert!(resolve("yesterday").is_err());
    }
}
