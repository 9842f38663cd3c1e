//! Retention: files whose whole day has expired leave the table in one version, which says how many
//! rows of whom went. A legal hold of any install that shares the lake wins.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::ids::TenantId;
use model::ocsf::Class;
use model::time::Day;
use query::store::maintenance::{Expired, Expiry, MaintenancePlan};
use uuid::Uuid;

use super::{Maintenance, bookmarks};
use crate::error::LakeError;
use crate::failpoint;
use crate::table::entry::{self, Entry, ExpiredRows};
use crate::table::file::DataFile;
use crate::table::log::Written;

/// How often others may take the next version before it is left to the next run.
const ROUNDS: usize = 100;

impl Maintenance {
    /// Removes what has expired in a table.
    pub(super) async fn expire(
        &self,
        class: Class,
        plan: &MaintenancePlan,
        expired: &mut Vec<Expired>,
    ) -> Result<(), LakeError> {
        let asked = plan.expire.iter().filter(|expiry| expiry.class == class);
        let asked: Vec<&Expiry> = asked.collect();
        if asked.is_empty() {
            return Ok(());
        }
        let group = Uuid::now_v7();
        for _ in 0..ROUNDS {
            self.tables.refresh(class).await?;
            // Read in every round: a hold that was set meanwhile counts.
            let holds = bookmarks::holds(self.tables.store()).await?;
            let is_held = |tenant: &TenantId| holds.iter().any(|hold| hold.covers(tenant, class));
            let allowed: Vec<&Expiry> =
                asked.iter().copied().filter(|expiry| !is_held(&expiry.tenant)).collect();
            let (version, files) = self.expired_files(class, &allowed);
            if files.is_empty() {
                return Ok(());
            }
            let rows = by_day(&files);
            if plan.dry_run {
                expired.extend(by_tenant(class, None, &rows));
                return Ok(());
            }
            let bytes = entry::expire(group, plan.now, &files, &rows);
            failpoint::hit("lake.before_expire_commit", self.tables.store().root())?;
            if self.tables.log(class).write(version, bytes, Some(group)).await? == Written::Taken {
                continue;
            }
            expired.extend(by_tenant(class, Some(version), &rows));
            let removed = files.iter().map(|file| file.path.clone()).collect();
            let entry = Entry { removed, expired: rows, group: Some(group), ..Entry::default() };
            self.tables.apply(class, version, &entry);
            failpoint::hit("lake.after_expire_commit", self.tables.store().root())?;
            return Ok(());
        }
        Err(LakeError::Contended { class, rounds: ROUNDS })
    }

    /// The version that comes next and what goes with it, from one look: what comes in behind it takes
    /// the version, and is seen as a conflict.
    fn expired_files(&self, class: Class, expiries: &[&Expiry]) -> (u64, Vec<Arc<DataFile>>) {
        let state = self.tables.state(class);
        let mut files = Vec::new();
        for expiry in expiries {
            let days = state.days(&expiry.tenant).into_iter().flat_map(BTreeMap::values);
            let goes = |file: &&Arc<DataFile>| expiry.reaches(file.day, file.added);
            files.extend(days.flatten().filter(goes).cloned());
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        files.dedup();
        (state.next_version(), files)
    }
}

fn by_day(files: &[Arc<DataFile>]) -> Vec<ExpiredRows> {
    let mut days: BTreeMap<(&TenantId, Day), (u64, u64)> = BTreeMap::new();
    for file in files {
        let (count, rows) = days.entry((&file.tenant, file.day)).or_default();
        *count += 1;
        *rows += file.rows;
    }
    let days = days.into_iter();
    days.map(|((tenant, day), (files, rows))| ExpiredRows {
        tenant: tenant.clone(),
        day,
        files,
        rows,
    })
    .collect()
}

/// One line per tenant; the rows are in order of tenant and day.
fn by_tenant(class: Class, version: Option<u64>, rows: &[ExpiredRows]) -> Vec<Expired> {
    let of_one = rows.chunk_by(|one, next| one.tenant == next.tenant);
    of_one
        .map(|rows| Expired {
            class,
            tenant: rows[0].tenant.clone(),
            version,
            days: rows.iter().map(|gone| gone.day).collect(),
            files: rows.iter().map(|gone| gone.files).sum(),
            rows: rows.iter().map(|gone| gone.rows).sum(),
        })
        .collect()
}
