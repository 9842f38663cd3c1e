//! Health of keys, status and shapes of streams, audit log, settings.

use catalog::{KeyOutcome, StreamStatus};
use model::ids::ConnectorId;
use model::secret::Secret;
use serde_json::json;

use crate::support::{Scene, at, stream};

#[tokio::test]
async fn a_key_remembers_its_last_success_and_its_last_fault() {
    let scene = Scene::new().await;
    let catalog = &scene.catalog;
    let key = catalog.key_fingerprint("h", &Secret::new("a"));
    assert!(catalog.key_health(&key).await.unwrap().is_none());
    let fault = |text: &str| KeyOutcome::Fault(text.to_owned());
    catalog.key_used(&key, "api_keys[0]", &KeyOutcome::Ok, at(10)).await.unwrap();
    catalog.key_used(&key, "api_keys[1]", &fault("revoked_key"), at(20)).await.unwrap();
    catalog.key_used(&key, "api_keys[1]", &fault("late word"), at(15)).await.unwrap();
    catalog.key_used(&key, "api_keys[1]", &KeyOutcome::Ok, at(5)).await.unwrap();
    let health = catalog.key_health(&key).await.unwrap().unwrap();
    assert_eq!((health.label.as_str(), health.first_used), ("api_keys[1]", at(5)));
    assert_eq!(health.last_ok, Some(at(10)));
    assert_eq!(health.last_fault.as_deref(), Some("revoked_key"));
    assert_eq!(health.last_fault_at, Some(at(20)));
}

#[tokio::test]
async fn a_key_that_only_ever_failed_has_no_success() {
    let scene = Scene::new().await;
    let key = scene.catalog.key_fingerprint("h", &Secret::new("a"));
    let fault = KeyOutcome::Fault("unknown_key".to_owned());
    scene.catalog.key_used(&key, "token", &fault, at(1)).await.unwrap();
    let health = scene.catalog.key_health(&key).await.unwrap().unwrap();
    assert_eq!((health.last_ok, health.last_fault_at), (None, Some(at(1))));
}

#[tokio::test]
async fn the_last_status_of_a_stream_counts_and_goes_with_its_connector() {
    let scene = Scene::new().await;
    let catalog = &scene.catalog;
    let connector = scene.connector("CAS").await.id;
    let status = |connector, state: &str| StreamStatus {
        connector,
        stream: stream("sharepoint/dlp"),
        state: state.to_owned(),
        fault: Some("throttled".to_owned()),
        detail: None,
        since: at(1),
        last_ok: Some(at(2)),
        next_at: None,
        updated_at: at(3),
    };
    let deleted = status(ConnectorId::generate(), "waiting");
    catalog
        .put_statuses(&[deleted, status(connector, "waiting"), status(connector, "running")])
        .await
        .unwrap();
    assert_eq!(catalog.statuses(connector).await.unwrap(), [status(connector, "running")]);
    catalog.delete_connector(connector).await.unwrap();
    assert!(catalog.statuses(connector).await.unwrap().is_empty());
}

#[tokio::test]
async fn the_audit_log_keeps_every_entry_newest_first() {
    let mut scene = Scene::new().await;
    for number in 0..3 {
        let detail = json!({"verify_tls": false, "number": number});
        let object = "connector/経理 CAS";
        scene
            .catalog
            .audit("cli", "connector.verify_tls_off", object, &detail, at(number))
            .await
            .unwrap();
    }
    scene.reopen().await;
    let entries = scene.catalog.audit_entries(2).await.unwrap();
    assert_eq!(entries.len(), 2);
    assert_eq!(entries[0].detail, json!({"verify_tls": false, "number": 2}));
    assert_eq!((entries[1].at, entries[1].object.as_str()), (at(1), "connector/経理 CAS"));
}

#[tokio::test]
async fn settings_are_found_by_how_their_names_begin_and_can_be_forgotten() {
    let scene = Scene::new().await;
    let catalog = &scene.catalog;
    for name in ["a.one", "a.two_x", "axtwo", "b.one"] {
        catalog.put_setting(name, &serde_json::json!(name)).await.unwrap();
    }
    let found = catalog.settings("a.").await.unwrap();
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(names, ["one", "two_x"]);
    assert_eq!(found["one"], "a.one");
    assert!(catalog.remove_setting("a.one").await.unwrap());
    assert!(!catalog.remove_setting("a.one").await.unwrap());
    assert_eq!(catalog.settings("a.").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_setting_is_what_was_last_put() {
    let scene = Scene::new().await;
    assert_eq!(scene.catalog.setting("retention").await.unwrap(), None);
    for value in [json!({"days": 30}), json!(null)] {
        scene.catalog.put_setting("retention", &value).await.unwrap();
        assert_eq!(scene.catalog.setting("retention").await.unwrap(), Some(value));
    }
}

#[tokio::test]
async fn the_shape_of_a_stream_is_replaced_and_goes_with_its_connector() {
    let scene = Scene::new().await;
    let catalog = &scene.catalog;
    let connector = scene.connector("CAS").await.id;
    let (dlp, malware) = (stream("sharepoint/dlp"), stream("sharepoint/securityrisk"));
    for (stream, fields) in [(&dlp, 1), (&malware, 2), (&dlp, 3)] {
        catalog.put_shape(connector, stream, &json!({ "fields": fields }), at(1)).await.unwrap();
    }
    let shapes = catalog.shapes(connector).await.unwrap();
    assert_eq!((&shapes[&dlp]["fields"], &shapes[&malware]["fields"]), (&json!(3), &json!(2)));
    assert!(catalog.shapes(ConnectorId::generate()).await.unwrap().is_empty());
    catalog.delete_connector(connector).await.unwrap();
    catalog.put_shape(connector, &dlp, &json!({}), at(2)).await.unwrap();
    assert!(catalog.shapes(connector).await.unwrap().is_empty());
}
