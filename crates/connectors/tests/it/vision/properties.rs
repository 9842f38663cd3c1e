//! Arbitrary and mutated records: the mapping is total, pure, valid, and loses no text.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::golden::sample_bytes;
use super::{ALL, mapping};
use crate::ocsf;
use crate::support::normalised;

/// Every name that the mappings look at, and some more.
const NAMES: [&str; 58] = [
    "accessType",
    "activity",
    "agentGuid",
    "alertProvider",
    "category",
    "createdDateTime",
    "description",
    "detail",
    "details",
    "detectedDateTime",
    "endpoint",
    "endpointName",
    "entities",
    "entityId",
    "entityName",
    "entityType",
    "entityValue",
    "eventTime",
    "field",
    "filters",
    "guid",
    "highlightedObjects",
    "id",
    "impactScope",
    "incidentId",
    "indicators",
    "ingestedDateTime",
    "investigationResult",
    "investigationStatus",
    "ip",
    "ips",
    "loggedDateTime",
    "loggedRole",
    "loggedUser",
    "mailMsgId",
    "mailbox",
    "matchedDateTime",
    "matchedEvents",
    "matchedFilters",
    "matchedRules",
    "mitreTacticIds",
    "mitreTechniqueIds",
    "model",
    "modelId",
    "modelType",
    "name",
    "provenance",
    "result",
    "riskLevel",
    "schemaVersion",
    "score",
    "severity",
    "source",
    "status",
    "type",
    "updatedDateTime",
    "uuid",
    "value",
];

const WORDS: [&str; 28] = [
    "a@b.example",
    "192.0.2.7",
    "2001:db8::7",
    "010.1.2.3",
    "host",
    "account",
    "emailAddress",
    "Alert",
    "ip",
    "url",
    "domain",
    "fullpath",
    "filename",
    "file_sha1",
    "process_id",
    "port",
    "email_sender",
    "email_message_id",
    "user_account",
    "critical",
    "undefined",
    "Closed",
    "Add API key",
    "Disable user account",
    "User Accounts",
    "T1566.002",
    "V9.T1059",
    "2026-05-11T02:14:07Z",
];

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(WORDS.to_vec()).prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        let member = (prop::sample::select(NAMES.to_vec()), inner.clone());
        prop_oneof![
            1 => prop::collection::vec(inner, 0..4).prop_map(Value::from),
            3 => prop::collection::vec(member, 0..9).prop_map(|members| {
                Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
            }),
        ]
    })
}

fn record() -> impl Strategy<Value = Value> {
    let member = (prop::sample::select(NAMES.to_vec()), json_value());
    prop::collection::vec(member, 0..16).prop_map(|members| {
        Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    })
}

/// Every text of a value with the name that it stands under.
fn texts<'v>(name: &'v str, value: &'v Value, found: &mut Vec<(&'v str, &'v str)>) {
    match value {
        Value::String(text) => found.push((name, text)),
        Value::Array(items) => items.iter().for_each(|item| texts(name, item, found)),
        Value::Object(members) => {
            members.iter().for_each(|(name, item)| texts(name, item, found));
        }
        _ => {}
    }
}

/// Fields whose words become ids, points in time or numbers.
fn is_translated(name: &str) -> bool {
    name.ends_with("DateTime")
        || [
            "status",
            "investigationStatus",
            "severity",
            "riskLevel",
            "result",
            "eventTime",
            "score",
            "mitreTacticIds",
            "mitreTechniqueIds",
        ]
        .contains(&name)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_record_becomes_a_valid_event_and_no_text_is_lost(record in record()) {
        let raw = record.to_string();
        for content_type in ALL {
            let mapping = mapping(content_type);
            let event = normalised(&*mapping, raw.as_bytes());
            ocsf::assert_valid(&event);
            let (mut said, mut kept) = (Vec::new(), Vec::new());
            texts("", &record, &mut said);
            texts("", &event, &mut kept);
            for (name, text) in said {
                if text.trim().is_empty() || is_translated(name) {
                    continue;
                }
                prop_assert!(kept.iter().any(|(_, kept)| kept.contains(text)), "{content_type}: {name} lost {text:?}: {event}");
            }
            let identity = mapping.identify(raw.as_bytes()).unwrap();
            let time = identity.time.and_then(model::time::Timestamp::plausible).unwrap_or_default();
            prop_assert_eq!(event["time"].as_i64(), Some(time.as_millis()), "{}", content_type);
        }
    }

    #[test]
    fn any_bytes_are_normalised_and_identification_is_pure(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for content_type in ALL {
            let mapping = mapping(content_type);
            ocsf::assert_valid(&normalised(&*mapping, &bytes));
            prop_assert_eq!(mapping.identify(&bytes), mapping.identify(&bytes));
        }
    }

    #[test]
    fn mutated_samples_are_normalised(
        pick in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        byte in prop::sample::select(br#"{}[]",:\u0 x"#.to_vec()),
    ) {
        for content_type in ALL {
            let samples = sample_bytes(content_type);
            let mut raw = pick.get(&samples).clone();
            let place = place.index(raw.len());
            raw[place] = byte;
            ocsf::assert_valid(&normalised(&*mapping(content_type), &raw));
        }
    }
}

#[test]
fn odd_json_is_a_base_event_at_worst() {
    let deep = format!(r#"{{"id":"x","impactScope":{}{}}}"#, "[".repeat(5_000), "]".repeat(5_000));
    for raw in [deep.as_str(), r#"{"id":"x","score":1e999}"#, r#"{"id":"a\ud83d"}"#, "null"] {
        for content_type in ALL {
            ocsf::assert_valid(&normalised(&*mapping(content_type), raw.as_bytes()));
        }
    }
    let event = normalised(&*mapping(ALL[0]), br#"{"id":"a\ud83d","model":"m"}"#);
    assert_eq!(event["finding_info"]["uid"], json!("a\u{fffd}"));
}
