//! The log of one table on the store: reading entries, writing exactly the next one.

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _};
use model::ocsf::Class;
use object_store::path::Path;
use object_store::{Error, ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions};
use uuid::Uuid;

use super::entry::{self, Entry};
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
    /// Another writer has this version.
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
            source,
        })?;
        Ok(Some(entry))
    }

    /// The newest version on the store, and the oldest whose entry is there.
    pub(crate) async fn span(&self) -> Result<Option<(u64, u64)>, LakeError> {
        let folder = table_path(self.class).join("_delta_log");
        let listed = self.store.list(Some(&folder)).map_ok(|meta| meta.location);
        let names: Vec<Path> = listed.try_collect().await.map_err(|source| LakeError::Store {
            action: format!("list the log of `{}`", self.class),
            source,
        })?;
        let versions = || {
            names
                .iter()
                .filter_map(|path| path.filename()?.strip_suffix(".json")?.parse::<u64>().ok())
        };
        Ok(versions().min().zip(versions().max()))
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
        let path = self.path(version);
        let options = PutOptions::from(PutMode::Create);
        match self.store.put_opts(&path, Bytes::from(bytes).into(), options).await {
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
        table_path(self.class).join("_delta_log").join(format!("{version:020}.json"))
    }
}

/// The directory of a class's table.
pub(crate) fn table_path(class: Class) -> Path {
    Path::from("events").join(class.name())
}
