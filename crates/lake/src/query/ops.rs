//! The stages of a plan without aggregates, sorted into order, cut and output.

use ::query::fields::{Field, Reads};
use ::query::plan::{SortKey, Stage};

/// A step that changes which rows there are, or their order. Fields are those of events.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Op {
    /// Order by these keys; ties stay as they are.
    Sort(Vec<SortKey>),
    /// Keep the first rows.
    Head(u64),
    /// Keep the last rows.
    Tail(u64),
}

/// Steps, and the fields that are left at the end; `None` leaves whole events.
pub(crate) fn flatten(stages: &[Stage]) -> (Vec<Op>, Option<Vec<Field>>) {
    let mut ops = Vec::new();
    let mut output: Option<Vec<Field>> = None;
    for stage in stages {
        match stage {
            Stage::Head(rows) => ops.push(Op::Head(*rows)),
            Stage::Tail(rows) => ops.push(Op::Tail(*rows)),
            Stage::Sort(keys) => {
                let keys = keys.iter().map(|key| SortKey {
                    field: origin(&key.field, output.as_deref()),
                    descending: key.descending,
                });
                ops.push(Op::Sort(keys.collect()));
            }
            Stage::Fields(fields) => {
                let fields = fields.iter().map(|field| origin(field, output.as_deref())).collect();
                output = Some(fields);
            }
            Stage::Aggregate { .. } => debug_assert!(false, "aggregates run elsewhere"),
        }
    }
    (ops, output)
}

/// The field of the event behind a column that an earlier stage left.
fn origin(field: &Field, left: Option<&[Field]>) -> Field {
    let named = left.into_iter().flatten().find(|known| known.name == field.name);
    match (&field.reads, named) {
        (Reads::Output, Some(known)) => known.clone(),
        _ => field.clone(),
    }
}
