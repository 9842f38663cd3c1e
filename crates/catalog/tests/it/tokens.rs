//! Access tokens.

use catalog::ErrorKind;
use model::ids::TenantId;
use model::secret::Secret;
use uuid::Uuid;

use crate::support::{Scene, at};

#[tokio::test]
async fn a_token_is_known_by_its_secret_until_it_expires_or_is_revoked() {
    let scene = Scene::new().await;
    let catalog = &scene.catalog;
    assert!(!catalog.has_tokens().await.unwrap());
    let rights = ["read".to_owned(), "connectors".to_owned()];
    let tenant = TenantId::default();
    let secret =
        catalog.create_token("ci", Some(&tenant), &rights, at(0), Some(at(100))).await.unwrap();
    assert!(secret.expose().starts_with("tarn_") && secret.expose().len() == 48);
    let token = catalog.token(&secret, at(99)).await.unwrap().unwrap();
    assert_eq!((token.name.as_str(), token.tenant.as_ref()), ("ci", Some(&tenant)));
    assert_eq!(token.rights, rights);
    assert!(catalog.token(&secret, at(100)).await.unwrap().is_none(), "expired");
    assert!(catalog.token(&Secret::new("tarn_x"), at(1)).await.unwrap().is_none());

    catalog.revoke_token(token.id, at(50)).await.unwrap();
    catalog.revoke_token(token.id, at(60)).await.unwrap();
    assert!(catalog.token(&secret, at(51)).await.unwrap().is_none(), "revoked");
    assert_eq!(catalog.tokens().await.unwrap()[0].revoked_at, Some(at(50)));
    assert!(catalog.has_tokens().await.unwrap(), "revoking the last one opens no door");
}

#[tokio::test]
async fn two_tokens_differ_and_unknown_ones_and_tenants_are_told() {
    let scene = Scene::new().await;
    let catalog = &scene.catalog;
    let first = catalog.create_token("a", None, &[], at(0), None).await.unwrap();
    let second = catalog.create_token("a", None, &[], at(0), None).await.unwrap();
    assert_ne!(first.expose(), second.expose());
    assert_eq!(catalog.tokens().await.unwrap().len(), 2);
    let error = catalog.revoke_token(Uuid::nil(), at(0)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let nobody = TenantId::new("nobody").unwrap();
    let error = catalog.create_token("a", Some(&nobody), &[], at(0), None).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no tenant `nobody`");
}
