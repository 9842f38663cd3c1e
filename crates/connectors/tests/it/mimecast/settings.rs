//! The manifest, and settings that are refused with the name of the setting and what to write.

use model::connector::{Credential, OneOrMany, Settings};
use model::hint::Hint;
use model::secret::Secret;
use serde_json::{Value, json};

use super::{CONTENT_TYPES, NAME, integration, settings};

fn refused(settings: &Settings) -> (String, String) {
    let error = integration().open(settings).err().unwrap();
    (error.setting.clone(), format!("{error}; {}", error.hint().unwrap()))
}

#[test]
fn the_manifest_declares_what_the_connection_does() {
    let integration = integration();
    let manifest = integration.manifest();
    assert_eq!(manifest.name, NAME);
    let names: Vec<_> = manifest.content_types.iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, CONTENT_TYPES);
    for content_type in &manifest.content_types {
        assert_eq!(content_type.sensor_type, "Mimecast");
        assert_eq!(content_type.msg_class, format!("mimecast_{}", content_type.name));
        assert!(integration.mapping(&content_type.name).is_some());
    }
    for region in &manifest.regions {
        assert!(integration.open(&settings(&region.name, json!({}))).is_ok(), "{}", region.name);
    }
    assert!(integration.mapping("nonsense").is_none());
    assert_eq!(integration.envelope_field("ttp_url"), Some("data.clickLogs"));
}

#[test]
fn saved_pages_are_read_for_import() {
    let rows = |content_type: &str, text: &str| {
        let field = integration().envelope_field(content_type);
        let records = connectors::formats::Records::new(text.as_bytes(), field).unwrap();
        records.map(|item| item.unwrap().raw().clone()).collect::<Vec<_>>()
    };
    let page =
        r#"{"meta":{"status":200},"data":[{"clickLogs":[{"url":"a"},{"url":"b"}]}],"fail":[]}"#;
    assert_eq!(rows("ttp_url", page), [&br#"{"url":"a"}"#[..], br#"{"url":"b"}"#]);
    let page = r#"{"value":[{"eventType":"av"}],"@nextPage":"T","isCaughtUp":true}"#;
    assert_eq!(rows("siem", page), [&br#"{"eventType":"av"}"#[..]]);
    assert_eq!(rows("siem", "{\"type\":\"av\"}\n\n{\"type\":\"spam\"}\n").len(), 2);
}

#[test]
fn streams_are_those_of_the_chosen_types_and_content_types() {
    let ids = |settings: &Settings| {
        let connection = integration().open(settings).unwrap();
        connection.streams().iter().map(|s| s.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&settings("global", json!({}))).len(), 13);
    let mut some = settings("uk", json!({ "siem_types": ["url_protect", "receipt"] }));
    assert_eq!(
        ids(&some),
        ["siem/receipt", "siem/url_protect", "ttp_url", "ttp_attachment", "ttp_impersonation"]
    );
    some.content_types = vec!["ttp_url".to_owned(), "siem".to_owned()];
    assert_eq!(ids(&some), ["siem/receipt", "siem/url_protect", "ttp_url"]);
}

#[test]
fn the_gateway_is_global_unless_another_is_chosen() {
    let host = |more: Value| {
        let mut settings = settings("global", json!({}));
        settings.parameters.remove("base_url");
        settings.parameters.extend(crate::support::parameters(more));
        integration().open(&settings).unwrap().keys()[0].host.clone()
    };
    assert_eq!(host(json!({})), "api.services.mimecast.com");
    assert_eq!(host(json!({ "base_url": "US" })), "us-api.services.mimecast.com");
    assert_eq!(host(json!({ "base_url": "gate.example:8443/" })), "gate.example:8443");
}

#[test]
fn every_refusal_names_its_setting() {
    for (value, setting, word) in [
        (json!({ "base_url": "https://eu-api.mimecast.com" }), "parameters.base_url", "API 1.0"),
        (json!({ "base_url": "mars" }), "parameters.base_url", "gateway"),
        (json!({ "siem_transport": "pigeon" }), "parameters.siem_transport", "batch, stream"),
        (json!({ "siem_transport": ["batch", "stream"] }), "parameters.siem_transport", "both"),
        (json!({ "siem_types": ["ttp-url"] }), "parameters.siem_types", "url_protect"),
        (json!({ "siem_types": [] }), "parameters.siem_types", "empty"),
        (json!({ "regoin": "uk" }), "parameters.regoin", "base_url"),
    ] {
        let (named, text) = refused(&settings("global", value.clone()));
        assert_eq!(named, setting, "{value}");
        assert!(text.contains(word), "{text}");
    }
    for missing in ["client_id", "client_secret"] {
        let mut settings = settings("global", json!({}));
        settings.credential.0.remove(missing);
        assert_eq!(refused(&settings).0, format!("credential.{missing}"));
    }
    let mut several = settings("global", json!({}));
    let two = OneOrMany::Many(vec![Secret::new("a"), Secret::new("b")]);
    several.credential = Credential(
        [("client_id".to_owned(), two.clone()), ("client_secret".to_owned(), two)].into(),
    );
    assert_eq!(refused(&several).0, "credential.client_id");
}
