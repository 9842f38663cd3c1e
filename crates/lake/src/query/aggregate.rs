//! Queries with aggregates: the fields that they need of every class in one table of common columns,
//! then stage after stage.

use std::sync::Arc;

use ::query::fields::{Field, Reads};
use ::query::plan::{Aggregate, Query, SortKey, Stage};
use ::query::store::Rows;
use datafusion::common::{Result, plan_err};
use datafusion::dataframe::DataFrame;
use datafusion::functions::string::expr_fn::btrim;
use datafusion::functions_aggregate::expr_fn::{avg, count, count_distinct, max, min, sum};
use datafusion::logical_expr::{Expr, SortExpr, cast, ident, lit, try_cast};
use model::ocsf::Class;

use super::filter::{condition, in_range};
use super::print::Shape;
use super::provider::ClassTable;
use super::session::Session;
use super::sql;
use super::values::{Form, form, value};
use super::walk::usual_order;
use crate::error::LakeError;
use arrow::datatypes::DataType;

/// Runs a query with aggregates.
pub(crate) async fn run(session: &Session, query: &Query) -> Result<Rows, LakeError> {
    let table = Table::of_events(session, query)?;
    let table = query.stages.iter().try_fold(table, Table::then)?;
    let (frame, names, shapes) = table.finish()?;
    Ok(sql::pages(frame.execute_stream().await?, names, shapes))
}

/// A column that a stage can name.
#[derive(Debug, Clone)]
struct Column {
    /// The name in the frame.
    inner: String,
    /// The name for people; a field of events is known by what it reads.
    field: Field,
    form: Form,
}

/// Rows between two stages.
struct Table {
    frame: DataFrame,
    columns: Vec<Column>,
    /// The order of the rows, to be brought about when it matters.
    order: Vec<SortExpr>,
    /// How many columns were made so far, for their names.
    made: usize,
}

impl Table {
    /// The fields of events that the stages name, up to and including the first aggregate.
    fn of_events(session: &Session, query: &Query) -> Result<Self> {
        let classes = session.classes();
        let mut fields: Vec<Field> = usual_order().into_iter().map(|key| key.field).collect();
        for field in query.stages.iter().flat_map(fields_of) {
            if field.reads != Reads::Output && !fields.contains(field) {
                fields.push(field.clone());
            }
        }
        let columns: Vec<Column> = fields
            .into_iter()
            .enumerate()
            .map(|(place, field)| Column {
                inner: format!("c{place}"),
                form: form(&classes, &field),
                field,
            })
            .collect();
        let mut frames = session
            .providers
            .iter()
            .map(|table| events(session, table, query, &columns))
            .collect::<Result<Vec<DataFrame>>>()?
            .into_iter();
        let Some(first) = frames.next() else { return plan_err!("a query without tables") };
        let frame = frames.try_fold(first, DataFrame::union)?;
        let mut table = Self { frame, made: columns.len(), columns, order: Vec::new() };
        table.order = table.sort_exprs(&usual_order())?;
        Ok(table)
    }

    fn then(mut self, stage: &Stage) -> Result<Self> {
        match stage {
            Stage::Sort(keys) => {
                let mut order = self.sort_exprs(keys)?;
                order.append(&mut self.order);
                self.order = order;
            }
            Stage::Head(rows) => {
                self.frame =
                    self.frame.sort(self.order.clone())?.limit(0, usize::try_from(*rows).ok())?;
            }
            Stage::Tail(rows) => {
                let reversed = self.order.iter().map(|key| SortExpr {
                    expr: key.expr.clone(),
                    asc: !key.asc,
                    nulls_first: !key.nulls_first,
                });
                self.frame =
                    self.frame.sort(reversed.collect())?.limit(0, usize::try_from(*rows).ok())?;
            }
            // Fields that a stage before named: they keep their columns, the others are hidden.
            Stage::Fields(fields) => {
                let shown: Result<Vec<Column>> = fields
                    .iter()
                    .map(|field| {
                        let mut column = self.column(field)?.clone();
                        column.field = Field { name: field.name.clone(), reads: Reads::Output };
                        Ok(column)
                    })
                    .collect();
                self.columns = shown?;
            }
            Stage::Aggregate { functions, by } => return self.aggregate(functions, by),
        }
        Ok(self)
    }

    fn aggregate(mut self, functions: &[Aggregate], by: &[Field]) -> Result<Self> {
        let mut columns = Vec::new();
        let mut groups = Vec::new();
        for field in by {
            let known = self.column(field)?;
            let (expr, form) = (ident(&known.inner), known.form);
            let inner = self.new_name();
            groups.push(expr.alias(&inner));
            columns.push(Column { inner, field: output(&field.name), form });
        }
        let rows = self.new_name();
        let mut computed = vec![count(lit(1_i64)).alias(&rows)];
        for function in functions {
            let (expr, form) = self.function(function)?;
            let inner = self.new_name();
            computed.push(expr.alias(&inner));
            columns.push(Column { inner, field: output(&function.name()), form });
        }
        self.order = vec![ident(&rows).sort(false, false)];
        self.order
            .extend(columns[..by.len()].iter().map(|group| ident(&group.inner).sort(true, false)));
        self.frame = self.frame.aggregate(groups, computed)?;
        self.columns = columns;
        Ok(self)
    }

    fn function(&self, function: &Aggregate) -> Result<(Expr, Form)> {
        let column =
            |field: &Field| self.column(field).map(|column| (ident(&column.inner), column.form));
        Ok(match function {
            Aggregate::Count => (count(lit(1_i64)), Form::Integer),
            Aggregate::Sum(field) => match column(field)? {
                (expr, Form::Integer) => (sum(expr), Form::Integer),
                (expr, form) => (sum(number(expr, form)), Form::Float),
            },
            Aggregate::Average(field) => {
                let (expr, form) = column(field)?;
                (avg(number(expr, form)), Form::Float)
            }
            Aggregate::Minimum(field) => {
                let (expr, form) = column(field)?;
                (min(expr), form)
            }
            Aggregate::Maximum(field) => {
                let (expr, form) = column(field)?;
                (max(expr), form)
            }
            Aggregate::Cardinality(field) => (count_distinct(column(field)?.0), Form::Integer),
        })
    }

    /// The rows in their order with the columns that are shown.
    fn finish(self) -> Result<(DataFrame, Vec<String>, Vec<Shape>)> {
        let names = self.columns.iter().map(|column| column.field.name.clone()).collect();
        let shapes = self.columns.iter().map(|column| column.form.shape()).collect();
        // A column may be shown twice under two names.
        let shown = self
            .columns
            .iter()
            .enumerate()
            .map(|(place, column)| ident(&column.inner).alias(format!("shown{place}")));
        let frame = self.frame.sort(self.order)?.select(shown.collect::<Vec<_>>())?;
        Ok((frame, names, shapes))
    }

    fn sort_exprs(&self, keys: &[SortKey]) -> Result<Vec<SortExpr>> {
        let sorted =
            |key: &SortKey| Ok(ident(&self.column(&key.field)?.inner).sort(!key.descending, false));
        keys.iter().map(sorted).collect()
    }

    fn column(&self, field: &Field) -> Result<&Column> {
        let found = self.columns.iter().find(|column| match field.reads {
            Reads::Output => column.field.name == field.name,
            _ => column.field == *field,
        });
        match found {
            Some(column) => Ok(column),
            None => plan_err!("the stage before has no column `{}`", field.name),
        }
    }

    fn new_name(&mut self) -> String {
        self.made += 1;
        format!("c{}", self.made)
    }
}

/// The common columns of the rows of one class.
fn events(
    session: &Session,
    table: &Arc<ClassTable>,
    query: &Query,
    columns: &[Column],
) -> Result<DataFrame> {
    let class: Class = table.class();
    let mut frame = session.rows(table)?;
    if let Some(range) = in_range(query.range) {
        frame = frame.filter(range)?;
    }
    frame = frame.filter(condition(class, &query.filter)?)?;
    let exprs: Result<Vec<Expr>> = columns
        .iter()
        .map(|column| {
            let expr = value(class, &column.field, column.form)?;
            Ok(cast(expr, column.form.data_type()).alias(&column.inner))
        })
        .collect();
    frame.select(exprs?)
}

fn fields_of(stage: &Stage) -> Vec<&Field> {
    match stage {
        Stage::Head(_) | Stage::Tail(_) => Vec::new(),
        Stage::Sort(keys) => keys.iter().map(|key| &key.field).collect(),
        Stage::Fields(fields) => fields.iter().collect(),
        Stage::Aggregate { functions, by } => {
            let arguments = functions.iter().filter_map(|function| match function {
                Aggregate::Count => None,
                Aggregate::Sum(field)
                | Aggregate::Average(field)
                | Aggregate::Minimum(field)
                | Aggregate::Maximum(field)
                | Aggregate::Cardinality(field) => Some(field),
            });
            by.iter().chain(arguments).collect()
        }
    }
}

fn output(name: &str) -> Field {
    Field { name: name.to_owned(), reads: Reads::Output }
}

/// A number to calculate with; null where JSON text is none.
fn number(expr: Expr, form: Form) -> Expr {
    match form {
        Form::Json | Form::Text => try_cast(btrim(vec![expr, lit("\"")]), DataType::Float64),
        _ => cast(expr, DataType::Float64),
    }
}
