//! Queries for events: read in order, window by window, and answered page by page.
//!
//! Without a sort the newest come first, and a query with a `head` stops as soon as it has its rows.
//! Only what stands behind the first `head` or `tail` is done in memory: it is bounded by then.

use std::collections::VecDeque;
use std::sync::Arc;

use ::query::fields::{Field, Reads};
use ::query::plan::{Query, SortKey, TimeRange};
use ::query::store::{Row, Rows, StoreError};
use arrow::compute::SortOptions;
use arrow::row::{OwnedRow, RowConverter, SortField};
use datafusion::dataframe::DataFrame;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, ident};
use model::ocsf::Class;

use super::filter::{condition, in_range};
use super::merge::{Due, Merge};
use super::ops::{Op, flatten};
use super::print::{self, Shape};
use super::provider::ClassTable;
use super::session::Session;
use super::values::{Form, form, value};
use super::{PAGE_ROWS, windows};
use crate::columns::schema::{DAY, LEADING, RAW_DATA, TIME, UID, table_schema};
use crate::error::LakeError;

/// Below this many rows the next windows are read together.
const FEW_ROWS: u64 = 10_000;
/// More are never joined.
const MOST_WINDOWS: usize = 1 << 12;

/// Runs a query without aggregates.
pub(crate) fn run(session: Session, query: Query) -> Result<Rows, LakeError> {
    let walk = Walk::new(session, query)?;
    let columns = walk.columns();
    let pages = futures::stream::try_unfold(walk, |mut walk| async move {
        let page = walk.page().await.map_err(LakeError::Query).map_err(StoreError::from)?;
        Ok(page.map(|page| (page, walk)))
    });
    Ok(Rows { columns, pages: Box::pin(pages) })
}

/// A key to sort by, with its form over all classes.
struct Key {
    field: Field,
    form: Form,
    options: SortOptions,
}

/// What is printed of a row of a class: the columns behind the keys.
struct Output {
    names: Vec<String>,
    shapes: Vec<Shape>,
}

struct Walk {
    session: Session,
    query: Query,
    /// What brings the rows in order, `time` and `uid` last.
    keys: Vec<Key>,
    /// The first cut, when there is one, and whether rows come in reverse for it.
    limit: Option<u64>,
    is_reversed: bool,
    /// Steps behind the first cut, and the keys of their sorts in one list.
    later: Vec<Op>,
    later_keys: Vec<Key>,
    fields: Option<Vec<Field>>,
    outputs: Vec<Output>,
    windows: VecDeque<TimeRange>,
    /// How many windows are read at once: more while few rows pass the filter.
    span: usize,
    /// Rows that the windows under way gave so far.
    came: u64,
    merge: Option<Merge>,
    left: u64,
    /// Rows that are finished, when they had to be gathered first.
    gathered: Option<VecDeque<Row>>,
}

impl Walk {
    fn new(session: Session, query: Query) -> Result<Self, LakeError> {
        let (ops, fields) = flatten(&query.stages);
        let classes = session.classes();
        let mut sorts: Vec<SortKey> = Vec::new();
        let mut rest = ops.into_iter().peekable();
        while let Some(Op::Sort(keys)) = rest.next_if(|op| matches!(op, Op::Sort(_))) {
            sorts.splice(0..0, keys);
        }
        let is_sorted = !sorts.is_empty();
        let (limit, is_reversed) = match rest.next() {
            Some(Op::Head(rows)) => (Some(rows), false),
            Some(Op::Tail(rows)) => (Some(rows), true),
            _ => (None, false),
        };
        let later: Vec<Op> = rest.collect();
        let later_sorts = later.iter().filter_map(|op| match op {
            Op::Sort(keys) => Some(keys),
            _ => None,
        });
        let later_keys =
            later_sorts.flatten().map(|key| Key::new(&classes, key.clone(), false)).collect();
        sorts.extend(default_order());
        let keys: Vec<Key> =
            sorts.into_iter().map(|key| Key::new(&classes, key, is_reversed)).collect();
        let files = session.providers.iter().flat_map(|table| table.files());
        let windows = if is_sorted {
            VecDeque::from([query.range])
        } else {
            windows::windows(files, query.range, !is_reversed).into()
        };
        let outputs = classes.iter().map(|class| Output::of(*class, fields.as_deref())).collect();
        Ok(Self {
            session,
            query,
            keys,
            limit,
            is_reversed,
            later,
            later_keys,
            fields,
            outputs,
            windows,
            // The first window is read alone.
            span: 1,
            came: u64::MAX,
            merge: None,
            left: limit.unwrap_or(u64::MAX),
            gathered: None,
        })
    }

    fn columns(&self) -> Vec<String> {
        let mut columns: Vec<String> = Vec::new();
        for output in &self.outputs {
            for name in &output.names {
                if !columns.contains(name) {
                    columns.push(name.clone());
                }
            }
        }
        if self.fields.is_none() {
            // Behind the attributes of every class.
            columns.retain(|name| name != RAW_DATA && name != DAY);
            columns.extend([RAW_DATA.to_owned(), DAY.to_owned()]);
        }
        columns
    }

    /// The next page; `None` at the end.
    async fn page(&mut self) -> Result<Option<Vec<Row>>> {
        if self.is_reversed || !self.later.is_empty() {
            if self.gathered.is_none() {
                self.gathered = Some(Box::pin(self.gather()).await?.into());
            }
            let Some(rows) = &mut self.gathered else { return Ok(None) };
            let page: Vec<Row> = rows.drain(..rows.len().min(PAGE_ROWS)).collect();
            return Ok((!page.is_empty()).then_some(page));
        }
        let mut page = Vec::new();
        while page.len() < PAGE_ROWS {
            let Some(due) = self.due().await? else { break };
            page.push(self.print(&due));
        }
        Ok((!page.is_empty()).then_some(page))
    }

    /// The next row in order, from as many windows as it takes.
    async fn due(&mut self) -> Result<Option<Due>> {
        while self.left > 0 {
            if self.merge.is_none() {
                let Some(window) = self.next_windows() else { return Ok(None) };
                let frames: Result<Vec<DataFrame>> =
                    self.session.providers.iter().map(|table| self.frame(table, window)).collect();
                let order: Vec<SortOptions> = self.keys.iter().map(|key| key.options).collect();
                let mut streams = Vec::new();
                for frame in frames? {
                    streams.push(frame.execute_stream().await?);
                }
                self.merge = Some(Merge::new(streams, &order)?);
            }
            let Some(merge) = &mut self.merge else { return Ok(None) };
            match merge.next().await? {
                Some(due) => {
                    self.left -= 1;
                    self.came += 1;
                    return Ok(Some(due));
                }
                None => self.merge = None,
            }
        }
        Ok(None)
    }

    /// The next windows as one. Sorting is bounded by what passes the filter, so a query that finds
    /// little need not stop at every window.
    fn next_windows(&mut self) -> Option<TimeRange> {
        self.span = if self.came < FEW_ROWS { (self.span * 2).min(MOST_WINDOWS) } else { 1 };
        self.came = 0;
        let mut joined = self.windows.pop_front()?;
        for _ in 1..self.span {
            let Some(next) = self.windows.pop_front() else { break };
            joined.earliest = joined.earliest.min(next.earliest);
            joined.latest = joined.latest.max(next.latest);
        }
        Some(joined)
    }

    /// The rows of a class in a window, in order: keys, keys of later sorts, output.
    fn frame(&self, table: &Arc<ClassTable>, window: TimeRange) -> Result<DataFrame> {
        let class = table.class();
        let mut frame = self.session.rows(table)?;
        if let Some(range) = in_range(window) {
            frame = frame.filter(range)?;
        }
        frame = frame.filter(condition(class, &self.query.filter)?)?;
        let mut columns = Vec::new();
        let mut order = Vec::new();
        for (place, key) in self.keys.iter().enumerate() {
            let name = format!("__key{place}");
            columns.push(value(class, &key.field, key.form)?.alias(&name));
            order.push(ident(&name).sort(!key.options.descending, key.options.nulls_first));
        }
        for (place, key) in self.later_keys.iter().enumerate() {
            columns.push(value(class, &key.field, key.form)?.alias(format!("__later{place}")));
        }
        columns.extend(self.output_columns(class)?);
        frame = frame.select(columns)?.sort(order)?;
        if self.left < u64::MAX {
            frame = frame.limit(0, usize::try_from(self.left).ok())?;
        }
        Ok(frame)
    }

    fn output_columns(&self, class: Class) -> Result<Vec<Expr>> {
        match &self.fields {
            None => Ok(output_order(class).map(ident).collect()),
            Some(fields) => {
                let outputs = fields.iter().enumerate().map(|(place, field)| {
                    Ok(value(class, field, Form::Json)?.alias(format!("__field{place}")))
                });
                outputs.collect()
            }
        }
    }

    fn print(&self, due: &Due) -> Row {
        let skipped = self.keys.len() + self.later_keys.len();
        let places: Vec<usize> = (skipped..due.batch.num_columns()).collect();
        let output = &self.outputs[due.lane];
        // Cheap: columns are shared.
        match due.batch.project(&places) {
            Ok(batch) => print::row(&batch, &output.names, &output.shapes, due.row),
            Err(_) => Row::new(),
        }
    }

    /// Takes all rows up to the first cut and does the later steps on them.
    async fn gather(&mut self) -> Result<Vec<Row>> {
        let fields = self.later_keys.iter();
        let fields =
            fields.map(|key| SortField::new_with_options(key.form.data_type(), key.options));
        let converters: Result<Vec<RowConverter>, _> =
            fields.map(|field| RowConverter::new(vec![field])).collect();
        let converters = converters?;
        let mut rows: Vec<(Vec<OwnedRow>, Row)> = Vec::new();
        while let Some(due) = self.due().await? {
            let mut later = Vec::with_capacity(converters.len());
            for (place, converter) in converters.iter().enumerate() {
                let column = due.batch.column(self.keys.len() + place).slice(due.row, 1);
                later.push(converter.convert_columns(&[column])?.row(0).owned());
            }
            rows.push((later, self.print(&due)));
        }
        if self.is_reversed {
            rows.reverse();
        }
        let mut before = 0;
        for op in &self.later {
            match op {
                Op::Sort(keys) => {
                    let mine = before..before + keys.len();
                    rows.sort_by(|(one, _), (two, _)| one[mine.clone()].cmp(&two[mine.clone()]));
                    before += keys.len();
                }
                Op::Head(count) => rows.truncate(usize::try_from(*count).unwrap_or(usize::MAX)),
                Op::Tail(count) => {
                    let kept = usize::try_from(*count).unwrap_or(usize::MAX).min(rows.len());
                    rows.drain(..rows.len() - kept);
                }
            }
        }
        debug_assert!(self.limit.is_some() || self.later.is_empty());
        Ok(rows.into_iter().map(|(_, row)| row).collect())
    }
}

impl Key {
    fn new(classes: &[Class], key: SortKey, is_reversed: bool) -> Self {
        let form = form(classes, &key.field);
        let options = SortOptions {
            descending: key.descending != is_reversed,
            // Rows without a value come last.
            nulls_first: is_reversed,
        };
        Self { field: key.field, form, options }
    }
}

impl Output {
    fn of(class: Class, fields: Option<&[Field]>) -> Self {
        match fields {
            None => {
                let names: Vec<String> = output_order(class).map(str::to_owned).collect();
                let shapes = names.iter().map(|name| Shape::of_column(class, name)).collect();
                Self { names, shapes }
            }
            Some(fields) => Self {
                names: fields.iter().map(|field| field.name.clone()).collect(),
                shapes: vec![Shape::Json; fields.len()],
            },
        }
    }
}

/// The columns of a whole event: ours, the attributes of the class, the record.
fn output_order(class: Class) -> impl Iterator<Item = &'static str> {
    let attributes = model::ocsf::schema::attributes(class).iter().map(|attribute| attribute.name);
    debug_assert_eq!(table_schema(class).fields().len(), LEADING.len() + attributes.len() + 1);
    let attributes = attributes.filter(|name| *name != TIME);
    LEADING.into_iter().chain(attributes).chain([RAW_DATA, DAY])
}

/// Newest first; the uid makes the order the same every time.
fn default_order() -> [SortKey; 2] {
    let key = |name: &str, descending| {
        let columns = Class::ALL.into_iter().map(|class| (class, vec![name.to_owned()])).collect();
        SortKey {
            field: Field { name: name.to_owned(), reads: Reads::Columns(columns) },
            descending,
        }
    };
    [key(TIME, true), key(UID, false)]
}

/// The order of rows when nothing else is said, for those who sort elsewhere.
pub(crate) fn usual_order() -> Vec<SortKey> {
    default_order().into()
}
