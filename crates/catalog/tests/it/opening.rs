//! Opening, reopening, the master key and its file.

use std::os::unix::fs::PermissionsExt;

use catalog::{Catalog, ErrorKind, MasterKey, file_url};
use model::hint::Hint;
use model::ids::TenantId;
use model::secret::Secret;

use crate::support::{Scene, at, master, page};

#[tokio::test]
async fn reopening_keeps_everything() {
    let mut scene = Scene::new().await;
    let install = scene.catalog.install();
    let key = scene.catalog.key_fingerprint("api.example.com", &Secret::new("k"));
    let connector = scene.connector("経理 CAS").await;
    scene.catalog.apply_page(page(connector.id)).await.unwrap();
    scene.catalog.reserve(&key, "logs", at(1), at(0)).await.unwrap();
    scene.reopen().await;
    assert_eq!(scene.catalog.install(), install);
    assert_eq!(scene.catalog.key_fingerprint("api.example.com", &Secret::new("k")), key);
    assert_eq!(scene.totals().await.stored, 1);
    assert_eq!(scene.catalog.cursors(connector.id).await.unwrap().len(), 1);
    assert_eq!(scene.catalog.reservations(&key, "logs", at(0)).await.unwrap(), [at(1)]);
    assert_eq!(scene.catalog.tenants().await.unwrap(), [TenantId::default()]);
    let stored = scene.catalog.connector(connector.id).await.unwrap().unwrap();
    assert_eq!(stored.name.as_str(), "経理 CAS");
}

#[tokio::test]
async fn another_master_key_is_refused_with_the_variable_and_the_file() {
    let scene = Scene::new().await;
    scene.catalog.close().await;
    let other = scene.directory.path().join("other.key");
    let key = MasterKey::load_or_create(&other).unwrap();
    let error = Catalog::open(&file_url(&scene.file()), &key).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WrongMasterKey);
    let text = format!("{error}\n{}", error.hint().unwrap());
    for word in ["TARN_MASTER_KEY", "other.key", "catalog.db", "master.key"] {
        assert!(text.contains(word), "{word} in {text}");
    }
    Catalog::open(&file_url(&scene.file()), &master()).await.unwrap();
}

#[tokio::test]
async fn a_catalog_in_memory_works_and_stands_alone() {
    let first = Catalog::open("sqlite::memory:", &master()).await.unwrap();
    let second = Catalog::open("sqlite::memory:", &master()).await.unwrap();
    assert_ne!(first.install(), second.install());
    first.ensure_tenant(&TenantId::default(), at(0)).await.unwrap();
    first.ensure_tenant(&TenantId::default(), at(1)).await.unwrap();
    assert_eq!(first.tenants().await.unwrap().len(), 1);
    assert!(second.tenants().await.unwrap().is_empty());
}

#[tokio::test]
async fn many_tasks_write_and_read_at_once_without_a_locked_database() {
    for url in [None, Some("sqlite::memory:")] {
        let scene = Scene::new().await;
        let catalog = match url {
            Some(url) => Catalog::open(url, &master()).await.unwrap(),
            None => scene.catalog.clone(),
        };
        let key = catalog.key_fingerprint("h", &Secret::new("k"));
        let tasks: Vec<_> = (0..40)
            .map(|number| {
                let (catalog, key) = (catalog.clone(), key.clone());
                tokio::spawn(async move {
                    catalog.reserve(&key, "logs", at(number), at(0)).await.unwrap();
                    catalog.reservations(&key, "logs", at(number)).await.unwrap().len()
                })
            })
            .collect();
        for task in tasks {
            assert!(task.await.unwrap() >= 1);
        }
        assert_eq!(catalog.reservations(&key, "logs", at(0)).await.unwrap().len(), 40);
    }
}

#[tokio::test]
async fn the_database_files_are_for_their_owner_only() {
    let scene = Scene::new().await;
    for file in ["catalog.db", "catalog.db-wal"] {
        let metadata = std::fs::metadata(scene.directory.path().join(file)).unwrap();
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn an_unknown_kind_of_database_is_refused_without_its_password() {
    let url = "postgres://tarn:hunter2@db/tarn";
    let error = Catalog::open(url, &master()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert!(!format!("{error} {error:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_file_that_is_no_database_and_a_missing_directory_are_told() {
    let scene = Scene::new().await;
    let broken = scene.directory.path().join("broken.db");
    std::fs::write(&broken, "this is not a database, and long enough to be read as one".repeat(99))
        .unwrap();
    let error = Catalog::open(&file_url(&broken), &master()).await.unwrap_err();
    assert!(error.to_string().contains("broken.db"), "{error}");
    let missing = scene.directory.path().join("no/such/catalog.db");
    let error = Catalog::open(&file_url(&missing), &master()).await.unwrap_err();
    assert!(error.to_string().contains("no/such"), "{error}");
}

#[test]
fn a_master_key_file_is_made_once_for_its_owner_only() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.key");
    MasterKey::load_or_create(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    MasterKey::load_or_create(&path).unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "no draft is left");
    MasterKey::from_text(&Secret::new(text)).unwrap();
}

#[test]
fn a_damaged_master_key_file_is_refused_and_not_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.key");
    std::fs::write(&path, "").unwrap();
    let error = MasterKey::load_or_create(&path).unwrap_err();
    assert!(error.to_string().contains("master.key"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
}

#[test]
fn threads_that_race_to_make_the_key_agree_on_one() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("master.key");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let keys: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..8).map(|_| scope.spawn(|| MasterKey::load_or_create(&path).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let url = file_url(&directory.path().join("catalog.db"));
    for key in keys {
        runtime.block_on(async { Catalog::open(&url, &key).await.unwrap().close().await });
    }
}
