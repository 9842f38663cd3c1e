//! What a query runs in: DataFusion with bounded memory, and the tables of one tenant as of now.

use std::fmt;
use std::sync::Arc;

use datafusion::common::config::Dialect;
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};
use model::ids::TenantId;
use model::ocsf::Class;

use super::functions;
use super::listing::Listing;
use super::provider::ClassTable;
use super::versions::{Versions, has_versions};
use crate::durable::Durable;
use crate::error::LakeError;
use crate::table::file::DataFile;
use crate::table::tables::Tables;

/// Memory that all running queries share; sorts and groups beyond it spill to temporary files.
const MEMORY_BYTES: usize = 1 << 30;
/// Where queries find the lake's files.
pub(crate) const STORE_URL: &str = "lake://data";

/// What all queries share.
pub(crate) struct Engine {
    runtime: Arc<RuntimeEnv>,
}

impl Engine {
    /// An engine over the files of a store.
    pub(crate) fn new(store: &Durable) -> Result<Self, LakeError> {
        let store_url = ObjectStoreUrl::parse(STORE_URL)?;
        let runtime = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(FairSpillPool::new(MEMORY_BYTES)))
            .build_arc()?;
        runtime.register_object_store(store_url.as_ref(), Arc::new(store.clone()));
        Ok(Self { runtime })
    }

    /// A session with these tables, each holding the files of one tenant and no others (I6).
    pub(crate) async fn session(
        &self,
        tables: &Tables,
        tenant: &TenantId,
        classes: &[Class],
        listing: &Listing,
    ) -> Result<Session, LakeError> {
        let context = self.context();
        let mut providers = Vec::with_capacity(classes.len());
        for class in classes {
            providers.push(open(tables, tenant, *class, listing).await?);
        }
        Ok(Session { context, providers })
    }

    /// The versions of a tenant's findings, whatever classes a session asks for.
    pub(crate) async fn versions(
        &self,
        tables: &Tables,
        tenant: &TenantId,
        session: &Session,
        listing: &Listing,
    ) -> Result<Arc<Versions>, LakeError> {
        let mut findings = Vec::new();
        for class in Class::ALL.into_iter().filter(|class| has_versions(*class)) {
            let known = session.providers.iter().find(|table| table.class() == class);
            findings.push(match known {
                Some(table) => Arc::clone(table),
                None => open(tables, tenant, class, listing).await?,
            });
        }
        Ok(Arc::new(Versions::new(self.context(), findings)))
    }

    /// DataFusion that knows no tables yet.
    fn context(&self) -> SessionContext {
        let mut config = SessionConfig::new()
            .with_information_schema(false)
            .with_create_default_catalog_and_schema(true);
        // This dialect takes `actor.user.name` for a column; the default one refuses it.
        config.options_mut().sql_parser.dialect = Dialect::Databricks;
        let context = SessionContext::new_with_config_rt(config, Arc::clone(&self.runtime));
        context.register_udf(functions::raw_text());
        context
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// A tenant's table of a class, as of now.
async fn open(
    tables: &Tables,
    tenant: &TenantId,
    class: Class,
    listing: &Listing,
) -> Result<Arc<ClassTable>, LakeError> {
    tables.refresh(class).await?;
    let files = tenant_files(tables, class, tenant);
    let store = tables.store().clone();
    Ok(Arc::new(ClassTable::new(class, tenant.clone(), files, store, listing.clone())))
}

fn tenant_files(tables: &Tables, class: Class, tenant: &TenantId) -> Vec<Arc<DataFile>> {
    let state = tables.state(class);
    state.days(tenant).into_iter().flat_map(|days| days.values().flatten().cloned()).collect()
}

/// The tables of one tenant, and DataFusion to ask them.
pub(crate) struct Session {
    pub(crate) context: SessionContext,
    pub(crate) providers: Vec<Arc<ClassTable>>,
}

impl Session {
    /// The classes of the tables.
    pub(crate) fn classes(&self) -> Vec<Class> {
        self.providers.iter().map(|table| table.class()).collect()
    }

    /// The tables without the rows that have a newer version.
    pub(crate) fn newest(&self, versions: &Arc<Versions>) -> Vec<Arc<ClassTable>> {
        let newest = |table: &Arc<ClassTable>| match has_versions(table.class()) {
            true => Arc::new(table.newest(Arc::clone(versions))),
            false => Arc::clone(table),
        };
        self.providers.iter().map(newest).collect()
    }

    /// The rows of a table.
    pub(crate) fn rows(&self, table: &Arc<ClassTable>) -> Result<DataFrame, DataFusionError> {
        self.context.read_table(Arc::clone(table) as _)
    }
}
