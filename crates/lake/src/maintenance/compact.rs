//! Merging small files: new files are written beside the old ones and take their place in one
//! version that changes no row. Appends and queries are not held up by it.

use std::sync::Arc;

use model::ocsf::Class;
use model::time::Timestamp;
use object_store::{ObjectStore as _, ObjectStoreExt as _, PutMode, PutOptions};
use query::store::maintenance::{MaintenancePlan, TableMaintenance};
use uuid::Uuid;

use super::Maintenance;
use super::choose::{self, Inputs};
use super::merge;
use crate::error::LakeError;
use crate::failpoint;
use crate::table::data::{data_path, new_path};
use crate::table::entry::{self, Entry};
use crate::table::file::DataFile;
use crate::table::log::Written;
use crate::table::tables::Unnamed;

/// Bytes and files of one version: what is lost when the process dies on the way.
const COMMIT_BYTES: u64 = 256 << 20;
const COMMIT_MERGES: usize = 64;
/// How often others may take the next version before a merge is given up for this time.
const ROUNDS: usize = 100;

/// A merged file that no version names yet.
struct Merged {
    inputs: Inputs,
    file: DataFile,
    /// Keeps clean-up away until the table has taken the file.
    _unnamed: Unnamed,
}

impl Maintenance {
    /// Merges what is worth it. A merge that fails does not stop the others; the first failure is
    /// the answer.
    pub(super) async fn compact(
        &self,
        class: Class,
        plan: &MaintenancePlan,
        line: &mut TableMaintenance,
    ) -> Result<(), LakeError> {
        if plan.dry_run {
            return Ok(());
        }
        let due = {
            let state = self.tables.state(class);
            choose::merges(&state, self.file_bytes, plan.now, plan.merge)
        };
        let (mut ready, mut bytes, mut first_failure) = (Vec::new(), 0, None);
        for inputs in due {
            match self.write_merged(class, inputs).await {
                Ok(merged) => {
                    bytes += merged.file.size_bytes;
                    ready.push(merged);
                }
                Err(error) => first_failure = first_failure.or(Some(error)),
            }
            if bytes >= COMMIT_BYTES || ready.len() >= COMMIT_MERGES {
                self.commit_merged(class, std::mem::take(&mut ready), plan.now, line).await?;
                bytes = 0;
            }
        }
        self.commit_merged(class, ready, plan.now, line).await?;
        first_failure.map_or(Ok(()), Err)
    }

    async fn write_merged(&self, class: Class, inputs: Inputs) -> Result<Merged, LakeError> {
        let store = self.tables.store();
        let content = {
            let (store, inputs) = (store.clone(), inputs.clone());
            let runtime = tokio::runtime::Handle::current();
            // Decoding and encoding would hold up everybody else.
            let merging = move || runtime.block_on(merge::merge(&store, class, &inputs));
            tokio::task::spawn_blocking(merging).await.map_err(LakeError::Task)??
        };
        let like = &inputs[0];
        let mut file = merge::describe(&inputs, like);
        file.path = new_path(&like.tenant, like.day);
        file.size_bytes = content.len() as u64;
        let path = data_path(class, &file.path);
        let unnamed = self.tables.begin_file(path.clone());
        let options = PutOptions::from(PutMode::Create);
        let put = store.put_opts(&path, content.into(), options).await;
        put.map_err(|source| LakeError::Store { action: format!("write `{path}`"), source })?;
        Ok(Merged { inputs, file, _unnamed: unnamed })
    }

    /// Puts merged files in the place of their inputs. Whoever commits first has the next version;
    /// a merge whose inputs have gone meanwhile is dropped.
    async fn commit_merged(
        &self,
        class: Class,
        mut merged: Vec<Merged>,
        now: Timestamp,
        line: &mut TableMaintenance,
    ) -> Result<(), LakeError> {
        let group = Uuid::now_v7();
        for _ in 0..ROUNDS {
            self.tables.refresh(class).await?;
            // What comes in behind this look takes the version, and is seen as a conflict.
            let (version, (kept, gone)): (_, (Vec<_>, Vec<_>)) = {
                let state = self.tables.state(class);
                let kept_and_gone = merged.into_iter().partition(|m| state.holds(&m.inputs));
                (state.next_version(), kept_and_gone)
            };
            merged = kept;
            self.discard(class, &gone).await;
            if merged.is_empty() {
                return Ok(());
            }
            let added: Inputs =
                merged.iter().map(|m| Arc::new(DataFile { version, ..m.file.clone() })).collect();
            let replaced: Inputs = merged.iter().flat_map(|m| m.inputs.iter().cloned()).collect();
            let bytes = entry::merge(group, now, &added, &replaced);
            failpoint::hit("lake.before_merge_commit", self.tables.store().root())?;
            if !self.tables.are_there(class, merged.iter().map(|m| &m.file)).await? {
                // The next run merges again.
                return Ok(());
            }
            if self.tables.log(class).write(version, bytes, Some(group)).await? == Written::Taken {
                continue;
            }
            line.merged += replaced.len() as u64;
            line.merged_into += added.len() as u64;
            let removed = replaced.iter().map(|file| file.path.clone()).collect();
            let entry = Entry { added, removed, group: Some(group), ..Entry::default() };
            self.tables.apply(class, version, &entry);
            failpoint::hit("lake.after_merge_commit", self.tables.store().root())?;
            return Ok(());
        }
        self.discard(class, &merged).await;
        Err(LakeError::Contended { class, rounds: ROUNDS })
    }

    /// Removes merged files that no version will name. Best effort: clean-up finds what stays.
    async fn discard(&self, class: Class, merged: &[Merged]) {
        for merged in merged {
            let path = data_path(class, &merged.file.path);
            if let Err(error) = self.tables.store().delete(&path).await {
                tracing::debug!(%path, %error, "left an unused file behind");
            }
        }
    }
}
