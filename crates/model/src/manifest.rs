//! An integration's manifest: everything that the catalogue, the checks and the docs say about it.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::action::ActionSpec;
use crate::budget::Quota;
use crate::connector::Region;
use crate::ocsf::Class;
use crate::source::{MsgOrigin, Source};

/// The machine-readable declaration of an integration, read from its `manifest.yaml`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The integration's id: `trend_micro_cas`.
    pub name: String,
    /// The product's name: `Trend Micro Cloud App Security`.
    pub title: String,
    /// The catalogue's category: `Cloud Security`.
    pub category: String,
    /// What it collects, in a sentence or two.
    pub description: String,
    /// Whether it collects records.
    pub collect: bool,
    /// Whether it offers response actions.
    pub respond: bool,
    /// Whether the vendor's own alerts become alerts.
    pub native_alerts: bool,
    /// What can be collected.
    pub content_types: Vec<ContentType>,
    /// The secrets that a connector needs.
    pub credential: Vec<CredentialField>,
    /// The settings that a connector takes.
    pub parameters: Vec<Parameter>,
    /// Where the vendor runs its service.
    pub regions: Vec<Region>,
    /// The vendor's limits per key; all hold at once.
    pub quotas: Vec<Quota>,
    /// The most requests that one connector test sends.
    pub test_requests: u32,
    /// Which rights the vendor must grant.
    pub permissions: Vec<String>,
    /// Its changes, newest first.
    pub changelog: Vec<Change>,
    /// What it can do at the vendor; declared in a file of their own.
    #[serde(default)]
    pub actions: Vec<ActionSpec>,
}

/// One kind of record that an integration serves.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentType {
    /// Its id inside the integration: `security_events`.
    pub name: String,
    /// For people.
    pub title: String,
    /// The Interflow class name.
    pub msg_class: String,
    /// The Taegis sensor type.
    pub sensor_type: String,
    /// Interflow's origin.
    pub msg_origin: MsgOrigin,
    /// The classes that its records become.
    pub classes: Vec<Class>,
    /// What its streams go on by.
    #[serde(default)]
    pub cursor: CursorStrategy,
    /// How often it is asked for.
    #[serde(with = "duration_text")]
    pub interval: Duration,
    /// How far back the vendor answers.
    #[serde(with = "duration_text")]
    pub history: Duration,
    /// How far each poll reads back over what is already covered, for late records.
    #[serde(with = "duration_text")]
    pub overlap: Duration,
    /// How far each poll stays behind now.
    #[serde(with = "duration_text")]
    pub lag: Duration,
    /// The widest span of one interval: short where the vendor answers wide ones badly or not at
    /// all, long where it keeps years of few records. Twelve hours of history when it is left out.
    #[serde(default, with = "optional_duration_text", skip_serializing_if = "Option::is_none")]
    pub window: Option<Duration>,
    /// Records in a full page.
    pub page_size: u32,
}

/// What a stream goes on by from one poll to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CursorStrategy {
    /// Closed intervals of time, each asked for with both its ends.
    #[default]
    Intervals,
    /// The vendor's token; a time is only given for the first page.
    PageToken,
    /// Nothing of ours: the vendor keeps what it has to say until it hears that it is stored.
    Delivery,
}

/// A secret that a connector needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CredentialField {
    /// Its name in the connector document: `api_keys`.
    pub name: String,
    /// Whether several may be given and are used side by side.
    #[serde(default)]
    pub pooled: bool,
    /// Where to get it.
    pub help: String,
}

/// A setting of a connector.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// Its name in the connector document.
    pub name: String,
    /// What kind of value it takes.
    #[serde(rename = "type")]
    pub kind: ParameterKind,
    /// Whether it must be given.
    #[serde(default)]
    pub required: bool,
    /// The only values allowed, when they can be listed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// What is used when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<serde_json::Value>,
    /// What it does.
    pub help: String,
}

/// What kind of value a parameter takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParameterKind {
    /// Text.
    Text,
    /// An http or https URL.
    Url,
    /// A list of texts.
    List,
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
}

/// One entry of an integration's changelog.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The version that brought it.
    pub version: String,
    /// What changed for the operator.
    pub text: String,
}

impl Manifest {
    /// The content type of this name.
    pub fn content_type(&self, name: &str) -> Option<&ContentType> {
        self.content_types.iter().find(|content_type| content_type.name == name)
    }

    /// The action of this name.
    pub fn action(&self, name: &str) -> Option<&ActionSpec> {
        self.actions.iter().find(|action| action.name == name)
    }

    /// The sources that this integration feeds.
    pub fn sources(&self) -> Vec<Arc<Source>> {
        self.content_types
            .iter()
            .map(|content_type| {
                Arc::new(Source {
                    id: format!("{}.{}", self.name, content_type.name),
                    msg_class: content_type.msg_class.clone(),
                    sensor_type: content_type.sensor_type.clone(),
                    msg_origin: content_type.msg_origin.clone(),
                    classes: content_type.classes.clone(),
                })
            })
            .collect()
    }
}

/// Durations that may be missing, otherwise as in [`duration_text`].
pub mod optional_duration_text {
    use std::time::Duration;

    use serde::{Deserializer, Serializer};

    use super::duration_text;

    /// For `#[serde(with)]`.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(
        duration: &Option<Duration>,
        out: S,
    ) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => duration_text::serialize(duration, out),
            None => out.serialize_none(),
        }
    }

    /// For `#[serde(with)]`; a value that is there must be a duration.
    ///
    /// # Errors
    /// The value is no duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
        duration_text::deserialize(input).map(Some)
    }
}

/// Durations as people write them: `90s`, `5m`, `72h`, `2d`; a bare number is seconds.
pub mod duration_text {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    /// Reads `90s`, `5m`, `72h`, `2d`, `1w`, `250ms`; a bare number is seconds.
    ///
    /// # Errors
    /// Says what the text should look like.
    pub fn parse(text: &str) -> Result<Duration, String> {
        let text = text.trim();
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let milliseconds: u64 = match unit.trim() {
            "ms" => 1,
            "" | "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 604_800_000,
            _ => 0,
        };
        number
            .parse::<u64>()
            .ok()
            .filter(|_| milliseconds > 0)
            .and_then(|number| number.checked_mul(milliseconds))
            .map(Duration::from_millis)
            .ok_or_else(|| format!("`{text}` is not a duration such as 90s, 5m, 72h or 2d"))
    }

    /// Writes the largest unit that divides the duration.
    pub fn format(duration: Duration) -> String {
        let milliseconds = duration.as_millis();
        [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")]
            .into_iter()
            .find(|(unit, _)| milliseconds > 0 && milliseconds.is_multiple_of(*unit))
            .map_or_else(
                || format!("{milliseconds}ms"),
                |(unit, name)| format!("{}{name}", milliseconds / unit),
            )
    }

    /// For `#[serde(with)]`.
    ///
    /// # Errors
    /// The serializer's.
    pub fn serialize<S: Serializer>(duration: &Duration, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(&format(*duration))
    }

    /// For `#[serde(with)]`.
    ///
    /// # Errors
    /// The value is no duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum TextOrSeconds {
            Text(String),
            Seconds(u64),
        }
        match TextOrSeconds::deserialize(input)? {
            TextOrSeconds::Text(text) => parse(&text).map_err(serde::de::Error::custom),
            TextOrSeconds::Seconds(seconds) => Ok(Duration::from_secs(seconds)),
        }
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn durations_read_and_print_as_people_write_them() {
            for text in ["250ms", "90s", "5m", "2d", "7d"] {
                assert_eq!(format(parse(text).unwrap()), text);
            }
            assert_eq!(format(parse("72h").unwrap()), "3d");
            assert_eq!(parse("60").unwrap(), Duration::from_secs(60));
            for bad in ["", "h", "-5m", "5 parsecs", "5.5m", "99999999999999999w"] {
                assert!(parse(bad).is_err(), "{bad}");
            }
        }
    }
}
