//! Keeping the lake in order while it is used: what has expired goes, small files are merged, the
//! state of each log is noted, and what nobody needs any more is removed.
//!
//! Every step is safe to cut off at any point: what it leaves behind is unused space, which the next
//! clean-up finds. Start with [`Maintenance::run`].

mod bookmarks;
mod choose;
mod clean;
mod compact;
mod expire;
mod limit;
mod merge;
mod note;

use model::causes::chain;
use std::collections::HashMap;
use std::sync::{Arc, Mutex as StdMutex, MutexGuard, PoisonError};

use model::ocsf::Class;
use model::time::Timestamp;
use query::store::maintenance::{Failure, MaintenancePlan, MaintenanceReport, TableMaintenance};
use tokio::sync::Mutex;

pub(crate) use self::bookmarks::write as write_bookmark;
use crate::error::LakeError;
use crate::table::tables::Tables;

/// The keeper of a lake. One run at a time in each process; runs of several processes do not get in
/// each other's way.
#[derive(Debug)]
pub(crate) struct Maintenance {
    tables: Arc<Tables>,
    /// The size that merged files may have.
    file_bytes: u64,
    running: Arc<Mutex<()>>,
    /// When each table was cleaned up last by this process.
    cleaned: StdMutex<HashMap<Class, Timestamp>>,
}

impl Maintenance {
    /// A keeper that merges files up to a size.
    pub(crate) fn new(tables: Arc<Tables>, file_bytes: u64) -> Self {
        Self { tables, file_bytes, running: Arc::default(), cleaned: StdMutex::default() }
    }

    fn cleaned(&self) -> MutexGuard<'_, HashMap<Class, Timestamp>> {
        self.cleaned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what a plan says, table after table.
    pub(crate) async fn run(&self, plan: &MaintenancePlan) -> MaintenanceReport {
        let _running = self.running.lock().await;
        let mut report = MaintenanceReport::default();
        for class in Class::ALL {
            self.run_table(class, plan, &mut report).await;
        }
        bookmarks::remove_staged(self.tables.store(), plan).await;
        report
    }

    async fn run_table(
        &self,
        class: Class,
        plan: &MaintenancePlan,
        report: &mut MaintenanceReport,
    ) {
        let mut line = TableMaintenance::new(class);
        let mut failed = |step: &str, done: Result<(), LakeError>| {
            if let Err(error) = done {
                let problem = format!("failed to {step}: {}", chain(&error));
                report.failures.push(Failure { class, problem });
            }
        };
        failed("read the log", self.tables.refresh(class).await);
        if self.tables.state(class).version().is_none() {
            return;
        }
        let mut expired = Vec::new();
        failed("remove what has expired", self.expire(class, plan, &mut expired).await);
        failed("merge files", self.compact(class, plan, &mut line).await);
        failed("note the state of the log", self.note(class, plan, &mut line).await);
        failed("clean up", self.clean_up(class, plan, &mut line).await);
        report.expired.extend(expired);
        if !line.is_empty() {
            report.tables.push(line);
        }
    }
}
