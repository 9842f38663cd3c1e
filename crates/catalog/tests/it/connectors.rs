//! Connectors and cursors.

use std::collections::BTreeMap;

use catalog::ErrorKind;
use model::ids::{ConnectorId, ConnectorName, TenantId};
use model::secret::Secret;

use crate::support::{SECRET, Scene, at, connector, page, stream};

#[tokio::test]
async fn a_connector_comes_back_as_it_was_stored() {
    let scene = Scene::new().await;
    let stored = connector("経理 CAS");
    assert_eq!(scene.catalog.put_connector(&stored).await.unwrap(), 1);
    let read = scene.catalog.connector(stored.id).await.unwrap().unwrap();
    let secrets: Vec<_> = read.credential.0["api_keys"].iter().map(Secret::expose).collect();
    assert_eq!(secrets, [SECRET, "second"]);
    assert_eq!(read.document.to_string(), r#"{"interval":"5m","z":1,"a":2}"#);
    assert_eq!((read.revision, read.enabled, read.created_at), (1, true, at(0)));
    let named = scene.catalog.connector_by_name(&stored.tenant, &stored.name).await.unwrap();
    assert_eq!(named.unwrap().id, stored.id);
    assert!(!format!("{read:?}").contains(SECRET));
    assert!(scene.catalog.connector(ConnectorId::generate()).await.unwrap().is_none());
}

#[tokio::test]
async fn every_change_grows_the_revision_and_the_counter() {
    let scene = Scene::new().await;
    let catalog = &scene.catalog;
    assert_eq!(catalog.revision_counter().await.unwrap(), 0);
    let mut edited = scene.connector("a").await;
    assert_eq!(catalog.revision_counter().await.unwrap(), 1);
    edited.name = ConnectorName::new("b").unwrap();
    edited.created_at = at(50);
    edited.updated_at = at(60);
    assert_eq!(catalog.put_connector(&edited).await.unwrap(), 2);
    let read = catalog.connector(edited.id).await.unwrap().unwrap();
    assert_eq!((read.created_at, read.updated_at, read.name.as_str()), (at(0), at(60), "b"));

    catalog.set_enabled(edited.id, false, at(70)).await.unwrap();
    catalog.set_enabled(edited.id, false, at(80)).await.unwrap();
    let read = catalog.connector(edited.id).await.unwrap().unwrap();
    assert_eq!((read.enabled, read.revision, read.updated_at), (false, 3, at(70)));
    assert_eq!(catalog.revision_counter().await.unwrap(), 3, "no change, no new number");
    catalog.delete_connector(edited.id).await.unwrap();
    assert_eq!(catalog.revision_counter().await.unwrap(), 4);
}

#[tokio::test]
async fn a_name_is_taken_once_per_tenant() {
    let scene = Scene::new().await;
    let catalog = &scene.catalog;
    scene.connector("CAS").await;
    let error = catalog.put_connector(&connector("CAS")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert_eq!(error.to_string(), "connector `CAS` exists already in the tenant `default`");
    let mut elsewhere = connector("CAS");
    elsewhere.tenant = TenantId::new("acme").unwrap();
    let error = catalog.put_connector(&elsewhere).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    catalog.ensure_tenant(&elsewhere.tenant, at(0)).await.unwrap();
    catalog.put_connector(&elsewhere).await.unwrap();
    assert_eq!(catalog.connectors(None).await.unwrap().len(), 2);
    let of_acme = catalog.connectors(Some(&elsewhere.tenant)).await.unwrap();
    assert_eq!(of_acme.iter().map(|found| found.id).collect::<Vec<_>>(), [elsewhere.id]);
}

#[tokio::test]
async fn deleting_takes_cursors_and_leaves_the_ledger() {
    let scene = Scene::new().await;
    let catalog = &scene.catalog;
    let deleted = scene.connector("CAS").await;
    catalog.apply_page(page(deleted.id)).await.unwrap();
    catalog.delete_connector(deleted.id).await.unwrap();
    assert!(catalog.cursors(deleted.id).await.unwrap().is_empty());
    assert_eq!(scene.totals().await.stored, 1);
    let error = catalog.delete_connector(deleted.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = catalog.set_enabled(deleted.id, true, at(0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn cursors_are_replaced_by_stream_and_need_their_connector() {
    let scene = Scene::new().await;
    let catalog = &scene.catalog;
    let owner = scene.connector("CAS").await;
    catalog.apply_page(page(owner.id)).await.unwrap();
    let planned = BTreeMap::from([(stream("exchange/dlp"), serde_json::json!([1]))]);
    catalog.put_cursors(owner.id, &planned, at(1)).await.unwrap();
    let cursors = catalog.cursors(owner.id).await.unwrap();
    assert_eq!(cursors.len(), 2);
    assert_eq!(cursors[&stream("sharepoint/dlp")], serde_json::json!({"next": "a"}));
    let nobody = catalog.put_cursors(ConnectorId::generate(), &planned, at(1)).await;
    assert_eq!(nobody.unwrap_err().kind(), ErrorKind::NotFound);
}
