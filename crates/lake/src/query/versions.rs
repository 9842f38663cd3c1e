//! Versions of findings: which rows of a tenant are not the newest one of theirs.
//!
//! A finding is known by source and `finding_info.uid`, in whatever class its versions lie. They are
//! told apart before anything else is asked of rows, hence over all the time that the lake holds.

use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array as _, AsArray as _, BooleanArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::cast as cast_array;
use arrow::datatypes::DataType;
use datafusion::common::{Result, exec_err, plan_err};
use datafusion::dataframe::DataFrame;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility, cast,
    ident,
};
use datafusion::prelude::SessionContext;
use futures::StreamExt as _;
use model::identity::Uid;
use model::ocsf::{Class, schema};
use tokio::sync::OnceCell;

use super::provider::ClassTable;
use super::values::place;
use crate::columns::schema::{INGEST_TIME, SOURCE, UID};

/// What a finding is known by at its vendor.
const FINDING: &str = "finding_info.uid";
/// When a version of it was made.
const MODIFIED: &str = "finding_info.modified_time";
/// Our names for what is read of each row, in their order.
const READ: [&str; 5] = ["in_source", "of_finding", "modified", "ingested", "row"];

/// Whether rows of a class can be versions of a finding.
pub(crate) fn has_versions(class: Class) -> bool {
    schema::attribute(class, FINDING).is_some()
}

/// The versions of one tenant's findings. They are read when they are first asked for.
pub(crate) struct Versions {
    /// Knows no tables by name, so that nothing leads from it back to who asks.
    context: SessionContext,
    tables: Vec<Arc<ClassTable>>,
    superseded: OnceCell<Arc<HashSet<Uid>>>,
}

impl Versions {
    /// The versions in the tables of one tenant, all of those whose rows can be some.
    pub(crate) fn new(context: SessionContext, tables: Vec<Arc<ClassTable>>) -> Self {
        Self { context, tables, superseded: OnceCell::new() }
    }

    /// The rows that have a newer version.
    pub(crate) async fn superseded(&self) -> Result<Arc<HashSet<Uid>>> {
        self.superseded.get_or_try_init(|| self.read()).await.map(Arc::clone)
    }

    /// Reads the versions of each finding, newest first, and keeps all but the first.
    async fn read(&self) -> Result<Arc<HashSet<Uid>>> {
        let mut superseded = HashSet::new();
        let Some(frame) = self.versions()? else { return Ok(Arc::new(superseded)) };
        let mut stream = frame.execute_stream().await?;
        let mut before: Option<(String, String)> = None;
        while let Some(batch) = stream.next().await.transpose()? {
            let texts = |place: usize| batch.column(place).as_string::<i32>();
            let (sources, findings, rows) = (texts(0), texts(1), texts(4));
            for row in 0..batch.num_rows() {
                let (source, finding) = (sources.value(row), findings.value(row));
                let is_same =
                    before.as_ref().is_some_and(|(one, other)| one == source && other == finding);
                if !is_same {
                    before = Some((source.to_owned(), finding.to_owned()));
                    continue;
                }
                match rows.value(row).parse::<Uid>() {
                    Ok(uid) => {
                        superseded.insert(uid);
                    }
                    Err(error) => return exec_err!("`{}` is no uid: {error}", rows.value(row)),
                }
            }
        }
        Ok(Arc::new(superseded))
    }

    /// All versions, those of a finding together and the newest of them first.
    fn versions(&self) -> Result<Option<DataFrame>> {
        let mut all: Option<DataFrame> = None;
        for table in &self.tables {
            let frame = self.versions_in(table)?;
            all = Some(match all {
                None => frame,
                Some(others) => others.union(frame)?,
            });
        }
        let order = READ.into_iter().enumerate().map(|(place, name)| {
            // Later is newer; what was never modified is oldest.
            let is_rising = place < 2;
            ident(name).sort(is_rising, false)
        });
        all.map(|frame| frame.sort(order.collect())).transpose()
    }

    fn versions_in(&self, table: &Arc<ClassTable>) -> Result<DataFrame> {
        let class = table.class();
        let (Some(finding), Some(modified)) = (place(class, FINDING), place(class, MODIFIED))
        else {
            return plan_err!("`{class}` has no versions");
        };
        let text = |expr: Expr| cast(expr, DataType::Utf8);
        self.context
            .read_table(Arc::clone(table) as _)?
            .filter(finding.expr.clone().is_not_null())?
            .select(vec![
                text(ident(SOURCE)).alias(READ[0]),
                text(finding.expr).alias(READ[1]),
                modified.expr.alias(READ[2]),
                ident(INGEST_TIME).alias(READ[3]),
                text(ident(UID)).alias(READ[4]),
            ])
    }
}

impl fmt::Debug for Versions {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Versions").finish_non_exhaustive()
    }
}

/// Whether a row has this uid among those that have a newer version. Never null.
pub(crate) fn is_superseded(uid: Expr, superseded: Arc<HashSet<Uid>>) -> Expr {
    let signature = Signature::any(1, Volatility::Immutable);
    ScalarUDF::new_from_impl(IsSuperseded { signature, superseded }).call(vec![uid])
}

struct IsSuperseded {
    signature: Signature,
    superseded: Arc<HashSet<Uid>>,
}

impl fmt::Debug for IsSuperseded {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "IsSuperseded({} rows)", self.superseded.len())
    }
}

impl PartialEq for IsSuperseded {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.superseded, &other.superseded)
    }
}

impl Eq for IsSuperseded {}

impl Hash for IsSuperseded {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.superseded).hash(state);
    }
}

impl ScalarUDFImpl for IsSuperseded {
    fn name(&self) -> &'static str {
        "is_superseded"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(DataType::Boolean)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let [uids] = &arguments.args[..] else { return exec_err!("`is_superseded` takes one uid") };
        let uids = cast_array(&uids.to_array(arguments.number_rows)?, &DataType::Utf8)?;
        let uids = uids.as_string::<i32>();
        let found = BooleanBuffer::collect_bool(uids.len(), |row| {
            let uid = uids.value(row).parse::<Uid>();
            uids.is_valid(row) && uid.is_ok_and(|uid| self.superseded.contains(&uid))
        });
        Ok(ColumnarValue::Array(Arc::new(BooleanArray::new(found, None))))
    }
}
