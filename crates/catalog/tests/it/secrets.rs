//! Invariant I7: secrets rest sealed and stay where they were put.

use catalog::ErrorKind;
use model::secret::Secret;

use crate::support::{SECRET, Scene, at};

/// The catalog's files as one: the database, its write-ahead log, the shared memory.
fn bytes_on_disk(scene: &Scene) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(scene.directory.path()).unwrap() {
        bytes.extend(std::fs::read(entry.unwrap().path()).unwrap());
    }
    bytes
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn no_secret_is_in_the_bytes_on_disk() {
    let mut scene = Scene::new().await;
    let mut edited = scene.connector("public-name").await;
    edited.document = serde_json::json!({"note": "public-note"});
    scene.catalog.put_connector(&edited).await.unwrap();
    let token = scene.catalog.create_token("ci", None, &[], at(0), None).await.unwrap();
    let key = scene.catalog.key_fingerprint("h", &Secret::new(SECRET));
    scene.catalog.reserve(&key, "logs", at(0), at(0)).await.unwrap();
    for reopened in [false, true] {
        if reopened {
            scene.reopen().await;
        }
        let bytes = bytes_on_disk(&scene);
        assert!(holds(&bytes, "public-note") && holds(&bytes, key.as_str()), "the search works");
        for secret in [SECRET, token.expose(), &token.expose()[5..], &"ab".repeat(32)] {
            assert!(!holds(&bytes, secret), "reopened: {reopened}");
        }
    }
}

#[tokio::test]
async fn a_credential_moved_to_another_connector_does_not_open() {
    let mut scene = Scene::new().await;
    let owner = scene.connector("owner").await;
    let thief = scene.connector("thief").await;
    scene.catalog.close().await;
    let raw = sqlx::SqlitePool::connect(&catalog::file_url(&scene.file())).await.unwrap();
    sqlx::query(
        "UPDATE connectors SET credential = (SELECT credential FROM connectors WHERE id = $1)
         WHERE id = $2",
    )
    .bind(owner.id.to_string())
    .bind(thief.id.to_string())
    .execute(&raw)
    .await
    .unwrap();
    raw.close().await;
    scene.reopen().await;
    assert!(scene.catalog.connector(owner.id).await.unwrap().is_some());
    let error = scene.catalog.connector(thief.id).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.to_string().contains(&thief.id.to_string()), "{error}");
}

#[tokio::test]
async fn equal_keys_at_one_host_are_one_key_and_tell_nothing() {
    let scene = Scene::new().await;
    let other = Scene::new().await;
    let secret = Secret::new(SECRET);
    let key = scene.catalog.key_fingerprint("API.example.com", &secret);
    assert_eq!(key, scene.catalog.key_fingerprint("api.example.com", &secret));
    assert_ne!(key, scene.catalog.key_fingerprint("api2.example.com", &secret));
    assert_ne!(key, scene.catalog.key_fingerprint("api.example.com", &Secret::new("x")));
    assert_ne!(key, other.catalog.key_fingerprint("api.example.com", &secret), "per install");
    assert_eq!(key.to_string().len(), 64);
}
