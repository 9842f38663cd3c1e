//! Decides the fate of every record of a group: stored once, or found to be stored already.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::batch::TableCommit;
use model::ocsf::Class;
use uuid::Uuid;

use super::build::{Built, build};
use super::fate::{Fate, Group};
use super::publish::{self, Placed};
use super::seen::Seen;
use crate::error::LakeError;
use crate::failpoint;
use crate::table::tables::Tables;

/// How often other writers may be faster before the group is given up.
const ROUNDS: usize = 50;

/// Stores what is new in a group: when it answers, every record of the group is decided. On an error
/// nothing is acknowledged; the group knows what was committed before it, which is found as duplicate
/// when the records come again.
pub(crate) async fn settle(
    tables: &Tables,
    seen: &mut Seen,
    group: &mut Group,
) -> Result<(), LakeError> {
    let id = Uuid::now_v7();
    let mut contended = Class::BaseEvent;
    for _ in 0..ROUNDS {
        for class in group.classes() {
            tables.refresh(class).await?;
        }
        seen.mark_duplicates(tables, group).await?;
        let built = build_all(group).await?;
        let files = publish::place(tables, built).await?;
        match commit_all(tables, seen, group, id, files).await? {
            None => return Ok(()),
            Some(class) => {
                tracing::info!(%class, "another writer committed first: looking up again");
                group.note_conflict();
                contended = class;
            }
        }
    }
    Err(LakeError::Contended { class: contended, rounds: ROUNDS })
}

/// Builds the files of all open records, portions and parts of large ones in parallel.
async fn build_all(group: &mut Group) -> Result<Vec<Built>, LakeError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut tasks = Vec::new();
    let parts =
        group.portions().into_iter().flat_map(|portion| portion.into_parts(&group.batches, cores));
    for portion in parts {
        let batches = Arc::clone(&group.batches);
        tasks.push(tokio::task::spawn_blocking(move || build(&batches, &portion)));
    }
    let mut files = Vec::new();
    for task in tasks {
        let outcome = task.await.map_err(LakeError::Task)??;
        files.extend(outcome.files);
        for (slot, fate) in outcome.decided {
            group.decide(slot, fate);
        }
    }
    Ok(files)
}

/// Commits table after table. When another writer was faster, answers the class; what is not
/// committed by then, or when a commit fails, stays open, and its files are removed.
async fn commit_all(
    tables: &Tables,
    seen: &mut Seen,
    group: &mut Group,
    id: Uuid,
    files: Vec<Placed>,
) -> Result<Option<Class>, LakeError> {
    let mut by_class: BTreeMap<Class, Vec<Placed>> = BTreeMap::new();
    for placed in files {
        by_class.entry(placed.built.class).or_default().push(placed);
    }
    while let Some((class, files)) = by_class.pop_first() {
        let base = seen.version(class);
        let version = match publish::commit(tables, id, class, base, &files, &group.batches).await {
            Ok(Some(version)) => version,
            unfinished => {
                match &unfinished {
                    Ok(_) => publish::discard(tables, &files).await,
                    Err(_) => publish::take_back(tables, class, &files).await,
                }
                for files in by_class.values() {
                    publish::discard(tables, files).await;
                }
                return unfinished.map(|_| Some(class));
            }
        };
        let rows = files.iter().flat_map(|placed| {
            placed.built.rows.iter().map(|row| (&placed.built.tenant, row.time, row.uid))
        });
        seen.extend(class, version, rows);
        for (batch, rows) in publish::rows_per_batch(&files) {
            group.note_commit(batch, TableCommit { class, version, rows });
        }
        for row in files.iter().flat_map(|placed| &placed.built.rows) {
            group.decide(row.slot, Fate::Stored);
        }
        failpoint::hit("lake.after_commit", tables.store().root())?;
    }
    Ok(None)
}
