//! Events made by hand and by chance, through stamping, JSON and back.

use std::borrow::Cow;
use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::objects::{Email, File, Fingerprint, Malware, Metadata, Product};
use super::{Class, EmailActivity, Event, Json, check, values};

fn mail() -> Event<'static> {
    let attachment = File {
        name: Some(Cow::Borrowed("a.zip")),
        type_id: Some(values::file_type::REGULAR_FILE),
        hashes: vec![Fingerprint {
            algorithm_id: Some(values::hash_algorithm::SHA_256),
            value: Some(Cow::Borrowed("00")),
            ..Fingerprint::default()
        }],
        ..File::default()
    };
    Event::from(EmailActivity {
        activity_id: Some(values::email_activity::SCAN),
        severity_id: Some(values::severity::HIGH),
        direction_id: Some(values::mail_direction::INBOUND),
        time: Some(1_772_438_472_000),
        email: Some(Box::new(Email {
            from: Some(Cow::Borrowed("billing@sender.example")),
            files: vec![attachment],
            ..Email::default()
        })),
        disposition_id: Some(values::disposition::OTHER),
        disposition: Some(Cow::Borrowed("Sent to a friend")),
        malware: vec![Malware {
            name: Some(Cow::Borrowed("SIM_A")),
            classification_ids: vec![values::malware_class::RANSOMWARE],
            ..Malware::default()
        }],
        metadata: Some(Box::new(Metadata {
            product: Some(Product { name: Some(Cow::Borrowed("Sample")), ..Product::default() }),
            ..Metadata::default()
        })),
        unmapped: Some(Json::new(r#"{"score": 1.50}"#)),
        ..EmailActivity::default()
    })
}

#[test]
fn stamping_writes_what_follows() {
    let value = mail().stamped().to_value();
    assert_eq!(value["class_uid"], 4009);
    assert_eq!(value["class_name"], "Email Activity");
    assert_eq!(value["category_name"], "Network Activity");
    assert_eq!(value["type_uid"], 400_903);
    assert_eq!(value["type_name"], "Email Activity: Scan");
    assert_eq!(value["activity_name"], "Scan");
    assert_eq!(value["severity"], "High");
    assert_eq!(value["direction"], "Inbound");
    assert_eq!(value["disposition"], "Sent to a friend");
    assert_eq!(value["email"]["files"][0]["type"], "Regular File");
    assert_eq!(value["email"]["files"][0]["hashes"][0]["algorithm"], "SHA-256");
    assert_eq!(value["malware"][0]["classifications"], json!(["Ransomware"]));
    assert_eq!(value["metadata"]["profiles"], json!(["security_control"]));
    assert_eq!(value["metadata"]["version"], "1.8.0");
    assert_eq!(check::check(&value), Vec::<String>::new());
}

#[test]
fn stamping_twice_changes_nothing_and_follows_a_changed_id() {
    let once = mail().stamped();
    assert_eq!(once.clone().stamped(), once);
    let mut value = once.to_value();
    value["severity_id"] = json!(2);
    let again = Event::from_value(Class::EmailActivity, value).stamped();
    assert_eq!(again.to_value()["severity"], "Low");
}

#[test]
fn what_says_nothing_still_has_the_required_ids() {
    let value = Event::from(EmailActivity::default()).stamped().to_value();
    assert_eq!(value["type_uid"], 400_900);
    assert_eq!(value["type_name"], "Email Activity: Unknown");
    assert_eq!(value["severity_id"], 0);
}

#[test]
fn events_survive_json() {
    let event = mail().stamped();
    assert_eq!(
        Event::from_value(Class::EmailActivity, event.to_value()).to_value(),
        event.to_value()
    );
    let text = serde_json::to_string(&event).expect("events are JSON");
    assert_eq!(serde_json::from_str::<Value>(&text).ok(), Some(event.to_value()));
    assert!(text.contains(r#""unmapped":{"score": 1.50}"#), "JSON inside keeps its digits: {text}");
}

#[test]
fn what_does_not_fit_moves_to_unmapped_under_its_path() {
    let event = Event::from_value(
        Class::EmailActivity,
        json!({
            "time": "yesterday", "severity_id": 7, "colour": "blue", "status": null,
            "from": "Mina <mina@corp.example>", "to": ["a@corp.example", "nobody"],
            "email": {"subject": "list", "mood": "odd", "files": [{"name": "a", "x": 1}, 3]},
            "src_endpoint": {"ip": "192.0.02.1", "port": 70_000},
            "unmapped": {"colour": "red", "email": {"queue": 4}},
        }),
    );
    assert_eq!(
        event.to_value(),
        json!({
            "to": ["a@corp.example"],
            "email": {"subject": "list", "files": [{"name": "a"}]},
            "unmapped": {
                "colour": "red", "colour_2": "blue",
                "email": {"queue": 4, "mood": "odd", "files": {"0": {"x": 1}, "1": 3}},
                "time": "yesterday", "severity_id": 7, "from": "Mina <mina@corp.example>",
                "to": {"1": "nobody"}, "src_endpoint": {"ip": "192.0.02.1", "port": 70_000},
            },
        })
    );
}

#[test]
fn a_value_that_is_no_object_is_kept() {
    let event = Event::from_value(Class::BaseEvent, json!([1, 2]));
    assert_eq!(event.to_value(), json!({"unmapped": {"value": [1, 2]}}));
    let event = Event::from_value(Class::BaseEvent, json!({"unmapped": "text"}));
    assert_eq!(event.to_value(), json!({"unmapped": {"unmapped": "text"}}));
}

#[test]
fn classes_are_found_by_name_and_number() {
    for class in Class::ALL {
        assert_eq!(Class::from_name(class.name()), Some(class));
        assert_eq!(Class::from_uid(class.uid()), Some(class));
        assert_eq!(serde_json::to_value(class).ok(), Some(json!(class.name())));
    }
    assert_eq!(Class::from_name("email"), None);
}

#[test]
fn json_that_is_no_json_is_a_string() {
    assert_eq!(serde_json::to_string(&Json::new("{")).ok().as_deref(), Some(r#""{""#));
}

fn leaves(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Null => BTreeSet::new(),
        Value::Array(items) => items.iter().flat_map(leaves).collect(),
        Value::Object(members) => members.values().flat_map(leaves).collect(),
        scalar => BTreeSet::from([scalar.to_string()]),
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (0..100_i64).prop_map(Value::from),
        any::<i32>().prop_map(|quarters| Value::from(f64::from(quarters) / 4.0)),
        "[a-z@.]{0,8}".prop_map(Value::from),
        Just(json!("192.0.2.1")),
        Just(json!("a@b.example")),
    ];
    let name = prop_oneof![
        proptest::sample::select(vec![
            "email",
            "files",
            "name",
            "metadata",
            "product",
            "to",
            "from",
            "unmapped",
            "hashes",
            "severity_id",
            "time",
            "actor",
            "user",
            "type_id",
            "size",
            "urls",
            "is_alert",
        ])
        .prop_map(str::to_owned),
        "[a-z_]{0,6}",
    ];
    scalar.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name.clone(), inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn no_value_is_ever_lost(value in any_value(), class in proptest::sample::select(Class::ALL.to_vec())) {
        let event = Event::from_value(class, value.clone());
        let written = event.to_value();
        prop_assert!(leaves(&written).is_superset(&leaves(&value)), "{written}");
        prop_assert_eq!(Event::from_value(class, written.clone()).to_value(), written);
    }
}
