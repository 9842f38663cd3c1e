//! Checks of finished events that JSON Schema cannot make.
//!
//! A test validates an event against the JSON Schema of its class and profiles, and then calls
//! [`check`]: types that follow from class and activity, texts beside ids, profiles, times,
//! observables. No check needs the record.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::generated::class::{Class, VERSION};
use super::schema::{Attribute, Kind, attribute, attributes};

/// 2000-01-01 in milliseconds: what is earlier was given in another unit.
const EARLIEST_MS: i64 = 946_684_800_000;
/// 2100-01-01 in milliseconds.
const LATEST_MS: i64 = 4_102_444_800_000;

/// Everything that is wrong with an event, each as one sentence with the path; empty when all is well.
pub fn check(event: &Value) -> Vec<String> {
    let Some(members) = event.as_object() else {
        return vec!["the event is not an object".to_owned()];
    };
    let uid = members.get("class_uid").and_then(Value::as_i64);
    let Some(class) = Class::ALL.into_iter().find(|class| Some(i64::from(class.uid())) == uid)
    else {
        return vec![format!("`class_uid` is {uid:?}, which is no class of the model")];
    };
    let mut faults = Vec::new();
    check_header(class, members, &mut faults);
    check_members("", members, attributes(class), &mut faults);
    check_profiles(class, members, &mut faults);
    check_times(members, &mut faults);
    check_observables(class, event, &mut faults);
    faults
}

fn check_header(class: Class, event: &Map<String, Value>, faults: &mut Vec<String>) {
    let activity = event.get("activity_id").and_then(Value::as_i64).unwrap_or_default();
    let activity_name = event.get("activity_name").and_then(Value::as_str).unwrap_or("Unknown");
    let type_name = format!("{}: {activity_name}", class.title());
    let mut expect = |name: &str, wanted: Value, required: bool| match event.get(name) {
        Some(found) if *found != wanted => {
            faults.push(format!("`{name}` is {found}, but follows to be {wanted}"));
        }
        None if required => faults.push(format!("`{name}` is missing")),
        _ => {}
    };
    expect("type_uid", Value::from(i64::from(class.uid()) * 100 + activity), true);
    expect("type_name", Value::from(type_name), false);
    expect("class_name", Value::from(class.title()), false);
    expect("category_uid", Value::from(class.category_uid()), true);
    expect("category_name", Value::from(class.category_name()), false);
    let version = event.get("metadata").and_then(|metadata| metadata.get("version"));
    if version.and_then(Value::as_str) != Some(VERSION) {
        faults.push(format!("`metadata.version` is {version:?}, not {VERSION}"));
    }
}

/// Texts beside ids and empty texts, here and below.
fn check_members(
    path: &str,
    members: &Map<String, Value>,
    attributes: &[Attribute],
    faults: &mut Vec<String>,
) {
    for attribute in attributes {
        check_text(path, members, attribute, faults);
        let Some(value) = members.get(attribute.name) else { continue };
        let items = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for item in items {
            let here = format!("{path}{}", attribute.name);
            match (attribute.kind, item) {
                (Kind::Object(object), Value::Object(inner)) => {
                    check_members(&format!("{here}."), inner, object.attributes, faults);
                }
                (Kind::String(_), Value::String(text)) if text.is_empty() => {
                    faults.push(format!("`{here}` is an empty text"));
                }
                (kind, Value::Null) if !matches!(kind, Kind::Json) => {
                    faults.push(format!("`{here}` is null"));
                }
                _ => {}
            }
        }
    }
}

fn check_text(
    path: &str,
    members: &Map<String, Value>,
    attribute: &Attribute,
    faults: &mut Vec<String>,
) {
    let Some(text_name) = attribute.text else { return };
    let Some(text) = members.get(text_name) else { return };
    let Some(id) = members.get(attribute.name) else {
        faults.push(format!("`{path}{text_name}` is given without `{path}{}`", attribute.name));
        return;
    };
    let ids = id.as_array().map_or(std::slice::from_ref(id), Vec::as_slice);
    let texts = text.as_array().map_or(std::slice::from_ref(text), Vec::as_slice);
    for (id, text) in ids.iter().zip(texts) {
        let caption = id.as_i64().filter(|id| *id != 99).and_then(|id| attribute.caption(id));
        if caption.is_some_and(|caption| text.as_str() != Some(caption)) {
            faults.push(format!("`{path}{text_name}` is {text}, but id {id} means {caption:?}"));
        }
    }
}

fn check_profiles(class: Class, event: &Map<String, Value>, faults: &mut Vec<String>) {
    let used: BTreeSet<&str> = attributes(class)
        .iter()
        .filter(|attribute| event.contains_key(attribute.name))
        .filter_map(|attribute| attribute.profile)
        .collect();
    let listed = event.get("metadata").and_then(|metadata| metadata.get("profiles"));
    let listed: BTreeSet<&str> =
        listed.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
    for profile in used.difference(&listed) {
        faults.push(format!("profile `{profile}` is used but not listed"));
    }
    for profile in listed.difference(&used) {
        faults.push(format!("profile `{profile}` is listed but not used"));
    }
}

/// An event without a time of its own has time 0; every other time lies between 2000 and 2100.
fn check_times(event: &Map<String, Value>, faults: &mut Vec<String>) {
    let time = |name: &str| event.get(name).and_then(Value::as_i64);
    for name in ["time", "start_time", "end_time"] {
        let plausible =
            |at: &i64| (*at == 0 && name == "time") || (EARLIEST_MS..LATEST_MS).contains(at);
        if let Some(at) = time(name).filter(|at| !plausible(at)) {
            faults.push(format!("`{name}` is {at}, which is no likely time in milliseconds"));
        }
    }
    if let (Some(start), Some(end)) = (time("start_time"), time("end_time"))
        && end < start
    {
        faults.push("`end_time` is before `start_time`".to_owned());
    }
}

/// An observable names an attribute of the event, and its value stands there.
fn check_observables(class: Class, event: &Value, faults: &mut Vec<String>) {
    let observables = event.get("observables").and_then(Value::as_array);
    for observable in observables.into_iter().flatten() {
        let Some(name) = observable.get("name").and_then(Value::as_str) else {
            faults.push("an observable has no `name`".to_owned());
            continue;
        };
        let path = without_places(name);
        if !is_place(class, &path) {
            faults.push(format!("observable `{name}` is no attribute of {class}"));
            continue;
        }
        let Some(value) = observable.get("value").and_then(Value::as_str) else { continue };
        let mut found = Vec::new();
        values_at(event, &path, &mut found);
        if !found.iter().any(|text| text == value) {
            faults.push(format!("observable `{name}` has the value `{value}`, which is not there"));
        }
    }
}

/// Whether a path leads to an attribute, or into one that holds JSON of any shape.
fn is_place(class: Class, path: &str) -> bool {
    let holds_json = |(end, _): (usize, &str)| {
        attribute(class, &path[..end]).is_some_and(|found| matches!(found.kind, Kind::Json))
    };
    attribute(class, path).is_some() || path.match_indices('.').any(holds_json)
}

/// `email.files[0].name` → `email.files.name`.
fn without_places(path: &str) -> String {
    let steps = path.split('.').map(|step| step.split('[').next().unwrap_or(step));
    steps.collect::<Vec<&str>>().join(".")
}

fn values_at(value: &Value, path: &str, found: &mut Vec<String>) {
    match (value, path.split_once('.')) {
        (Value::Array(items), _) => items.iter().for_each(|item| values_at(item, path, found)),
        (Value::String(text), _) if path.is_empty() => found.push(text.clone()),
        (Value::Number(number), _) if path.is_empty() => found.push(number.to_string()),
        (Value::Bool(flag), _) if path.is_empty() => found.push(flag.to_string()),
        (Value::Object(members), Some((step, rest))) => {
            members.get(step).into_iter().for_each(|inner| values_at(inner, rest, found));
        }
        // Of JSON of any shape the whole may be named.
        (Value::Object(members), _) if path.is_empty() => {
            members.values().for_each(|inner| values_at(inner, path, found));
        }
        (Value::Object(members), None) => {
            members.get(path).into_iter().for_each(|inner| values_at(inner, "", found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::check;

    fn sound() -> Value {
        json!({
            "class_uid": 4009, "category_uid": 4, "activity_id": 3, "type_uid": 400_903,
            "severity_id": 4, "severity": "High", "time": 1_772_438_472_000_i64,
            "disposition_id": 99, "disposition": "Sent to a friend",
            "email": {"from": "billing@sender.example", "files": [{"name": "a.zip", "type_id": 1}]},
            "observables": [{"name": "email.files[0].name", "type_id": 7, "value": "a.zip"}],
            "metadata": {"version": "1.8.0", "profiles": ["security_control"]},
        })
    }

    #[test]
    fn a_sound_event_has_no_faults() {
        assert_eq!(check(&sound()), Vec::<String>::new());
    }

    #[test]
    fn each_fault_is_found() {
        let spoilt: [(&str, Value, &str); 10] = [
            ("/class_uid", json!(7), "no class"),
            ("/type_uid", json!(400_901), "follows to be 400903"),
            ("/category_uid", json!(2), "`category_uid`"),
            ("/severity", json!("Low"), "`severity` is \"Low\""),
            ("/time", json!(1_772_438_472), "no likely time"),
            ("/metadata/profiles", json!([]), "used but not listed"),
            ("/metadata/profiles", json!(["security_control", "host"]), "listed but not used"),
            ("/metadata/version", json!("1.1.0"), "`metadata.version`"),
            ("/observables/0/value", json!("b.zip"), "not there"),
            ("/email/files/0/name", json!(""), "`email.files.name` is an empty text"),
        ];
        for (pointer, value, wanted) in spoilt {
            let mut event = sound();
            *event.pointer_mut(pointer).expect("the sound event has it") = value;
            let faults = check(&event);
            assert!(faults.iter().any(|fault| fault.contains(wanted)), "{pointer}: {faults:?}");
        }
    }

    #[test]
    fn an_observable_may_lead_into_json() {
        let mut event = json!({
            "class_uid": 2004, "category_uid": 2, "activity_id": 1, "type_uid": 200_401,
            "severity_id": 1, "time": 0, "finding_info": {"uid": "f"},
            "evidences": [{"data": {"value": "cmd.exe"}}],
            "observables": [{"name": "evidences.data.value", "type_id": 13, "value": "cmd.exe"}],
            "metadata": {"version": "1.8.0"},
        });
        assert_eq!(check(&event), Vec::<String>::new());
        event["observables"][0]["value"] = json!("other.exe");
        assert_eq!(check(&event).len(), 1);
    }

    #[test]
    fn a_text_needs_its_id() {
        let mut event = sound();
        event["status"] = json!("Success");
        assert_eq!(check(&event), ["`status` is given without `status_id`"]);
    }
}
