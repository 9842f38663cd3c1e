//! Arbitrary and mutated records: the mapping is total, pure, valid, and loses nothing.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::golden::sample_bytes;
use super::{CONTENT_TYPES, mapping};
use crate::ocsf;
use crate::support::normalised;

/// Fields whose words become ids, numbers or points in time, or are squeezed.
const TRANSLATED: [&str; 22] = [
    "action",
    "delivered",
    "type",
    "eventType",
    "timestamp",
    "date",
    "eventTime",
    "direction",
    "route",
    "emailSize",
    "sizeAttachment",
    "deliveryAttempts",
    "deliveryTime",
    "attachments",
    "details",
    "urlCategory",
    "category",
    "identifiers",
    "spamProcessingDetail",
    "_offset",
    "subtype",
    "subType",
];

fn fields() -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for raw in CONTENT_TYPES.iter().flat_map(|name| sample_bytes(name)) {
        let Ok(Value::Object(members)) = serde_json::from_slice(&raw) else { continue };
        names.extend(members.keys().cloned());
    }
    names.sort();
    names.dedup();
    names
}

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
            "a@b.example;c@d.example",
            "http://a.example:8080/x?y=1",
            "203.0.113.9/x",
            "Hold",
            "Rej",
            "true",
            "550",
            "malicious",
            "inbound",
            "Virus Signature Detection",
            "192.0.2.1",
            "2026-10-26T03:01:07+0000",
            "1793000000000",
            "{\"spf\":{\"info\":\"ALLOW\"},\"verdict\":{\"risk\":\"HIGH\"}}",
            "\"a.pdf\", \"b, c.xlsx\"",
            "0123456789abcdef0123456789abcdef",
            "MTOKEN:e",
            " ",
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((".{0,6}", inner), 0..3)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn record() -> impl Strategy<Value = Value> {
    let member = (prop::sample::select(fields()), json_value());
    let types = prop::sample::select(vec![
        "receipt",
        "process",
        "delivery",
        "av",
        "spam",
        "journal",
        "internal email protect",
        "impersonation protect",
        "attachment protect",
        "url protect",
        "new",
    ]);
    (types, prop::collection::vec(member, 0..20)).prop_map(|(name, members)| {
        let mut record = json!({ "type": name });
        for (name, value) in members {
            record[name] = value;
        }
        record
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

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn any_record_becomes_a_valid_event_and_no_text_is_lost(
        record in record(),
        content_type in prop::sample::select(CONTENT_TYPES.to_vec()),
    ) {
        let raw = record.to_string();
        let event = normalised(&*mapping(content_type), raw.as_bytes());
        ocsf::assert_valid(&event);
        let mut kept = Vec::new();
        texts(&event, &mut kept);
        for (name, value) in record.as_object().unwrap() {
            if TRANSLATED.contains(&name.as_str()) {
                continue;
            }
            let mut said = Vec::new();
            texts(value, &mut said);
            // Lists of addresses are told apart into their parts.
            let parts = said.iter().flat_map(|text| text.split([',', ';'])).map(str::trim);
            for part in parts.filter(|part| !part.is_empty()) {
                prop_assert!(kept.iter().any(|text| text.contains(part)), "{name} lost {part:?}: {event}");
            }
        }
    }

    #[test]
    fn any_bytes_are_normalised_and_identification_is_pure(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        content_type in prop::sample::select(CONTENT_TYPES.to_vec()),
    ) {
        let mapping = mapping(content_type);
        ocsf::assert_valid(&normalised(&*mapping, &bytes));
        prop_assert_eq!(mapping.identify(&bytes), mapping.identify(&bytes));
    }

    #[test]
    fn mutated_samples_are_normalised(
        pick in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        byte in prop::sample::select(br#"{}[]",:\u0 x"#.to_vec()),
        content_type in prop::sample::select(CONTENT_TYPES.to_vec()),
    ) {
        let samples = sample_bytes(content_type);
        let mut raw = pick.get(&samples).clone();
        let place = place.index(raw.len());
        raw[place] = byte;
        let mapping = mapping(content_type);
        let event = normalised(&*mapping, &raw);
        ocsf::assert_valid(&event);
        if let Ok(identity) = mapping.identify(&raw) {
            let time = identity.time.and_then(model::time::Timestamp::plausible).unwrap_or_default();
            prop_assert_eq!(event["time"].as_i64(), Some(time.as_millis()));
        }
    }
}
