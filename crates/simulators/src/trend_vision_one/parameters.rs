//! Query parameters and times as the vendor takes them: whole seconds, UTC, `Z`.

use url::form_urlencoded;

use crate::times::{format_instant, parse_instant_ms};

/// The parameters of a query; of a repeated one the last counts.
#[derive(Debug, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn read(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// A point in time; `None` when it is not given.
    ///
    /// # Errors
    /// The text is not of the documented form.
    pub(super) fn instant(&self, name: &str) -> Result<Option<i64>, String> {
        self.get(name)
            .map(|text| instant(text).ok_or_else(|| format!("\"{name}\" is not a valid date-time")))
            .transpose()
    }

    /// A page size out of those allowed.
    ///
    /// # Errors
    /// Another number, or no number.
    pub(super) fn top(&self, allowed: &[usize], default: usize) -> Result<usize, String> {
        let Some(text) = self.get("top") else { return Ok(default) };
        let found = text.parse().ok().filter(|number| allowed.contains(number));
        found.ok_or_else(|| format!("\"top\" must be one of {allowed:?}"))
    }
}

/// Reads exactly `yyyy-mm-ddThh:mm:ssZ`.
pub(super) fn instant(text: &str) -> Option<i64> {
    const SHAPE: &str = "0000-00-00T00:00:00Z";
    let is_shaped = text.len() == SHAPE.len()
        && text.bytes().zip(SHAPE.bytes()).all(|(byte, wanted)| match wanted {
            b'0' => byte.is_ascii_digit(),
            other => byte == other,
        });
    is_shaped.then(|| parse_instant_ms(text)).flatten()
}

/// Writes whole seconds: `2026-03-02T08:00:00Z`.
pub(super) fn seconds(epoch_ms: i64) -> String {
    let text = format_instant(epoch_ms);
    format!("{}Z", &text[..19])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_seconds_in_utc() {
        assert_eq!(instant("2026-03-02T08:00:00Z"), Some(1_772_438_400_000));
        assert_eq!(seconds(1_772_438_400_999), "2026-03-02T08:00:00Z");
        for text in ["2026-03-02T08:00:00.000Z", "2026-03-02T08:00:00+00:00", "2026-03-02", "x"] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn page_sizes_are_those_allowed() {
        let top = |query: &str| Parameters::read(query).top(&[50, 100, 200], 50);
        assert_eq!(top(""), Ok(50));
        assert_eq!(top("top=200"), Ok(200));
        assert!(top("top=500").is_err() && top("top=x").is_err());
    }
}
