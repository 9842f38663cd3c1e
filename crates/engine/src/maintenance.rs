//! Keeping the lake in order: by itself while a server runs, and whenever somebody asks.
//!
//! Before anything is cleaned up the lake is told how far this install has come; before anything
//! expires it is written down what will go. A step that fails stops no other: until the lake is told
//! more it keeps more, and on a full disk removal is what helps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use model::ids::BatchId;
use model::time::Timestamp;
use query::store::maintenance::{Bookmark, Effort, Expired, MaintenancePlan, MaintenanceReport};
use serde_json::{Value, json};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::app::App;
use crate::collect::Services;
use crate::error::EngineError;
use crate::retention::{Policy, place};
use crate::stacks::Desk;

/// How often a running server looks after the lake.
const INTERVAL: Duration = Duration::from_secs(60);
/// How often the lake is told how far the ledger has come. Clean-up waits for it, and nobody else.
const RENEWED_AFTER: Duration = Duration::from_secs(600);
/// Who removes what has expired, in the audit log.
const RETENTION: &str = "retention";

/// Looks after the lake for one process.
pub(crate) struct Keeper {
    services: Services,
    desk: Arc<Desk>,
    /// Held while rules are carried out, so that a hold that was set holds from then on.
    deciding: Mutex<()>,
    /// Held while a bookmark is written, so that an older one never replaces a newer one.
    writing: Mutex<()>,
    /// When this process last found out how far the ledger has come.
    moved_on: Mutex<Option<Timestamp>>,
    task: StdMutex<Option<JoinHandle<()>>>,
}

impl Keeper {
    /// Nothing runs yet.
    pub(crate) fn new(services: Services, desk: Arc<Desk>) -> Arc<Self> {
        Arc::new(Self {
            services,
            desk,
            deciding: Mutex::default(),
            writing: Mutex::default(),
            moved_on: Mutex::default(),
            task: StdMutex::default(),
        })
    }

    /// Starts the background task, once.
    pub(crate) fn start(self: &Arc<Self>) {
        let mut task = self.task.lock().unwrap_or_else(PoisonError::into_inner);
        if task.is_none() {
            *task = Some(tokio::spawn(Arc::clone(self).run()));
        }
    }

    /// Stops the background task wherever it is: every step may be cut off.
    pub(crate) async fn stop(&self) {
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            task.abort();
            // It was cancelled, as it was told.
            drop(task.await);
        }
    }

    async fn run(self: Arc<Self>) {
        loop {
            let busy = self.services.clock.busy();
            match self.tick().await {
                Ok(report) => log(&report),
                Err(error) => {
                    let cause = &error as &dyn std::error::Error;
                    tracing::error!(error = cause, "failed to look after the lake");
                }
            }
            let next = self.services.clock.sleep_until(self.services.clock.now() + INTERVAL);
            drop(busy);
            next.await;
        }
    }

    /// Does what is worth doing now.
    pub(crate) async fn tick(&self) -> Result<MaintenanceReport, EngineError> {
        if self.is_bookmark_due().await {
            self.try_move_on().await;
        }
        if let Err(error) = self.desk.tend(&self.services).await {
            let cause = &error as &dyn std::error::Error;
            tracing::error!(error = cause, "failed to look after the stacks");
        }
        let expired = self.expire().await.unwrap_or_else(|error| {
            let cause = &error as &dyn std::error::Error;
            tracing::error!(error = cause, "failed to remove what has expired");
            MaintenanceReport::default()
        });
        let plan = MaintenancePlan {
            merge: Effort::WhenDue,
            snapshot: Effort::WhenDue,
            clean_up: Effort::WhenDue,
            ..MaintenancePlan::new(self.services.clock.now())
        };
        let mut report = self.services.store.maintain(&plan).await?;
        report.expired = expired.expired;
        report.failures.splice(0..0, expired.failures);
        Ok(report)
    }

    /// Tells the lake how far the ledger has come, or says why it cannot be told.
    async fn try_move_on(&self) {
        if let Err(error) = self.move_on().await {
            let cause = &error as &dyn std::error::Error;
            tracing::error!(error = cause, "failed to tell the lake how far the ledger has come");
        }
    }

    /// Finds out how far the ledger has come, remembers it, and tells the lake.
    async fn move_on(&self) -> Result<(), EngineError> {
        let Services { catalog, store, install, clock, failed, .. } = &self.services;
        let stats = store.stats(None).await?;
        let mut reached: BTreeMap<_, _> =
            stats.into_iter().map(|table| (table.class, table.version)).collect();
        let failed = failed.until_now();
        let receipts = store.receipts(*install, &catalog.applied_versions().await?).await?;
        let left = receipts.iter().filter(|(receipt, _)| failed.contains(&receipt.batch)).cloned();
        let recovered = catalog.recover(left.collect(), clock.now()).await?;
        if recovered.attempts > 0 {
            let (attempts, rows) = (recovered.attempts, recovered.rows);
            tracing::warn!(attempts, rows, "entered what failed appends have stored all the same");
        }
        self.services.failed.forget(&failed);
        let batches: BTreeSet<BatchId> =
            receipts.iter().map(|(receipt, _)| receipt.batch).collect();
        let batches: Vec<BatchId> = batches.into_iter().collect();
        let entered = catalog.is_applied(&batches).await?;
        for (receipt, commit) in &receipts {
            // A page that is just being entered.
            if !entered.contains(&receipt.batch) {
                let before = commit.version.saturating_sub(1);
                reached.entry(commit.class).and_modify(|version| *version = before.min(*version));
            }
        }
        catalog.set_applied_versions(&reached).await?;
        self.leave_bookmark().await?;
        *self.moved_on.lock().await = Some(clock.now());
        Ok(())
    }

    async fn is_bookmark_due(&self) -> bool {
        let moved_on = self.moved_on.lock().await;
        let now = self.services.clock.now();
        moved_on.is_none_or(|moved_on| now.since(moved_on) >= RENEWED_AFTER)
    }

    /// Tells the lake what this install holds, at once. Afterwards no removal is under way that does
    /// not know of it.
    pub(crate) async fn publish_holds(&self) -> Result<(), EngineError> {
        let _deciding = self.deciding.lock().await;
        self.leave_bookmark().await
    }

    async fn leave_bookmark(&self) -> Result<(), EngineError> {
        let Services { catalog, store, install, clock, .. } = &self.services;
        let _writing = self.writing.lock().await;
        let bookmark = Bookmark {
            install: *install,
            written_at: clock.now(),
            applied: catalog.applied_versions().await?,
            readers: BTreeMap::new(),
            holds: Policy::read(catalog).await?.held(),
        };
        Ok(store.bookmark(&bookmark).await?)
    }

    /// Removes what has expired. What will go is in the audit log before it goes, and what went
    /// after; when the log cannot be written, nothing goes.
    async fn expire(&self) -> Result<MaintenanceReport, EngineError> {
        let _deciding = self.deciding.lock().await;
        let Services { catalog, store, clock, .. } = &self.services;
        let now = clock.now();
        let expire = Policy::read(catalog).await?.expiries(now);
        if expire.is_empty() {
            return Ok(MaintenanceReport::default());
        }
        let plan = MaintenancePlan { expire, dry_run: true, ..MaintenancePlan::new(now) };
        let due = store.maintain(&plan).await?;
        if due.expired.is_empty() {
            return Ok(due);
        }
        self.write_down("lake.expiring", &due.expired, now).await?;
        let done = store.maintain(&MaintenancePlan { dry_run: false, ..plan }).await?;
        self.write_down("lake.expired", &done.expired, now).await?;
        Ok(done)
    }

    async fn write_down(
        &self,
        action: &str,
        expired: &[Expired],
        at: Timestamp,
    ) -> Result<(), EngineError> {
        for gone in expired {
            let object = place(&gone.tenant, Some(gone.class));
            self.services.catalog.audit(RETENTION, action, &object, &detail(gone), at).await?;
        }
        Ok(())
    }
}

fn detail(gone: &Expired) -> Value {
    json!({
        "tenant": gone.tenant,
        "class": gone.class,
        "days": gone.days,
        "files": gone.files,
        "rows": gone.rows,
        "version": gone.version,
    })
}

fn log(report: &MaintenanceReport) {
    for failure in &report.failures {
        tracing::error!(class = %failure.class, problem = %failure.problem, "a step of the lake's maintenance failed");
    }
    for gone in &report.expired {
        let (class, tenant) = (gone.class, &gone.tenant);
        tracing::info!(%class, tenant.id = %tenant, rows = gone.rows, files = gone.files, "removed expired events");
    }
    for table in &report.tables {
        tracing::info!(
            class = %table.class,
            merged = table.merged,
            merged_into = table.merged_into,
            snapshot = table.snapshot,
            log_entries = table.log_entries,
            files = table.files,
            size_bytes = table.size_bytes,
            waits_for = table.waits_for,
            "looked after a table"
        );
    }
}

impl App {
    /// Merges all small files of the lake now.
    ///
    /// # Errors
    /// The lake or the catalog cannot be used at all; what failed in one table is in the report.
    pub async fn compact(&self, actor: &str) -> Result<MaintenanceReport, EngineError> {
        self.keeper.try_move_on().await;
        let plan = MaintenancePlan {
            merge: Effort::Now,
            snapshot: Effort::WhenDue,
            ..MaintenancePlan::new(self.services.clock.now())
        };
        let report = self.services.store.maintain(&plan).await?;
        self.audit(actor, "lake.compact", "lake", &Value::Null).await;
        Ok(report)
    }

    /// Removes log entries and files that nobody needs any more. A dry run only tells which.
    ///
    /// # Errors
    /// As [`App::compact`].
    pub async fn vacuum(
        &self,
        dry_run: bool,
        actor: &str,
    ) -> Result<MaintenanceReport, EngineError> {
        self.keeper.try_move_on().await;
        let plan = MaintenancePlan {
            snapshot: Effort::Now,
            clean_up: Effort::Now,
            dry_run,
            ..MaintenancePlan::new(self.services.clock.now())
        };
        let report = self.services.store.maintain(&plan).await?;
        if !dry_run {
            self.audit(actor, "lake.vacuum", "lake", &Value::Null).await;
        }
        Ok(report)
    }

    /// Does everything that the background task does, once.
    ///
    /// # Errors
    /// As [`App::compact`].
    pub async fn maintain(&self) -> Result<MaintenanceReport, EngineError> {
        self.keeper.tick().await
    }
}
