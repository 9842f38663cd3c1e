//! What a lake does on a full or read-only disk and with broken files: it says which file and why,
//! and loses nothing that it acknowledged.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use bytes::Bytes;
use lake::{Disk, Lake, LakeOptions, LocalDisk};
use model::ids::TenantId;
use query::store::{EventStore as _, Statement};
use tempfile::TempDir;

use crate::support::*;

/// A disk in trouble: how it answers to the creation of a file.
#[derive(Debug, Default)]
struct Troubled(AtomicU8);

const WELL: u8 = 0;
const FULL: u8 = 1;
const READ_ONLY: u8 = 2;

impl Troubled {
    fn is(&self, state: u8) {
        self.0.store(state, Ordering::Relaxed);
    }
}

impl Disk for Troubled {
    fn create(&self, path: &Path, content: &[Bytes]) -> io::Result<()> {
        match self.0.load(Ordering::Relaxed) {
            FULL => {
                // As much as there is room for, as a real disk does.
                LocalDisk.create(path, &[content[0].slice(..content[0].len() / 2)])?;
                Err(io::Error::from(io::ErrorKind::StorageFull))
            }
            READ_ONLY => Err(io::Error::from(io::ErrorKind::ReadOnlyFilesystem)),
            _ => LocalDisk.create(path, content),
        }
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        LocalDisk.sync(path)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        LocalDisk.link(from, to)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        LocalDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        LocalDisk.remove(path)
    }

    fn create_directory(&self, path: &Path) -> io::Result<()> {
        LocalDisk.create_directory(path)
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let cause = error.source().map(|cause| format!(": {}", chain(cause)));
    format!("{error}{}", cause.unwrap_or_default())
}

/// Every file under a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

#[tokio::test]
async fn a_full_or_read_only_disk_fails_the_append_keeps_the_rest_and_heals() {
    for (state, said) in [(FULL, "no storage space"), (READ_ONLY, "read-only")] {
        let directory = TempDir::new().unwrap();
        let disk = Arc::new(Troubled::default());
        let options = LakeOptions {
            linger: Duration::ZERO,
            disk: disk.clone(),
            ..LakeOptions::new(directory.path().join("lake"))
        };
        let lake = Lake::open(options).await.unwrap();
        lake.append(vec![batch(&[mail(1, 0)])]).await.unwrap();
        let before = files(directory.path()).len();

        disk.is(state);
        let refused = lake.append(vec![batch(&[mail(1, 0), mail(2, 0)])]).await.unwrap_err();
        assert!(chain(&refused).contains(said), "{}", chain(&refused));
        assert_eq!(files(directory.path()).len(), before, "half a file was left behind");
        assert_eq!(lake.verify().await.unwrap().rows, 1);

        disk.is(WELL);
        let stored = lake.append(vec![batch(&[mail(1, 0), mail(2, 0)])]).await.unwrap();
        assert_eq!(counts(&stored[0]), [1, 1, 0, 0]);
        assert_eq!(lake.verify().await.unwrap().findings, vec![]);
    }
}

/// Overwrites the middle of a file.
fn spoil(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    for byte in &mut bytes[middle..] {
        *byte ^= 0x5a;
    }
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn a_corrupted_data_file_is_named_by_queries_appends_and_verify_and_hurts_no_other() {
    let shore = Shore::new().await;
    shore.store(vec![batch(&[mail(1, 0)])]).await;
    shore.store(vec![batch(&[mail(2, 48 * 3600)])]).await;
    let data = files(&shore.directory.path().join("lake"));
    let data = data.iter().find(|path| path.to_string_lossy().contains("day=2026-03-02/")).unwrap();
    let name = data.file_name().unwrap().to_str().unwrap().to_owned();
    let sound = std::fs::read(data).unwrap();
    spoil(data);
    let shore = shore.reopened().await;

    let findings = shore.findings().await;
    assert!(findings.iter().any(|f| f.contains(&name) && f.contains("cannot be read")));
    let failed = select(&shore.lake).await.unwrap_err();
    assert!(failed.contains(&name), "{failed}");
    // Whether the record is stored already cannot be known: it is refused, not stored twice.
    let refused = shore.lake.append(vec![batch(&[mail(1, 0)])]).await.unwrap_err();
    assert!(chain(&refused).contains(&name), "{}", chain(&refused));
    // Records of other hours go their way.
    assert_eq!(shore.counts(batch(&[mail(2, 48 * 3600), mail(3, 48 * 3600)])).await, [1, 1, 0, 0]);

    // The file comes back from a backup.
    std::fs::write(data, sound).unwrap();
    assert_eq!(shore.counts(batch(&[mail(1, 0)])).await, [0, 1, 0, 0]);
    assert_eq!(shore.findings().await, Vec::<String>::new());
}

/// The rows of all mails, or what went wrong in words.
async fn select(lake: &Lake) -> Result<usize, String> {
    use futures::TryStreamExt as _;
    let sql = Statement::Sql("SELECT raw_data FROM email_activity".to_owned());
    let rows = lake.query(&TenantId::default(), sql).await.map_err(|error| chain(&error))?;
    let pages: Vec<_> = rows.pages.try_collect().await.map_err(|error| chain(&error))?;
    Ok(pages.iter().map(Vec::len).sum())
}

#[tokio::test]
async fn a_corrupted_log_entry_is_named_when_the_lake_is_opened() {
    let shore = Shore::new().await;
    shore.store(vec![batch(&[mail(1, 0)])]).await;
    shore.store(vec![batch(&[mail(2, 0)])]).await;
    let log = shore.directory.path().join("lake/events/email_activity/_delta_log");
    let entry = log.join("00000000000000000001.json");
    let sound = std::fs::read(&entry).unwrap();
    spoil(&entry);
    let Shore { directory, lake } = shore;
    drop(lake);
    let refused = Lake::open(LakeOptions::new(directory.path().join("lake"))).await.unwrap_err();
    let said = chain(&refused);
    assert!(said.contains("version 1 of `email_activity`"), "{said}");

    std::fs::write(&entry, sound).unwrap();
    assert_eq!(open(&directory).await.verify().await.unwrap().rows, 2);
}
