//! Queries: plans of the hunting languages and SQL, run by DataFusion inside one tenant's wall.
//!
//! [`provider`] is the wall: every scan of every query goes through it. [`filter`], [`values`] and
//! [`aggregate`] turn a plan into expressions, [`walk`] reads whole events newest first in bounded
//! memory, [`sql`] checks and plans statements, [`versions`] tells versions of findings apart,
//! [`print`] makes JSON of what comes out.

mod aggregate;
mod filter;
mod functions;
mod json_path;
mod listing;
mod matcher;
mod merge;
mod ops;
mod own_names;
mod print;
mod provider;
mod session;
mod sql;
mod values;
mod versions;
mod walk;
mod windows;

use std::sync::Arc;

use ::query::plan::{Query, Stage};
use ::query::store::{Rows, Statement, StoreError};
use futures::TryStreamExt as _;
use model::ids::TenantId;
use model::ocsf::Class;

use crate::error::LakeError;
use crate::table::tables::Tables;
use listing::Listing;
pub(crate) use session::Engine;

/// Rows on a page of an answer.
const PAGE_ROWS: usize = 1000;

/// Runs a statement for one tenant.
pub(crate) async fn run(
    engine: &Engine,
    tables: &Arc<Tables>,
    tenant: &TenantId,
    statement: Statement,
) -> Result<Rows, StoreError> {
    run_listing(engine, tables, tenant, statement, &Listing::off()).await
}

/// Runs a statement to its end and answers, instead of its rows, which files its scans listed: their
/// paths in the lake, in order. Only these files were opened.
pub(crate) async fn listed_files(
    engine: &Engine,
    tables: &Arc<Tables>,
    tenant: &TenantId,
    statement: Statement,
) -> Result<Vec<String>, StoreError> {
    let listing = Listing::on();
    let mut rows = run_listing(engine, tables, tenant, statement, &listing).await?;
    while rows.pages.try_next().await?.is_some() {}
    Ok(listing.files())
}

async fn run_listing(
    engine: &Engine,
    tables: &Arc<Tables>,
    tenant: &TenantId,
    statement: Statement,
    listing: &Listing,
) -> Result<Rows, StoreError> {
    match statement {
        Statement::Sql(text) => {
            let session = engine.session(tables, tenant, &Class::ALL, listing).await?;
            let versions = engine.versions(tables, tenant, &session, listing).await?;
            sql::run(&session, &versions, &text).await
        }
        Statement::Query(query) => {
            let classes = classes(&query);
            let mut session = engine.session(tables, tenant, &classes, listing).await?;
            if query.latest {
                let versions = engine.versions(tables, tenant, &session, listing).await?;
                session.providers = session.newest(&versions);
            }
            if query.stages.iter().any(|stage| matches!(stage, Stage::Aggregate { .. })) {
                Ok(aggregate::run(&session, &query).await?)
            } else {
                Ok(walk::run(session, query)?)
            }
        }
    }
}

/// The classes that a query looks in.
fn classes(query: &Query) -> Vec<Class> {
    let mut classes = query.classes.clone();
    if classes.is_empty() {
        classes = Class::ALL.to_vec();
    }
    classes.sort_unstable();
    classes.dedup();
    classes
}

impl From<datafusion::error::DataFusionError> for LakeError {
    fn from(error: datafusion::error::DataFusionError) -> Self {
        Self::Query(error)
    }
}
