//! The manifest, and settings that are refused with the name of the setting and what to write.

use std::collections::BTreeSet;

use connectors::Registry;
use model::connector::{Credential, Settings};
use model::hint::Hint;
use serde_json::json;

use crate::support::{CAS, EVENTS, cas, parameters, settings};

fn with(value: serde_json::Value) -> Settings {
    let mut settings = settings("eu", &["sim-key"]);
    settings.parameters.extend(parameters(value));
    settings
}

fn refused(settings: &Settings) -> (String, String) {
    let error = cas().open(settings).err().unwrap();
    (error.setting.clone(), format!("{error}; {}", error.hint().unwrap()))
}

#[test]
fn the_registry_knows_every_integration_and_its_sources() {
    let registry = Registry::new();
    assert_eq!(registry.iter().count(), 4);
    for source in ["mimecast.siem", "aws_cloudtrail.records"] {
        assert!(registry.sources().get(source).is_some(), "{source}");
    }
    assert!(registry.get("nonsense").is_none());
    let sources = registry.sources();
    let source = sources.get("trend_micro_cas.security_events").unwrap();
    assert_eq!(source.sensor_type, "Trend Micro CAS");
    assert_eq!(source.classes.len(), 4);
}

#[test]
fn the_manifest_declares_what_the_connection_does() {
    let integration = cas();
    let manifest = integration.manifest();
    assert_eq!((manifest.name.as_str(), manifest.regions.len()), (CAS, 8));
    let names: BTreeSet<_> = manifest.regions.iter().map(|region| region.name.as_str()).collect();
    assert_eq!(names.len(), 8);
    for region in &manifest.regions {
        assert!(integration.open(&settings(&region.name, &["k"])).is_ok(), "{}", region.name);
    }
    assert!(manifest.test_requests as usize > manifest.regions.len());
    assert_eq!(manifest.content_type(EVENTS).unwrap().page_size, 500);
    assert_eq!(integration.envelope_field(EVENTS), Some("security_events"));
    assert!(integration.mapping("nonsense").is_none());
    assert!(integration.envelope_field("nonsense").is_none());
    for parameter in &manifest.parameters {
        assert!(!parameter.help.is_empty());
    }
}

#[test]
fn streams_are_the_chosen_pairs_in_the_manifests_order() {
    let chosen =
        with(json!({"services": ["teams", "Exchange", "teams"], "events": ["dlp", "ransomware"]}));
    let connection = cas().open(&chosen).unwrap();
    let ids: Vec<_> = connection.streams().iter().map(|stream| stream.id.as_str()).collect();
    assert_eq!(ids, ["exchange/ransomware", "exchange/dlp", "teams/ransomware", "teams/dlp"]);
    assert_eq!(cas().open(&with(json!({}))).unwrap().streams().len(), 48);
}

#[test]
fn unknown_services_and_events_are_refused_with_those_that_exist() {
    let (setting, text) = refused(&with(json!({"services": ["exchange", "slack"]})));
    assert_eq!(setting, "parameters.services");
    assert!(text.contains("`slack`") && text.contains("salesforce_production"), "{text}");
    let (setting, text) = refused(&with(json!({"events": ["malware"]})));
    assert_eq!(setting, "parameters.events");
    assert!(text.contains("securityrisk, virtualanalyzer, ransomware, dlp"), "{text}");
}

#[test]
fn every_other_refusal_names_its_setting() {
    for (value, setting) in [
        (json!({"services": []}), "parameters.services"),
        (json!({"services": 7}), "parameters.services"),
        (json!({"events": [7]}), "parameters.events"),
        (json!({"base_url": "mars"}), "parameters.base_url"),
        (json!({"base_url": 7}), "parameters.base_url"),
        (json!({"base_url": null}), "parameters.base_url"),
        (json!({"regoin": "eu"}), "parameters.regoin"),
    ] {
        assert_eq!(refused(&with(value.clone())).0, setting, "{value}");
    }
    let mut unknown_type = with(json!({}));
    unknown_type.content_types = vec!["quarantine".to_owned()];
    assert_eq!(refused(&unknown_type).0, "content_types");
    let mut no_key = with(json!({}));
    no_key.credential = Credential::default();
    assert_eq!(refused(&no_key).0, "credential.api_keys");
    assert_eq!(refused(&settings("eu", &[])).0, "credential.api_keys");
}

#[test]
fn equal_keys_are_one_key_and_labels_name_their_place() {
    let connection = cas().open(&settings("eu", &["a", "b", "a"])).unwrap();
    let labels: Vec<_> = connection.keys().iter().map(|key| key.label.as_str()).collect();
    assert_eq!(labels, ["api_keys[0]", "api_keys[1]"]);
    assert_eq!(connection.keys()[0].host, "api-eu.tmcas.trendmicro.com");
}
