//! What a lake does on a full or read-only disk and with broken files: it says which file and why,
//! and loses nothing that it acknowledged.

use model::causes::chain;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use bytes::Bytes;
use lake::{Disk, Lake, LakeOptions, LocalDisk};
use model::ids::TenantId;
use model::ocsf::Class;
use model::time::Day;
use query::store::maintenance::{Effort, Expiry, MaintenancePlan};
use query::store::{EventStore as _, Statement};
use tempfile::TempDir;

use crate::support::*;

/// A disk in trouble: how it answers to the creation of a file.
#[derive(Debug, Default)]
struct Troubled(AtomicU8);

const WELL: u8 = 0;
const FULL: u8 = 1;
const READ_ONLY: u8 = 2;
/// No room for entries of a log.
const LOG_FULL: u8 = 3;
/// No room for files of 2026-03-03.
const DAY_FULL: u8 = 4;

impl Troubled {
    fn is(&self, state: u8) {
        self.0.store(state, Ordering::Relaxed);
    }
}

impl Disk for Troubled {
    fn create(&self, path: &Path, content: &[Bytes]) -> io::Result<()> {
        let name = path.to_string_lossy();
        let state = match self.0.load(Ordering::Relaxed) {
            LOG_FULL if name.contains("_delta_log") => FULL,
            DAY_FULL if name.contains("day=2026-03-03") => FULL,
            state => state,
        };
        match state {
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

/// A lake on a disk that is well for now.
async fn on_troubled_disk(directory: &TempDir) -> (Lake, Arc<Troubled>) {
    let disk = Arc::new(Troubled::default());
    let options = LakeOptions {
        linger: Duration::ZERO,
        disk: disk.clone(),
        ..LakeOptions::new(directory.path().join("lake"))
    };
    (Lake::open(options).await.unwrap(), disk)
}

#[tokio::test]
async fn a_full_or_read_only_disk_fails_the_append_keeps_the_rest_and_heals() {
    for (state, said) in [(FULL, "no storage space"), (READ_ONLY, "read-only")] {
        let directory = TempDir::new().unwrap();
        let (lake, disk) = on_troubled_disk(&directory).await;
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

/// An append for which there is room only in part leaves nothing behind.
#[tokio::test]
async fn files_of_an_append_that_had_no_room_for_all_of_them_or_for_its_entry_are_removed() {
    for state in [LOG_FULL, DAY_FULL] {
        let directory = TempDir::new().unwrap();
        let (lake, disk) = on_troubled_disk(&directory).await;
        let records = [mail(1, 0), mail(2, 90_000), mail(3, 180_000)];
        lake.append(vec![batch(&records[..1])]).await.unwrap();
        let before = files_below(directory.path());

        disk.is(state);
        let refused = lake.append(vec![batch(&records)]).await.unwrap_err();
        assert!(chain(&refused).contains("no storage space"), "{}", chain(&refused));
        assert_eq!(files_below(directory.path()), before);
        assert_eq!(lake.verify().await.unwrap().rows, 1);

        disk.is(WELL);
        let stored = lake.append(vec![batch(&records)]).await.unwrap();
        assert_eq!(counts(&stored[0]), [2, 1, 0, 0]);
        let found = lake.verify().await.unwrap();
        assert_eq!((found.rows, found.findings), (3, vec![]));
    }
}

/// A snapshot of which one copy is missing cannot be made whole there; an older one will do.
#[tokio::test]
async fn clean_up_frees_space_on_a_full_disk() {
    let directory = TempDir::new().unwrap();
    let (lake, disk) = on_troubled_disk(&directory).await;
    for id in 0..4 {
        lake.append(vec![batch(&[mail(id, 0)])]).await.unwrap();
        if id % 2 == 1 {
            lake.maintain(&noting(at(0))).await.unwrap();
        }
    }
    let version = lake.stats(None).await.unwrap()[0].version;
    let applied = [(Class::EmailActivity, version)].into();
    lake.bookmark(&bookmark(2, applied)).await.unwrap();
    let snapshots = directory.path().join("lake/events/email_activity/_tarn");
    std::fs::remove_file(snapshots.join(format!("snapshot-{version:020}.copy.json"))).unwrap();
    backdate(directory.path());

    disk.is(FULL);
    let report = lake.maintain(&cleaning_up(at(2))).await.unwrap();
    assert_eq!(report.failures, []);
    assert!(report.tables[0].log_entries > 0, "{:?}", report.tables);
    drop(lake);
    assert_eq!(open(&directory).await.verify().await.unwrap().rows, 4);
}

/// Clean-up alone.
fn cleaning_up(now: model::time::Timestamp) -> MaintenancePlan {
    MaintenancePlan { clean_up: Effort::Now, ..MaintenancePlan::new(now) }
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

/// A table whose versions are one of each kind: its creation, two appends, a merge, and the expiry of
/// the first of two days.
async fn shore_with_a_past() -> Shore {
    let shore = Shore::new().await;
    for id in 0..2 {
        shore.store(vec![batch(&[mail(id, 0), mail(10 + id, 90_000)])]).await;
    }
    shore.maintain(merging(at(0))).await;
    let before = Day::parse("2026-03-03").unwrap();
    let expiry = Expiry { tenant: TenantId::default(), class: Class::EmailActivity, before };
    shore.maintain(MaintenancePlan { expire: vec![expiry], ..MaintenancePlan::new(at(0)) }).await;
    shore
}

/// What a disk leaves of a text that it has not written to its end: nothing, or some of its lines.
fn cut(whole: &str) -> Vec<&str> {
    let ends = whole.match_indices('\n').map(|(place, _)| place + 1);
    [0].into_iter().chain(ends).filter(|end| *end < whole.len()).map(|end| &whole[..end]).collect()
}

#[tokio::test]
async fn an_entry_that_was_emptied_or_cut_after_a_line_is_named_and_stops_clean_up() {
    let shore = shore_with_a_past().await;
    assert_eq!(shore.entries(Class::EmailActivity), [0, 1, 2, 3, 4]);
    shore.applied_all(2).await;
    let before = files_below(&shore.root());
    for version in 0..=4 {
        let name = format!("_delta_log/{version:020}.json");
        let entry = shore.table(Class::EmailActivity).join(&name);
        let whole = std::fs::read_to_string(&entry).unwrap();
        for cut in cut(&whole) {
            std::fs::write(&entry, cut).unwrap();
            shore.backdate();
            let refused = Lake::open(LakeOptions::new(shore.root())).await.unwrap_err();
            assert!(chain(&refused).contains(&name), "{}", chain(&refused));
            // A server that knew the whole entry still runs.
            let report = shore.lake.maintain(&cleaning_up(at(2))).await.unwrap();
            let problem = &report.failures[0].problem;
            assert!(problem.contains("clean up") && problem.contains(&name), "{problem}");
            assert_eq!(files_below(&shore.root()), before);
        }
        std::fs::write(&entry, whole).unwrap();
    }
    shore.backdate();
    shore.maintain(everything(at(2))).await;
    let shore = shore.reopened().await;
    assert_eq!((shore.rows().await, shore.findings().await), (2, vec![]));
}

#[tokio::test]
async fn a_cut_entry_gets_into_no_checkpoint() {
    let shore = shore_with_a_past().await;
    let log = shore.table(Class::EmailActivity).join("_delta_log");
    let entry = log.join("00000000000000000003.json");
    let whole = std::fs::read_to_string(&entry).unwrap();
    std::fs::write(&entry, &whole[..=whole.find('\n').unwrap()]).unwrap();
    for _ in 0..2 {
        let report = shore.lake.maintain(&noting(at(0))).await.unwrap();
        let problem = &report.failures[0].problem;
        assert!(problem.contains("the file was cut off"), "{problem}");
        assert!(names(&log).iter().all(|name| !name.contains("checkpoint")));
    }

    std::fs::write(&entry, whole).unwrap();
    shore.maintain(noting(at(0))).await;
    assert!(names(&log).iter().any(|name| name.contains("checkpoint")));
    assert_eq!(rows_for_others(&shore.table(Class::EmailActivity)).await, 2);
}
