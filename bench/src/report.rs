//! A measured figure and how it is printed: one line for people, or one JSON object for machines.

use std::fmt::Write as _;

use serde::Serialize;

use crate::machine::Machine;

/// What a figure should be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// At least this value.
    AtLeast(f64),
    /// At most this value.
    AtMost(f64),
    /// The ratio at least this.
    RatioAtLeast(f64),
    /// The ratio at most this.
    RatioAtMost(f64),
}

/// A figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// Its name, as on the command line.
    pub name: &'static str,
    /// What was measured.
    pub value: f64,
    /// In what.
    pub unit: &'static str,
    /// What it should be, when somebody asked for something.
    pub aim: Option<Aim>,
    /// The value against what it is compared with.
    pub ratio: Option<f64>,
    /// The spread and what else was seen, for people.
    pub detail: String,
}

impl Figure {
    /// Whether the aim is met; `None` without an aim, or when the ratio that it asks for is missing.
    pub fn meets_aim(&self) -> Option<bool> {
        Some(match self.aim? {
            Aim::AtLeast(least) => self.value >= least,
            Aim::AtMost(most) => self.value <= most,
            Aim::RatioAtLeast(least) => self.ratio? >= least,
            Aim::RatioAtMost(most) => self.ratio? <= most,
        })
    }

    /// The line for people.
    pub fn line(&self, machine: &Machine) -> String {
        let mut line = format!("{:<14}{:>12} {:<22}", self.name, number(self.value), self.unit);
        let aim = self.aim.map_or_else(|| "no aim".to_owned(), Aim::text);
        let verdict = match self.meets_aim() {
            Some(true) => "met",
            Some(false) => "MISSED",
            None => "",
        };
        let ratio = self.ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        let written =
            write!(line, " ratio {ratio:<6} aim {aim:<14} {verdict:<7} {machine}; {}", self.detail);
        debug_assert!(written.is_ok(), "writing to a text cannot fail");
        line
    }

    /// The object for machines.
    ///
    /// # Errors
    /// It cannot be written, which numbers and texts always can.
    pub fn json(&self, machine: &Machine, at: &str) -> Result<String, serde_json::Error> {
        #[derive(Serialize)]
        struct Line<'a> {
            #[serde(flatten)]
            figure: &'a Figure,
            meets_aim: Option<bool>,
            machine: &'a Machine,
            at: &'a str,
        }
        let meets_aim = self.meets_aim();
        serde_json::to_string(&Line { figure: self, meets_aim, machine, at })
    }
}

impl Aim {
    fn text(self) -> String {
        match self {
            Self::AtLeast(least) => format!(">= {}", number(least)),
            Self::AtMost(most) => format!("<= {}", number(most)),
            Self::RatioAtLeast(least) => format!("ratio >= {}", number(least)),
            Self::RatioAtMost(most) => format!("ratio <= {}", number(most)),
        }
    }
}

/// A number as people read it: thousands apart, and no more digits than were measured.
pub fn number(value: f64) -> String {
    if value.abs() < 100.0 {
        let text = format!("{value:.2}");
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        Machine { cores: 2, memory_bytes: 24 << 30, processor: "Acme".to_owned() }
    }

    fn figure(aim: Option<Aim>) -> Figure {
        Figure {
            name: "append",
            value: 61_234.4,
            unit: "records/s",
            aim,
            ratio: Some(0.625),
            detail: "best of 3".to_owned(),
        }
    }

    #[test]
    fn a_line_says_value_aim_ratio_and_machine() {
        let line = figure(Some(Aim::RatioAtLeast(0.5))).line(&machine());
        for part in [
            "append ",
            "61,234 records/s",
            "ratio 0.62",
            "aim ratio >= 0.5",
            "met",
            "2 cores, 24 GB",
        ] {
            assert!(line.contains(part), "{part} in {line}");
        }
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn aims_are_met_or_missed_by_value_or_ratio() {
        let met = |aim| figure(Some(aim)).meets_aim();
        assert_eq!(met(Aim::AtLeast(61_234.0)), Some(true));
        assert_eq!(met(Aim::AtMost(61_234.0)), Some(false));
        assert_eq!(met(Aim::RatioAtLeast(0.7)), Some(false));
        assert_eq!(met(Aim::RatioAtMost(0.7)), Some(true));
        assert_eq!(figure(None).meets_aim(), None);
        let without = Figure { ratio: None, ..figure(Some(Aim::RatioAtMost(2.0))) };
        assert_eq!(without.meets_aim(), None);
    }

    #[test]
    fn machines_read_the_same_facts() {
        let text = figure(Some(Aim::RatioAtLeast(0.5))).json(&machine(), "2026-03-02T08:00:00Z");
        let read: serde_json::Value = serde_json::from_str(&text.unwrap()).unwrap();
        assert_eq!(read["name"], "append");
        assert_eq!(read["ratio"], 0.625);
        assert_eq!(read["aim"]["ratio_at_least"], 0.5);
        assert_eq!(read["meets_aim"], true);
        assert_eq!(read["machine"]["cores"], 2);
        assert_eq!(read["at"], "2026-03-02T08:00:00Z");
    }

    #[test]
    fn numbers_are_short_when_small_and_grouped_when_large() {
        let shown =
            [0.0, 0.5, 2.0, 9.876, 99.999, 100.4, 1_000.0, 1_234_567.8, -1_234.0].map(number);
        assert_eq!(shown, ["0", "0.5", "2", "9.88", "100", "100", "1,000", "1,234,568", "-1,234"]);
    }
}
