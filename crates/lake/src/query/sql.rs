//! SQL: one `SELECT` over the class tables and the view `events`, and nothing else. The same tables
//! stand in the schema `latest`, there with the newest version of each finding only. Vendors' own names
//! of fields stand beside those of the columns.

use std::collections::VecDeque;
use std::sync::Arc;

use ::query::store::{Row, Rows, StoreError};
use arrow::array::RecordBatch;
use datafusion::catalog::MemorySchemaProvider;
use datafusion::common::config::Dialect;
use datafusion::common::utils::datafusion_strsim::levenshtein;
use datafusion::common::{Column, SchemaError, TableReference, internal_err};
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::context::SQLOptions;
use datafusion::logical_expr::ident;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::ast::Statement as Parsed;
use datafusion::sql::sqlparser::dialect::DatabricksDialect;
use futures::StreamExt as _;
use model::ocsf::Class;

use super::PAGE_ROWS;
use super::own_names;
use super::print::{self, Shape};
use super::provider::ClassTable;
use super::session::Session;
use super::versions::Versions;
use crate::columns::schema::COMMON;
use crate::error::LakeError;

/// The view over all classes.
pub(crate) const EVENTS: &str = "events";
/// The schema of tables without superseded versions.
const LATEST: &str = "latest";
/// What DataFusion calls the catalog and the schema that names without them belong to.
const CATALOG: &str = "datafusion";
const SCHEMA: &str = "public";
/// What to write instead of a refused statement.
const ALLOWED: &str = "write one SELECT over a class table such as email_activity, or over events";

/// Checks and runs a statement.
pub(crate) async fn run(
    session: &Session,
    versions: &Arc<Versions>,
    text: &str,
) -> Result<Rows, StoreError> {
    let statement = parse(text)?;
    register(session, versions).map_err(LakeError::Query)?;
    let state = session.context.state();
    debug_assert_eq!(state.config_options().sql_parser.dialect, Dialect::Databricks);
    let plan =
        state.statement_to_plan(statement).await.map_err(|error| refused(session, &error))?;
    let options =
        SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    options
        .verify_plan(&plan)
        .map_err(|_| refuse("only reading is allowed", Some(ALLOWED.to_owned())))?;
    let names: Vec<String> =
        plan.schema().fields().iter().map(|field| field.name().clone()).collect();
    let shapes = plan.schema().fields().iter();
    let shapes = shapes.map(|field| Shape::guess(field.name(), field.data_type())).collect();
    let frame = DataFrame::new(state, plan);
    let stream = frame.execute_stream().await.map_err(|error| refused(session, &error))?;
    Ok(pages(stream, distinct(names), shapes))
}

/// The batches of a stream as pages of rows.
pub(crate) fn pages(
    stream: SendableRecordBatchStream,
    names: Vec<String>,
    shapes: Vec<Shape>,
) -> Rows {
    let columns = names.clone();
    let state = (stream, VecDeque::<(RecordBatch, usize)>::new());
    let pages = futures::stream::try_unfold(state, move |(mut stream, mut waiting)| {
        let (names, shapes) = (names.clone(), shapes.clone());
        async move {
            let mut page: Vec<Row> = Vec::new();
            while page.len() < PAGE_ROWS {
                let Some((batch, start)) = waiting.pop_front() else {
                    match stream.next().await {
                        Some(Ok(batch)) => waiting.push_back((batch, 0)),
                        Some(Err(error)) => return Err(StoreError::from(LakeError::Query(error))),
                        None => break,
                    }
                    continue;
                };
                let end = batch.num_rows().min(start + PAGE_ROWS - page.len());
                page.extend((start..end).map(|row| print::row(&batch, &names, &shapes, row)));
                if end < batch.num_rows() {
                    waiting.push_front((batch, end));
                }
            }
            Ok((!page.is_empty()).then_some((page, (stream, waiting))))
        }
    });
    Rows { columns, pages: Box::pin(pages) }
}

/// Takes exactly one query.
fn parse(text: &str) -> Result<Statement, StoreError> {
    let parser = DFParserBuilder::new(text).with_dialect(&DatabricksDialect {}).build();
    let statements = parser.and_then(|mut parser| parser.parse_statements());
    let mut statements =
        statements.map_err(|error| refuse(&cause(&error), Some(ALLOWED.to_owned())))?;
    match (statements.pop_front(), statements.is_empty()) {
        (Some(Statement::Statement(mut statement)), true)
            if matches!(*statement, Parsed::Query(_)) =>
        {
            own_names::replace(&mut statement);
            Ok(Statement::Statement(statement))
        }
        (Some(_), true) => Err(refuse(
            "this is not a SELECT; nothing in the lake can be changed by SQL",
            Some(ALLOWED.to_owned()),
        )),
        (Some(_), false) => Err(refuse(
            "there are several statements",
            Some("send one SELECT at a time".to_owned()),
        )),
        (None, _) => Err(refuse("there is no statement", Some(ALLOWED.to_owned()))),
    }
}

/// Gives the tables their names. The newest versions are found out only when a statement reads them.
fn register(session: &Session, versions: &Arc<Versions>) -> Result<(), DataFusionError> {
    let Some(catalog) = session.context.catalog(CATALOG) else {
        return internal_err!("there is no catalog `{CATALOG}`");
    };
    catalog.register_schema(LATEST, Arc::new(MemorySchemaProvider::new()))?;
    name_tables(session, SCHEMA, &session.providers)?;
    name_tables(session, LATEST, &session.newest(versions))
}

/// Names tables and the view over them in a schema.
fn name_tables(
    session: &Session,
    schema: &str,
    tables: &[Arc<ClassTable>],
) -> Result<(), DataFusionError> {
    let mut union: Option<DataFrame> = None;
    for table in tables {
        let name = TableReference::partial(schema, table.class().name());
        session.context.register_table(name, Arc::clone(table) as _)?;
        let common = session.rows(table)?.select(COMMON.map(ident).to_vec())?;
        union = Some(match union {
            None => common,
            Some(others) => others.union(common)?,
        });
    }
    if let Some(events) = union {
        let name = TableReference::partial(schema, EVENTS);
        session.context.register_table(name, events.into_view())?;
    }
    Ok(())
}

/// Output names, each once: a second `count` becomes `count_2`.
fn distinct(names: Vec<String>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        let free = (1..).map(|n| if n == 1 { name.clone() } else { format!("{name}_{n}") });
        seen.extend(free.into_iter().find(|name| !seen.contains(name)));
    }
    seen
}

fn refuse(message: &str, hint: Option<String>) -> StoreError {
    StoreError::Refused { message: message.to_owned(), hint }
}

/// Planning fails because of the statement; reading is the lake's failure.
fn refused(session: &Session, error: &DataFusionError) -> StoreError {
    if let DataFusionError::SchemaError(schema, _) = error.find_root()
        && let SchemaError::FieldNotFound { field, valid_fields } = schema.as_ref()
    {
        return unknown_column(field, valid_fields);
    }
    let message = cause(error);
    if let Some(name) = unknown_table(&message) {
        let tables = session.classes().into_iter().map(Class::name).chain([EVENTS]);
        let hint = near(&name, tables.clone()).unwrap_or_else(|| {
            let names: Vec<&str> = tables.collect();
            format!(
                "the tables are {}; behind `{LATEST}.` each holds only the newest version of findings",
                names.join(", ")
            )
        });
        return refuse(&format!("there is no table `{name}`"), Some(hint));
    }
    refuse(&message, None)
}

fn unknown_column(field: &Column, valid: &[Column]) -> StoreError {
    let mut names: Vec<&str> = valid.iter().map(|column| column.name.as_str()).collect();
    names.dedup();
    let hint = near(&field.name, names.iter().copied());
    let hint = hint.unwrap_or_else(|| format!("the columns here are {}", names.join(", ")));
    refuse(&format!("there is no column `{}`", field.name), Some(hint))
}

/// The name in DataFusion's message about a table that is not there.
fn unknown_table(message: &str) -> Option<String> {
    let (_, rest) = message.split_once("table '")?;
    let (name, rest) = rest.split_once('\'')?;
    rest.contains("not found")
        .then(|| name.trim_start_matches("datafusion.").trim_start_matches("public.").to_owned())
}

/// Names that may have been meant.
fn near<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    let mut found: Vec<(usize, &str)> = known
        .map(|candidate| (levenshtein(&name.to_lowercase(), candidate), candidate))
        .filter(|(distance, candidate)| {
            *distance <= 1 + name.len() / 4 || (name.len() > 2 && candidate.contains(name))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    let names: Vec<String> = found.iter().take(3).map(|(_, name)| format!("`{name}`")).collect();
    (!names.is_empty()).then(|| format!("did you mean {}?", names.join(" or ")))
}

/// The innermost message, without DataFusion's labels and its advice to file a bug.
fn cause(error: &DataFusionError) -> String {
    let text = error.find_root().strip_backtrace();
    let text = text.split("\n\nThis issue was likely").next().unwrap_or(&text).trim();
    let labels = [
        "Error during planning: ",
        "SQL error: ",
        "Schema error: ",
        "Internal error: ",
        "This feature is not implemented: ",
        "Execution error: ",
    ];
    labels.iter().fold(text, |text, label| text.strip_prefix(label).unwrap_or(text)).to_owned()
}
