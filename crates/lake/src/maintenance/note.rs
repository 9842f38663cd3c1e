//! Notes the state of a log, for ourselves as a snapshot and for every other Delta reader as a
//! checkpoint, so that older entries are no longer needed.

use model::causes::chain;
use std::sync::Arc;
use std::time::Duration;

use model::ocsf::Class;
use query::store::maintenance::{Effort, MaintenancePlan, TableMaintenance};

use super::Maintenance;
use crate::error::LakeError;
use crate::failpoint;
use crate::table::checkpoint;

/// New versions that are worth a snapshot when maintenance runs.
const DUE: u64 = 20;
/// New versions after which the writer asks for a snapshot by itself.
const DUE_WHILE_WRITING: u64 = 100;
/// A table that rests for so long is noted as it is, so that what it replaced can be cleaned up.
const RESTING: Duration = Duration::from_secs(3600);

impl Maintenance {
    /// Writes snapshot and checkpoint of the newest version when they are due.
    pub(super) async fn note(
        &self,
        class: Class,
        plan: &MaintenancePlan,
        line: &mut TableMaintenance,
    ) -> Result<(), LakeError> {
        if plan.dry_run || !self.is_due(class, plan).await? {
            return Ok(());
        }
        line.snapshot = self.write_notes(class).await?;
        Ok(())
    }

    async fn is_due(&self, class: Class, plan: &MaintenancePlan) -> Result<bool, LakeError> {
        let Some(version) = self.tables.state(class).version() else { return Ok(false) };
        let new = self.unnoted(class);
        match plan.snapshot {
            Effort::Skip => Ok(false),
            Effort::WhenDue if new == 0 => Ok(false),
            Effort::WhenDue if new >= DUE => Ok(true),
            Effort::WhenDue => {
                let written_at = self.tables.log(class).written_at(version).await?;
                Ok(plan.now.since(written_at) >= RESTING)
            }
            Effort::Now if new > 0 => Ok(true),
            Effort::Now => {
                let listing = self.tables.log(class).listing().await?;
                Ok(!listing.checkpoints.contains_key(&version))
            }
        }
    }

    /// Versions since the newest good snapshot.
    fn unnoted(&self, class: Class) -> u64 {
        let state = self.tables.state(class);
        state.version().map_or(0, |version| version.saturating_sub(state.noted().unwrap_or(0)))
    }

    /// A table without its checkpoint is whole for us, so a checkpoint that fails stops no snapshot.
    async fn write_notes(&self, class: Class) -> Result<Option<u64>, LakeError> {
        let snapshot = self.tables.state(class).to_snapshot();
        let Some(snapshot) = snapshot else { return Ok(None) };
        let (store, version) = (self.tables.store(), snapshot.version);
        let checked = match self.check_entries(class, version).await {
            Ok(()) => checkpoint::write(store, class, version).await,
            broken => broken,
        };
        snapshot.write(store, class).await?;
        failpoint::hit("lake.snapshot_written", store.root())?;
        self.tables.note(class, version);
        checked.map(|()| Some(version))
    }

    /// Makes sure that entries since the last checkpoint are whole: the library that writes checkpoints
    /// reads them by itself, and takes one that was emptied or cut off for what it is not.
    async fn check_entries(&self, class: Class, version: u64) -> Result<(), LakeError> {
        let log = self.tables.log(class);
        let listing = log.listing().await?;
        let first = listing.checkpoints.keys().next_back().map_or(0, |newest| newest + 1);
        match log.entries(first..=version).await {
            // What another process has cleaned up is in a checkpoint of its own.
            Err(LakeError::Gap { .. }) => Ok(()),
            read => read.map(drop),
        }
    }

    /// Waits for the notes that are being written.
    pub(crate) async fn rest(&self) {
        drop(self.running.lock().await);
    }

    /// Called between appends: writes what is far overdue, beside the appends that follow.
    pub(crate) fn note_while_writing(self: &Arc<Self>) {
        let overdue: Vec<Class> = Class::ALL
            .into_iter()
            .filter(|class| self.unnoted(*class) >= DUE_WHILE_WRITING)
            .collect();
        if overdue.is_empty() {
            return;
        }
        // A run under way does it as well.
        let Ok(running) = Arc::clone(&self.running).try_lock_owned() else { return };
        let keeper = Arc::clone(self);
        tokio::spawn(async move {
            let _running = running;
            for class in overdue {
                if let Err(error) = keeper.write_notes(class).await {
                    tracing::error!(%class, error = chain(&error), "failed to note the state of a log");
                }
            }
        });
    }
}
