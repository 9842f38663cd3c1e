//! The store of these tests: the one in memory, with what it cannot do left out of the question and
//! with failures on demand.

use std::collections::BTreeMap;
use std::sync::Mutex;

use async_trait::async_trait;
use futures::{StreamExt, stream};
use model::batch::{Batch, CommitReceipt, Receipt, TableCommit};
use model::ids::{InstallId, TenantId};
use model::ocsf::Class;
use query::plan::Filter;
use query::store::maintenance::{Bookmark, MaintenancePlan, MaintenanceReport};
use query::store::memory::MemoryStore;
use query::store::{
    EventStore, NewRow, Received, Rows, Statement, StoreError, TableStats, Verification,
};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Trouble {
    #[default]
    None,
    /// Everything fails.
    Down,
    /// The second page of an answer cannot be read.
    SecondPage,
    /// The store has a bug.
    Panic,
}

/// Evaluates no filters: every query finds all rows of its classes and time range.
#[derive(Default)]
pub(crate) struct TestStore {
    rows: MemoryStore,
    trouble: Mutex<Trouble>,
}

impl TestStore {
    pub(crate) fn suffer(&self, trouble: Trouble) {
        *self.trouble.lock().unwrap() = trouble;
    }

    fn check(&self) -> Result<(), StoreError> {
        match *self.trouble.lock().unwrap() {
            Trouble::Down => Err(failed()),
            Trouble::Panic => panic!("a bug in the store"),
            Trouble::None | Trouble::SecondPage => Ok(()),
        }
    }
}

fn failed() -> StoreError {
    StoreError::Failed {
        action: "failed to read email_activity".to_owned(),
        source: "No space left on /srv/secret/place".into(),
    }
}

#[async_trait]
impl EventStore for TestStore {
    async fn append(&self, batches: Vec<Batch>) -> Result<Vec<Receipt>, StoreError> {
        self.check()?;
        self.rows.append(batches).await
    }

    async fn commits(&self, class: Class, after: Option<u64>) -> Result<Vec<NewRow>, StoreError> {
        self.rows.commits(class, after).await
    }

    async fn receipts(
        &self,
        install: InstallId,
        after: &BTreeMap<Class, u64>,
    ) -> Result<Vec<(CommitReceipt, TableCommit)>, StoreError> {
        self.rows.receipts(install, after).await
    }

    async fn received(&self, install: InstallId) -> Result<Vec<Received>, StoreError> {
        self.rows.received(install).await
    }

    async fn query(&self, tenant: &TenantId, statement: Statement) -> Result<Rows, StoreError> {
        self.check()?;
        let statement = match statement {
            Statement::Query(mut query) => {
                query.filter = Filter::All;
                query.stages.retain(|stage| matches!(stage, query::plan::Stage::Head(_)));
                Statement::Query(query)
            }
            sql @ Statement::Sql(_) => sql,
        };
        let mut rows = self.rows.query(tenant, statement).await?;
        if *self.trouble.lock().unwrap() == Trouble::SecondPage {
            rows.pages = Box::pin(rows.pages.take(1).chain(stream::iter([Err(failed())])));
        }
        Ok(rows)
    }

    async fn stats(&self, tenant: Option<&TenantId>) -> Result<Vec<TableStats>, StoreError> {
        self.check()?;
        self.rows.stats(tenant).await
    }

    async fn verify(&self) -> Result<Verification, StoreError> {
        self.check()?;
        self.rows.verify().await
    }

    async fn maintain(&self, plan: &MaintenancePlan) -> Result<MaintenanceReport, StoreError> {
        self.check()?;
        self.rows.maintain(plan).await
    }

    async fn bookmark(&self, bookmark: &Bookmark) -> Result<(), StoreError> {
        self.check()?;
        self.rows.bookmark(bookmark).await
    }
}
