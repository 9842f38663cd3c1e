//! Arbitrary and mutated records: the mapping is total, pure, valid, and loses nothing.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::golden::sample_bytes;
use super::mapping;
use crate::ocsf;
use crate::support::normalised;

/// Fields whose words become ids or points in time, that are told apart into their parts, or that follow from
/// others and are left out then.
const TRANSLATED: [&str; 9] = [
    "eventTime",
    "creationDate",
    "mfaAuthenticated",
    "MFAUsed",
    "sourceIPAddress",
    "state",
    "managementEvent",
    "windowStart",
    "windowEnd",
];

/// Every name that stands at the top of a sample.
fn names() -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for raw in sample_bytes() {
        let Ok(Value::Object(members)) = serde_json::from_slice(&raw) else { continue };
        names.extend(members.keys().cloned());
    }
    names.sort();
    names.dedup();
    names
}

/// Values that mean something somewhere, and others.
fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        prop::sample::select(vec![
            "2026-10-01T08:15:30Z",
            "20261001T081530Z",
            "1969-01-01T00:00:00Z",
            "192.0.2.7",
            "192.0.2.7, 198.51.100.7",
            "192.000.002.007",
            "ec2.amazonaws.com",
            "AWS Internal",
            "arn:aws:iam::111122223333:role/a/B",
            "AROAEXAMPLE:name",
            "true",
            "200",
            "Success",
            "Start",
            "Management",
            " ",
        ])
        .prop_map(Value::from),
    ];
    let keys = prop::sample::select(vec![
        "type",
        "arn",
        "principalId",
        "accountId",
        "userName",
        "accessKeyId",
        "invokedBy",
        "sessionContext",
        "attributes",
        "creationDate",
        "mfaAuthenticated",
        "sessionIssuer",
        "webIdFederationData",
        "federatedProvider",
        "onBehalfOf",
        "userId",
        "roleArn",
        "roleName",
        "policyArn",
        "user",
        "accessKey",
        "ConsoleLogin",
        "insightType",
        "state",
        "insightContext",
        "ARN",
        "windowStart",
        "windowEnd",
        "other name",
    ]);
    leaf.prop_recursive(4, 24, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((keys.clone(), inner), 0..6).prop_map(|members| {
                let members = members.into_iter().map(|(name, value)| (name.to_owned(), value));
                Value::Object(members.collect())
            }),
        ]
    })
}

fn record() -> impl Strategy<Value = Value> {
    let call = prop::sample::select(vec![
        ("ec2.amazonaws.com", "RunInstances"),
        ("signin.amazonaws.com", "ConsoleLogin"),
        ("signin.amazonaws.com", "PasswordUpdated"),
        ("sts.amazonaws.com", "AssumeRole"),
        ("iam.amazonaws.com", "CreateUser"),
        ("iam.amazonaws.com", "PutRolePolicy"),
        ("iam.amazonaws.com", "UpdateAccountPasswordPolicy"),
        ("", ""),
    ]);
    let member = (prop::sample::select(names()), json_value());
    (call, prop::collection::vec(member, 0..16)).prop_map(|((source, name), members)| {
        let mut record = json!({ "eventSource": source, "eventName": name });
        for (name, value) in members {
            record[name] = value;
        }
        record
    })
}

/// Every text of a value, outside the fields that are translated.
fn texts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| !TRANSLATED.contains(&name.as_str()));
            kept.for_each(|(_, item)| texts(item, found));
        }
        _ => {}
    }
}

/// Every text of an event.
fn all_texts<'v>(value: &'v Value, found: &mut Vec<&'v str>) {
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| all_texts(item, found)),
        Value::Object(members) => members.values().for_each(|item| all_texts(item, found)),
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    #[test]
    fn any_record_becomes_a_valid_event_and_no_text_is_lost(record in record()) {
        let raw = record.to_string();
        let event = normalised(&*mapping(), raw.as_bytes());
        ocsf::assert_valid(&event);
        let (mut said, mut kept) = (Vec::new(), Vec::new());
        texts(&record, &mut said);
        all_texts(&event, &mut kept);
        for text in said.into_iter().filter(|text| !text.trim().is_empty()) {
            // An issuer says again that it is a role.
            let is_kept = text == "Role" || kept.iter().any(|kept| kept.contains(text));
            prop_assert!(is_kept, "{text:?} of {record} is lost: {event}");
        }
    }

    #[test]
    fn the_order_of_members_and_white_space_never_change_who_a_record_is(record in record()) {
        let turned: Map<String, Value> =
            record.as_object().unwrap().clone().into_iter().rev().collect();
        let turned = serde_json::to_vec_pretty(&turned).unwrap();
        let mapping = mapping();
        prop_assert_eq!(mapping.identify(record.to_string().as_bytes()), mapping.identify(&turned));
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
        let event = normalised(&*mapping, &raw);
        ocsf::assert_valid(&event);
        if let Ok(identity) = mapping.identify(&raw) {
            let time = identity.time.and_then(model::time::Timestamp::plausible).unwrap_or_default();
            prop_assert_eq!(event["time"].as_i64(), Some(time.as_millis()));
        }
    }
}
