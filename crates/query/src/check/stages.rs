//! Stages: their fields, and which names are left after each.

use super::{Checker, predicate};
use crate::fields::{ColumnKind, Field, Reads};
use crate::language::{QueryError, Span};
use crate::near;
use crate::plan;
use crate::syntax::{Function, Name, SortKey, Stage};

/// The columns that a stage left; `None` while rows are whole events.
type Left = Option<Vec<String>>;

impl Checker<'_, '_> {
    pub(super) fn stages(&mut self, stages: &[Stage]) -> Result<Vec<plan::Stage>, QueryError> {
        let mut left: Left = None;
        let mut checked = Vec::with_capacity(stages.len());
        for stage in stages {
            checked.push(match stage {
                Stage::Head(rows) => plan::Stage::Head(*rows),
                Stage::Tail(rows) => plan::Stage::Tail(*rows),
                Stage::Sort(keys) => {
                    let keys: Result<_, _> =
                        keys.iter().map(|key| self.sort_key(key, &left)).collect();
                    plan::Stage::Sort(keys?)
                }
                Stage::Fields(names) => {
                    let fields = self.column_list(names, &left)?;
                    left = Some(fields.iter().map(|field| field.name.clone()).collect());
                    plan::Stage::Fields(fields)
                }
                Stage::Aggregate { functions, by } => self.aggregate(functions, by, &mut left)?,
            });
        }
        Ok(checked)
    }

    fn aggregate(
        &mut self,
        functions: &[Function],
        by: &[Name],
        left: &mut Left,
    ) -> Result<plan::Stage, QueryError> {
        let by_fields = self.column_list(by, left)?;
        for (field, name) in by_fields.iter().zip(by) {
            refuse_object(field, &name.span)?;
        }
        let mut columns: Vec<String> = by_fields.iter().map(|field| field.name.clone()).collect();
        let mut computed = Vec::with_capacity(functions.len());
        for function in functions {
            let aggregate = self.function(function, left)?;
            add_column(aggregate.name(), &function.span, &mut columns)?;
            computed.push(aggregate);
        }
        *left = Some(columns);
        Ok(plan::Stage::Aggregate { functions: computed, by: by_fields })
    }

    fn function(
        &mut self,
        function: &Function,
        left: &Left,
    ) -> Result<plan::Aggregate, QueryError> {
        let name = function.name.text().to_ascii_lowercase();
        let usage =
            "write count, or sum, avg, min, max or cardinality of a field: sum(message_size)";
        let make: fn(Field) -> plan::Aggregate = match (name.as_str(), &function.argument) {
            ("count", None) => return Ok(plan::Aggregate::Count),
            ("count", Some(_)) => {
                let error = QueryError::new("count counts rows, not values", function.span.clone());
                return Err(
                    error.with_hint("write count, or cardinality(field) for different values")
                );
            }
            ("sum", _) => plan::Aggregate::Sum,
            ("avg", _) => plan::Aggregate::Average,
            ("min", _) => plan::Aggregate::Minimum,
            ("max", _) => plan::Aggregate::Maximum,
            ("cardinality", _) => plan::Aggregate::Cardinality,
            _ => {
                let message = format!("unknown function `{name}`");
                return Err(QueryError::new(message, function.name.span.clone()).with_hint(usage));
            }
        };
        let Some(argument) = &function.argument else {
            let error = QueryError::new(format!("{name} needs a field"), function.span.clone());
            return Err(error.with_hint(usage));
        };
        let field = self.column(argument, left)?;
        refuse_object(&field, &argument.span)?;
        if matches!(name.as_str(), "sum" | "avg") && !may_be_number(&field) {
            let message = format!("`{name}` needs numbers, `{}` holds none", field.name);
            let error = QueryError::new(message, argument.span.clone());
            return Err(error.with_hint("count and cardinality work on every field"));
        }
        Ok(make(field))
    }

    fn sort_key(&mut self, key: &SortKey, left: &Left) -> Result<plan::SortKey, QueryError> {
        let target = &key.target;
        let field = match (&target.argument, left) {
            (None, _) => self.column(&target.name, left)?,
            (Some(argument), Some(columns)) => {
                let name = format!("{}({})", target.name.text(), argument.text());
                output(&name, &target.span, columns)?
            }
            (Some(_), None) => {
                let error = QueryError::new("nothing is computed here yet", target.span.clone());
                return Err(error.with_hint("sort by a function comes behind `| aggregate …`"));
            }
        };
        refuse_object(&field, &target.span)?;
        Ok(plan::SortKey { field, descending: key.descending })
    }

    /// Fields, none of them twice.
    fn column_list(&mut self, names: &[Name], left: &Left) -> Result<Vec<Field>, QueryError> {
        let mut seen = Vec::new();
        let mut fields = Vec::with_capacity(names.len());
        for name in names {
            let field = self.column(name, left)?;
            add_column(field.name.clone(), &name.span, &mut seen)?;
            fields.push(field);
        }
        Ok(fields)
    }

    fn column(&mut self, name: &Name, left: &Left) -> Result<Field, QueryError> {
        if name.logical {
            let message = format!("`{}` covers several fields", name.text());
            return Err(QueryError::new(message, name.span.clone()).with_hint("name one field"));
        }
        match left {
            Some(columns) => output(&name.text(), &name.span, columns),
            None => self.field(name),
        }
    }
}

/// A column that an earlier stage left.
fn output(name: &str, span: &Span, columns: &[String]) -> Result<Field, QueryError> {
    if let Some(column) = columns.iter().find(|column| column.eq_ignore_ascii_case(name)) {
        return Ok(Field { name: column.clone(), reads: Reads::Output });
    }
    let known: Vec<&str> = columns.iter().map(String::as_str).collect();
    let hint = match near::slips(name, known.iter().copied()).first() {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the columns here are {}", known.join(", ")),
    };
    let message = format!("the stage before has no column `{name}`");
    Err(QueryError::new(message, span.clone()).with_hint(hint))
}

fn add_column(name: String, span: &Span, columns: &mut Vec<String>) -> Result<(), QueryError> {
    if columns.iter().any(|column| column.eq_ignore_ascii_case(&name)) {
        let error = QueryError::new(format!("`{name}` is there twice"), span.clone());
        return Err(error.with_hint("leave one out"));
    }
    columns.push(name);
    Ok(())
}

fn refuse_object(field: &Field, span: &Span) -> Result<(), QueryError> {
    if !predicate::kinds(field).contains(&ColumnKind::Object) {
        return Ok(());
    }
    let error = QueryError::new(format!("`{}` is an object", field.name), span.clone());
    Err(error.with_hint(predicate::object_hint(&field.name)))
}

fn may_be_number(field: &Field) -> bool {
    let kinds = predicate::kinds(field);
    let is_number = |kind: &ColumnKind| {
        matches!(kind, ColumnKind::Integer(_) | ColumnKind::Float | ColumnKind::Json)
    };
    kinds.is_empty() || kinds.iter().any(is_number)
}
