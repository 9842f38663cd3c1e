//! The tenant wall (I6): every scan of every query goes through here, below anything a user can write.
//!
//! A table is made for one query of one tenant. It knows only that tenant's files, checks the tenant
//! of each again, and filters every row by the tenant that the row itself names. Days and times that a
//! query cannot touch are never opened. Where only the newest version of each finding is asked for, the
//! others are left out here too, so that no condition of a query can bring them back.

use std::collections::HashSet;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, StringArray, TimestampMicrosecondArray, UInt64Array,
};
use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, DFSchema, Result, ScalarValue, internal_err};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfigBuilder, ParquetFileReaderFactory, ParquetSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, col, lit, not};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::filter::FilterExecBuilder;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::{ExecutionPlan, PhysicalExpr};
use model::ids::TenantId;
use model::ocsf::Class;
use object_store::ObjectMeta;
use parquet::arrow::async_reader::AsyncFileReader;

use super::listing::Listing;
use super::session::STORE_URL;
use super::versions::{Versions, is_superseded};
use crate::columns::UTC;
use crate::columns::schema::{DAY, SOURCE, TENANT, TIME, UID, table_schema};
use crate::durable::Durable;
use crate::table::data::{StoredFile, data_path};
use crate::table::file::DataFile;

/// One class's table as one tenant sees it.
#[derive(Debug, Clone)]
pub(crate) struct ClassTable {
    class: Class,
    tenant: TenantId,
    files: Vec<Arc<DataFile>>,
    schema: SchemaRef,
    store: Durable,
    /// Where rows that have a newer version are left out.
    versions: Option<Arc<Versions>>,
    listing: Listing,
}

impl ClassTable {
    /// A table over files, of which those of another tenant are left out.
    pub(crate) fn new(
        class: Class,
        tenant: TenantId,
        mut files: Vec<Arc<DataFile>>,
        store: Durable,
        listing: Listing,
    ) -> Self {
        files.retain(|file| file.tenant == tenant);
        Self { class, tenant, files, schema: table_schema(class), store, versions: None, listing }
    }

    /// The same table without the rows that have a newer version among these.
    pub(crate) fn newest(&self, versions: Arc<Versions>) -> Self {
        Self { versions: Some(versions), ..self.clone() }
    }

    /// The class.
    pub(crate) fn class(&self) -> Class {
        self.class
    }

    /// The files, of the tenant alone.
    pub(crate) fn files(&self) -> &[Arc<DataFile>] {
        &self.files
    }

    /// The files that may hold rows which pass.
    fn selected(&self, predicate: Option<&Arc<dyn PhysicalExpr>>) -> Vec<&Arc<DataFile>> {
        let keep = predicate.and_then(|predicate| {
            let builder = PruningPredicateBuilder::new().with_file_schema(self.schema());
            let pruning = builder.try_build(Arc::clone(predicate)).ok()?;
            pruning.prune(&Bounds(&self.files)).ok()
        });
        let files = self.files.iter().enumerate();
        files
            .filter(|(place, _)| keep.as_ref().is_none_or(|keep| keep[*place]))
            .map(|(_, file)| file)
            .collect()
    }

    fn scan_config(
        &self,
        groups: Vec<FileGroup>,
        predicate: Option<Arc<dyn PhysicalExpr>>,
        columns: Vec<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let day = self.schema.index_of(DAY)?;
        let in_files: Vec<usize> = (0..day).collect();
        let file_schema = Arc::new(self.schema.project(&in_files)?);
        let day_field = Arc::new(self.schema.field(day).clone());
        let shape = TableSchema::builder(file_schema).with_table_partition_cols(vec![day_field]);
        let mut source = ParquetSource::new(shape.build())
            .with_enable_page_index(true)
            .with_parquet_file_reader_factory(Arc::new(Files(self.store.clone())));
        if let Some(predicate) = predicate {
            source = source.with_predicate(predicate);
        }
        let config =
            FileScanConfigBuilder::new(ObjectStoreUrl::parse(STORE_URL)?, Arc::new(source))
                .with_file_groups(groups)
                .with_projection_indices(Some(columns))?
                .build();
        Ok(DataSourceExec::from_data_source(config))
    }

    /// Sees to it that a column is read.
    fn add_column(&self, name: &str, read: &mut Vec<usize>) -> Result<()> {
        let column = self.schema.index_of(name)?;
        if !read.contains(&column) {
            read.push(column);
        }
        Ok(())
    }

    fn partitioned(&self, file: &DataFile) -> PartitionedFile {
        let meta = ObjectMeta {
            location: data_path(self.class, &file.path),
            last_modified: chrono::DateTime::UNIX_EPOCH,
            size: file.size_bytes,
            e_tag: None,
            version: None,
        };
        PartitionedFile::new_from_meta(meta)
            .with_partition_values(vec![ScalarValue::Date32(Some(file.day.0))])
    }
}

#[async_trait]
impl TableProvider for ClassTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let names = DFSchema::try_from(self.schema())?;
        let predicate = conjunction(filters.to_vec())
            .map(|filter| state.create_physical_expr(filter, &names))
            .transpose()?;
        let files = self.selected(predicate.as_ref());
        tracing::debug!(class = %self.class, files = files.len(), of = self.files.len(), "scan");
        if files.iter().any(|file| file.tenant != self.tenant) {
            return internal_err!("a file of another tenant in a scan of `{}`", self.tenant);
        }
        let paths = files.iter().map(|file| data_path(self.class, &file.path).to_string());
        self.listing.note(paths);
        let threads = state.config().target_partitions().max(1);
        let mut groups = vec![Vec::new(); threads.min(files.len()).max(1)];
        let count = groups.len();
        for (place, file) in files.into_iter().enumerate() {
            groups[place % count].push(self.partitioned(file));
        }
        let groups = groups.into_iter().map(FileGroup::new).collect();

        let wanted: Vec<usize> =
            projection.cloned().unwrap_or_else(|| (0..self.schema.fields().len()).collect());
        let mut read = wanted.clone();
        let mut wall = col(TENANT).eq(lit(self.tenant.as_str()));
        self.add_column(TENANT, &mut read)?;
        if let Some(versions) = &self.versions {
            let superseded = versions.superseded().await?;
            wall = wall.and(not(is_superseded(col(UID), superseded)));
            self.add_column(UID, &mut read)?;
        }
        let scan = self.scan_config(groups, predicate, read.clone())?;
        let shape = DFSchema::try_from(Schema::clone(&scan.schema()))?;
        let wall = state.create_physical_expr(wall, &shape)?;
        let filter = FilterExecBuilder::new(wall, scan);
        let filter = if read.len() > wanted.len() {
            filter.apply_projection(Some((0..wanted.len()).collect()))?
        } else {
            filter
        };
        Ok(Arc::new(filter.build()?))
    }
}

/// Opens files by our own reader.
#[derive(Debug)]
struct Files(Durable);

impl ParquetFileReaderFactory for Files {
    fn create_reader(
        &self,
        _partition: usize,
        file: PartitionedFile,
        _footer_bytes: Option<usize>,
        _metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let ObjectMeta { location, size, .. } = file.object_meta;
        Ok(Box::new(StoredFile::new(self.0.clone(), location, size)))
    }
}

/// What the log says of files, for pruning.
struct Bounds<'f>(&'f [Arc<DataFile>]);

impl Bounds<'_> {
    fn times(&self, bound: impl Fn(&DataFile) -> i64) -> ArrayRef {
        let times = self.0.iter().map(|file| bound(file));
        Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone(UTC))
    }

    fn days(&self) -> ArrayRef {
        Arc::new(Date32Array::from_iter_values(self.0.iter().map(|file| file.day.0)))
    }

    fn tenants(&self) -> ArrayRef {
        Arc::new(StringArray::from_iter_values(self.0.iter().map(|file| file.tenant.as_str())))
    }

    fn sources<'s>(&'s self, pick: impl Fn(&'s DataFile) -> Option<&'s String>) -> ArrayRef {
        Arc::new(self.0.iter().map(|file| pick(file)).collect::<StringArray>())
    }
}

impl PruningStatistics for Bounds<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        match column.name() {
            TIME => Some(self.times(|file| file.earliest.as_micros())),
            DAY => Some(self.days()),
            TENANT => Some(self.tenants()),
            SOURCE => Some(self.sources(|file| file.sources.keys().next())),
            _ => None,
        }
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        match column.name() {
            TIME => Some(self.times(|file| file.latest.as_micros())),
            DAY => Some(self.days()),
            TENANT => Some(self.tenants()),
            SOURCE => Some(self.sources(|file| file.sources.keys().next_back())),
            _ => None,
        }
    }

    fn num_containers(&self) -> usize {
        self.0.len()
    }

    fn null_counts(&self, column: &Column) -> Option<ArrayRef> {
        let known = [TIME, DAY, TENANT, SOURCE].contains(&column.name());
        known.then(|| Arc::new(UInt64Array::from_value(0, self.0.len())) as ArrayRef)
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        let rows = self.0.iter().map(|file| file.rows);
        Some(Arc::new(UInt64Array::from_iter_values(rows)))
    }

    fn contained(&self, _: &Column, _: &HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
