//! The helper fields of a record, `tmv1.*`: what an action on it needs, found wherever the record has it.
//!
//! The arrays of an alert have no fixed order: its first entity is often an account, its first indicator
//! often a command line. Nothing here fails; what a record has not, the helpers have not.

use serde_json::{Map, Value};

/// The helper of each kind of indicator.
const INDICATORS: [(&str, &str); 6] = [
    ("url", "ioc_url"),
    ("domain", "ioc_domain"),
    ("ip", "ioc_ip"),
    ("file_sha1", "ioc_sha1"),
    ("file_sha256", "ioc_sha256"),
    ("email_sender", "ioc_sender"),
];

/// The helpers of messages, with the kinds of indicators that fill them.
const MESSAGES: [(&str, &str); 2] =
    [("email_message_id", "message_id"), ("email_message_unique_id", "message_unique_id")];

/// The name of every helper, without its prefix.
pub(crate) fn names() -> Vec<String> {
    let singles = ["host_guid", "host_name", "mailbox"].into_iter();
    let kinds = INDICATORS.iter().chain(&MESSAGES).map(|(_, name)| *name);
    let with_list = singles.chain(kinds).flat_map(|name| [name.to_owned(), format!("{name}_list")]);
    with_list.chain(["host_ips".to_owned(), "host_ips_list".to_owned()]).collect()
}

/// The helpers of an alert or of an observed attack technique. Those without a value are absent.
pub(crate) fn of_record(record: &Value) -> Map<String, Value> {
    let mut found = Found::default();
    entities(record, &mut found);
    let filters = list(&record["filters"]).flat_map(|filter| list(&filter["highlightedObjects"]));
    for indicator in list(&record["indicators"]).chain(filters) {
        of_indicator(indicator, &mut found);
    }
    let endpoint = &record["endpoint"];
    host(&endpoint["agentGuid"], &endpoint["endpointName"], &endpoint["ips"], &mut found);
    let detail = &record["detail"];
    found.add("message_id", &detail["mailMsgId"]);
    found.add("message_unique_id", &detail["msgUuid"]);
    found.add("mailbox", &detail["mailbox"]);
    found.into_helpers()
}

/// Hosts and mailboxes of an alert; those that the alert itself is about come first.
fn entities(record: &Value, found: &mut Found) {
    let all: Vec<_> = list(&record["impactScope"]["entities"]).collect();
    let is_own = |entity: &&Value| list(&entity["provenance"]).any(|from| from == "Alert");
    let (own, others): (Vec<&Value>, Vec<&Value>) = all.into_iter().partition(is_own);
    for entity in own.into_iter().chain(others) {
        let value = &entity["entityValue"];
        match entity["entityType"].as_str() {
            Some("host") => host(&value["guid"], &value["name"], &value["ips"], found),
            Some("emailAddress") => found.add("mailbox", value),
            _ => {}
        }
    }
}

/// Name and addresses are those of the first host only: another host's name must not stand beside its id.
fn host(guid: &Value, name: &Value, ips: &Value, found: &mut Found) {
    let is_first = !found.has_host && (text(guid).is_some() || text(name).is_some());
    if is_first {
        found.has_host = true;
        for (helper, value) in [("host_guid", guid), ("host_name", name)] {
            if let Some(text) = text(value) {
                found.firsts.insert(helper.to_owned(), text.into());
            }
        }
        let ips: Vec<_> = list(ips).filter_map(text).map(Value::from).collect();
        if !ips.is_empty() {
            found.firsts.insert("host_ips".to_owned(), ips.into());
        }
    }
    found.collect("host_guid", guid);
    found.collect("host_name", name);
    found.collect("host_ips", ips);
}

fn of_indicator(indicator: &Value, found: &mut Found) {
    let Some(kind) = indicator["type"].as_str() else { return };
    if let Some((_, name)) = INDICATORS.iter().chain(&MESSAGES).find(|(known, _)| *known == kind) {
        found.add(name, &indicator["value"]);
    }
}

/// The values of each helper, each once, in the order of the record.
#[derive(Default)]
struct Found {
    lists: Map<String, Value>,
    firsts: Map<String, Value>,
    has_host: bool,
}

impl Found {
    /// Adds a value, or each of several.
    fn add(&mut self, name: &str, value: &Value) {
        self.collect(name, value);
        if !self.firsts.contains_key(name)
            && let Some(Value::Array(values)) = self.lists.get(name)
            && let Some(first) = values.first()
        {
            self.firsts.insert(name.to_owned(), first.clone());
        }
    }

    fn collect(&mut self, name: &str, value: &Value) {
        let several = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for text in several.iter().filter_map(text) {
            let list = self.lists.entry(name).or_insert_with(|| Value::Array(Vec::new()));
            if let Value::Array(values) = list
                && !values.iter().any(|known| known == text)
            {
                values.push(text.into());
            }
        }
    }

    fn into_helpers(self) -> Map<String, Value> {
        let lists = self.lists.into_iter().map(|(name, list)| (format!("{name}_list"), list));
        self.firsts.into_iter().chain(lists).collect()
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_alert_gives_its_own_host_mailbox_and_indicators_wherever_they_stand() {
        let host = |guid: &str, provenance: &str| {
            json!({ "entityType": "host", "provenance": [provenance],
                "entityValue": { "guid": guid, "name": format!("N-{guid}"), "ips": ["192.0.2.1", ""] } })
        };
        let record = json!({
            "impactScope": { "entities": [
                { "entityType": "account", "entityValue": "kawa\\x" },
                host("B", "Sweeping"), host("A", "Alert"),
                { "entityType": "emailAddress", "entityValue": "y@kawa.example" },
            ] },
            "indicators": [
                { "type": "command_line", "value": "x" }, { "type": "url", "value": "" },
                { "type": "url", "value": "http://a/" }, { "type": "url", "value": ["http://b/", "http://a/"] },
                { "type": "file_sha1", "value": "f" }, { "type": "email_message_id", "value": "<1@x>" },
            ],
        });
        assert_eq!(
            Value::Object(of_record(&record)),
            json!({
                "host_guid": "A", "host_name": "N-A", "host_ips": ["192.0.2.1"],
                "host_guid_list": ["A", "B"], "host_name_list": ["N-A", "N-B"], "host_ips_list": ["192.0.2.1"],
                "mailbox": "y@kawa.example", "mailbox_list": ["y@kawa.example"],
                "ioc_url": "http://a/", "ioc_url_list": ["http://a/", "http://b/"],
                "ioc_sha1": "f", "ioc_sha1_list": ["f"],
                "message_id": "<1@x>", "message_id_list": ["<1@x>"],
            })
        );
    }

    #[test]
    fn a_host_without_id_does_not_borrow_another_hosts() {
        let record = json!({ "impactScope": { "entities": [
            { "entityType": "host", "entityValue": { "name": "A" } },
            { "entityType": "host", "entityValue": { "guid": "B-1", "name": "B" } },
        ] } });
        let helpers = of_record(&record);
        assert_eq!((helpers.get("host_name"), helpers.get("host_guid")), (Some(&json!("A")), None));
    }

    #[test]
    fn a_technique_gives_its_endpoint_and_its_message() {
        let record = json!({
            "endpoint": { "agentGuid": "g", "endpointName": "n", "ips": ["192.0.2.9"] },
            "detail": { "mailMsgId": "<9@x>", "msgUuid": "u-9", "mailbox": "y@kawa.example" },
            "filters": [{ "highlightedObjects": [{ "type": "domain", "value": "evil.example" }] }],
        });
        let helpers = of_record(&record);
        for (name, value) in [
            ("host_guid", json!("g")),
            ("host_name", json!("n")),
            ("host_ips", json!(["192.0.2.9"])),
            ("message_id", json!("<9@x>")),
            ("message_unique_id", json!("u-9")),
            ("mailbox", json!("y@kawa.example")),
            ("ioc_domain", json!("evil.example")),
        ] {
            assert_eq!(helpers.get(name), Some(&value), "{name}");
        }
        assert!(helpers.keys().all(|name| names().contains(name)));
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            prop_oneof![".*", Just("host".to_owned()), Just("url".to_owned())]
                .prop_map(Value::from),
        ];
        leaf.prop_recursive(5, 64, 6, |inner| {
            let keys = prop::sample::select(vec![
                "impactScope",
                "entities",
                "entityType",
                "entityValue",
                "provenance",
                "indicators",
                "type",
                "value",
                "guid",
                "name",
                "ips",
                "endpoint",
                "detail",
                "mailMsgId",
                "filters",
            ]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((keys, inner), 0..6).prop_map(|pairs| {
                    Value::Object(
                        pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
                    )
                }),
            ]
        })
    }

    proptest! {
        #[test]
        fn every_wrong_shape_is_borne(record in any_json()) {
            for (name, value) in of_record(&record) {
                prop_assert!(names().contains(&name), "{name}");
                prop_assert!(value.is_string() || value.is_array());
            }
        }
    }
}
