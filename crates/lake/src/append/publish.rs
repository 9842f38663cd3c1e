//! Makes built files durable and commits them, one table after the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::StreamExt as _;
use model::batch::{Batch, CommitReceipt};
use model::ocsf::Class;
use model::time::Timestamp;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions};
use uuid::Uuid;

use super::build::Built;
use super::fate::commit_receipt;
use crate::error::LakeError;
use crate::failpoint;
use crate::table::data::{data_path, new_path};
use crate::table::entry::{self, Entry};
use crate::table::file::DataFile;
use crate::table::log::Written;
use crate::table::tables::{Tables, Unnamed};

/// Files that are written at once: the disk syncs them together.
const WRITERS: usize = 16;

/// A file of the group on the disk, not yet in any table.
pub(crate) struct Placed {
    pub(crate) built: Built,
    pub(crate) file: DataFile,
    /// Keeps clean-up away until a table has taken the file.
    _unnamed: Unnamed,
}

/// Writes all files of a group. When it answers they are on the disk; when one cannot be written the
/// others go again.
pub(crate) async fn place(tables: &Tables, built: Vec<Built>) -> Result<Vec<Placed>, LakeError> {
    let placing = built.into_iter().map(|built| place_one(tables, built));
    let placed: Vec<_> = futures::stream::iter(placing).buffer_unordered(WRITERS).collect().await;
    let (mut files, mut failure) = (Vec::with_capacity(placed.len()), None);
    for (file, done) in placed {
        files.push(file);
        failure = failure.or(done.err());
    }
    match failure {
        None => Ok(files),
        Some(error) => {
            discard(tables, &files).await;
            Err(error)
        }
    }
}

/// Writes one file. After a failure it may be there all the same.
async fn place_one(tables: &Tables, built: Built) -> (Placed, Result<(), LakeError>) {
    let file = describe(&built);
    let path = data_path(built.class, &file.path);
    let unnamed = tables.begin_file(path.clone());
    let options = PutOptions::from(PutMode::Create);
    let put = tables.store().put_opts(&path, built.content.clone().into(), options).await;
    let put = put.map_err(|source| LakeError::Store { action: format!("write `{path}`"), source });
    let done = put.and_then(|_| failpoint::hit("lake.file_written", tables.store().root()));
    (Placed { built, file, _unnamed: unnamed }, done)
}

/// Removes the files of a commit that failed, unless the log has taken them all the same. What it
/// says cannot be asked for now stays.
pub(crate) async fn take_back(tables: &Tables, class: Class, files: &[Placed]) {
    if let Err(error) = tables.refresh(class).await {
        tracing::debug!(%class, %error, "left the files of a failed commit behind");
        return;
    }
    let is_taken = {
        let state = tables.state(class);
        files.iter().any(|placed| state.holds(&[Arc::new(placed.file.clone())]))
    };
    if !is_taken {
        discard(tables, files).await;
    }
}

/// Removes files that no table took. Best effort: a file that stays behind is only unused space.
pub(crate) async fn discard(tables: &Tables, files: &[Placed]) {
    for placed in files {
        let path = data_path(placed.built.class, &placed.file.path);
        if let Err(error) = tables.store().delete(&path).await {
            tracing::debug!(%path, %error, "left an unused file behind");
        }
    }
}

/// Commits files of one class right after the version against which their rows were looked up, with
/// the receipts of their batches. Versions that came in between are passed over when they brought no
/// rows, as merges do. `None` when another writer's rows have the place.
pub(crate) async fn commit(
    tables: &Tables,
    group: Uuid,
    class: Class,
    base: Option<u64>,
    files: &[Placed],
    batches: &[Batch],
) -> Result<Option<u64>, LakeError> {
    let now = batches.iter().map(|batch| batch.ingest_time).max().unwrap_or(Timestamp::EPOCH);
    let mut version = match base {
        Some(base) => base + 1,
        None => create(tables, class, now).await?,
    };
    let log = tables.log(class);
    let receipts = receipts(files, batches);
    loop {
        let added: Vec<Arc<DataFile>> =
            files.iter().map(|placed| Arc::new(placed.file.as_added(version, now))).collect();
        let bytes = entry::append(group, now, &added, &receipts);
        failpoint::hit("lake.before_commit", tables.store().root())?;
        if !tables.are_there(class, files.iter().map(|placed| &placed.file)).await? {
            return Ok(None);
        }
        if log.write(version, bytes, Some(group)).await? == Written::Committed {
            let entry = Entry { added, receipts, group: Some(group), ..Entry::default() };
            tables.apply(class, version, &entry);
            return Ok(Some(version));
        }
        match passable(tables, class, version).await? {
            Some(next) => version = next,
            None => return Ok(None),
        }
    }
}

/// Looks at what has our place: answers the next free version when nothing from there on brought rows.
async fn passable(tables: &Tables, class: Class, taken: u64) -> Result<Option<u64>, LakeError> {
    tables.refresh(class).await?;
    let next = tables.state(class).next_version();
    let entries = match tables.log(class).entries(taken..=next.saturating_sub(1)).await {
        // Clean-up has passed us: what came meanwhile has to be looked at anew.
        Err(LakeError::Gap { .. }) => return Ok(None),
        entries => entries?,
    };
    let is_free = next > taken && entries.iter().all(|(_, entry)| entry.brings_nothing());
    Ok(is_free.then_some(next))
}

/// Rows per batch among files.
pub(crate) fn rows_per_batch(files: &[Placed]) -> BTreeMap<u32, u64> {
    let mut rows = BTreeMap::new();
    for row in files.iter().flat_map(|placed| &placed.built.rows) {
        *rows.entry(row.slot.batch).or_default() += 1;
    }
    rows
}

/// Creates the table unless another writer was first, whose first entry says the same. Answers the
/// version for the first rows.
async fn create(tables: &Tables, class: Class, now: Timestamp) -> Result<u64, LakeError> {
    let log = tables.log(class);
    if log.write(0, entry::creation(class, now)?, None).await? == Written::Taken {
        log.settle(0).await?;
    }
    if let Some(entry) = log.read(0).await? {
        tables.apply(class, 0, &entry);
    }
    Ok(1)
}

fn receipts(files: &[Placed], batches: &[Batch]) -> Vec<CommitReceipt> {
    let receipt = |(batch, rows): (u32, u64)| commit_receipt(&batches[batch as usize], rows);
    rows_per_batch(files).into_iter().map(receipt).collect()
}

fn describe(built: &Built) -> DataFile {
    let time = |row: Option<&super::build::BuiltRow>| row.map_or(Timestamp::EPOCH, |row| row.time);
    DataFile {
        path: new_path(&built.tenant, built.day),
        tenant: built.tenant.clone(),
        day: built.day,
        version: 0,
        origin: 0,
        added: Timestamp::EPOCH,
        size_bytes: built.content.len() as u64,
        rows: built.rows.len() as u64,
        earliest: time(built.rows.first()),
        latest: time(built.rows.last()),
        sources: built.sources.clone(),
        data_change: true,
    }
}
