//! Who a record is: the account that got this copy and `eventID`, else the canonical record; and when it happened.
//!
//! One trail's record and another's of the same event are byte for byte the same and count once. `requestID` is
//! absent or shared, and `sharedEventID` is the same on purpose in different accounts: neither says who a record is.

use std::borrow::Cow;

use model::identity::{Identity, canonical_payload};
use model::mapping::Unusable;
use model::time::Timestamp;
use serde::Deserialize;
use serde::de::IgnoredAny;
use sonic_rs::LazyValue;

use super::fields::Fields;
use super::record::{TimeWindow, Top};
use super::text;

/// Top-level fields that may differ each time the same record is served: none are known.
const VOLATILE: &[&str] = &[];

/// What identification reads. All else is passed over.
#[derive(Deserialize)]
struct Marks<'a> {
    #[serde(borrow, rename = "recipientAccountId")]
    recipient: Option<LazyValue<'a>>,
    #[serde(borrow, rename = "eventID")]
    id: Option<LazyValue<'a>>,
    #[serde(borrow, rename = "eventTime")]
    time: Option<LazyValue<'a>>,
}

/// Nesting beyond which a record is refused: readers walk into values by recursion, and a record of nothing but
/// brackets would end the process.
const MOST_NESTED: usize = 256;

/// Identifies a record.
pub(super) fn identify(raw: &[u8]) -> Result<Identity, Unusable> {
    let json = std::str::from_utf8(raw)
        .map_err(|_| Unusable("the record is not valid UTF-8".to_owned()))?;
    if is_too_deep(raw) {
        return Err(Unusable(format!("the record is nested deeper than {MOST_NESTED} times")));
    }
    if !json.trim_ascii_start().starts_with('{') {
        return Err(Unusable("the record is not a JSON object".to_owned()));
    }
    if let Ok(marks) = sonic_rs::from_str::<Marks<'_>>(json)
        && let Some(identity) = marks.identity()
    {
        return Ok(identity);
    }
    odd(json)
}

/// Few records hold so many brackets that their depth has to be counted.
fn is_too_deep(raw: &[u8]) -> bool {
    let brackets = raw.iter().filter(|byte| matches!(byte, b'{' | b'[')).count();
    if brackets <= MOST_NESTED {
        return false;
    }
    let (mut depth, mut is_in_text) = (0_usize, false);
    let mut bytes = raw.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => is_in_text = !is_in_text,
            b'\\' if is_in_text => drop(bytes.next()),
            b'{' | b'[' if !is_in_text => depth += 1,
            b'}' | b']' if !is_in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MOST_NESTED {
            return true;
        }
    }
    false
}

impl Marks<'_> {
    /// The identity of a record that has all that one usually has.
    fn identity(&self) -> Option<Identity> {
        let recipient = text(self.recipient.as_ref()?)?;
        let id = text(self.id.as_ref()?)?;
        let time = Timestamp::parse(&text(self.time.as_ref()?)?).ok()?;
        Some(Identity { key: key(&recipient, &id), time: Some(time) })
    }
}

fn text<'v>(value: &'v LazyValue<'_>) -> Option<Cow<'v, str>> {
    text::scalar(value.as_raw_str()).filter(|text| !text.trim_ascii().is_empty())
}

fn key(account: &str, id: &str) -> Vec<u8> {
    [account, id].join("\n").into_bytes()
}

/// The identity of any other record: an aggregated event, one without an id or a time, one that says
/// something twice.
fn odd(json: &str) -> Result<Identity, Unusable> {
    let not_an_object = |_| Unusable("the record is not a JSON object".to_owned());
    let _: IgnoredAny = sonic_rs::from_str(json).map_err(not_an_object)?;
    let fields = Fields::<Top>::read(json).map_err(not_an_object)?;
    let key = id(&fields).map_or_else(
        // A record that even the canonical form refuses is itself, byte for byte.
        || {
            canonical_payload(json.as_bytes(), VOLATILE)
                .unwrap_or_else(|_| json.trim_ascii().as_bytes().to_vec())
        },
        |(account, id)| key(&account.unwrap_or_default(), &id),
    );
    Ok(Identity { key, time: time(&fields).map(|(time, _)| time) })
}

/// The account and the id of a record; aggregated events spell both otherwise.
fn id<'a>(fields: &Fields<'a, Top>) -> Option<(Option<Cow<'a, str>>, Cow<'a, str>)> {
    let of = |account, id| Some((fields.peek(account), fields.peek(id)?));
    of(Top::RecipientAccountId, Top::EventId).or_else(|| of(Top::AccountId, Top::AggregatedEventId))
}

/// The time of a record, and the field that says it: an aggregated event has a window instead.
pub(super) fn time(fields: &Fields<'_, Top>) -> Option<(Timestamp, Top)> {
    if let Some(time) = fields.peek(Top::EventTime).and_then(|text| Timestamp::parse(&text).ok()) {
        return Some((time, Top::EventTime));
    }
    let window = Fields::<TimeWindow>::read(fields.json(Top::TimeWindow)?).ok()?;
    let start = Timestamp::parse(&window.peek(TimeWindow::Start)?).ok()?;
    Some((start, Top::TimeWindow))
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
    fn copies_of_an_event_are_one_and_the_same_event_in_two_accounts_is_two() {
        let one = r#"{"eventTime":"2026-10-01T08:15:30Z","eventID":"e-1","sharedEventID":"s","recipientAccountId":"111122223333"}"#;
        assert_eq!(key(one), "111122223333\ne-1");
        let again = r#"{"recipientAccountId": "111122223333", "eventID": "e-1", "requestID": "r"}"#;
        assert_eq!(key(again), key(one));
        assert_ne!(key(&one.replace("111122223333", "444455556666")), key(one));
        assert_ne!(key(&one.replace("e-1", "e-2")), key(one));
    }

    #[test]
    fn an_old_record_without_recipient_has_its_id_and_an_aggregated_one_spells_it_otherwise() {
        assert_eq!(key(r#"{"eventID":"e-1"}"#), "\ne-1");
        assert_eq!(key(r#"{"accountId":"111122223333","eventId":"e-1"}"#), "111122223333\ne-1");
        assert_eq!(key(r#"{"eventID":"e-1","eventID":"e-2","recipientAccountId":"1"}"#), "1\ne-1");
    }

    #[test]
    fn without_an_id_the_canonical_record_counts() {
        let one = key(r#"{"eventID":null,"eventName":"A","readOnly":true}"#);
        assert_eq!(one, key(r#"{"readOnly":true, "eventName":"A","eventID":null}"#));
        assert_ne!(one, key(r#"{"eventID":null,"eventName":"A","readOnly":false}"#));
        assert_eq!(key(r#"{"a":"\ud83d"}"#), r#"{"a":"\ud83d"}"#);
    }

    #[test]
    fn the_time_is_that_of_the_event_or_the_start_of_its_window() {
        let expected = Some("2026-10-01T08:15:30Z".to_owned());
        for json in [
            r#"{"eventTime":"2026-10-01T08:15:30Z","eventID":"e","recipientAccountId":"1"}"#,
            r#"{"eventTime":"2026-10-01T08:15:30Z"}"#,
            r#"{"timeWindow":{"windowStart":"2026-10-01T08:15:30Z","windowEnd":"x"}}"#,
        ] {
            assert_eq!(time(json), expected, "{json}");
        }
        assert_eq!(time(r#"{"eventTime":"soon","timeWindow":{}}"#), None);
        assert_eq!(time("{}"), None);
    }

    #[test]
    fn nesting_without_end_is_unusable_and_does_not_end_the_process() {
        let nested = |times| format!(r#"{{"a":{}{}}}"#, "[".repeat(times), "]".repeat(times));
        assert!(identify(nested(100).as_bytes()).is_ok());
        assert!(identify(nested(1_000_000).as_bytes()).is_err());
        assert!(identify(format!("{{\"a\":{}", "[".repeat(1_000_000)).as_bytes()).is_err());
        let flat = format!(r#"{{"a":[{}1],"b":"\"{}"}}"#, "{},[],".repeat(500), "[".repeat(2_000));
        assert!(identify(flat.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_no_object_is_unusable() {
        for raw in [&b"[]"[..], b"7", b"", b"{", b"{\"a\":\"\xff\"}", b"{}{}", b"{\"eventID\":}"] {
            assert!(identify(raw).is_err());
        }
    }
}
