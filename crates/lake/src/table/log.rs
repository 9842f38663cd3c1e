//! The log of one table on the store: reading entries, writing exactly the next one.
//!
//! Clean-up removes entries from the oldest on and never the newest. So an entry whose predecessor is
//! there is in its place, and a version behind the newest entry that is not there was never written.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use model::ocsf::Class;
use model::time::Timestamp;
use object_store::path::Path;
use object_store::{Error, ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions};
use uuid::Uuid;

use super::entry::{self, Entry};
use super::snapshot;
use crate::durable::Durable;
use crate::error::LakeError;

/// How many entries are read at once.
const READ_AHEAD: usize = 16;

/// The log of a class's table.
#[derive(Debug, Clone)]
pub(crate) struct Log {
    class: Class,
    store: Durable,
}

/// What became of an attempt to write an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// The entry is durable and ours.
    Committed,
    /// Another writer has this version, or had it before clean-up passed.
    Taken,
}

impl Log {
    /// The log of a class under the store's root.
    pub(crate) fn new(class: Class, store: Durable) -> Self {
        Self { class, store }
    }

    /// The entry of a version, `None` when there is none yet.
    pub(crate) async fn read(&self, version: u64) -> Result<Option<Entry>, LakeError> {
        let Some(bytes) = self.bytes(version).await? else { return Ok(None) };
        let entry = entry::read(version, &bytes).map_err(|source| LakeError::Entry {
            class: self.class,
            version,
            path: self.path(version).to_string(),
            source,
        })?;
        Ok(Some(entry))
    }

    /// Everything that lies in the log.
    pub(crate) async fn listing(&self) -> Result<Listing, LakeError> {
        let folder = self.folder();
        let failed = |source| LakeError::Store {
            action: format!("list the log of `{}`", self.class),
            source,
        };
        let mut listed = self.store.list(Some(&folder));
        let mut listing = Listing::default();
        while let Some(meta) = listed.try_next().await.map_err(failed)? {
            let written_at = meta.last_modified.into();
            let file = LogFile { path: meta.location.clone(), size_bytes: meta.size, written_at };
            match meta.location.filename().and_then(Kind::of) {
                Some(Kind::Entry(version)) => {
                    listing.entries.insert(version, file);
                }
                Some(Kind::Checkpoint(version)) => {
                    listing.checkpoints.entry(version).or_default().push(file);
                }
                None => {}
            }
        }
        Ok(listing)
    }

    /// Whether the entry of a version is there.
    pub(crate) async fn has(&self, version: u64) -> Result<bool, LakeError> {
        match self.store.head(&self.path(version)).await {
            Ok(_) => Ok(true),
            Err(Error::NotFound { .. }) => Ok(false),
            Err(source) => Err(self.failed("look for", version, source)),
        }
    }

    /// When the entry of a version was written, by the clock of the disk.
    pub(crate) async fn written_at(&self, version: u64) -> Result<Timestamp, LakeError> {
        let meta = self.store.head(&self.path(version)).await;
        let meta = meta.map_err(|source| self.failed("look for", version, source))?;
        Ok(meta.last_modified.into())
    }

    /// Entries of a range of versions in order; a missing one is an error.
    pub(crate) async fn entries(
        &self,
        versions: std::ops::RangeInclusive<u64>,
    ) -> Result<Vec<(u64, Entry)>, LakeError> {
        futures::stream::iter(versions)
            .map(|version| async move {
                let entry = self.read(version).await?;
                entry
                    .map(|entry| (version, entry))
                    .ok_or(LakeError::Gap { class: self.class, version })
            })
            .buffered(READ_AHEAD)
            .try_collect()
            .await
    }

    /// Writes the entry of a version unless another writer has it. After an error that leaves the
    /// outcome open, the log itself is asked whether our group is in it.
    pub(crate) async fn write(
        &self,
        version: u64,
        bytes: Vec<u8>,
        group: Option<Uuid>,
    ) -> Result<Written, LakeError> {
        if !self.leads_on(version).await? {
            return Ok(Written::Taken);
        }
        let path = self.path(version);
        let options = PutOptions::from(PutMode::Create);
        match self.store.put_opts(&path, Bytes::from(bytes).into(), options).await {
            // We may have slept for hours since we looked: such an entry counts for nobody.
            Ok(_) if !self.leads_on(version).await? => {
                Err(LakeError::Overtaken { class: self.class, version })
            }
            Ok(_) => Ok(Written::Committed),
            Err(Error::AlreadyExists { .. }) => Ok(Written::Taken),
            Err(source) => {
                let failed = self.failed("commit", version, source);
                match self.read(version).await {
                    Ok(Some(entry)) if group.is_some() && entry.group == group => {
                        tracing::warn!(class = %self.class, version, error = %failed, "a commit failed but is in the log");
                        self.settle(version).await?;
                        Ok(Written::Committed)
                    }
                    Ok(Some(_)) => Ok(Written::Taken),
                    Ok(None) | Err(_) => Err(failed),
                }
            }
        }
    }

    /// Whether the entry before a version is there; before the first one, that there never was any.
    /// A process that slept while others committed and cleaned up finds its old place free, but not
    /// the one before it.
    async fn leads_on(&self, version: u64) -> Result<bool, LakeError> {
        match version.checked_sub(1) {
            Some(before) => self.has(before).await,
            None => Ok(snapshot::list(&self.store, self.class).await?.is_empty()),
        }
    }

    /// Makes sure that an entry which was found in the log outlives a power cut.
    pub(crate) async fn settle(&self, version: u64) -> Result<(), LakeError> {
        let settled = self.store.settle(&self.path(version)).await;
        settled.map_err(|source| self.failed("sync", version, source))
    }

    async fn bytes(&self, version: u64) -> Result<Option<Bytes>, LakeError> {
        let answer = match self.store.get(&self.path(version)).await {
            Ok(answer) => answer.bytes().await,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => Err(error),
        };
        answer.map(Some).map_err(|source| self.failed("read", version, source))
    }

    fn failed(&self, verb: &str, version: u64, source: Error) -> LakeError {
        LakeError::Store { action: format!("{verb} version {version} of `{}`", self.class), source }
    }

    fn path(&self, version: u64) -> Path {
        self.folder().join(format!("{version:020}.json"))
    }

    /// The folder of the log.
    pub(crate) fn folder(&self) -> Path {
        table_path(self.class).join("_delta_log")
    }
}

/// What lies in a log.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Entries by version.
    pub(crate) entries: BTreeMap<u64, LogFile>,
    /// Checkpoints by version, each of one file or more.
    pub(crate) checkpoints: BTreeMap<u64, Vec<LogFile>>,
}

/// A file of a log.
#[derive(Debug, Clone)]
pub(crate) struct LogFile {
    /// Where it lies.
    pub(crate) path: Path,
    /// Its size.
    pub(crate) size_bytes: u64,
    /// When it was written, by the clock of the disk.
    pub(crate) written_at: Timestamp,
}

impl Listing {
    /// The first and the last version of the unbroken run of entries that ends with the newest.
    /// What lies before it is left from a clean-up that was cut off.
    pub(crate) fn run(&self) -> Option<(u64, u64)> {
        let mut versions = self.entries.keys().rev().copied();
        let newest = versions.next()?;
        let mut oldest = newest;
        for version in versions {
            if version + 1 != oldest {
                break;
            }
            oldest = version;
        }
        Some((oldest, newest))
    }
}

enum Kind {
    Entry(u64),
    Checkpoint(u64),
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        let (digits, rest) = name.split_at_checked(20)?;
        let version = digits.parse().ok()?;
        match rest {
            ".json" => Some(Self::Entry(version)),
            _ if rest.starts_with(".checkpoint.") => Some(Self::Checkpoint(version)),
            _ => None,
        }
    }
}

/// The directory of a class's table.
pub(crate) fn table_path(class: Class) -> Path {
    Path::from("events").join(class.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_run_ends_with_the_newest_entry_and_begins_behind_the_last_hole() {
        let mut listing = Listing::default();
        assert_eq!(listing.run(), None);
        for version in [1, 2, 5, 6, 7] {
            let file =
                LogFile { path: Path::from("x"), size_bytes: 1, written_at: Timestamp::EPOCH };
            listing.entries.insert(version, file);
        }
        assert_eq!(listing.run(), Some((5, 7)));
    }

    #[test]
    fn names_in_a_log_are_told_apart() {
        let entry = Kind::of("00000000000000000007.json");
        assert!(matches!(entry, Some(Kind::Entry(7))));
        let checkpoint = Kind::of("00000000000000000008.checkpoint.parquet");
        assert!(matches!(checkpoint, Some(Kind::Checkpoint(8))));
        for other in ["_last_checkpoint", "00000000000000000007.crc", "7.json"] {
            assert!(Kind::of(other).is_none(), "{other}");
        }
    }
}
