//! Who a record is, and when it happened.
//!
//! SIEM events have no id: `aggregateId` and `processingId` are shared by all of the vendor's own notifications, and
//! `_offset` by different events. So the whole event counts, without what differs between its copies: the place in
//! the vendor's log, the two spellings of its type, and fields without a value. TTP rows count whole too, except
//! impersonation rows, which have an id.

use std::collections::BTreeMap;

use model::identity::{Identity, canonical_payload};
use model::mapping::Unusable;
use serde_json::value::RawValue;

use super::Kind;
use super::fields::Fields;
use super::text;

/// Fields that say where an event lies in the vendor's log.
const VOLATILE: [&str; 2] = ["_offset", "_partition"];
/// Names of the event stream, and those of the files.
const SPELLINGS: [(&str, &str); 2] = [("eventType", "type"), ("subType", "subtype")];
/// How ids of impersonation rows begin.
const ROW_ID: &str = "MTOKEN:";
/// Where the time stands, by kind.
const SIEM_TIMES: [&str; 1] = ["timestamp"];
const TTP_TIMES: [&str; 2] = ["date", "eventTime"];

/// The fields that may hold the time of a kind of record.
pub(super) fn times(kind: Kind) -> &'static [&'static str] {
    if kind == Kind::Siem { &SIEM_TIMES } else { &TTP_TIMES }
}

/// Identifies a record.
pub(super) fn identify(kind: Kind, raw: &[u8]) -> Result<Identity, Unusable> {
    let json = std::str::from_utf8(raw)
        .map_err(|_| Unusable("the record is not valid UTF-8".to_owned()))?;
    let not_an_object = |_| Unusable("the record is not a JSON object".to_owned());
    let members: BTreeMap<String, &RawValue> = serde_json::from_str(json).map_err(not_an_object)?;
    let time = times(kind).iter().find_map(|name| {
        let member = members.get(*name)?;
        text::time(&text::scalar(member.get())?)
    });
    Ok(Identity { key: key(kind, members, raw), time })
}

/// The key of a record that is known to be an object.
pub(super) fn key_of(kind: Kind, json: &str) -> Option<Vec<u8>> {
    let members = serde_json::from_str(json).ok()?;
    Some(key(kind, members, json.as_bytes()))
}

/// The vendor's id of an impersonation row.
pub(super) fn row_id<'a>(kind: Kind, fields: &Fields<'a>) -> Option<std::borrow::Cow<'a, str>> {
    fields.peek("id").filter(|id| kind == Kind::TtpImpersonation && id.starts_with(ROW_ID))
}

fn key(kind: Kind, mut members: BTreeMap<String, &RawValue>, raw: &[u8]) -> Vec<u8> {
    if kind == Kind::TtpImpersonation {
        let id = members.get("id").and_then(|id| text::scalar(id.get()));
        if let Some(id) = id.filter(|id| id.starts_with(ROW_ID)) {
            return id.as_bytes().to_vec();
        }
    }
    if kind == Kind::Siem {
        members.retain(|name, _| !VOLATILE.contains(&name.as_str()));
        for (other, name) in SPELLINGS {
            if !members.contains_key(name)
                && let Some(value) = members.remove(other)
            {
                members.insert(name.to_owned(), value);
            }
        }
        // What one copy leaves out the other writes as null or empty.
        members.retain(|_, value| !matches!(value.get(), "null" | "\"\""));
    }
    let canonical =
        serde_json::to_vec(&members).and_then(|payload| canonical_payload(&payload, &[]));
    // A record that even the canonical form refuses is itself, byte for byte.
    canonical.unwrap_or_else(|_| raw.trim_ascii().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(kind: Kind, json: &str) -> String {
        String::from_utf8(identify(kind, json.as_bytes()).unwrap().key).unwrap()
    }

    #[test]
    fn copies_of_an_event_are_one_whatever_transport_and_place_in_the_log() {
        let file = r#"{"type":"av","subtype":null,"timestamp":1,"subject":"","messageId":"<m>","_offset":5,"_partition":1}"#;
        for copy in [
            r#"{"eventType":"av","subType":null,"timestamp":1,"subject":null,"messageId":"<m>"}"#,
            r#"{"messageId":"<m>", "timestamp":1, "eventType":"av"}"#,
            r#"{"type":"av","timestamp":1,"messageId":"<m>","_offset":900}"#,
        ] {
            assert_eq!(key(Kind::Siem, copy), key(Kind::Siem, file), "{copy}");
        }
    }

    #[test]
    fn events_that_differ_in_one_field_only_are_two() {
        // The vendor's own messages share both ids; a second attempt repeats all but these.
        let one = r#"{"type":"delivery","aggregateId":"a","processingId":"p","messageId":"<1>","timestamp":1,"deliveryAttempts":"1","_offset":5}"#;
        for (from, to) in
            [("<1>", "<2>"), (":1,", ":2,"), ("\"1\"", "\"2\""), ("delivery\"", "receipt\"")]
        {
            let other = one.replacen(from, to, 1);
            assert_ne!(key(Kind::Siem, &other), key(Kind::Siem, one), "{other}");
        }
        assert_ne!(
            key(Kind::Siem, r#"{"type":"a","eventType":"b"}"#),
            key(Kind::Siem, r#"{"type":"a","eventType":"c"}"#)
        );
    }

    #[test]
    fn rows_count_whole_and_impersonation_by_its_id() {
        let row = r#"{"date":"2026-10-01T08:15:30+0000","url":"u","_offset":1}"#;
        assert_ne!(key(Kind::TtpUrl, row), key(Kind::TtpUrl, &row.replace(":1}", ":2}")));
        assert_eq!(key(Kind::TtpImpersonation, r#"{"hits":2,"id":"MTOKEN:e"}"#), "MTOKEN:e");
        assert_eq!(
            key(Kind::TtpImpersonation, r#"{"id": "7","hits":2}"#),
            key(Kind::TtpImpersonation, r#"{"hits":2,"id":"7"}"#)
        );
        assert_eq!(key(Kind::TtpUrl, r#"{"id":"MTOKEN:e"}"#), r#"{"id":"MTOKEN:e",}"#);
    }

    #[test]
    fn times_are_milliseconds_or_texts_by_kind() {
        let time = |kind, json: &str| {
            identify(kind, json.as_bytes()).unwrap().time.map(|time| time.to_string())
        };
        let expected = Some("2026-10-01T08:15:30Z".to_owned());
        assert_eq!(time(Kind::Siem, r#"{"timestamp":1790842530000}"#), expected);
        assert_eq!(time(Kind::Siem, r#"{"timestamp":"1790842530000"}"#), expected);
        assert_eq!(time(Kind::TtpUrl, r#"{"date":"2026-10-01T08:15:30+0000"}"#), expected);
        let row = r#"{"eventTime":"2026-10-01T08:15:30Z"}"#;
        assert_eq!(time(Kind::TtpImpersonation, row), expected);
        assert_eq!(time(Kind::Siem, r#"{"date":"2026-10-01T08:15:30+0000"}"#), None);
        assert_eq!(time(Kind::Siem, r#"{"timestamp":null}"#), None);
    }

    #[test]
    fn what_is_no_object_is_unusable() {
        for raw in [&b"[]"[..], b"7", b"", b"{", b"{\"a\":\"\xff\"}", b"{}{}", b"not json"] {
            assert!(identify(Kind::Siem, raw).is_err());
        }
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(500), "]".repeat(500));
        assert!(identify(Kind::Siem, deep.as_bytes()).is_ok());
    }
}
