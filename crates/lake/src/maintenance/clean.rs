//! Clean-up: removes log entries that a snapshot and a checkpoint stand for and that everybody has
//! read, and then files that nothing names any more.
//!
//! Entries go from the oldest on, and their removal is on the disk before any data file goes: whatever
//! a power cut undoes, the log from the snapshot to the newest version is whole. While any entry of the
//! log cannot be read nothing is removed: nobody can say what it names.

use model::causes::chain;
use std::collections::HashSet;
use std::time::Duration;

use model::ocsf::Class;
use model::time::Timestamp;
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use query::store::maintenance::{Effort, MaintenancePlan, TableMaintenance};

use super::limit::{Dated, limit};
use super::{Maintenance, bookmarks};
use crate::durable::FoundFile;
use crate::error::LakeError;
use crate::failpoint;
use crate::table::checkpoint;
use crate::table::data::data_path;
use crate::table::entry::Entry;
use crate::table::log::{Listing, LogFile, table_path};
use crate::table::snapshot::{self, FOLDER, Snapshot, SnapshotName};

/// Nothing younger is removed: it may belong to a commit or a query under way.
pub(super) const MIN_AGE: Duration = Duration::from_secs(3600);
/// How long the background task leaves a table alone.
const PAUSE: Duration = Duration::from_secs(600);
/// Snapshots and checkpoints that stay as long as the log leads on from them.
const SPARE: usize = 2;

/// What one clean-up of a table works with.
struct Cleaning<'p> {
    class: Class,
    plan: &'p MaintenancePlan,
    line: &'p mut TableMaintenance,
}

impl Maintenance {
    /// Removes what nobody needs any more.
    pub(super) async fn clean_up(
        &self,
        class: Class,
        plan: &MaintenancePlan,
        line: &mut TableMaintenance,
    ) -> Result<(), LakeError> {
        if !self.clean_up_is_due(class, plan) {
            return Ok(());
        }
        // In this order: what is named after the files were listed is known before any of them goes.
        let found = self.files_of(class).await?;
        let unnamed = self.tables.unnamed();
        self.tables.refresh(class).await?;
        let listing = self.tables.log(class).listing().await?;
        let Some((oldest, newest)) = listing.run() else { return Ok(()) };
        let mut cleaning = Cleaning { class, plan, line };
        let base = if plan.dry_run && plan.snapshot != Effort::Skip {
            // What the run would have noted by now.
            newest
        } else {
            self.base(class, &listing, plan).await?.unwrap_or(oldest)
        };
        let entries = self.dated_entries(class, &listing).await?;
        let bookmarks = bookmarks::read(self.tables.store()).await?;
        let limit = limit(class, &entries, base, &bookmarks, plan.now);
        cleaning.line.waits_for = limit.waits_for;
        // The newest entry stays: it shows others that they have not been passed.
        let first_kept = limit.released.min(base).min(newest);
        self.remove_entries(&mut cleaning, &listing, first_kept).await?;
        self.remove_notes(&mut cleaning, &listing, &found, first_kept).await?;
        let kept = entries.iter().filter(|dated| dated.version >= limit.released);
        let mut named = self.named(class, kept.map(|dated| &dated.entry));
        named.extend(unnamed);
        self.remove_files(&mut cleaning, &found, &named).await?;
        if !plan.dry_run {
            self.cleaned().insert(class, plan.now);
        }
        Ok(())
    }

    fn clean_up_is_due(&self, class: Class, plan: &MaintenancePlan) -> bool {
        match plan.clean_up {
            Effort::Skip => false,
            Effort::WhenDue => {
                let last = self.cleaned().get(&class).copied();
                last.is_none_or(|last| plan.now.since(last) >= PAUSE)
            }
            Effort::Now => true,
        }
    }

    /// The version from which a snapshot and a checkpoint lead on, read again to be sure. A snapshot
    /// of which one copy is left is made whole first, or passed over.
    async fn base(
        &self,
        class: Class,
        listing: &Listing,
        plan: &MaintenancePlan,
    ) -> Result<Option<u64>, LakeError> {
        let store = self.tables.store();
        let mut noted = None;
        for name in snapshot::list(store, class).await? {
            let Ok(snapshot) = Snapshot::read(store, class, name).await else { continue };
            let [first, copy] = SnapshotName::both(name.version);
            let is_whole = name == first && Snapshot::read(store, class, copy).await.is_ok();
            if !is_whole
                && !plan.dry_run
                && let Err(error) = snapshot.write(store, class).await
            {
                // A full disk must not stop what would free space: an older snapshot leads on too.
                let version = name.version;
                tracing::warn!(%class, version, error = chain(&error), "a snapshot cannot be made whole");
                continue;
            }
            noted = Some(name.version);
            break;
        }
        for (version, files) in listing.checkpoints.iter().rev() {
            if checkpoint::is_readable(store, files).await {
                return Ok(noted.map(|noted| noted.min(*version)));
            }
        }
        Ok(None)
    }

    /// Removes the entries before a version, oldest first.
    async fn remove_entries(
        &self,
        cleaning: &mut Cleaning<'_>,
        listing: &Listing,
        first_kept: u64,
    ) -> Result<(), LakeError> {
        let mut is_any = false;
        for (_, file) in listing.entries.range(..first_kept) {
            if self.remove(cleaning, file).await? {
                cleaning.line.log_entries += 1;
                is_any = true;
            }
        }
        if is_any && !cleaning.plan.dry_run {
            let folder = self.tables.log(cleaning.class).folder();
            let settled = self.tables.store().settle_removals(&folder).await;
            settled.map_err(|source| LakeError::Store {
                action: format!("sync the log of `{}`", cleaning.class),
                source,
            })?;
        }
        Ok(())
    }

    /// Removes snapshots and checkpoints that newer ones have taken the place of.
    async fn remove_notes(
        &self,
        cleaning: &mut Cleaning<'_>,
        listing: &Listing,
        found: &[FoundFile],
        first_kept: u64,
    ) -> Result<(), LakeError> {
        let checkpoints: Vec<u64> = listing.checkpoints.keys().copied().collect();
        for version in superseded(checkpoints, first_kept) {
            for file in &listing.checkpoints[&version] {
                if self.remove(cleaning, file).await? {
                    cleaning.line.files += 1;
                }
            }
        }
        let snapshots: Vec<(u64, &FoundFile)> = found
            .iter()
            .filter_map(|file| {
                let name = file.name.strip_prefix(FOLDER)?.strip_prefix('/')?;
                Some((SnapshotName::parse(name)?.version, file))
            })
            .collect();
        let versions = snapshots.iter().map(|(version, _)| *version).collect();
        let versions: HashSet<u64> = superseded(versions, first_kept).into_iter().collect();
        for (_, file) in snapshots.iter().filter(|(version, _)| versions.contains(version)) {
            self.remove_found(cleaning, file).await?;
        }
        Ok(())
    }

    /// Removes data files that nothing names, and what writes that were cut off have left.
    async fn remove_files(
        &self,
        cleaning: &mut Cleaning<'_>,
        found: &[FoundFile],
        named: &HashSet<Path>,
    ) -> Result<(), LakeError> {
        for file in found {
            let is_hidden = file.name.starts_with(['_', '.']);
            let is_data = !is_hidden && file.name.ends_with(".parquet");
            let is_orphan = is_data && !named.contains(&data_path(cleaning.class, &file.name));
            if is_orphan || file.is_staged() {
                self.remove_found(cleaning, file).await?;
            }
        }
        Ok(())
    }

    /// Every data file that the table, entries that are not released, or a running query may still
    /// read. Kept snapshots name no others: what they name and is gone since was removed by an entry
    /// behind them.
    fn named<'e>(&self, class: Class, kept: impl Iterator<Item = &'e Entry>) -> HashSet<Path> {
        let mut names: Vec<String> = Vec::new();
        for entry in kept {
            names.extend(entry.added.iter().map(|file| file.path.clone()));
            names.extend(entry.removed.iter().cloned());
        }
        let state = self.tables.state(class);
        names.extend(state.files().iter().map(|file| file.path.clone()));
        names.extend(state.leaving());
        let mut named: HashSet<Path> = names.iter().map(|name| data_path(class, name)).collect();
        // Other writers may have encoded what stands in a path.
        let decoded = names.iter().filter_map(|name| Path::from_url_path(name).ok());
        named.extend(decoded.map(|name| data_path(class, name.as_ref())));
        named
    }

    async fn dated_entries(
        &self,
        class: Class,
        listing: &Listing,
    ) -> Result<Vec<Dated>, LakeError> {
        let Some((oldest, newest)) = listing.run() else { return Ok(Vec::new()) };
        let entries = self.tables.log(class).entries(oldest..=newest).await?;
        let dated = entries.into_iter().map(|(version, entry)| {
            let written_at = listing.entries[&version].written_at;
            Dated { version, entry, written_at }
        });
        Ok(dated.collect())
    }

    async fn files_of(&self, class: Class) -> Result<Vec<FoundFile>, LakeError> {
        let files = self.tables.store().files_below(&table_path(class)).await;
        files.map_err(|source| LakeError::Store {
            action: format!("list the files of `{class}`"),
            source,
        })
    }

    async fn remove(&self, cleaning: &mut Cleaning<'_>, file: &LogFile) -> Result<bool, LakeError> {
        if !is_old(file.written_at, cleaning.plan.now) {
            return Ok(false);
        }
        if !cleaning.plan.dry_run {
            failpoint::hit("lake.before_removal", self.tables.store().root())?;
            let removed = self.tables.store().delete(&file.path).await;
            removed.map_err(|source| LakeError::Store {
                action: format!("remove `{}`", file.path),
                source,
            })?;
        }
        cleaning.line.size_bytes += file.size_bytes;
        Ok(true)
    }

    async fn remove_found(
        &self,
        cleaning: &mut Cleaning<'_>,
        file: &FoundFile,
    ) -> Result<(), LakeError> {
        if !is_old(file.written_at, cleaning.plan.now) {
            return Ok(());
        }
        if !cleaning.plan.dry_run {
            failpoint::hit("lake.before_removal", self.tables.store().root())?;
            let folder = table_path(cleaning.class);
            let removed = self.tables.store().remove_found(&folder, file).await;
            removed.map_err(|source| LakeError::Store {
                action: format!("remove `{folder}/{}`", file.name),
                source,
            })?;
        }
        cleaning.line.files += 1;
        cleaning.line.size_bytes += file.size_bytes;
        Ok(())
    }
}

fn is_old(written_at: Timestamp, now: Timestamp) -> bool {
    now.since(written_at) >= MIN_AGE
}

/// Versions that are not needed: the log does not lead on from them, or newer ones are enough. The
/// newest always stays.
fn superseded(mut versions: Vec<u64>, first_kept: u64) -> Vec<u64> {
    versions.sort_unstable();
    versions.dedup();
    versions.reverse();
    let older = versions.into_iter().enumerate().skip(1);
    older
        .filter(|(place, version)| *place >= SPARE || version + 1 < first_kept)
        .map(|(_, version)| version)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_stays_and_a_spare_one_only_while_the_log_leads_on_from_it() {
        assert_eq!(superseded(vec![10, 20, 20, 30], 0), [10]);
        assert_eq!(superseded(vec![10, 20, 30], 21), [10]);
        assert_eq!(superseded(vec![10, 20, 30], 22), [20, 10]);
        assert!(superseded(vec![30], 99).is_empty());
    }
}
