//! Who a record is: its `log_item_id`, else the canonical record; and when it was detected.

use std::borrow::Cow;

use model::identity::{Identity, canonical_payload};
use model::mapping::Unusable;
use model::time::Timestamp;
use serde::de::IgnoredAny;

use super::decode::Fields;
use super::text;

/// Top-level fields that may differ each time the same record is served: none are known.
const VOLATILE: &[&str] = &[];
/// Where the time stands, best first.
pub(super) const TIMES: [&str; 3] =
    ["detection_time", "mail_message_submit_time", "file_upload_time"];

/// A record's two levels.
#[derive(Debug, Default)]
pub(super) struct Levels<'a> {
    pub(super) top: Fields<'a>,
    /// Empty when there is no `message` object.
    pub(super) message: Fields<'a>,
}

impl<'a> Levels<'a> {
    /// Reads a record. A `message` that is no object stays among the top fields.
    pub(super) fn read(json: &'a str) -> Result<Self, sonic_rs::Error> {
        let mut top = Fields::read(json)?;
        let message = top.json("message").and_then(|json| Fields::read(json).ok());
        if message.is_some() {
            top.take("message");
        }
        Ok(Self { top, message: message.unwrap_or_default() })
    }

    /// The vendor's id, from either level.
    pub(super) fn id(&self) -> Option<Cow<'a, str>> {
        [&self.top, &self.message].into_iter().find_map(|fields| {
            fields.json("log_item_id").filter(|json| json.starts_with('"'))?;
            fields.peek("log_item_id")
        })
    }

    /// The event time, and the field that it was read from.
    pub(super) fn time(&self) -> Option<(Timestamp, &'static str)> {
        TIMES.into_iter().find_map(|name| {
            let text = self.message.peek(name).or_else(|| self.top.peek(name))?;
            Some((text::time(&text)?, name))
        })
    }
}

/// Identifies a record.
pub(super) fn identify(raw: &[u8]) -> Result<Identity, Unusable> {
    let json = std::str::from_utf8(raw)
        .map_err(|_| Unusable("the record is not valid UTF-8".to_owned()))?;
    let not_an_object = |_| Unusable("the record is not a JSON object".to_owned());
    let _: IgnoredAny = sonic_rs::from_str(json).map_err(not_an_object)?;
    let record = Levels::read(json).map_err(not_an_object)?;
    let key = match record.id() {
        Some(id) => id.as_bytes().to_vec(),
        // A record that even the canonical form refuses is itself, byte for byte.
        None => canonical_payload(raw, VOLATILE).unwrap_or_else(|_| raw.trim_ascii().to_vec()),
    };
    Ok(Identity { key, time: record.time().map(|(time, _)| time) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(json: &str) -> String {
        String::from_utf8(identify(json.as_bytes()).unwrap().key).unwrap()
    }

    fn time(json: &str) -> Option<String> {
        identify(json.as_bytes()).unwrap().time.map(|time| time.to_string())
    }

    #[test]
    fn the_id_stands_on_either_level() {
        assert_eq!(key(r#"{"log_item_id":"i-1","message":{"log_item_id":"i-2"}}"#), "i-1");
        assert_eq!(key(r#"{"log_item_id":"","message":{"log_item_id":"i-2"}}"#), "i-2");
    }

    #[test]
    fn without_an_id_the_canonical_record_counts() {
        let one = key(r#"{"log_item_id":null,"message":{"a":1,"b":2}}"#);
        let two = key(r#"{"message":{"b":2, "a":1},"log_item_id":null}"#);
        assert_eq!(one, two);
        assert_ne!(one, key(r#"{"log_item_id":7,"message":{"a":1,"b":2}}"#));
        assert_eq!(key(r#"{"a":"\ud83d"}"#), r#"{"a":"\ud83d"}"#);
    }

    #[test]
    fn the_time_falls_back_to_mail_and_file_times() {
        let expected = Some("2026-03-02T08:00:00Z".to_owned());
        for json in [
            r#"{"message":{"detection_time":"2026-03-02T08:00:00.000Z","file_upload_time":"x"}}"#,
            r#"{"message":{"detection_time":"","mail_message_submit_time":"2026-03-02 08:00:00"}}"#,
            r#"{"message":{"detection_time":"soon","file_upload_time":1772438400}}"#,
            r#"{"detection_time":"2026-03-02T08:00:00Z"}"#,
        ] {
            assert_eq!(time(json), expected, "{json}");
        }
        assert_eq!(time(r#"{"message":{}}"#), None);
    }

    #[test]
    fn what_is_no_object_is_unusable() {
        for raw in [&b"[]"[..], b"7", b"", b"{", b"{\"a\":\"\xff\"}", b"{}{}"] {
            assert!(identify(raw).is_err());
        }
    }
}
