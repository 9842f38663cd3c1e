//! The manifest, and settings that are refused with the name of the setting and what to write.

use std::time::Duration;

use model::hint::Hint;
use serde_json::json;

use super::{ALERTS, ALL, AUDIT_LOGS, TECHNIQUES, settings, vision};
use crate::support::parameters;

#[test]
fn the_manifest_declares_what_the_connection_does() {
    let integration = vision();
    let manifest = integration.manifest();
    assert_eq!(manifest.regions.len(), 9);
    for region in &manifest.regions {
        assert!(integration.open(&settings(&region.name, "k")).is_ok(), "{}", region.name);
    }
    let names: Vec<_> = manifest.content_types.iter().map(|known| known.name.as_str()).collect();
    assert_eq!(names, ALL);
    let connection = integration.open(&settings("us", "k")).unwrap();
    let streams: Vec<_> = connection.streams().iter().map(|s| s.content_type.as_str()).collect();
    assert_eq!(streams, ALL);
    for name in ALL {
        assert_eq!(integration.envelope_field(name), Some("items"));
        assert!(integration.mapping(name).is_some());
    }
    assert!(integration.mapping("nonsense").is_none());
    let tests = manifest.content_types.len() + manifest.regions.len() - 1;
    assert!(manifest.test_requests as usize >= tests);
    let facts = |name: &str| manifest.content_type(name).unwrap();
    assert_eq!(facts(AUDIT_LOGS).interval, Duration::from_secs(24 * 3600));
    assert_eq!(facts(TECHNIQUES).window, Some(Duration::from_secs(24 * 3600)));
    assert_eq!(facts(ALERTS).page_size, 10);
}

#[test]
fn sources_carry_their_names() {
    let sources = connectors::Registry::new().sources();
    for (name, msg_class) in [
        (ALERTS, "trendmicro_visionone_alerts"),
        (AUDIT_LOGS, "trendmicro_visionone_audit_logs"),
        (TECHNIQUES, "trendmicro_visionone_observedattacktechniques"),
    ] {
        let source = sources.get(&format!("trend_vision_one.{name}")).unwrap();
        assert_eq!(source.msg_class, msg_class);
        assert_eq!(source.sensor_type, "Trend Vision One");
        assert_eq!(source.msg_origin.source, "trendmicro_visionone");
        assert_eq!(source.msg_origin.category, "endpoint");
    }
}

#[test]
fn only_chosen_content_types_have_a_stream() {
    let mut settings = settings("jp", "k");
    settings.content_types = vec![AUDIT_LOGS.to_owned()];
    let connection = vision().open(&settings).unwrap();
    let ids: Vec<_> = connection.streams().iter().map(|stream| stream.id.to_string()).collect();
    assert_eq!(ids, [AUDIT_LOGS]);
}

#[test]
fn refusals_name_the_setting() {
    for (value, setting) in [
        (json!({"base_url": "mars"}), "parameters.base_url"),
        (json!({"base_url": null}), "parameters.base_url"),
        (json!({"model_types": ["own"]}), "parameters.model_types"),
        (json!({"risk_levels": []}), "parameters.risk_levels"),
        (json!({"risk": ["low"]}), "parameters.risk"),
    ] {
        let mut settings = settings("eu", "k");
        settings.parameters.extend(parameters(value.clone()));
        let error = vision().open(&settings).err().unwrap();
        assert_eq!(error.setting, setting, "{value}");
        assert!(error.hint().is_some());
    }
    let mut without_key = settings("eu", "k");
    without_key.credential.0.clear();
    assert_eq!(vision().open(&without_key).err().unwrap().setting, "credential.token");
}
