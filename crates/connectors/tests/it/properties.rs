//! Arbitrary and mutated records: the mapping is total, pure, valid, and loses nothing.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::golden::sample_bytes;
use crate::ocsf;
use crate::support::{mapping, normalised};

const FIELDS: [&str; 26] = [
    "action",
    "action_result",
    "affected_user",
    "detected_by",
    "detection_time",
    "file_name",
    "file_sha1",
    "file_sha256",
    "file_upload_time",
    "location",
    "log_item_id",
    "mail_message_file_name",
    "mail_message_id",
    "mail_message_recipient",
    "mail_message_sender",
    "mail_message_subject",
    "mail_message_submit_time",
    "ransomware_name",
    "risk_level",
    "scan_type",
    "security_risk_name",
    "triggered_dlp_template",
    "triggered_policy_name",
    "triggered_security_filter",
    "virus_name",
    "x",
];

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "a@b.example",
            "Jo <jo@b.example>",
            "http://a.example/x",
            "Quarantine",
            "success",
            "Dangerous",
            "Malware: X",
            "2026-05-11T02:14:07Z",
            "1778465647",
            "1969-01-01T00:00:00Z",
            "name",
            "da39a3ee5e6b4b0d3255bfef95601890afd80709",
            " ",
            "a@b.example;c@d.example",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner.clone()), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
            (inner, any::<i32>()).prop_map(|(name, count)| json!([{"name": name, "count": count}])),
        ]
    })
}

fn message() -> impl Strategy<Value = Value> {
    let member = (prop::sample::select(FIELDS.to_vec()), json_value());
    prop::collection::vec(member, 0..18).prop_map(|members| {
        Value::Object(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    })
}

fn record() -> impl Strategy<Value = Value> {
    let word = |words: &[&'static str]| prop_oneof![3 => prop::sample::select(words.to_vec()).prop_map(Value::from), 1 => json_value()];
    let service = word(&["Exchange", "OneDrive", "TeamsChat", "Salesforce_Sandbox", "New"]);
    let event = word(&["security_risk_scan", "virtual_analyzer", "ransomware", "dlp", "new"]);
    let message = prop_oneof![6 => message(), 1 => json_value()];
    (service, event, message, json_value()).prop_map(|(service, event, message, x)| {
        json!({"log_item_id": "p-1", "service": service, "event": event, "message": message, "x": x})
    })
}

/// Every text of a value.
fn texts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => members.values().for_each(|item| texts(item, found)),
        _ => {}
    }
}

/// Fields whose words become ids or points in time.
fn is_translated(name: &str) -> bool {
    ["action", "action_result", "risk_level", "file_upload_time", "scan_type"].contains(&name)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_record_becomes_a_valid_event_and_no_text_is_lost(record in record()) {
        let raw = record.to_string();
        let event = normalised(&*mapping(), raw.as_bytes());
        ocsf::assert_valid(&event);
        let mut kept = Vec::new();
        texts(&event, &mut kept);
        let nothing = Map::new();
        let members = record["message"].as_object().unwrap_or(&nothing);
        for (name, value) in members.iter().chain(record.as_object().unwrap()).filter(|(name, _)| !is_translated(name)) {
            if name == "message" {
                continue;
            }
            let mut said = Vec::new();
            texts(value, &mut said);
            // Lists of addresses and templates are told apart into their parts.
            let parts = said.iter().flat_map(|text| text.split([',', ';'])).map(str::trim);
            for part in parts.filter(|part| !part.is_empty()) {
                prop_assert!(kept.iter().any(|text| text.contains(part)), "{name} lost {part:?}: {event}");
            }
        }
    }

    #[test]
    fn any_json_object_is_normalised(value in json_value()) {
        let raw = json!({"message": value.clone(), "any": value}).to_string();
        ocsf::assert_valid(&normalised(&*mapping(), raw.as_bytes()));
    }

    #[test]
    fn any_bytes_are_normalised_and_identification_is_pure(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mapping = mapping();
        ocsf::assert_valid(&normalised(&*mapping, &bytes));
        prop_assert_eq!(mapping.identify(&bytes), mapping.identify(&bytes));
    }

    #[test]
    fn mutated_samples_are_normalised(
        pick in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        byte in prop::sample::select(br#"{}[]",:\u0 x"#.to_vec()),
    ) {
        let samples = sample_bytes();
        let mut raw = pick.get(&samples).clone();
        let place = place.index(raw.len());
        raw[place] = byte;
        let mapping = mapping();
        ocsf::assert_valid(&normalised(&*mapping, &raw));
        let identity = mapping.identify(&raw);
        if let Ok(identity) = &identity {
            let time = identity.time.and_then(model::time::Timestamp::plausible).unwrap_or_default();
            prop_assert_eq!(normalised(&*mapping, &raw)["time"].as_i64(), Some(time.as_millis()));
        }
    }
}
